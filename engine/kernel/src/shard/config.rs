//! How a shard is set up.

use hourglass_events::{Span, codec};

use crate::terms::Terms;

/// How a shard is set up.
#[derive(Debug, Clone)]
pub struct ShardConfig {
    /// Drawn at random for every writer, so that two writers' bytes never agree.
    pub nonce: u128,
    /// The build, as recorded at takeover.
    pub build: String,
    /// Time limits and defaults of decisions.
    pub terms: Terms,
    /// How far behind the last record a writer's clock may be (ε).
    pub drift: Span,
    /// How long hosts have to repeat their reports before alarms are armed.
    pub resync: Span,
    /// The wait before a doubtful append is sent again.
    pub resend: Span,
    /// The wait before full storage is tried again.
    pub full: Span,
    /// The most records that may wait for the group in flight; more requests are refused.
    pub staged: usize,
}

impl ShardConfig {
    /// The usual settings with this nonce.
    #[must_use]
    pub fn new(nonce: u128) -> Self {
        Self {
            nonce,
            build: env!("CARGO_PKG_VERSION").to_owned(),
            terms: Terms::default(),
            drift: Span::seconds(1),
            resync: Span::seconds(10),
            resend: Span::millis(30),
            full: Span::seconds(1),
            staged: 16 * codec::GROUP_RECORDS_MOST,
        }
    }
}
