//! How many requests an organization may make in a minute, counted apart by what they cost.
//!
//! An organization that was quiet for a minute may make all of its requests at once. Counts are of this process alone
//! and are not kept: several processes behind one address each allow as much.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use hourglass_events::OrganizationId;

use crate::operation::Kind;
use crate::problem::Problem;

/// The most requests an organization may make in a minute, of each kind. None is as many as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Creating sandboxes, forks and snapshots.
    pub creations: Option<NonZeroU32>,
    /// Changing what exists: start, stop, delete, labels, intervals.
    pub changes: Option<NonZeroU32>,
    /// Reading.
    pub reads: Option<NonZeroU32>,
    /// Using what runs: commands, files, terminals.
    pub tools: Option<NonZeroU32>,
}

impl Default for Rates {
    /// What the contract gives its largest users.
    fn default() -> Self {
        let most = NonZeroU32::new(50_000);
        Self { creations: NonZeroU32::new(600), changes: most, reads: most, tools: most }
    }
}

/// How many organizations may have been counted before those that are quiet are forgotten.
const SWEEP: usize = 4_096;

#[derive(Debug)]
pub(crate) struct Counters {
    creations: Option<Counter>,
    changes: Option<Counter>,
    reads: Option<Counter>,
    tools: Option<Counter>,
}

#[derive(Debug)]
struct Counter {
    most: NonZeroU32,
    limiter: DefaultKeyedRateLimiter<OrganizationId>,
}

impl Counters {
    pub(crate) fn new(rates: Rates) -> Self {
        let Rates { creations, changes, reads, tools } = rates;
        Self {
            creations: creations.map(Counter::new),
            changes: changes.map(Counter::new),
            reads: reads.map(Counter::new),
            tools: tools.map(Counter::new),
        }
    }

    /// Counts one request of `organization`, unless it has made too many.
    pub(crate) fn count(&self, kind: Kind, organization: OrganizationId) -> Result<(), Problem> {
        let counter = match kind {
            Kind::Create => &self.creations,
            Kind::Change => &self.changes,
            Kind::Read | Kind::Socket => &self.reads,
            Kind::Tool => &self.tools,
        };
        counter.as_ref().map_or(Ok(()), |counter| counter.count(kind, organization))
    }
}

impl Counter {
    fn new(most: NonZeroU32) -> Self {
        Self { most, limiter: RateLimiter::keyed(Quota::per_minute(most)) }
    }

    fn count(&self, kind: Kind, organization: OrganizationId) -> Result<(), Problem> {
        let Err(early) = self.limiter.check_key(&organization) else { return Ok(()) };
        if self.limiter.len() > SWEEP {
            self.limiter.retain_recent();
        }
        let wait = early.wait_time_from(DefaultClock::default().now());
        Err(Problem::TooMany { what: kind.plural(), most: self.most.get(), seconds: whole_seconds(wait) })
    }
}

/// At least one, rounded up: coming back a moment early is coming in vain.
fn whole_seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}
