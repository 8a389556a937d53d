//! Storms: anything in any order through a shard. It never finds itself wrong, and when the faults stop it settles.

mod wishes;

use hourglass_events::{
    Class, Command, ExitCause, Fault, Finding, HostId, Image, OrderNumber, Resources, SandboxId,
    SnapshotContent, SnapshotId, Span, State, duties,
};
use proptest::collection::vec;
use proptest::prelude::*;

use self::wishes::{Wish, ask, wish};
use super::world::{ORGANIZATION, Whim, World};
use crate::checkpoint::Checkpoint;
use crate::fleet::Fleet;
use crate::fleet::tests::assert_indexed;
use crate::owe;
use crate::shard::{Halt, Input, Output, Phase, Replay, Why};
use crate::terms::Terms;

const HOSTS: u8 = 2;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Act {
    /// A client asks something of a sandbox.
    Ask(u8, Wish),
    /// A host reports on one of the orders it has had, counted from the last.
    Report(u8, usize, Word),
    /// A host says how long ago a sandbox was used.
    Used(u8, u8, Span),
    Join(u8),
    Synced(u8),
    Gone(u8),
    Pass(Span),
    Whim(Whim),
    Crash,
}

#[derive(Debug, Clone, Copy)]
enum Word {
    Done,
    Failed,
    Exited,
}

fn host(number: u8) -> HostId {
    HostId::from_u128(0x1001 + u128::from(number % HOSTS))
}

fn id(number: u8) -> SandboxId {
    SandboxId::from_u128(u128::from(number) + 1)
}

fn act() -> impl Strategy<Value = Act> {
    let word = prop_oneof![4 => Just(Word::Done), 1 => Just(Word::Failed), 1 => Just(Word::Exited)];
    let back = prop_oneof![3 => Just(0_usize), 1 => 0..9_usize];
    let whim = prop_oneof![Just(Whim::DoubtStored), Just(Whim::DoubtLost), Just(Whim::NoSpace)];
    let span = prop_oneof![0..2_000_000_u64, 0..600_000_000_u64].prop_map(Span);
    prop_oneof![
        8 => (0..5_u8, wish()).prop_map(|(sandbox, wish)| Act::Ask(sandbox, wish)),
        10 => (0..HOSTS, back, word).prop_map(|(host, back, word)| Act::Report(host, back, word)),
        2 => (0..HOSTS, 0..5_u8, 0..300_000_000_u64).prop_map(|(host, sandbox, age)| Act::Used(host, sandbox, Span(age))),
        2 => (0..HOSTS).prop_map(Act::Join),
        2 => (0..HOSTS).prop_map(Act::Synced),
        1 => (0..HOSTS).prop_map(Act::Gone),
        4 => span.prop_map(Act::Pass),
        2 => whim.prop_map(Act::Whim),
        1 => Just(Act::Crash),
    ]
}

fn start() -> World {
    let mut world = World::new();
    for (number, name, memory_gib) in [(1, "default", 8), (2, "large", 24)] {
        let content = SnapshotContent {
            name: name.to_owned(),
            class: Class::LinuxVm,
            resources: Resources { memory_gib, ..Resources::DEFAULT },
            gpu_types: hourglass_events::GpuTypes::default(),
            image: Image { digest: name.to_owned() },
        };
        let id = SnapshotId::from_u128(0x5000 + number);
        world.ask(ORGANIZATION, None, Command::RegisterSnapshot(id, content));
    }
    world
}

fn join(world: &mut World, number: u8) {
    let capacity = Resources { cpu: 9, memory_gib: 3 + u32::from(number), disk_gib: 90, gpu: 0 };
    world.join(host(number), vec![Class::Container, Class::LinuxVm], capacity);
}

