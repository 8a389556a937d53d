//! The indexes are what the aggregates say, and a record that cannot follow changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use hourglass_events::lifecycle::others::SnapshotState;
use hourglass_events::{
    Actor, Capabilities, CorrelationId, Digest, Errand, Event, HostEvent, HostId, Incarnation,
    OrganizationEvent, OrganizationId, Record, RecordId, Resources, SandboxEvent, SandboxId, Seq, ShardEvent,
    ShardNumber, State, Subject, Timestamp, codec,
};
use proptest::prelude::*;

use super::kin::Tie;
use super::quotas::Usage;
use super::*;

/// Every index of `fleet` is what a naive look at its sandboxes gives.
#[track_caller]
pub(crate) fn assert_indexed(fleet: &Fleet) {
    let mut names = BTreeMap::<OrganizationId, BTreeMap<String, SandboxId>>::new();
    let mut homes = BTreeMap::<HostId, (BTreeSet<SandboxId>, [u64; 4])>::new();
    let mut waiting = BTreeSet::new();
    for sandbox in fleet.sandboxes() {
        if !sandbox.state.is_in(State::NAMELESS) {
            let name = sandbox.blueprint.name.to_string();
            let holder = names.entry(sandbox.organization).or_default().insert(name, sandbox.id);
            assert_eq!(holder, None, "one holder a name");
        }
        if let Some(Errand::Fork { child, name, .. }) = sandbox.errand.as_deref()
            && fleet.sandbox(*child).is_none()
        {
            let holder = names.entry(sandbox.organization).or_default().insert(name.to_string(), *child);
            assert_eq!(holder, None, "a fork that is reserved has its name");
        }
        if let Some(host) = sandbox.host {
            let (residents, load) = homes.entry(host).or_default();
            residents.insert(sandbox.id);
            for (sum, more) in load.iter_mut().zip(weight(sandbox)) {
                *sum += u64::from(more);
            }
        }
        let purged = sandbox.state.is_in(&[State::Deleting, State::Deleted]) && !sandbox.stored.is_empty();
        let seeks = purged
            || matches!(sandbox.state, State::PendingBuild | State::PullingSnapshot | State::Restoring);
        if seeks && sandbox.host.is_none() {
            waiting.insert(sandbox.id);
        }
    }
    let indexed: BTreeMap<_, BTreeMap<_, _>> = fleet
        .names
        .iter()
        .map(|(owner, names)| (*owner, names.iter().map(|(name, id)| (name.to_string(), *id)).collect()))
        .collect();
    assert_eq!(indexed, names, "names");
    assert_eq!(ties(&fleet.kin), ties(&rebuilt_kin(fleet)), "kin");
    assert_eq!(fleet.waiting().collect::<BTreeSet<_>>(), waiting, "waiting");
    assert_eq!(fleet.hosts.loads(), homes, "residents and loads");
    assert_eq!(
        recounted(fleet),
        fleet.quotas.iter().map(|(owner, region, usage)| ((owner, region.to_owned()), usage)).collect(),
        "quotas"
    );
    let by_name =
        |snapshot: &Snapshot| fleet.own_snapshot(snapshot.organization, &snapshot.content.name).is_some();
    let mut kept = fleet.snapshots().filter(|snapshot| snapshot.state != SnapshotState::Removing);
    assert!(kept.all(|snapshot| by_name(snapshot)), "snapshots by name");
    assert_users(fleet);
}

/// Which sandboxes stand on which snapshot, and which names are taken, as the sandboxes themselves say it.
fn assert_users(fleet: &Fleet) {
    let mut users = BTreeMap::<_, BTreeSet<_>>::new();
    for sandbox in fleet.sandboxes().filter(|sandbox| !sandbox.state.is_in(State::NAMELESS)) {
        if let Some(snapshot) = sandbox.blueprint.made_of() {
            users.entry(snapshot).or_default().insert(sandbox.id);
        }
    }
    for (snapshot, users) in users {
        assert_eq!(fleet.known_snapshots().users(snapshot).collect::<BTreeSet<_>>(), users, "users");
    }
}

/// Who descends from whom, as the sandboxes themselves say it.
fn rebuilt_kin(fleet: &Fleet) -> Kin {
    let mut kin = Kin::default();
    for sandbox in fleet.sandboxes() {
        if !sandbox.state.is_in(State::NAMELESS) {
            for (tie, parent) in
                [(Tie::Fork, sandbox.blueprint.forked_from), (Tie::Link, sandbox.blueprint.linked)]
            {
                parent.into_iter().for_each(|parent| kin.enter(tie, parent, sandbox.id));
            }
        }
        if let Some(Errand::Fork { child, name, .. }) = sandbox.errand.as_deref()
            && fleet.sandbox(*child).is_none()
        {
            kin.reserve(sandbox.id, *child, name.clone());
        }
    }
    kin
}

/// Equal kin have equal bytes, and those are easier to compare.
fn ties(kin: &Kin) -> Vec<u8> {
    rmp_serde::to_vec(kin).expect("kin serialize into memory")
}

