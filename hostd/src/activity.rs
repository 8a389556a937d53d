//! When sandboxes were last used. The host sees every command, so it is the authority on that.
//!
//! What leaves the host are ages, never stamps. There is no clock here: `now` is an argument. Whether a sandbox has
//! been idle for too long is not decided here but by the engine.

use std::collections::BTreeMap;

use hourglass_events::{Activity, OrderNumber, SandboxId, Span};
use serde::{Deserialize, Serialize};

/// Microseconds on this machine's own clock, which only goes forward and does not start again with the host worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// How long ago `earlier` was; nothing when it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

/// The use of one life of a sandbox, as it is remembered across restarts of the host worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The order that booted this life.
    pub number: OrderNumber,
    /// Its last use that has ended.
    pub last: Moment,
    /// Commands running in it right now.
    pub in_flight: u32,
}

/// The use of every running sandbox of this host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    lives: BTreeMap<SandboxId, Use>,
}

impl Uses {
    /// A life begins. Booting is a use.
    pub fn begin(&mut self, sandbox: SandboxId, number: OrderNumber, now: Moment) {
        self.lives.insert(sandbox, Use { number, last: now, in_flight: 0 });
    }

    /// A life goes on that a former host worker began, with what that one remembered of it.
    ///
    /// A command that was in flight then ends with its worker, at some time up to now, so now counts. So it does when
    /// nothing is remembered: an age too low delays a stop, one too high would be a stop too early.
    pub fn resume(&mut self, sandbox: SandboxId, number: OrderNumber, remembered: Option<Use>, now: Moment) {
        let last = match remembered {
            Some(found) if found.number == number && found.in_flight == 0 => found.last.min(now),
            Some(_) | None => now,
        };
        self.lives.insert(sandbox, Use { number, last, in_flight: 0 });
    }

    /// A life is over.
    pub fn end(&mut self, sandbox: SandboxId) {
        self.lives.remove(&sandbox);
    }

    /// A command begins in what runs now.
    pub fn command_began(&mut self, sandbox: SandboxId, now: Moment) {
        if let Some(life) = self.lives.get_mut(&sandbox) {
            life.last = now;
            life.in_flight += 1;
        }
    }

    /// A command that began in the life `number` has ended. A later life is not concerned.
    pub fn command_ended(&mut self, sandbox: SandboxId, number: OrderNumber, now: Moment) {
        if let Some(life) = self.lives.get_mut(&sandbox).filter(|life| life.number == number) {
            life.last = now;
            life.in_flight = life.in_flight.saturating_sub(1);
        }
    }

    /// What is to be remembered of a sandbox, if it runs.
    #[must_use]
    pub fn of(&self, sandbox: SandboxId) -> Option<Use> {
        self.lives.get(&sandbox).copied()
    }

    /// How long ago a sandbox was used, if it runs.
    #[must_use]
    pub fn age(&self, sandbox: SandboxId, now: Moment) -> Option<Activity> {
        self.lives.get(&sandbox).map(|life| activity(sandbox, life, now))
    }

    /// How long ago each running sandbox was used.
    #[must_use]
    pub fn ages(&self, now: Moment) -> Vec<Activity> {
        self.lives.iter().map(|(sandbox, life)| activity(*sandbox, life, now)).collect()
    }
}

fn activity(sandbox: SandboxId, life: &Use, now: Moment) -> Activity {
    let age = if life.in_flight > 0 { Span::ZERO } else { now.since(life.last) };
    Activity { sandbox, number: life.number, age }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: SandboxId = SandboxId::from_u128(1);
    const BOOT: OrderNumber = OrderNumber(5);

    fn age(uses: &Uses, now: u64) -> Option<u64> {
        uses.age(BOX, Moment(now)).map(|activity| activity.age.0)
    }

    fn booted() -> Uses {
        let mut uses = Uses::default();
        uses.begin(BOX, BOOT, Moment(100));
        uses
    }

    #[test]
    fn booting_is_a_use() {
        assert_eq!(age(&booted(), 130), Some(30));
    }

    #[test]
    fn a_sandbox_is_in_use_for_as_long_as_any_command_runs() {
        let mut uses = booted();
        uses.command_began(BOX, Moment(200));
        uses.command_began(BOX, Moment(210));
        uses.command_ended(BOX, BOOT, Moment(300));
        assert_eq!(age(&uses, 900), Some(0));
        uses.command_ended(BOX, BOOT, Moment(1_000));
        assert_eq!(age(&uses, 1_007), Some(7));
    }

    #[test]
    fn a_command_of_an_older_life_does_not_touch_this_one() {
        let mut uses = booted();
        uses.command_began(BOX, Moment(110));
        uses.begin(BOX, OrderNumber(9), Moment(200));
        uses.command_began(BOX, Moment(210));
        uses.command_ended(BOX, BOOT, Moment(220));
        assert_eq!(age(&uses, 500), Some(0), "its own command still runs");
    }

    #[test]
    fn ages_go_on_across_a_restart() {
        let mut uses = Uses::default();
        uses.resume(BOX, BOOT, Some(Use { number: BOOT, last: Moment(100), in_flight: 0 }), Moment(400));
        assert_eq!(age(&uses, 410), Some(310));
    }

    #[test]
    fn what_is_not_known_for_certain_counts_as_used_now() {
        let busy = Some(Use { number: BOOT, last: Moment(100), in_flight: 1 });
        let older = Some(Use { number: OrderNumber(3), last: Moment(100), in_flight: 0 });
        let ahead = Some(Use { number: BOOT, last: Moment(9_999), in_flight: 0 });
        for remembered in [busy, older, ahead, None] {
            let mut uses = Uses::default();
            uses.resume(BOX, BOOT, remembered, Moment(400));
            assert_eq!(age(&uses, 410), Some(10), "{remembered:?}");
        }
    }
}
