//! What single events do to a sandbox, and that no run of them leaves the table.

mod backups;
mod births;
mod forks;
mod settings;

use proptest::prelude::*;

use self::backups::snapshot;
use super::{Backup, Errand, Sandbox, Settings, Work};
use crate::arbitrary::{history, offers, sandbox_event, sandbox_event_of};
use crate::duty::TaskKind;
use crate::environment::Environment;
use crate::event::{
    ArchiveReason, DeleteReason, Intent, RestoreSource, SandboxEvent as E, SandboxEventKind as Kind,
    StopReason,
};
use crate::fault::{ExitCause, Fault};
use crate::host::GpuTypes;
use crate::id::{CorrelationId, HostId, OrderNumber, OrganizationId, SandboxId, Seq, SnapshotId};
use crate::lifecycle::{Step, step};
use crate::network::NetworkPolicy;
use crate::policy::{AutoArchive, AutoDelete, AutoStop};
use crate::record::{Event, Stamp};
use crate::resources::Resources;
use crate::sandbox::{Base, Blueprint, Placement};
use crate::snapshot::Heat;
use crate::spec::{Class, Image, Labels, Name};
use crate::state::State;
use crate::time::{Span, Timestamp};

const OWNER: OrganizationId = OrganizationId::from_u128(1);

/// The stamp of version `version`: a record and a second for each, so that numbers and moments tell which.
fn stamp(version: u64) -> Stamp {
    Stamp {
        seq: Seq(100 + version),
        at: Timestamp(version * 1_000_000),
        organization: OWNER,
        version,
        correlation: CorrelationId::from_u128(version.into()),
    }
}

fn at(version: u64) -> Timestamp {
    stamp(version).at
}

fn number(version: u64) -> Option<OrderNumber> {
    Some(stamp(version).seq.into())
}

fn deadline(version: u64) -> Timestamp {
    at(version).after(Span::minutes(1))
}

fn blueprint() -> Box<Blueprint> {
    Box::new(Blueprint {
        name: Name::new("a").unwrap(),
        class: Class::Container,
        snapshot: SnapshotId::from_u128(1),
        snapshot_name: "debian".to_owned(),
        image: Image { digest: "00".to_owned() },
        region: Blueprint::REGION.to_owned(),
        base: Base::Snapshot(Heat::Cold),
        resources: Resources::DEFAULT,
        gpu_types: GpuTypes::default(),
        user: "root".to_owned(),
        labels: Labels::default(),
        auto_stop: AutoStop::DEFAULT,
        auto_archive: AutoArchive::DEFAULT,
        auto_delete: AutoDelete::DEFAULT,
        network: NetworkPolicy::Open,
        public: false,
        environment: Environment::default(),
        linked: None,
        forked_from: None,
    })
}

fn placement() -> Placement {
    Placement::only(HostId::from_u128(1))
}

fn pull() -> E {
    E::PullBegan { blueprint: blueprint(), placement: placement(), deadline: deadline(1) }
}

/// It is born of a fork that order 50 makes.
fn birth() -> E {
    let E::PullBegan { mut blueprint, .. } = pull() else { unreachable!() };
    blueprint.forked_from = Some(SandboxId::from_u128(9));
    E::Born { blueprint, host: HostId::from_u128(1), fork: OrderNumber(50) }
}

/// The sandbox after being created and then `events`.
fn after(events: impl IntoIterator<Item = E>) -> Sandbox {
    let mut sandbox = Sandbox::born(SandboxId::from_u128(1), &stamp(1), &pull()).unwrap();
    for event in events {
        let stamp = stamp(sandbox.version + 1);
        sandbox.evolve(&stamp, &event).unwrap();
    }
    sandbox
}

/// Versions 2 and 3: it runs.
fn running() -> [E; 2] {
    [E::SnapshotReady { deadline: deadline(2) }, E::Booted]
}

/// Versions 4 and 5: it was stopped.
fn stopped() -> Vec<E> {
    let stop = E::StopBegan { reason: StopReason::Asked, grace: Span::seconds(10), deadline: deadline(4) };
    [running().to_vec(), vec![stop, E::Exited { cause: ExitCause::Stopped }]].concat()
}

