//! The one clock: the wall clock at the start plus monotonic time since, so that it never goes back or jumps.

use std::time::{SystemTime, UNIX_EPOCH};

use hourglass_events::{Span, Timestamp};
use tokio::time::Instant;

/// Tells the time of one process.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Timestamp,
    started: Instant,
}

impl Clock {
    /// A clock that starts at the wall clock's time.
    #[must_use]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { wall: Timestamp(micros(since_epoch)), started: Instant::now() }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.wall.after(Span(micros(self.started.elapsed())))
    }

    /// The monotonic moment at which this clock shows `at`.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> Instant {
        let span = at.since(self.wall);
        // An alarm further away than a century may as well be looked at again then.
        let span = span.0.min(Span::minutes(100 * 366 * 24 * 60).0);
        self.started + std::time::Duration::from_micros(span)
    }
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
