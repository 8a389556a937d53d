//! What is promised, by the projection and by whoever adds up all sandboxes.

use std::collections::BTreeMap;

use hourglass_events::arbitrary::{history, host_event, offers};
use hourglass_events::{
    Capabilities, Class, Event, HostEvent, HostId, Incarnation, Record, Resources, Sandbox, SandboxId, Seq,
    Subject,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::{Amounts, Capacity, Room};
use crate::{ApplyError, Projection};

fn fed(records: &[Record]) -> Capacity {
    let mut capacity = Capacity::new();
    records.iter().for_each(|record| capacity.apply(record).unwrap());
    capacity
}

/// How many live on each host, and what they take.
fn added_up(records: &[Record]) -> BTreeMap<HostId, (u64, Amounts)> {
    let mut folded = BTreeMap::<SandboxId, Sandbox>::new();
    for record in records {
        let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) else { continue };
        match folded.get_mut(&id) {
            Some(sandbox) => sandbox.evolve(&record.stamp(), event).unwrap(),
            None => drop(folded.insert(id, Sandbox::born(id, &record.stamp(), event).unwrap())),
        }
    }
    let mut sums = BTreeMap::<HostId, (u64, Amounts)>::new();
    for sandbox in folded.values().filter(|sandbox| !sandbox.is_forgotten()) {
        let Some(host) = sandbox.host else { continue };
        let (count, sum) = sums.entry(host).or_default();
        *count += 1;
        *sum = sum.with(sandbox.taken().into(), |one, other| one + other);
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_promised_is_what_all_sandboxes_take(offers in offers(6, 150)) {
        let records = history(&offers);
        let found: BTreeMap<_, _> =
            fed(&records).promised.iter().map(|(host, load)| (*host, (load.sandboxes, load.takes))).collect();
        prop_assert_eq!(found, added_up(&records));
    }

    #[test]
    fn a_record_that_does_not_fit_changes_nothing(events in prop::collection::vec(host_event(), 0..12)) {
        let mut capacity = Capacity::new();
        for event in events {
            let record = record(capacity.applied().next().0, event);
            let before = capacity.clone();
            let again = Record { seq: before.applied(), ..record.clone() };
            prop_assert!(capacity.apply(&again).is_err());
            prop_assert_eq!(&capacity, &before);
            if capacity.apply(&record).is_err() {
                prop_assert_eq!(&capacity, &before);
            }
        }
    }
}

/// Something that happened to the one host of these tests.
fn record(seq: u64, event: HostEvent) -> Record {
    let any =
        hourglass_events::arbitrary::record().new_tree(&mut TestRunner::deterministic()).unwrap().current();
    Record { seq: Seq(seq), subject: Subject::Host(HostId::from_u128(1)), event: Event::Host(event), ..any }
}

fn seen() -> HostEvent {
    HostEvent::Seen {
        incarnation: Incarnation(1),
        region: "eu".to_owned(),
        classes: vec![Class::Container, Class::LinuxVm],
        capacity: Resources { cpu: 4, memory_gib: 16, disk_gib: 100, gpu: 0 },
        gpu_type: None,
        capabilities: Capabilities::default(),
    }
}

const TWICE: Amounts = Amounts { cpu: 2, memory_gib: 2, disk_gib: 2, gpu: 2 };

fn only(capacity: &Capacity) -> Room {
    capacity.room(capacity.hosts().next().unwrap(), TWICE)
}

#[test]
fn a_host_is_counted_in_its_region_once_for_each_class_it_runs() {
    let capacity = fed(&[record(1, seen())]);
    let rooms = capacity.by_region_and_class(TWICE);
    let keys: Vec<_> = rooms.keys().cloned().collect();
    assert_eq!(keys, [("eu".to_owned(), Class::Container), ("eu".to_owned(), Class::LinuxVm)]);
    assert!(rooms.values().all(|room| *room == only(&capacity)));
    let left = Amounts { cpu: 8, memory_gib: 32, disk_gib: 200, gpu: 0 };
    assert_eq!(only(&capacity).left, left);
}

#[test]
fn what_takes_in_nothing_has_nothing_left() {
    for event in
        [HostEvent::Cordoned, HostEvent::DrainBegan, HostEvent::Suspected { incarnation: Incarnation(1) }]
    {
        let capacity = fed(&[record(1, seen()), record(2, event)]);
        let room = only(&capacity);
        assert_eq!((room.open, room.left), (0, Amounts::default()));
        assert_eq!(room.has.cpu, 4);
    }
    let cordoned = [record(1, seen()), record(2, HostEvent::Cordoned), record(3, HostEvent::Uncordoned)];
    assert_eq!(only(&fed(&cordoned)).open, 1);
}

#[test]
fn the_loss_of_another_life_is_none() {
    let mut capacity = fed(&[record(1, seen())]);
    let lost = record(2, HostEvent::Suspected { incarnation: Incarnation(2) });
    assert!(matches!(capacity.apply(&lost), Err(ApplyError::Illegal(_))));
}