fn archive() -> E {
    E::ArchiveBegan { reason: ArchiveReason::Asked, deadline: deadline(9) }
}

fn restore() -> E {
    let placement = Placement::only(HostId::from_u128(2));
    E::RestoreBegan { source: RestoreSource::Disk, placement, deadline: deadline(9) }
}

#[test]
fn an_archive_is_a_backup_and_leaves_its_host_once_that_has_dropped_the_disk() {
    let stored = after([stopped(), vec![archive(), E::ArchiveStored]].concat());
    let backup = Backup { number: number(6).unwrap(), at: at(7) };
    assert_eq!(
        (stored.backup, stored.host, stored.order()),
        (Some(backup), Some(HostId::from_u128(1)), number(7))
    );
    let dropped = after([stopped(), vec![archive(), E::ArchiveStored, E::DiskDropped]].concat());
    assert_eq!((dropped.host, dropped.work, dropped.stored.len()), (None, None, 1));
    let back = after([stopped(), vec![archive(), E::ArchiveStored, E::DiskDropped, restore()]].concat());
    assert_eq!((back.host, back.order()), (Some(HostId::from_u128(2)), number(9)));
}

fn fault() -> Fault {
    Fault::Missing { what: "disk".to_owned() }
}

#[test]
fn a_birth_owes_the_pull_until_its_deadline() {
    let sandbox = after([]);
    let work = sandbox.work.unwrap();
    assert_eq!((sandbox.state, sandbox.host), (State::PullingSnapshot, Some(HostId::from_u128(1))));
    assert_eq!((Some(work.number), work.deadline), (number(1), Some(deadline(1))));
}

#[test]
fn what_runs_was_booted_by_the_order_that_was_in_flight() {
    assert_eq!(after(running()).boot, number(2));
    let again = [stopped(), vec![E::BootBegan { deadline: deadline(6) }, E::Booted]].concat();
    assert_eq!(after(again).boot, number(6));
}

const LARGER: Resources = Resources { cpu: 2, memory_gib: 2, ..Resources::DEFAULT };

fn resize() -> E {
    E::ResizeBegan { resources: LARGER, deadline: deadline(4) }
}

#[test]
fn an_excursion_returns_to_the_life_that_was_running() {
    let resized = after([running().to_vec(), vec![resize(), E::Resized]].concat());
    assert_eq!((resized.state, resized.boot, resized.origin), (State::Started, number(2), None));
}

#[test]
fn nothing_is_booted_where_nothing_runs() {
    let ends = [
        vec![E::Exited { cause: ExitCause::OutOfMemory }],
        vec![E::Failed { fault: fault() }],
        vec![E::PauseBegan { deadline: deadline(4) }, E::MemorySaved],
        vec![E::DeleteBegan { reason: DeleteReason::Asked }],
    ];
    for end in ends {
        let sandbox = after([running().to_vec(), end].concat());
        assert_eq!(sandbox.boot, None, "{}", sandbox.state);
    }
}

#[test]
fn a_stop_by_force_is_an_order_of_its_own_without_grace() {
    let mut events = stopped();
    events.truncate(3);
    events.push(E::StopForced { deadline: deadline(5) });
    let work = after(events).work.unwrap();
    assert_eq!((Some(work.number), work.grace, work.deadline), (number(5), Span::ZERO, Some(deadline(5))));
}

#[test]
fn placing_again_is_an_order_of_its_own() {
    let placement = Placement::NOWHERE;
    let sandbox = after([E::Placed { placement, deadline: deadline(2) }]);
    assert_eq!((sandbox.host, sandbox.order()), (None, number(2)));
}

#[test]
fn a_removal_that_struggles_is_tried_again_under_a_new_number() {
    let struggle = E::Struggled { fault: fault(), attempt: 1, retry_at: at(9) };
    let sandbox = after([E::DeleteBegan { reason: DeleteReason::Asked }, struggle]);
    let Work { number: found, attempt, retry_at, deadline, .. } = sandbox.work.unwrap();
    assert_eq!((Some(found), attempt, retry_at, deadline), (number(3), 1, Some(at(9)), None));
}