/// What everybody takes everywhere, said state by state and not by the named sets.
fn recounted(fleet: &Fleet) -> BTreeMap<(OrganizationId, String), Usage> {
    let mut all = BTreeMap::<_, Usage>::new();
    for sandbox in fleet.sandboxes() {
        let [cpu, memory_gib, disk_gib, gpu] = weight(sandbox);
        let runs = match (sandbox.state, sandbox.origin) {
            (State::BuildFailed | State::Archived | State::Error | State::Deleting | State::Deleted, _)
            | (State::Archiving, Some(State::Error)) => continue,
            (State::Stopped | State::Paused | State::Archiving, _)
            | (State::Resizing | State::Snapshotting, Some(State::Stopped)) => false,
            (
                State::Unknown
                | State::PendingBuild
                | State::BuildingSnapshot
                | State::PullingSnapshot
                | State::Creating
                | State::Starting
                | State::Started
                | State::Stopping
                | State::Pausing
                | State::Resuming
                | State::Restoring
                | State::Resizing
                | State::Snapshotting
                | State::Forking,
                _,
            ) => true,
        };
        let key = (sandbox.organization, sandbox.blueprint.region.clone());
        let usage = all.entry(key).or_default();
        let share = if runs { &mut usage.running } else { &mut usage.resting };
        share.sandboxes += 1;
        share.cpu += u64::from(cpu);
        share.memory_gib += u64::from(memory_gib);
        share.disk_gib += u64::from(disk_gib);
        share.gpu += u64::from(gpu);
    }
    all
}

/// What a sandbox takes of its host, said state by state and not by the named sets.
fn weight(sandbox: &Sandbox) -> [u32; 4] {
    let Resources { mut cpu, mut memory_gib, mut disk_gib, gpu } = sandbox.blueprint.resources;
    if let Some(Errand::Resize(asked)) = sandbox.errand.as_deref() {
        (cpu, memory_gib) = (cpu.max(asked.cpu), memory_gib.max(asked.memory_gib));
        disk_gib = disk_gib.max(asked.disk_gib);
    }
    let gpu = match sandbox.errand.as_deref() {
        Some(Errand::Resize(asked)) => gpu.max(asked.gpu),
        Some(
            Errand::Restore(_)
            | Errand::Fork { .. }
            | Errand::Born(_)
            | Errand::Capture { .. }
            | Errand::Backup,
        )
        | None => gpu,
    };
    let (all, disk) = ([cpu, memory_gib, disk_gib, gpu], [0, 0, disk_gib, 0]);
    match (sandbox.state, sandbox.origin) {
        (State::Resizing | State::Snapshotting, Some(State::Started)) => all,
        (
            State::Unknown
            | State::PendingBuild
            | State::BuildingSnapshot
            | State::PullingSnapshot
            | State::Creating
            | State::Starting
            | State::Started
            | State::Stopping
            | State::Pausing
            | State::Resuming
            | State::Restoring
            | State::Forking,
            _,
        ) => all,
        (
            State::Resizing
            | State::Snapshotting
            | State::Stopped
            | State::Paused
            | State::Archiving
            | State::Archived
            | State::Deleting
            | State::Error,
            _,
        ) => disk,
        (State::BuildFailed | State::Deleted, _) => [0; 4],
    }
}

/// A record that follows `fleet`, of `subject`.
fn next(fleet: &Fleet, subject: Subject, event: Event) -> Record {
    Record {
        seq: fleet.seq().next(),
        id: RecordId::from_u128(1),
        at: fleet.at(),
        subject,
        organization: GENERAL,
        version: fleet.next_version(subject),
        actor: Actor::Engine,
        cause: hourglass_events::Cause::Duty,
        correlation: CorrelationId::from_u128(1),
        prev: fleet.head(),
        schema: 0,
        event,
    }
}

fn fold(fleet: &mut Fleet, record: &Record) -> Result<(), FoldError> {
    fleet.apply(record, Digest::of(&codec::encode(record)))
}

fn opened(shard: u64, shards: u64) -> Event {
    let (build, clock, shard) = ("test".to_owned(), Timestamp(0), ShardNumber(shard));
    Event::Shard(ShardEvent::Opened { build, schema: 0, clock, shards, shard })
}

const THIS: Subject = Subject::Shard(ShardNumber(0));
const HOST: Subject = Subject::Host(HostId::from_u128(1));

fn open() -> Fleet {
    let mut fleet = Fleet::new(ShardNumber(0), 1);
    let record = next(&fleet, THIS, opened(0, 1));
    fold(&mut fleet, &record).expect("a shard opens");
    fleet
}

fn seen(life: u64) -> Event {
    Event::Host(HostEvent::Seen {
        incarnation: Incarnation(life),
        region: "eu".to_owned(),
        classes: vec![hourglass_events::Class::Container],
        capacity: Resources::DEFAULT,
        gpu_type: None,
        capabilities: Capabilities::all(),
    })
}

