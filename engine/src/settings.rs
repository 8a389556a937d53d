//! How an engine is set up. Every limit of the shell stands here.

use std::time::Duration;

use hourglass_kernel::Terms;

/// Settings of an engine. The defaults suit one machine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many shards the log has. Recorded when the log is made, and fixed from then on.
    pub shards: u64,
    /// Time limits and defaults of decisions.
    pub terms: Terms,
    /// How many inputs may wait for one shard; askers wait for room beyond that.
    pub inbox: usize,
    /// How many records each shard keeps in memory for subscribers; a slower one is told that it lags.
    pub recent: usize,
    /// A checkpoint is written in the background after this many records.
    pub checkpoint_records: u64,
    /// How long hosts have after a takeover to repeat their reports before alarms go off.
    pub resync: Duration,
    /// The wait before a shard whose storage failed is opened again.
    pub reopen: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            shards: 1,
            terms: Terms::default(),
            inbox: 4_096,
            recent: 16_384,
            checkpoint_records: 50_000,
            resync: Duration::from_secs(10),
            reopen: Duration::from_secs(1),
        }
    }
}