fn run(world: &mut World, act: &Act) {
    match act {
        Act::Ask(sandbox, wish) => ask(world, *sandbox, wish),
        Act::Report(number, back, word) => {
            let id = host(*number);
            let Some(sim) = world.hosts.get(&id) else { return };
            let Some(order) = sim.orders.iter().rev().nth(*back).cloned() else { return };
            let finding = match word {
                Word::Done => Finding::Done(None),
                Word::Failed => Finding::Failed(Fault::Missing { what: "disk".to_owned() }),
                Word::Exited => Finding::Exited(ExitCause::OutOfMemory),
            };
            world.report(id, order.sandbox, order.number, finding);
        }
        Act::Used(number, sandbox, age) => {
            let boot = world.shard.committed().sandbox(id(*sandbox)).and_then(|sandbox| sandbox.boot);
            world.used(host(*number), id(*sandbox), boot.unwrap_or(OrderNumber(1)), *age);
        }
        Act::Join(number) => join(world, *number),
        Act::Synced(number) => world.synced(host(*number)),
        Act::Gone(number) => world.feed(Input::HostGone { host: host(*number) }),
        Act::Pass(span) => world.pass(world.now.after(*span)),
        Act::Whim(whim) => world.log.whims.push_back(*whim),
        Act::Crash => world.crash(),
    }
}

/// What holds at every moment.
fn check(world: &World) {
    let halts: Vec<&Halt> = world
        .heard
        .iter()
        .filter_map(|output| if let Output::Halted(halt) = output { Some(halt) } else { None })
        .collect();
    assert!(halts.is_empty(), "{halts:?}");
    assert_indexed(world.shard.proposed());
    assert_indexed(world.shard.committed());
    check_kin(world.shard.proposed());
    check_kin(world.shard.committed());
}

/// What kin promise each other, at every moment.
fn check_kin(fleet: &Fleet) {
    let lives = |id: SandboxId| fleet.sandbox(id).is_some_and(|found| !found.state.is_in(State::NAMELESS));
    for sandbox in fleet.sandboxes().filter(|sandbox| lives(sandbox.id)) {
        if let Some(parent) = sandbox.blueprint.forked_from {
            assert!(lives(parent), "a live fork has a live parent: {sandbox:?}");
        }
        if sandbox.blueprint.linked.is_some() {
            assert!(sandbox.is_ephemeral(), "{sandbox:?}");
            assert!(fleet.kin().forks(sandbox.id).next().is_none(), "{sandbox:?}");
            let kept = [State::Paused, State::Archived, State::Pausing, State::Archiving, State::Starting];
            assert!(!sandbox.state.is_in(&kept), "{sandbox:?}");
        }
        let parent = sandbox.blueprint.linked.and_then(|parent| fleet.sandbox(parent));
        if let Some(home) = parent.and_then(|parent| parent.host) {
            let runs = sandbox.state != State::Error;
            assert!(
                !runs || sandbox.host.is_none_or(|host| host == home),
                "a linked sandbox is where its parent is"
            );
        }
    }
}

/// Live state, replay from zero, and a checkpoint in the middle with the tail folded onto it are the same bytes.
fn check_folds(world: &World) {
    let live = world.shard.committed().to_bytes();
    let replayed = world.log.replay();
    assert_eq!(replayed.fleet().to_bytes(), live, "replay");
    let mut half = Replay::new(hourglass_events::ShardNumber(0), 1);
    let (head, tail) = world.log.frames.split_at(world.log.frames.len() / 2);
    for frame in head {
        half.feed(frame, |_| {}).expect("the head can be read");
    }
    let checkpoint = Checkpoint { mark: half.mark(), fleet: half.fleet().clone() };
    let checkpoint = Checkpoint::from_bytes(&checkpoint.to_bytes()).expect("a checkpoint can be read");
    let mut rest = Replay::from_checkpoint(checkpoint);
    for frame in tail {
        rest.feed(frame, |_| {}).expect("the tail can be read");
    }
    assert_eq!(rest.fleet().to_bytes(), live, "checkpoint and tail");
    assert_eq!(rest.mark(), world.shard.checkpoint().mark);
}

