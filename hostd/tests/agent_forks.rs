//! Forks on a host: two sandboxes take part, and neither gets in the other's way.
#![cfg(feature = "host")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod agent_common;

use hourglass_events::{
    Capabilities, Class, Fault, HostCall, HostId, HostProfile, Incarnation, Order, OrderNumber, Resources,
    SandboxId, Span, Task,
};
use hourglass_hostd::activity::Moment;
use hourglass_hostd::agent::{Effect, Outcome, Run};
use hourglass_hostd::driver::DiskFound;
use hourglass_hostd::ledger::Memory;
use hourglass_hostd::scripted::{Act, Twist};
use hourglass_hostd::{Agent, Driver as _, Scripted};

use agent_common::{BOX, SHARD, create, plan};

const CHILD: SandboxId = SandboxId::from_u128(0xc41d);

fn agent() -> Agent {
    let profile = HostProfile {
        host: HostId::from_u128(7),
        incarnation: Incarnation(1),
        region: "here".into(),
        classes: vec![Class::Container],
        capacity: Resources::DEFAULT,
        gpu_type: None,
        capabilities: Capabilities::all(),
    };
    Agent::new(profile, Memory::default(), Vec::new(), Moment(0))
}

/// What the agent wants done: steps begun, and those to be dropped.
fn wanted(agent: &mut Agent) -> (Vec<Run>, usize) {
    let (mut runs, mut cancels) = (Vec::new(), 0);
    while let Some(effect) = agent.poll_effect() {
        match effect {
            Effect::Run(run) => runs.push(run),
            Effect::Cancel(_) => cancels += 1,
            Effect::Write(_) | Effect::Tell(_) | Effect::Warn(_) => {}
        }
    }
    (runs, cancels)
}

fn order(agent: &mut Agent, sandbox: SandboxId, number: u64, task: Task) {
    let order = Order { shard: SHARD, sandbox, number: OrderNumber(number), deadline: None, task };
    agent.handle_call(HostCall::Do(order), Moment(0));
}

/// An agent on whose machine the sandbox runs, with its fork under way under order 7.
fn forking() -> (Agent, Run) {
    let mut agent = agent();
    order(&mut agent, BOX, 5, create());
    loop {
        let (runs, _) = wanted(&mut agent);
        let Some(run) = runs.first() else { break };
        agent.handle_step(BOX, run.id, &Outcome::Done, Moment(0));
    }
    order(&mut agent, BOX, 7, Task::Fork(CHILD));
    let (runs, _) = wanted(&mut agent);
    assert_eq!(runs.iter().map(|run| run.step.to_string()).collect::<Vec<_>>(), ["fork"]);
    (agent, runs[0].clone())
}

#[test]
fn an_order_for_a_fork_that_is_being_made_has_it_dropped_and_waits_for_its_end() {
    let (mut agent, fork) = forking();
    order(&mut agent, CHILD, 9, Task::Remove);
    let (runs, cancels) = wanted(&mut agent);
    assert_eq!((runs.len(), cancels), (0, 1), "nothing of it is removed while it may still be made");
    agent.handle_step(BOX, fork.id, &Outcome::Cancelled, Moment(0));
    let (runs, _) = wanted(&mut agent);
    let told: Vec<_> = runs.iter().map(|run| (run.sandbox, run.step.to_string(), run.number.0)).collect();
    assert_eq!(told, [(CHILD, "erase".to_owned(), 9)]);
}

#[test]
fn a_fork_that_is_made_is_resumed_under_its_own_order() {
    let (mut agent, fork) = forking();
    agent.handle_step(BOX, fork.id, &Outcome::Done, Moment(0));
    assert_eq!(wanted(&mut agent), (Vec::new(), 0));
    order(&mut agent, CHILD, 9, Task::Awaken(Box::new(plan())));
    let (runs, _) = wanted(&mut agent);
    let told: Vec<_> = runs.iter().map(|run| (run.sandbox, run.step.to_string(), run.number.0)).collect();
    assert_eq!(told, [(CHILD, "resume".to_owned(), 9)]);
    agent.handle_step(CHILD, runs[0].id, &Outcome::Done, Moment(0));
    assert_eq!(agent.open_life(CHILD), Some(OrderNumber(9)));
    assert_eq!(agent.open_life(BOX), Some(OrderNumber(5)), "its parent runs on in the life it had");
}

#[test]
fn a_newer_order_does_not_wait_for_a_fork() {
    let (mut agent, _) = forking();
    order(&mut agent, BOX, 8, Task::Stop { grace: Span::seconds(30) });
    assert_eq!(wanted(&mut agent), (Vec::new(), 1));
}

/// A machine on which the sandbox runs under order 5.
async fn machine() -> Scripted {
    let machine = Scripted::new();
    machine.pull(&plan().image).await.unwrap();
    machine.provision(BOX, OrderNumber(5), &plan()).await.unwrap();
    machine.boot(BOX, OrderNumber(5), &plan()).await.unwrap();
    machine
}

#[tokio::test(start_paused = true)]
async fn a_fork_has_a_disk_and_a_memory_of_its_own_and_its_parent_runs_on() {
    let machine = machine().await;
    for _ in 0..2 {
        machine.fork(BOX, OrderNumber(7), CHILD).await.unwrap();
    }
    let found = machine.survey().await.unwrap();
    let child = found.iter().find(|present| present.sandbox == CHILD).unwrap();
    assert_eq!(child.disk, DiskFound::Made(OrderNumber(7)));
    assert_eq!((child.running, child.saved), (None, Some(OrderNumber(7))));
    machine.resume(CHILD, OrderNumber(9), &plan()).await.unwrap();
    // A repeat that comes late does no harm to what runs by then.
    machine.fork(BOX, OrderNumber(7), CHILD).await.unwrap();
    assert_eq!((machine.running(BOX), machine.running(CHILD)), (Some(OrderNumber(5)), Some(OrderNumber(9))));
    machine.erase(BOX).await.unwrap();
    assert_eq!(machine.running(CHILD), Some(OrderNumber(9)));
}

#[tokio::test(start_paused = true)]
async fn half_a_fork_is_made_whole_or_taken_away() {
    let machine = machine().await;
    let fault = Fault::NoSpace { doing: "copy".to_owned() };
    machine.script(None, Act::Fork, Twist::FailHalfway(fault.clone()));
    assert_eq!(machine.fork(BOX, OrderNumber(7), CHILD).await, Err(fault.clone()));
    let resumed = machine.resume(CHILD, OrderNumber(9), &plan()).await;
    assert!(matches!(resumed, Err(Fault::Missing { .. })), "{resumed:?}");
    machine.fork(BOX, OrderNumber(7), CHILD).await.unwrap();
    machine.erase(CHILD).await.unwrap();
    assert!(machine.is_clear_of(CHILD));
    assert_eq!(machine.running(BOX), Some(OrderNumber(5)));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_run_has_no_memory_to_fork() {
    let machine = machine().await;
    machine.halt(BOX, Span::ZERO).await.unwrap();
    let forked = machine.fork(BOX, OrderNumber(7), CHILD).await;
    assert!(matches!(forked, Err(Fault::Missing { .. })), "{forked:?}");
    assert!(machine.is_clear_of(CHILD));
}