/// `spoil` a good record, and see that it is refused with nothing changed.
#[track_caller]
fn refused(fleet: &Fleet, subject: Subject, event: Event, spoil: impl FnOnce(&mut Record)) -> FoldError {
    let mut record = next(fleet, subject, event);
    spoil(&mut record);
    let mut after = fleet.clone();
    let error = fold(&mut after, &record).expect_err("the record cannot follow");
    assert_eq!(after.to_bytes(), fleet.to_bytes(), "{error}");
    error
}

#[test]
fn a_record_that_does_not_follow_changes_nothing() {
    let mut fleet = open();
    let record = next(&fleet, HOST, seen(1));
    fold(&mut fleet, &record).expect("a host is seen");
    let limits = || Event::Organization(OrganizationEvent::LimitsSet { allowance: Box::default() });
    let ours = Subject::Organization(OrganizationId::from_u128(1));
    let lost = |life| Event::Host(HostEvent::Lost { incarnation: Incarnation(life) });

    let gap = refused(&fleet, HOST, seen(2), |record| record.seq = Seq(7));
    assert!(matches!(gap, FoldError::Gap { .. }), "{gap}");
    let chain = refused(&fleet, HOST, seen(2), |record| record.prev = Digest::NONE);
    assert!(matches!(chain, FoldError::Chain { .. }), "{chain}");
    for (subject, event) in [(HOST, seen(2)), (ours, limits()), (THIS, opened(0, 1))] {
        let version = refused(&fleet, subject, event, |record| record.version += 1);
        assert!(matches!(version, FoldError::Version { .. }), "{version}");
    }
    let other = refused(&fleet, THIS, opened(1, 2), |_| {});
    assert!(matches!(other, FoldError::OtherShard { .. }), "{other}");
    let mismatch = refused(&fleet, ours, seen(2), |_| {});
    assert!(matches!(mismatch, FoldError::Mismatch { .. }), "{mismatch}");
    let illegal = refused(&fleet, HOST, lost(9), |_| {});
    assert!(matches!(illegal, FoldError::Illegal(_)), "{illegal}");
    let unborn = Subject::Sandbox(SandboxId::from_u128(1));
    let illegal = refused(&fleet, unborn, Event::Sandbox(SandboxEvent::Booted), |_| {});
    assert!(matches!(illegal, FoldError::Illegal(_)), "{illegal}");
}

#[test]
fn time_never_goes_back() {
    let mut fleet = open();
    let mut record = next(&fleet, HOST, seen(1));
    record.at = Timestamp(100);
    fold(&mut fleet, &record).expect("a host is seen");
    let error = refused(&fleet, HOST, seen(2), |record| record.at = Timestamp(99));
    assert!(matches!(error, FoldError::Backwards { .. }), "{error}");
}

#[test]
fn a_shard_begins_with_its_opening() {
    let fleet = Fleet::new(ShardNumber(0), 1);
    let hashed = Event::Shard(ShardEvent::StateHashed { layout: 1, hash: [0; 32], through: Seq(0) });
    let error = refused(&fleet, THIS, hashed, |_| {});
    assert!(matches!(error, FoldError::Illegal(_)), "{error}");
}

#[test]
fn a_log_that_is_raised_to_a_newer_schema_is_left_to_newer_builds() {
    let known = hourglass_events::record::SCHEMA;
    let raised = |schema| Event::Shard(ShardEvent::SchemaRaised { schema });
    let mut fleet = open();
    let error = refused(&fleet, THIS, raised(known + 1), |_| {});
    assert_eq!(error, FoldError::NewerSchema { seq: Seq(2), found: known + 1, known });
    assert_eq!(
        error.to_string(),
        "record 2 raises the log to schema 1; this build reads up to 0, use a newer one"
    );
    let record = next(&fleet, THIS, raised(known));
    fold(&mut fleet, &record).expect("its own schema");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever legal history a few sandboxes have, the indexes follow, and the state survives its own bytes.
    #[test]
    fn indexes_follow_every_history(offers in hourglass_events::arbitrary::offers(6, 80)) {
        let mut fleet = open();
        for mut record in hourglass_events::arbitrary::history(&offers) {
            record.seq = fleet.seq().next();
            record.prev = fleet.head();
            // The kernel never lets two have one name, so neither does this.
            if let Event::Sandbox(
                SandboxEvent::PullBegan { blueprint, .. }
                | SandboxEvent::Born { blueprint, .. }
                | SandboxEvent::BuildQueued { blueprint: Some(blueprint) }
                | SandboxEvent::BuildBegan { blueprint: Some(blueprint), .. },
            ) = &mut record.event
            {
                blueprint.name = Name::new(&record.subject.to_string()).expect("a name");
            } else if let Event::Sandbox(SandboxEvent::ForkBegan { child, name, .. }) = &mut record.event {
                *name = Name::new(&child.to_string()).expect("a name");
            }
            let before = fleet.clone();
            if fold(&mut fleet, &record).is_err() {
                prop_assert_eq!(fleet.to_bytes(), before.to_bytes());
            }
            assert_indexed(&fleet);
        }
        let bytes = fleet.to_bytes();
        prop_assert_eq!(Fleet::from_bytes(&bytes).expect("a state").to_bytes(), bytes);
    }
}