/// No faults, and hosts that do each order at once: everything comes to rest in a bounded number of records.
fn settle(world: &mut World) {
    world.log.whims.clear();
    for number in 0..HOSTS {
        world.feed(Input::HostGone { host: host(number) });
        join(world, number);
        world.synced(host(number));
    }
    let before = world.shard.committed().seq().0;
    let snapshots = world.shard.proposed().snapshots().count();
    let bound = before + 12 * (world.shard.proposed().len() + snapshots + 1) as u64;
    for _ in 0..1_000 {
        obey(world);
        assert!(world.shard.committed().seq().0 <= bound, "more records than it takes to settle");
        // Time is let pass for the log and for retries alone, so that intervals begin nothing new.
        match world.shard.deadline() {
            Some((
                at,
                Why::Resend
                | Why::Full
                | Why::Resync
                | Why::Silence(_)
                | Why::Losses
                | Why::Sweep(_)
                | Why::Alarm(hourglass_events::Alarm::Retry, _),
            )) => {
                world.pass(at);
            }
            Some((at, Why::Alarm(..))) if retries_before_rest(world) => world.pass(at),
            Some((_, Why::Alarm(..))) | None => break,
        }
    }
}

/// Whether something is still to be tried again, behind other alarms.
fn retries_before_rest(world: &World) -> bool {
    let fleet = world.shard.committed();
    let retried = fleet.snapshots().any(|snapshot| snapshot.work.is_some());
    retried || fleet.sandboxes().any(|sandbox| sandbox.work.is_some() && sandbox.host.is_some())
}

/// Do every order that is the present one.
fn obey(world: &mut World) {
    for _ in 0..1_000 {
        let present = world.hosts.iter().find_map(|(id, sim)| {
            sim.orders.iter().rev().find_map(|order| {
                let is_present = owed_by(world, order.sandbox) == Some((*id, order.number));
                is_present.then_some((*id, order.sandbox, order.number))
            })
        });
        let Some((id, sandbox, number)) = present else { return };
        world.report(id, sandbox, number, Finding::Done(None));
        if owed_by(world, sandbox) == Some((id, number)) {
            return;
        }
    }
    panic!("a host has orders without end");
}

/// Who owes a sandbox or a snapshot what.
fn owed_by(world: &World, id: SandboxId) -> Option<(HostId, OrderNumber)> {
    let fleet = world.shard.committed();
    match (fleet.sandbox(id), owe::snapshots::borne(fleet, id)) {
        (Some(sandbox), _) => sandbox.host.zip(sandbox.order()),
        (None, Some(snapshot)) => snapshot.host.zip(snapshot.work.map(|work| work.number)),
        (None, None) => None,
    }
}

fn rested(world: &World, may_wait: bool) {
    assert_eq!(world.shard.phase(), Phase::Serving);
    assert!(world.shard.is_quiet());
    let fleet = world.shard.committed();
    for snapshot in fleet.snapshots() {
        let owed = owe::snapshots::follow_up(fleet, &Terms::default(), snapshot);
        assert_eq!(owed, None, "{snapshot:?}");
        assert!(snapshot.work.is_none(), "it is still owed work: {snapshot:?}");
    }
    for sandbox in fleet.sandboxes() {
        assert_eq!(owe::follow_up(fleet, &Terms::default(), sandbox, world.now), None, "{sandbox:?}");
        let parent = sandbox.blueprint.linked;
        assert!(
            parent.is_none_or(|parent| fleet.sandbox(parent).is_some()),
            "its parent is gone: {sandbox:?}"
        );
        let waits = may_wait && sandbox.host.is_none() && crate::fleet::seeks(sandbox);
        assert!(waits || sandbox.intent.is_none(), "it still wants something: {sandbox:?}");
        assert!(waits || sandbox.work.is_none(), "it is still owed work: {sandbox:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_storm_is_weathered_and_settles(acts in vec(act(), 1..90)) {
        let mut world = start();
        for act in &acts {
            run(&mut world, act);
            check(&world);
        }
        settle(&mut world);
        rested(&world, true);
        // Who found no room by now fails at the deadline, and that is an end too.
        world.pass(world.now.after(Terms::default().pull));
        settle(&mut world);
        rested(&world, false);
        check(&world);
        check_folds(&world);
    }
}

#[test]
fn both_ends_of_every_task_are_edges() {
    use hourglass_events::lifecycle::{Step, step};
    for state in State::ALL {
        let Some(owed) = duties(*state).task else { continue };
        let origins = || State::ALL.iter().copied().map(Some).chain([None]);
        for end in [owed.done, owed.failed] {
            assert!(
                origins().any(|origin| step(*state, origin, end) != Step::Illegal),
                "{state:?} on {end:?}"
            );
        }
    }
}
