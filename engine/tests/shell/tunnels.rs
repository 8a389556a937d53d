//! Ways into running sandboxes, from the engine's side.

use std::time::Duration;

use hourglass_agent::client::{Agent, Error};
use hourglass_agent::{Bytes, Failure, Output, Program, Run};
use hourglass_engine::{DialError, Store, Target, Tunnel};
use hourglass_events::{AutoStop, ExitCause, Minutes, SandboxId, State};
use hourglass_hostd::scripted::{Act, Twist};
use hourglass_tunnel::Refused;
use tokio::io::AsyncReadExt;

use crate::world::World;

async fn agent(world: &World, id: SandboxId) -> Agent<Tunnel> {
    Agent::over(world.engine.dial(id, Target::Agent).await.expect("the way is open"))
}

fn program(argv: &[&str]) -> Program {
    Program { argv: argv.iter().map(|&word| word.to_owned()).collect(), ..Program::default() }
}

async fn says(world: &World, id: SandboxId, argv: &[&str]) -> Vec<u8> {
    let run = Run { program: program(argv), merged: false, keep: 1_000 };
    agent(world, id).await.run(run).await.expect("it runs").stdout.0
}

#[tokio::test]
async fn a_tunnel_leads_to_the_agent_of_a_running_sandbox() {
    let world = World::new(Store::memory()).await;
    let id = world.started().await;
    let mut upload = agent(&world, id).await.write("note", None, false).await.unwrap();
    upload.write(b"kept").await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(says(&world, id, &["cat", "note"]).await, b"kept");
    let missing = agent(&world, id).await.info("none").await;
    assert!(matches!(missing, Err(Error::Failed(Failure::Missing { .. }))), "{missing:?}");
    let port = world.engine.dial(id, Target::Port(80)).await.err();
    assert!(matches!(port, Some(DialError::Refused(Refused::Port { port: 80, .. }))), "{port:?}");
}

#[tokio::test]
async fn there_is_no_tunnel_into_what_does_not_run() {
    let world = World::new(Store::memory()).await;
    let nobody = SandboxId::from_u128(404);
    assert_eq!(world.engine.dial(nobody, Target::Agent).await.err(), Some(DialError::Unknown(nobody)));
    let id = world.started().await;
    world.client.stop(id).await.unwrap();
    world.reach(id, State::Stopped).await;
    let stopped = DialError::NotRunning { sandbox: id, state: State::Stopped };
    assert_eq!(world.engine.dial(id, Target::Agent).await.err(), Some(stopped));
}

#[tokio::test]
async fn a_host_that_is_gone_opens_nothing() {
    let world = World::new(Store::memory()).await;
    let id = world.started().await;
    let mut cut = world.engine.dial(id, Target::Agent).await.unwrap();
    world.host.kill().await;
    // Bytes on their way end with the worker that carried them.
    assert_eq!(cut.read(&mut [0]).await.unwrap_or(0), 0);
    let refused = loop {
        match world.engine.dial(id, Target::Agent).await {
            Err(DialError::Refused(Refused::Gone)) => {}
            other => break other.err(),
        }
    };
    let host = world.sandbox(id).host.unwrap();
    assert_eq!(refused, Some(DialError::Disconnected { sandbox: id, host }));
}

#[tokio::test]
async fn tunnels_are_closed_when_a_stop_has_begun() {
    let world = World::new(Store::memory()).await;
    let id = world.started().await;
    let mut running = agent(&world, id).await.start(program(&["cat"])).await.unwrap();
    running.input.write(b"there").await.unwrap();
    assert_eq!(running.output.next().await.unwrap(), Some(Output::Stdout(Bytes(b"there".to_vec()))));
    // The machine takes its time to stop; the way in is closed before.
    world.machine.script(id, Act::Halt, Twist::HangBefore);
    world.client.stop(id).await.unwrap();
    assert!(matches!(running.output.next().await, Err(Error::Frame(_))));
    assert_eq!(world.machine.hung().await.sandbox, Some(id));
    let refused = world.engine.dial(id, Target::Agent).await.err();
    assert!(matches!(refused, Some(DialError::NotRunning { state: State::Stopping, .. })), "{refused:?}");
    world.machine.release();
    world.reach(id, State::Stopped).await;
}

#[tokio::test]
async fn tunnels_end_with_a_sandbox_that_ends_by_itself() {
    let world = World::new(Store::memory()).await;
    let id = world.started().await;
    let mut running = agent(&world, id).await.start(program(&["cat"])).await.unwrap();
    world.machine.end(id, ExitCause::OutOfMemory);
    assert!(matches!(running.output.next().await, Err(Error::Frame(_))));
    world.reach(id, State::Stopped).await;
}

#[tokio::test(start_paused = true)]
async fn an_open_tunnel_keeps_a_sandbox_from_stopping_and_a_closed_one_does_not() {
    let world = World::new(Store::memory()).await;
    let id = world.started().await;
    world.client.set_auto_stop(id, AutoStop::After(Minutes(1))).await.unwrap();
    let begun = tokio::time::Instant::now();
    let held = agent(&world, id).await.start(program(&["cat"])).await.unwrap();
    let waited = world.engine.wait_for(id, State::Stopped, Duration::from_secs(600)).await;
    assert!(waited.is_err(), "it stopped while somebody was connected");
    drop(held);
    world.engine.wait_for(id, State::Stopped, Duration::from_secs(3_600)).await.unwrap();
    let after = begun.elapsed().saturating_sub(Duration::from_secs(600));
    assert!((60..80).contains(&after.as_secs()), "it stopped {after:?} after the last use");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_does_not_read_holds_up_its_writer() {
    let world = World::new(Store::memory()).await;
    let id = world.started().await;
    let many = 8 << 20;
    let running = agent(&world, id).await.start(program(&["cat"])).await.unwrap();
    let (mut input, mut output) = (running.input, running.output);
    let mut written = 0;
    let chunk = vec![7; 64 << 10];
    // Until nothing moves any more, which is when time goes on: what is on its way is bounded, whoever sends it.
    while tokio::time::timeout(Duration::from_secs(5), input.write(&chunk)).await.is_ok() {
        written += chunk.len();
        assert!(written < many, "{written} bytes were taken of which nobody read one");
    }
    let Some(Output::Stdout(Bytes(first))) = output.next().await.unwrap() else { panic!("no output") };
    assert!(first.iter().all(|byte| *byte == 7));
}
