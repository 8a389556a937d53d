//! What whole-system tests stand on: what a test needs of its machine, a system to kill, and ways to look at what it
//! left. The scenarios are in `scenarios`.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a test's harness")]

pub mod audit;
pub mod census;
pub mod ground;
pub mod hourglass;
pub mod needs;
pub mod sdk;
pub mod system;
pub mod up;

pub use census::Census;
pub use ground::Ground;
pub use needs::{Need, may_run};
pub use sdk::Sdk;
pub use system::System;
pub use up::Up;
