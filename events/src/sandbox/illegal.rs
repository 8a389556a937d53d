//! What the log says and this build cannot fold.

use crate::id::Seq;
use crate::record::Stamp;

/// An event that cannot have happened: the log and this build disagree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {seq} cannot be folded: {event} is not legal for version {version} of what is {from}")]
pub struct Illegal {
    /// The record.
    pub seq: Seq,
    /// The version it claims.
    pub version: u64,
    /// Where its subject was.
    pub from: String,
    /// The event.
    pub event: &'static str,
}

impl Illegal {
    pub(crate) fn new(stamp: &Stamp, from: String, event: &'static str) -> Self {
        Self { seq: stamp.seq, version: stamp.version, from, event }
    }
}
