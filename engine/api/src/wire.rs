//! The shapes that cross the wire, exactly as the public SDK reads and writes them.
//!
//! It reads strictly: a number where it expects an integer must be one, and a required field that is missing fails a
//! call that succeeded. So everything it may require is always written. Names here are the contract's.

pub(crate) mod build;
pub(crate) mod class;
pub(crate) mod create;
pub(crate) mod item;
pub(crate) mod language;
pub(crate) mod network;
pub(crate) mod problem;
pub(crate) mod record;
pub(crate) mod sandbox;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod tools;
pub(crate) mod variables;

use chrono::{DateTime, SecondsFormat};
use hourglass_events::Timestamp;

/// A moment as RFC 3339 text.
pub(crate) fn moment(at: Timestamp) -> String {
    let at = i64::try_from(at.0).ok().and_then(DateTime::from_timestamp_micros).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
