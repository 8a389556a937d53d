//! Idempotency keys of the last day: what was asked under each, and what came of it.
//!
//! Keys come from records and leave by record time, so that every fold of a log remembers the same ones. Refusals
//! leave no record and are not remembered.

use hourglass_events::{
    Cause, Digest, Event, IdempotencyKey, OrganizationId, Record, SandboxEvent, Seq, Span, Subject, Timestamp,
};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// How long a key is remembered.
pub const KEPT: Span = Span::minutes(24 * 60);
/// The most keys a shard remembers; beyond that the oldest leave early.
pub const MOST: usize = 100_000;

/// Keys by organization and text, and by age.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Keys {
    uses: OrdMap<(OrganizationId, String), Used>,
    ages: OrdMap<Seq, Aged>,
}

/// A key in the order of its records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Aged {
    at: Timestamp,
    organization: OrganizationId,
    key: String,
}

/// What came of the request under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Digest of what was asked.
    pub fingerprint: Digest,
    /// What it was about.
    pub subject: Subject,
    /// The record it became.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
}

impl Used {
    /// Whether it is remembered at `now`.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        now.since(self.at) <= KEPT
    }
}

impl Keys {
    /// What came of the request under `key`, if it is remembered.
    #[must_use]
    pub fn get(&self, organization: OrganizationId, key: &IdempotencyKey) -> Option<&Used> {
        self.uses.get(&(organization, key.as_str().to_owned()))
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.uses.len()
    }

    /// Whether no key is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.uses.is_empty()
    }

    pub(super) fn take_in(&mut self, record: &Record) {
        while self.ages.get_min().is_some_and(|(_, oldest)| record.at.since(oldest.at) > KEPT) {
            self.forget_oldest();
        }
        let Cause::Request(Some(used)) = &record.cause else { return };
        let (organization, at) = (record.organization, record.at);
        let subject = answered(record.subject, &record.event);
        let entry = Used { fingerprint: used.fingerprint, subject, seq: record.seq, at };
        if let Some(earlier) = self.uses.insert((organization, used.key.clone()), entry) {
            self.ages.remove(&earlier.seq);
        }
        self.ages.insert(record.seq, Aged { at, organization, key: used.key.clone() });
        while self.uses.len() > MOST {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((seq, _)) = self.ages.get_min() else { return };
        let seq = *seq;
        if let Some(Aged { organization, key, at: _ }) = self.ages.remove(&seq) {
            self.uses.remove(&(organization, key));
        }
    }
}

/// Whom a request was about that became this: whoever asks for a fork is told of the fork.
pub(crate) fn answered(subject: Subject, event: &Event) -> Subject {
    match event {
        Event::Sandbox(SandboxEvent::ForkBegan { child, .. }) => Subject::Sandbox(*child),
        Event::Sandbox(_)
        | Event::Shard(_)
        | Event::Organization(_)
        | Event::Host(_)
        | Event::Snapshot(_) => subject,
    }
}

#[cfg(test)]
mod tests;
