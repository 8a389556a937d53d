//! The HTTP API, as a router to mount in any service.
//!
//! It speaks what programs written for the public SDK expect: paths, field names, statuses, error bodies and the event
//! socket. [`Api::router`] gives an [`axum::Router`]; under which prefix it is mounted, on which listener and with which
//! TLS is the embedder's choice. Who may ask is decided by an [`auth::Authentication`].
//!
//! ```no_run
//! # async fn example(engine: hourglass_engine::Engine) -> std::io::Result<()> {
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use hourglass_api::auth::KeyHash;
//! use hourglass_api::{Api, Principal, Settings, StoredKeys};
//! use hourglass_events::OrganizationId;
//!
//! let who = Principal { organization: OrganizationId::from_u128(1), name: "ada".to_owned() };
//! let keys = StoredKeys::new().with(KeyHash::of("a long and random key"), who);
//! let api = Api::new(engine, Arc::new(keys), Settings::new("http://localhost:3000/api"));
//! let service = axum::Router::new().nest("/api", api.router());
//! let listener = tokio::net::TcpListener::bind("localhost:3000").await?;
//! axum::serve(listener, service)
//!     .with_graceful_shutdown(async move {
//!         let _ = tokio::signal::ctrl_c().await;
//!         api.drain(Duration::from_secs(10)).await;
//!     })
//!     .await
//! # }
//! ```
//!
//! What an engine cannot do yet is answered with 422 and a code that names it, never with 404. Deciding, waiting and
//! listing are the engine's; nothing here keeps state but what is in hand: requests, sockets, and how often who asked.
//! What it serves is described for machines at `/openapi.json`, from the same table that routes requests.

pub mod auth;
pub mod settings;
pub mod telemetry;

mod body;
mod caller;
mod capability;
mod document;
mod envelope;
mod events;
mod feed;
mod form;
mod gate;
mod guard;
mod health;
mod operation;
mod parameters;
mod problem;
mod rates;
mod routes;
mod sandboxes;
mod shared;
mod snapshots;
mod tools;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hourglass_engine::Engine;

pub use auth::{Authentication, Credentials, Principal, StoredKeys, Unauthenticated};
pub use rates::Rates;
pub use settings::Settings;

use crate::shared::{Inner, Shared};

/// The API of one engine.
#[derive(Debug, Clone)]
pub struct Api {
    shared: Shared,
}

impl Api {
    /// The API of `engine`, for those whom `authentication` knows.
    #[must_use]
    pub fn new(engine: Engine, authentication: Arc<dyn Authentication>, settings: Settings) -> Self {
        telemetry::describe();
        Self { shared: Inner::new(engine, authentication, settings) }
    }

    /// Ends it in peace: what is asked from now on is told to come back, sockets are closed, and this returns once all
    /// that was in hand is answered, or after `patience`. Whether all was answered.
    ///
    /// To be followed by closing the listener and the engine.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.shared.gate.drain(patience).await
    }

    /// Its routes, relative to wherever they are mounted. To be served within tokio.
    pub fn router(&self) -> Router {
        routes::all(&self.shared)
    }
}
