//! The host worker: orders in, sandboxes driven, reports out.
//!
//! Its head is the [`agent`], which is pure: from orders and from what is on the machine it decides which step a
//! [`driver`] takes next and what is reported. The [`host`] is the tokio shell around it. The engine is not known here;
//! the two meet in orders and reports only.
//!
//! ```text
//!   HostCall ──▶ ┌──────┐ ──▶ steps ──▶ ┌────────┐
//!                │ agent│               │ driver │ containers, VMs, or a script
//!   HostNews ◀── └──────┘ ◀── results ─ └────────┘
//!                  │  ▲         exits
//!                  ▼  │ at start
//!                 ledger
//! ```

pub mod activity;
pub mod agent;
#[cfg(feature = "host")]
pub mod conformance;
pub mod driver;
#[cfg(feature = "host")]
mod exec;
#[cfg(feature = "host")]
pub mod host;
#[cfg(feature = "native")]
pub mod image;
pub mod ledger;
#[cfg(feature = "native")]
pub mod native;
#[cfg(feature = "host")]
pub mod scripted;
#[cfg(feature = "native")]
pub mod step;

pub use agent::Agent;
pub use driver::Driver;
#[cfg(feature = "host")]
pub use host::{Host, HostConfig, HostHandle, Link, StartError};
#[cfg(feature = "host")]
pub use scripted::Scripted;
