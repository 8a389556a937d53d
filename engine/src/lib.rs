//! The shell around the kernel: it waits, the kernel decides.
//!
//! ```text
//!   requests ─┐                        ┌─▶ read models, subscriptions, replies
//!   hosts ────┼─▶ inbox ─▶ Writer ─────┼─▶ hosts
//!   log ──────┘       (kernel Shard)   └─▶ log
//! ```
//!
//! Each shard has one writer task, which is the only place that waits for several things at once. Async stops at
//! [`log::EventLog`]; what is decided, and when it may be said, is the kernel's alone. The engine knows no host and no
//! driver: it meets them in [`hosts::HostLink`], channels that carry orders, news and wishes for tunnels.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hourglass_engine::EngineError> {
//! use hourglass_engine::{Engine, Store};
//! use hourglass_events::{Class, Command, Image, OrganizationId, Resources, SnapshotContent, SnapshotId};
//!
//! let engine = Engine::builder(Store::memory()).start().await?;
//! let content = SnapshotContent {
//!     name: "tiny".to_owned(),
//!     class: Class::Container,
//!     resources: Resources::DEFAULT,
//!     gpu_types: hourglass_events::GpuTypes::default(),
//!     image: Image { digest: "tiny".to_owned() },
//! };
//! let organization = OrganizationId::from_u128(1);
//! let client = engine.client(organization, "docs");
//! client.ask(Command::RegisterSnapshot(SnapshotId::from_u128(7), content)).await?;
//! let sandbox = client.create(|create| create.snapshot = Some("tiny".to_owned())).await?;
//! assert_eq!(engine.sandbox(sandbox.id).map(|found| found.state), Some(sandbox.state));
//! engine.shutdown().await;
//! # Ok(()) }
//! ```

pub mod client;
pub mod clock;
pub mod engine;
pub mod error;
pub mod hosts;
pub mod log;
pub mod notice;
pub mod settings;
pub mod step;
pub mod store;
pub mod subscription;
pub mod telemetry;
pub mod tunnels;
pub mod vault;
pub mod view;

mod inbox;
mod port;
mod wait;
mod writer;

pub use client::Client;
pub use engine::{Builder, Engine};
pub use error::{AskError, Ended, EngineError, WaitError};
pub use hosts::HostLink;
pub use hourglass_tunnel::{Refused, Target, Tunnel};
pub use notice::Notice;
pub use settings::Settings;
pub use store::Store;
pub use subscription::{Lagged, Subscription};
pub use tunnels::DialError;
pub use vault::{FileVault, MemoryVault, Vault, VaultError};
