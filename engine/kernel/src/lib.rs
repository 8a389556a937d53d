//! The pure decider: it is told what happened and says what to do about it.
//!
//! ```text
//!    requests, host news, append outcomes, ticks             appends, replies, calls to hosts, next deadline
//!   ────────────────────────────────────────────▶  Shard  ────────────────────────────────────────────────▶
//!                                                    │
//!              decide(fleet, command, now) ──▶ event ──▶ evolve ──▶ fleet ──▶ owe ──▶ orders, alarms, follow-ups
//! ```
//!
//! [`Shard`] is sans-IO: a shell feeds it with [`Shard::handle`], then takes what [`Shard::poll`] gives until it gives
//! nothing, then waits until [`Shard::deadline`]. A virtual world drives it the same way. There is no clock, no
//! randomness and no task here, and nothing leaves the shard before the record it stands on is durable.

pub mod alarms;
pub mod checkpoint;
pub mod decide;
pub mod dispatch;
pub mod fleet;
pub mod log;
pub mod owe;
pub mod place;
pub mod shard;
pub mod terms;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use decide::{Decision, Proposal};
pub use fleet::{Fleet, FoldError, Host};
pub use log::{Outcome, Slot};
pub use place::{Needs, place};
pub use shard::{
    Accepted, Entry, Halt, Input, Mark, Output, Replay, ReplayError, Reply, RequestId, Shard, ShardConfig,
    Why,
};
pub use terms::Terms;
