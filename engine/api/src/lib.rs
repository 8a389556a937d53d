//! The HTTP API, as a router to mount in any service.
//!
//! It speaks what programs written for the public SDK expect: paths, field names, statuses, error bodies and the event
//! socket. [`Api::router`] gives an [`axum::Router`]; under which prefix it is mounted, on which listener and with which
//! TLS is the embedder's choice. Who may ask is decided by an [`auth::Authentication`].
//!
//! What an engine cannot do yet is answered with 422 and a code that names it, never with 404. Deciding, waiting and
//! listing are the engine's; nothing here keeps state but which sockets are open. The toolbox, rate limits and a
//! description of the API for machines are not here yet.

pub mod auth;
pub mod settings;

mod body;
mod caller;
mod capability;
mod envelope;
mod events;
mod health;
mod parameters;
mod problem;
mod routes;
mod sandboxes;
mod shared;
mod snapshots;
mod wire;

use std::sync::Arc;

use axum::Router;
use hourglass_engine::Engine;

pub use auth::{Authentication, Credentials, Principal, StoredKeys, Unauthenticated};
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
        Self { shared: Inner::new(engine, authentication, settings) }
    }

    /// Its routes, relative to wherever they are mounted. To be served within tokio.
    pub fn router(&self) -> Router {
        routes::all(&self.shared)
    }
}