#[test]
fn an_error_that_is_hard_to_quieten_keeps_the_fault_it_came_from() {
    let first = Fault::NoSpace { doing: "boot".to_owned() };
    assert_ne!(first, fault());
    let struggle = E::Struggled { fault: fault(), attempt: 1, retry_at: at(9) };
    assert_eq!(after([E::Failed { fault: first.clone() }, struggle]).fault, Some(first));
}

#[test]
fn a_quiet_error_owes_nothing_more() {
    let sandbox = after([E::Failed { fault: fault() }, E::Quiesced]);
    assert_eq!((sandbox.state, sandbox.work, sandbox.fault), (State::Error, None, Some(fault())));
}

#[test]
fn a_boot_forgets_the_last_exit_and_fault() {
    let exited = after([running().to_vec(), vec![E::Exited { cause: ExitCause::OutOfMemory }]].concat());
    assert_eq!(exited.exit, Some(ExitCause::OutOfMemory));
    let again = [E::BootBegan { deadline: deadline(5) }, E::Booted];
    let sandbox = after(
        [running().to_vec(), vec![E::Exited { cause: ExitCause::OutOfMemory }], again.to_vec()].concat(),
    );
    assert_eq!((sandbox.exit, sandbox.fault), (None, None));
}

#[test]
fn an_abandoned_excursion_keeps_its_fault_in_sight() {
    let sandbox =
        after([running().to_vec(), vec![snapshot(), E::Abandoned { fault: Some(fault()) }]].concat());
    assert_eq!((sandbox.state, sandbox.fault), (State::Started, Some(fault())));
}

#[test]
fn time_stopped_counts_through_excursions_and_archives() {
    let since = |more: &[E]| after([stopped(), more.to_vec()].concat()).stopped_since;
    assert_eq!(since(&[]), Some(at(5)));
    assert_eq!(since(&[snapshot(), E::SnapshotTaken]), Some(at(5)));
    assert_eq!(since(&[archive(), E::ArchiveStored]), Some(at(5)));
    assert_eq!(since(&[E::BootBegan { deadline: deadline(6) }]), None);
    assert_eq!(since(&[restore()]), None);
}

#[test]
fn an_archive_of_an_error_starts_the_time_stopped() {
    let events = [E::Failed { fault: fault() }, archive(), E::ArchiveStored];
    assert_eq!(after([running().to_vec(), events.to_vec()].concat()).stopped_since, Some(at(6)));
}

#[test]
fn an_idle_stop_is_no_use() {
    let idle = |last_activity| E::StopBegan {
        reason: StopReason::Idle { last_activity },
        grace: Span::ZERO,
        deadline: deadline(4),
    };
    let stop = vec![idle(Timestamp(42)), E::Exited { cause: ExitCause::Stopped }];
    assert_eq!(after([running().to_vec(), stop].concat()).last_activity, Timestamp(42));
    assert_eq!(after(stopped()).last_activity, at(4), "a stop that was asked for is one");
    assert_eq!(after([stopped(), vec![E::ActivityRefreshed]].concat()).last_activity, at(6));
}

#[test]
fn an_intent_waits_until_it_is_settled() {
    let stop = Intent::Stop { grace: Span::seconds(1) };
    let queued = || E::IntentQueued { intent: stop };
    let [ready, booted] = running();
    assert_eq!(
        after([queued(), ready.clone(), booted.clone()]).intent,
        Some(stop),
        "through the operations in front"
    );
    assert_eq!(after([queued(), E::Failed { fault: fault() }]).intent, Some(stop), "also when one fails");
    let began = E::StopBegan { reason: StopReason::Asked, grace: Span::ZERO, deadline: deadline(5) };
    assert_eq!(after([queued(), ready, booted, began]).intent, None);
    assert_eq!(after([queued(), E::DeleteBegan { reason: DeleteReason::Asked }]).intent, None);
    let start = |begins: E| {
        let queued = E::IntentQueued { intent: Intent::Start };
        after([stopped(), vec![archive(), queued, E::ArchiveStored, begins]].concat()).intent
    };
    assert_eq!(start(restore()), None);
}

