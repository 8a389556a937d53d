//! Why something happened: from one record to the one it came from, until there is none.
//!
//! A record names its cause, and causes that stay within the log (an order that was reported on, an alarm that went off,
//! a parent, an intent) lead to another record. Which one it is, is found by folding what happened to the sandbox
//! again.

use std::collections::VecDeque;
use std::sync::Arc;

use hourglass_events::{Alarm, Cause, Event, Record, Sandbox, SandboxEventKind, SandboxId, Seq, Subject};

/// The most records of one sandbox that are kept; of more, the latest.
pub(super) const RECORDS_MOST: usize = 50_000;

/// What happened to one sandbox, in order.
#[derive(Debug, Default)]
pub(super) struct History {
    happened: VecDeque<Happened>,
}

/// A record of a sandbox, with what it was before.
#[derive(Debug)]
struct Happened {
    record: Record,
    before: Option<Arc<Sandbox>>,
}

impl History {
    /// Take in a record of the sandbox, which is `after` it.
    pub(super) fn take_in(&mut self, record: &Record, before: Option<&Arc<Sandbox>>) {
        if self.happened.len() == RECORDS_MOST {
            self.happened.pop_front();
        }
        let before = before.cloned();
        self.happened.push_back(Happened { record: record.clone(), before });
    }

    /// Record `seq`, if it is one of these.
    pub(super) fn record(&self, seq: Seq) -> Option<&Record> {
        self.place(seq).map(|place| &self.happened[place].record)
    }

    /// The record by which the sandbox came into the state it is in.
    pub(super) fn entered(&self, now: Option<&Sandbox>) -> Option<Seq> {
        let place = self.changed(self.happened.len(), now, |sandbox| sandbox.state)?;
        Some(self.happened[place].record.seq)
    }

    /// The records behind `seq`.
    pub(super) fn since(&self, seq: Seq) -> impl Iterator<Item = &Record> {
        self.happened.iter().map(|happened| &happened.record).filter(move |record| record.seq > seq)
    }

    /// The record in front of `seq` by which the sandbox, a parent, came into the state that told on its child.
    pub(super) fn told(&self, seq: Seq, now: Option<&Sandbox>) -> Option<Seq> {
        let end = self.happened.partition_point(|happened| happened.record.seq < seq);
        self.changed(end, now, |sandbox| sandbox.state).map(|place| self.happened[place].record.seq)
    }

    /// Where record `seq` came from.
    pub(super) fn came_from(&self, seq: Seq, now: Option<&Sandbox>) -> Origin {
        let Some(place) = self.place(seq) else { return Origin::Outside };
        let Happened { record, before } = &self.happened[place];
        let earlier = |found: Option<usize>| {
            found.map_or(Origin::Forgotten, |place| Origin::Record(self.happened[place].record.seq))
        };
        match &record.cause {
            Cause::Request(_) | Cause::Host | Cause::Takeover => Origin::Outside,
            Cause::Report(number) => self.known(Seq(number.0)),
            Cause::Cascade(parent) => Origin::Parent(*parent),
            Cause::Intent => earlier(self.last(place, |at, _| {
                kind(&self.happened[at].record) == Some(SandboxEventKind::IntentQueued)
            })),
            // The state itself called for it: whatever led there.
            Cause::Duty => earlier(place.checked_sub(1)),
            Cause::Timer(Alarm::Deadline | Alarm::Retry) => {
                let work = before.as_ref().and_then(|sandbox| sandbox.work);
                work.map_or(Origin::Forgotten, |work| self.known(Seq(work.number.0)))
            }
            Cause::Timer(Alarm::AutoStop) => {
                earlier(self.changed(place, now, |sandbox| sandbox.last_activity))
            }
            Cause::Timer(Alarm::AutoArchive | Alarm::Backup | Alarm::AutoDelete) => {
                earlier(self.changed(place, now, |sandbox| sandbox.stopped_since))
            }
        }
    }

    fn known(&self, seq: Seq) -> Origin {
        if self.place(seq).is_some() { Origin::Record(seq) } else { Origin::Forgotten }
    }

    fn place(&self, seq: Seq) -> Option<usize> {
        self.happened.binary_search_by_key(&seq, |happened| happened.record.seq).ok()
    }

    /// The sandbox after the record at `place`.
    fn after<'a>(&'a self, place: usize, now: Option<&'a Sandbox>) -> Option<&'a Sandbox> {
        match self.happened.get(place + 1) {
            Some(next) => next.before.as_deref(),
            None => now,
        }
    }

    /// The last place before `place` of which `is` says so.
    fn last(&self, place: usize, is: impl Fn(usize, &Happened) -> bool) -> Option<usize> {
        (0..place).rev().find(|at| is(*at, &self.happened[*at]))
    }

    /// The last place before `place` whose record changed what `part` says of the sandbox.
    fn changed<T: PartialEq>(
        &self,
        place: usize,
        now: Option<&Sandbox>,
        part: impl Fn(&Sandbox) -> T,
    ) -> Option<usize> {
        self.last(place, |at, happened| {
            self.after(at, now).map(&part) != happened.before.as_deref().map(&part)
        })
    }
}

/// Where a record came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From what this record says.
    Record(Seq),
    /// From what happened to this parent.
    Parent(SandboxId),
    /// From outside the log: somebody asked, or a machine said something.
    Outside,
    /// From a record of the sandbox that is not kept any more.
    Forgotten,
}

fn kind(record: &Record) -> Option<SandboxEventKind> {
    match (&record.event, record.subject) {
        (Event::Sandbox(event), Subject::Sandbox(_)) => Some(event.kind()),
        (
            Event::Sandbox(_)
            | Event::Host(_)
            | Event::Snapshot(_)
            | Event::Organization(_)
            | Event::Shard(_),
            _,
        ) => None,
    }
}
