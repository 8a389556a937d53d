//! The only clocks of the host worker.

use std::time::{SystemTime, UNIX_EPOCH};

use hourglass_events::Timestamp;
use tokio::time::Instant;

use crate::activity::Moment;

/// This machine's uptime. It goes on across restarts of the worker, so that ages remembered by one life hold in the
/// next; within a life it follows tokio's clock, which tests can stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    uptime: u64,
    since: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { uptime: uptime().unwrap_or(wall().0), since: Instant::now() }
    }

    pub(super) fn now(&self) -> Moment {
        let elapsed = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        Moment(self.uptime.saturating_add(elapsed))
    }
}

/// What the wall clock says. Only for the incarnation; nothing is measured with it.
pub(super) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// Microseconds since the machine started, where the system tells.
fn uptime() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths = seconds.parse::<u64>().ok()? * 100 + hundredths.parse::<u64>().ok()?;
    Some(hundredths * 10_000)
}
