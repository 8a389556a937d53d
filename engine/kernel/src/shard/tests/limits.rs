//! Limits: full storage, too much waiting, groups and records of a bounded size.

use std::collections::BTreeMap;

use hourglass_events::codec::{GROUP_BYTES_MOST, GROUP_RECORDS_MOST, GroupView};
use hourglass_events::{
    Actor, Class, Command, CorrelationId, Create, Fault, Finding, HostId, Image, Labels, Refusal, Request,
    Resources, SandboxId, SnapshotContent, SnapshotId, Span, StopMode, Target, Text,
};

use super::story::check;
use super::world::{ORGANIZATION, Whim, World};
use crate::log::Outcome;
use crate::shard::{Input, RequestId, ShardConfig};

const HOST: HostId = HostId::from_u128(0x1001);

fn ready(config: ShardConfig) -> World {
    let mut world = World::with(config);
    world.ask(ORGANIZATION, None, register("default"));
    world.join(HOST, vec![Class::Container], Resources { cpu: 9, memory_gib: 9, disk_gib: 90, gpu: 0 });
    world.synced(HOST);
    world
}

pub(super) fn register(name: &str) -> Command {
    let content = SnapshotContent {
        name: name.to_owned(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: Image { digest: "cafe".to_owned() },
    };
    Command::RegisterSnapshot(SnapshotId::from_u128(1), content)
}

fn id(number: u64) -> SandboxId {
    SandboxId::from_u128(number.into())
}

#[test]
fn full_storage_refuses_new_work_loses_nothing_and_resumes() {
    check(
        "0s     given  started a                -> ready
         1s     log    full                     ->
         1s     client labels a k=v key=k       -> no reply yet
         2s     client labels a k=w             -> refused: the log's storage is full; free space on it, then repeat the request
         2s     client stop a                   -> refused: the log's storage is full; free space on it, then repeat the request
         1m1s   look   a                        -> Started
         1m1s500ms log room                     ->
         1m2s   timer                           -> a LabelsReplaced
         1m3s   client labels a k=v key=k       -> already
         1m4s   client labels a k=w             -> LabelsReplaced",
    );
}

#[test]
fn storage_is_full_until_the_group_is_in() {
    let mut world = ready(ShardConfig::new(1));
    world.log.full = true;
    world.ask(ORGANIZATION, None, Command::Create(Create::new(id(1))));
    world.log.hangs = true;
    // The log is being tried again and has not answered.
    world.pass(world.now.after(Span::seconds(1)));
    let request = world.ask(ORGANIZATION, None, Command::Create(Create::new(id(2))));
    assert_eq!(world.replies.get(&request), Some(&Err(Refusal::StorageFull)));
}

#[test]
fn doubt_is_met_with_the_same_bytes() {
    let mut world = ready(ShardConfig::new(1));
    world.log.whims = [Whim::DoubtLost, Whim::NoSpace, Whim::DoubtStored].into();
    let request = world.ask(ORGANIZATION, None, Command::Create(Create::new(id(1))));
    assert_eq!(world.replies.get(&request), None, "nothing is known yet");
    world.pass(world.now.after(Span::minutes(1)));
    assert!(matches!(world.replies.get(&request), Some(Ok(_))), "{:?}", world.replies);
    assert_eq!(world.log.replay().fleet().to_bytes(), world.shard.committed().to_bytes());
}

#[test]
fn what_waits_for_the_log_is_bounded_and_nobody_is_woken_for_it() {
    let mut config = ShardConfig::new(1);
    config.staged = 10;
    let mut world = ready(config);
    for number in 1..=3 {
        let mut create = Create::new(id(number));
        create.auto_delete = Some(hourglass_events::AutoDelete::After(hourglass_events::Minutes(1)));
        world.ask(ORGANIZATION, None, Command::Create(create));
    }
    world.log.hangs = true;
    let asked: Vec<_> =
        (0..20).map(|_| world.ask(ORGANIZATION, None, Command::RefreshActivity(Target::Id(id(1))))).collect();
    let refused = asked.iter().filter(|request| {
        matches!(world.replies.get(request), Some(Err(Refusal::Overloaded { waiting })) if *waiting >= 10)
    });
    assert_eq!(refused.count(), 9, "one is in flight and ten wait");
    assert_eq!(world.shard.staged(), 10);
    assert_eq!(world.shard.deadline(), None, "an alarm could do nothing");
    let slot = crate::log::Slot(world.log.frames.len() as u64 + 1);
    world.log.hangs = false;
    world.feed(Input::Appended { slot, outcome: Outcome::Doubtful });
    world.pass(world.now.after(Span::seconds(1)));
    assert!(asked.iter().all(|request| world.replies.contains_key(request)), "everybody is answered");
    assert!(world.shard.is_quiet());
}

#[test]
fn groups_keep_to_their_records_and_bytes() {
    let mut world = ready(ShardConfig::new(1));
    world.ask(ORGANIZATION, None, Command::Create(Create::new(id(1))));
    world.log.hangs = true;
    for number in 0..1_400_u32 {
        // Every other second record is large.
        let value = if number < 20 { "x".repeat(1000) } else { String::new() };
        let labels =
            (0..if number < 20 { 60 } else { 1 }).map(|key| (format!("{number}-{key}"), value.clone()));
        let labels = Labels::new(labels.collect()).expect("labels");
        world.ask(ORGANIZATION, None, Command::ReplaceLabels(id(1).into(), labels));
    }
    let before = world.log.frames.len();
    let slot = crate::log::Slot(before as u64 + 1);
    world.log.hangs = false;
    world.feed(Input::Appended { slot, outcome: Outcome::Doubtful });
    world.pass(world.now.after(Span::seconds(1)));
    assert!(world.shard.is_quiet());
    let sizes: Vec<_> = world.log.frames[before..]
        .iter()
        .map(|frame| {
            let group = GroupView::decode(frame).expect("a group");
            (group.records.len(), group.records.iter().map(|record| record.len()).sum::<usize>())
        })
        .collect();
    assert!(
        sizes.iter().all(|(records, bytes)| *records <= GROUP_RECORDS_MOST && *bytes <= GROUP_BYTES_MOST)
    );
    assert!(sizes.iter().any(|(records, _)| *records == GROUP_RECORDS_MOST), "full of records: {sizes:?}");
    assert!(
        sizes.iter().any(|(_, bytes)| *bytes > GROUP_BYTES_MOST - (64 << 10)),
        "full of bytes: {sizes:?}"
    );
}

#[test]
fn texts_that_nothing_else_bounds_are_refused_at_the_door() {
    let mut world = ready(ShardConfig::new(1));
    let long = "x".repeat(256);
    let bad = |text, found| Err(Refusal::BadText { text, found, most: 255 });
    let mut create = Create::new(id(1));
    create.user = Some(long.clone());
    let request = world.ask(ORGANIZATION, None, Command::Create(create.clone()));
    assert_eq!(world.replies[&request], bad(Text::User, 256));
    create.user = Some("root\n".to_owned());
    let request = world.ask(ORGANIZATION, None, Command::Create(create.clone()));
    assert_eq!(world.replies[&request], bad(Text::User, 5));
    (create.user, create.snapshot) = (None, Some(long.clone()));
    let request = world.ask(ORGANIZATION, None, Command::Create(create));
    assert_eq!(world.replies[&request], bad(Text::Snapshot, 256));
    let request = world.ask(ORGANIZATION, None, register(&long));
    assert_eq!(world.replies[&request], bad(Text::Snapshot, 256));
    let request = world.ask(ORGANIZATION, None, Command::Stop(Target::Text(long.clone()), StopMode::Force));
    assert_eq!(world.replies[&request], Err(Refusal::NoSuchSandbox(long[..80].to_owned())));
    let stranger = Request {
        organization: ORGANIZATION,
        actor: Actor::Client(long),
        key: None,
        correlation: CorrelationId::from_u128(1),
        command: Command::Delete(id(1).into()),
    };
    world.feed(Input::Request { id: RequestId(1_000), request: Box::new(stranger) });
    assert_eq!(world.replies[&RequestId(1_000)], bad(Text::Client, 256));
}

#[test]
fn the_largest_create_fits_a_record() {
    let mut world = ready(ShardConfig::new(1));
    let labels: BTreeMap<_, _> = (0..64).map(|key| (format!("{key:0>1024}"), "v".repeat(1024))).collect();
    let mut create = Create::new(id(1));
    create.labels = Labels::new(labels).expect("labels");
    create.user = Some("u".repeat(255));
    let request = world.ask(ORGANIZATION, Some(&"k".repeat(255)), Command::Create(create));
    assert!(world.replies[&request].is_ok(), "{:?}", world.replies[&request]);
}

#[test]
fn a_failure_of_any_length_is_taken_in() {
    let mut world = ready(ShardConfig::new(1));
    world.ask(ORGANIZATION, None, Command::Create(Create::new(id(1))));
    let order = world.hosts[&HOST].orders[0].number;
    let fault = Fault::System { doing: "mount".to_owned(), error: "e".repeat(1 << 20) };
    let serial = world.report(HOST, id(1), order, Finding::Failed(fault));
    assert!(!world.hosts[&HOST].unheard.contains(&serial), "it is acknowledged");
    assert_eq!(
        world.shard.committed().sandbox(id(1)).map(|it| it.state),
        Some(hourglass_events::State::Error)
    );
}