#[test]
fn a_record_out_of_its_place_is_illegal() {
    let sandbox = after(running());
    let right = stamp(4);
    let wrong = [
        Stamp { version: 3, ..right },
        Stamp { version: 5, ..right },
        Stamp { seq: stamp(3).seq, ..right },
        Stamp { organization: OrganizationId::from_u128(2), ..right },
    ];
    for stamp in wrong {
        assert!(sandbox.clone().evolve(&stamp, &E::ActivityRefreshed).is_err(), "{stamp:?}");
    }
    assert!(sandbox.clone().evolve(&right, &E::ActivityRefreshed).is_ok());
}

#[test]
fn an_illegal_event_says_where_and_what() {
    let error = after([]).evolve(&stamp(2), &E::Exited { cause: ExitCause::Killed }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record 102 cannot be folded: Exited is not legal for version 2 of what is Pulling Snapshot"
    );
}

/// Every place the table has, walked to with payloads of the proptest's choosing.
fn somewhere() -> impl Strategy<Value = Sandbox> {
    let offered = prop::collection::vec(sandbox_event(), 0..60);
    (sandbox_event_of(Kind::PullBegan), offered).prop_map(|(birth, offered)| {
        let mut sandbox = Sandbox::born(SandboxId::from_u128(1), &stamp(1), &birth).unwrap();
        for event in offered {
            let stamp = stamp(sandbox.version + 1);
            let _ = sandbox.evolve(&stamp, &event);
        }
        sandbox
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn an_event_does_what_the_table_says_or_nothing(
        before in somewhere(), event in sandbox_event(), far in any::<[u64; 3]>(), fits in prop::bool::weighted(0.9),
    ) {
        let next = stamp(before.version + 1);
        let [seq, at, version] = far;
        let stamp = if fits { Stamp { at: Timestamp(at), ..next } } else {
            Stamp { seq: Seq(seq), at: Timestamp(at), version, ..next }
        };
        let said = step(before.state, before.origin, event.kind());
        let mut after = before.clone();
        match after.evolve(&stamp, &event) {
            Ok(()) => {
                let expected = match said {
                    Step::To(state) => state,
                    Step::Stay => before.state,
                    Step::Illegal => return Err(TestCaseError::fail("an illegal event was folded")),
                };
                prop_assert_eq!(after.state, expected);
                prop_assert_eq!((after.version, after.seq, after.updated), (stamp.version, stamp.seq, stamp.at));
                prop_assert_eq!(after.origin.is_some(), after.state.is_in(State::EXCURSIONS));
            }
            Err(_) => {
                prop_assert!(said == Step::Illegal || !fits);
                prop_assert_eq!(rmp_serde::to_vec(&after).unwrap(), rmp_serde::to_vec(&before).unwrap());
            }
        }
    }

    #[test]
    fn work_is_owed_where_the_state_says_so(sandbox in somewhere()) {
        let owed = crate::duty::duties(sandbox.state).task.is_some();
        // Only the error's quieting, what runs being held to its settings, a fork's boot, backups, and taking away what
        // they left behind begin or end while a state stays.
        let at_rest = [
            State::Error, State::Archived, State::Started, State::Stopped, State::Creating, State::Deleted,
        ];
        let ends = sandbox.state.is_in(&at_rest);
        prop_assert!(sandbox.work.is_some() == owed || (ends && sandbox.work.is_none()));
        prop_assert!(sandbox.state != State::Deleted || sandbox.work.is_some() != sandbox.is_forgotten());
        prop_assert!(sandbox.state != State::Started || sandbox.work.is_some() == (sandbox.settings != Settings::Applied));
    }

    #[test]
    fn folding_twice_gives_the_same(offers in offers(3, 60)) {
        let fold = || {
            let mut fleet = std::collections::BTreeMap::<_, Sandbox>::new();
            for record in history(&offers) {
                let (stamp, Event::Sandbox(event)) = (record.stamp(), &record.event) else { unreachable!() };
                match fleet.get_mut(&record.subject) {
                    Some(sandbox) => sandbox.evolve(&stamp, event).unwrap(),
                    None => {
                        fleet.insert(record.subject, Sandbox::born(SandboxId::from_u128(1), &stamp, event).unwrap());
                    }
                }
            }
            rmp_serde::to_vec(&fleet).unwrap()
        };
        prop_assert_eq!(fold(), fold());
    }
}
