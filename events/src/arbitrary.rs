//! Arbitrary records for property tests, here and in the crates that build on this one.
//!
//! Everything drawn here could have been written by some build: values are checked, envelopes fit their events. Nothing
//! here says what could have *happened*: for that, offer the events to a fold and keep what it takes, as [`history`] does.

mod event;
mod value;

use proptest::collection::vec;
use proptest::prelude::*;

pub use event::{
    host_event, organization_event, sandbox_event, sandbox_event_of, shard_event, snapshot_event,
};
pub use value::{
    allowance, blueprint, digest, environment, fault, gpu_types, host_id, labels, name, network,
    organization_id, placement, recipe, resources, sandbox_id, snapshot_id, span, timestamp,
};

use crate::duty::Alarm;
use crate::event::SandboxEvent;
use crate::id::{CorrelationId, OrderNumber, OrganizationId, RecordId, SandboxId, Seq, ShardNumber};
use crate::record::{Actor, Cause, Digest, Event, KeyUse, Record, SCHEMA, Stamp, Subject};
use crate::sandbox::{Errand, Sandbox};
use crate::state::State;
use crate::time::Timestamp;

/// Who did something.
pub fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof!["[a-z]{1,12}".prop_map(Actor::Client), host_id().prop_map(Actor::Host), Just(Actor::Engine)]
}

const ALARMS: &[Alarm] =
    &[Alarm::Deadline, Alarm::AutoStop, Alarm::AutoArchive, Alarm::Backup, Alarm::AutoDelete, Alarm::Retry];

/// Why something happened.
pub fn cause() -> impl Strategy<Value = Cause> {
    let used = ("[!-~]{1,40}", digest()).prop_map(|(key, fingerprint)| KeyUse { key, fingerprint });
    prop_oneof![
        prop::option::of(used).prop_map(Cause::Request),
        prop::sample::select(ALARMS).prop_map(Cause::Timer),
        any::<u64>().prop_map(|number| Cause::Report(OrderNumber(number))),
        sandbox_id().prop_map(Cause::Cascade),
        Just(Cause::Intent),
        Just(Cause::Duty),
        Just(Cause::Host),
        Just(Cause::Takeover),
    ]
}

/// What happened, with what it happened to.
pub fn event() -> impl Strategy<Value = (Subject, Event)> {
    prop_oneof![
        1 => (any::<u64>(), shard_event())
            .prop_map(|(number, event)| (Subject::Shard(ShardNumber(number)), Event::Shard(event))),
        1 => (organization_id(), organization_event())
            .prop_map(|(id, event)| (Subject::Organization(id), Event::Organization(event))),
        1 => (host_id(), host_event()).prop_map(|(id, event)| (Subject::Host(id), Event::Host(event))),
        1 => (snapshot_id(), snapshot_event())
            .prop_map(|(id, event)| (Subject::Snapshot(id), Event::Snapshot(event))),
        8 => (sandbox_id(), sandbox_event())
            .prop_map(|(id, event)| (Subject::Sandbox(id), Event::Sandbox(event))),
    ]
}

/// A record of any kind, in any place.
pub fn record() -> impl Strategy<Value = Record> {
    let place = (any::<u64>(), any::<u128>(), timestamp(), organization_id(), any::<u64>());
    let why = (actor(), cause(), any::<u128>(), digest());
    (place, why, event()).prop_map(|(place, why, (subject, event))| {
        let (seq, id, at, organization, version) = place;
        let (actor, cause, correlation, prev) = why;
        Record {
            seq: Seq(seq),
            id: RecordId::from_u128(id),
            at,
            subject,
            organization,
            version,
            actor,
            cause,
            correlation: CorrelationId::from_u128(correlation),
            prev,
            schema: SCHEMA,
            event,
        }
    })
}

/// One thing that somebody would like to have happened to the sandbox of this number, this long after the last.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Which of a few sandboxes.
    pub sandbox: u8,
    /// What.
    pub event: SandboxEvent,
    /// How many microseconds after the offer in front of it.
    pub gap: u64,
}

/// Offers of events to `sandboxes` sandboxes, most of them illegal where they stand.
pub fn offers(sandboxes: u8, most: usize) -> impl Strategy<Value = Vec<Offer>> {
    // Hours apart, so that a run of offers lives through intervals and retentions.
    let gap = prop_oneof![Just(0), 0..4 * 3_600_000_000_u64];
    let offer = (0..sandboxes, sandbox_event(), gap);
    vec(offer.prop_map(|(sandbox, event, gap)| Offer { sandbox, event, gap }), 0..most)
}

/// The log of a few sandboxes in two organizations: the offers that were legal, in order, with gapless sequences and
/// versions. Names are unique, as the kernel keeps them.
#[must_use]
pub fn history(offers: &[Offer]) -> Vec<Record> {
    let mut folded = std::collections::BTreeMap::<u8, Sandbox>::new();
    let mut records = Vec::new();
    let mut now = 1_700_000_000_000_000;
    for Offer { sandbox, event, gap } in offers {
        now += gap;
        let before = folded.get(sandbox);
        let id = SandboxId::from_u128(u128::from(*sandbox) + 1);
        let stamp = Stamp {
            seq: Seq(records.len() as u64 + 1),
            at: Timestamp(now),
            organization: OrganizationId::from_u128(u128::from(sandbox % 2) + 1),
            version: before.map_or(0, |before| before.version) + 1,
            correlation: CorrelationId::from_u128(1),
        };
        let event = &with_a_fresh_child(event.clone(), stamp.seq);
        let after = match before {
            _ if name_is_taken(folded.values(), &stamp, event) => continue,
            None => Sandbox::born(id, &stamp, event),
            Some(before) => {
                let mut after = before.clone();
                after.evolve(&stamp, event).map(|()| after)
            }
        };
        if let Ok(after) = after {
            folded.insert(*sandbox, after);
            records.push(envelope(id, &stamp, event.clone()));
        }
    }
    records
}

/// The id of a fork is minted for it: it is nobody else's.
fn with_a_fresh_child(mut event: SandboxEvent, seq: Seq) -> SandboxEvent {
    if let SandboxEvent::ForkBegan { child, .. } = &mut event {
        *child = SandboxId::from_u128((1 << 64) + u128::from(seq.0));
    }
    event
}

fn name_is_taken<'a>(
    mut sandboxes: impl Iterator<Item = &'a Sandbox>,
    stamp: &Stamp,
    event: &SandboxEvent,
) -> bool {
    let name = match (event.blueprint(), event) {
        (Some(blueprint), _) => &blueprint.name,
        (None, SandboxEvent::ForkBegan { name, .. }) => name,
        (None, _) => return false,
    };
    sandboxes.any(|sandbox| {
        let reserved = sandbox
            .errand
            .as_deref()
            .is_some_and(|errand| matches!(errand, Errand::Fork { name: reserved, .. } if reserved == name));
        let held = sandbox.blueprint.name == *name && !sandbox.state.is_in(State::NAMELESS);
        sandbox.organization == stamp.organization && (held || reserved)
    })
}

fn envelope(id: SandboxId, stamp: &Stamp, event: SandboxEvent) -> Record {
    Record {
        seq: stamp.seq,
        id: RecordId::from_u128(stamp.seq.0.into()),
        at: stamp.at,
        subject: Subject::Sandbox(id),
        organization: stamp.organization,
        version: stamp.version,
        actor: Actor::Engine,
        cause: Cause::Duty,
        correlation: stamp.correlation,
        prev: Digest::NONE,
        schema: SCHEMA,
        event: Event::Sandbox(event),
    }
}
