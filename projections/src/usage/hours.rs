//! Usage over the hours: changes of what is held, kept by the hour they fell into.
//!
//! A change of `r` at time `t` adds `r · (u − t)` to what was used up to `u`. Each hour keeps the sum of its changes
//! and the sum of what they add up to its end, so an hour costs the same however many changes it saw, and hours
//! without a change cost nothing.

use hourglass_events::{Span, Timestamp};
use imbl::OrdMap;

use super::Standing;
use super::meter::{Grid, Meter, Tally};

/// An hour; the first one begins with the epoch.
pub const HOUR: Span = Span::minutes(60);

/// The changes of one organization.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Flow {
    hours: OrdMap<u64, Hour>,
}

/// The changes of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Hour {
    /// How much more was held after it than before.
    change: Grid<i128>,
    /// What its changes had added by its end.
    early: Grid<i128>,
}

/// Apply `f` to each pair of two grids.
fn each(into: &mut Grid<i128>, from: &Grid<i128>, f: impl Fn(&mut i128, i128)) {
    into.iter_mut().flatten().zip(from.iter().flatten()).for_each(|(into, from)| f(into, *from));
}

fn end(hour: u64) -> i128 {
    (i128::from(hour) + 1) * i128::from(HOUR.0)
}

/// Sums of changes come from intervals, each of which ended after it began.
fn tally(sums: &Grid<i128>) -> Tally {
    Tally(sums.map(|row| row.map(|sum| u128::try_from(sum).unwrap_or(0))))
}

impl Flow {
    /// From `at` on `after` is held instead of `before`.
    pub(super) fn change(&mut self, at: Timestamp, before: Option<Standing>, after: Option<Standing>) {
        let number = at.0 / HOUR.0;
        let left = end(number) - i128::from(at.0);
        let hour = self.hours.entry(number).or_default();
        for (standing, sign) in [(before, -1), (after, 1)] {
            let Some((phase, resources)) = standing else { continue };
            for meter in Meter::ALL {
                let rate = sign * i128::from(meter.rate(phase, resources));
                hour.change[phase as usize][meter as usize] += rate;
                hour.early[phase as usize][meter as usize] += rate * left;
            }
        }
    }

    /// Count what `other` counts, too.
    pub(super) fn merge(&mut self, other: &Self) {
        for (number, more) in &other.hours {
            let hour = self.hours.entry(*number).or_default();
            each(&mut hour.change, &more.change, |sum, more| *sum += more);
            each(&mut hour.early, &more.early, |sum, more| *sum += more);
        }
    }

    /// Everything up to `until`, which is not before the latest change.
    pub(super) fn total(&self, until: Timestamp) -> Tally {
        let mut sums = Grid::default();
        for (number, hour) in &self.hours {
            let later = i128::from(until.0) - end(*number);
            each(&mut sums, &hour.early, |sum, early| *sum += early);
            each(&mut sums, &hour.change, |sum, change| *sum += change * later);
        }
        tally(&sums)
    }

    pub(super) fn hours(self, until: Timestamp) -> Hours {
        let next = self.hours.get_min().map_or(u64::MAX, |(number, _)| *number);
        Hours { flow: self, level: Grid::default(), next, until }
    }
}

/// The hours of some usage, from the first on.
#[derive(Debug, Clone)]
pub struct Hours {
    flow: Flow,
    /// What was held when `next` began.
    level: Grid<i128>,
    next: u64,
    until: Timestamp,
}

impl Hours {
    /// Where to go on when nothing is held: the hour of the next change.
    fn skip_idle(&mut self) {
        if self.level == Grid::default() {
            let ahead = self.flow.hours.range(self.next..).next();
            self.next = ahead.map_or(u64::MAX, |(number, _)| *number);
        }
    }
}

impl Iterator for Hours {
    type Item = (Timestamp, Tally);

    /// The next hour in which there was anything: its beginning, and what was used from then to its end, or to the
    /// moment asked about.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.skip_idle();
            let number = self.next;
            let begin = number.checked_mul(HOUR.0).filter(|begin| *begin <= self.until.0)?;
            let hour = self.flow.hours.get(&number).copied().unwrap_or_default();
            // The last hour is not over: what its changes had added by its end, they have not yet.
            let missing = (end(number) - i128::from(self.until.0)).max(0);
            let mut sums = self.level.map(|row| row.map(|level| level * (i128::from(HOUR.0) - missing)));
            each(&mut sums, &hour.early, |sum, early| *sum += early);
            each(&mut sums, &hour.change, |sum, change| *sum -= change * missing);
            each(&mut self.level, &hour.change, |level, change| *level += change);
            self.next += 1;
            let tally = tally(&sums);
            if !tally.is_nothing() {
                return Some((Timestamp(begin), tally));
            }
        }
    }
}
