//! One sandbox from its creation to its end.

use std::time::Duration;

use hourglass_engine::{AskError, Store, WaitError};
use hourglass_events::{
    AutoDelete, AutoStop, Command, Create, ExitCause, Fault, IdempotencyKey, Minutes, Name, Refusal,
    SandboxId, Span, State,
};
use hourglass_hostd::driver::Command as Program;
use hourglass_hostd::scripted::{Act, Twist};

use crate::world::{ORGANIZATION, World};

fn program(argv: &[&str]) -> Program {
    let argv = argv.iter().map(|&word| word.to_owned()).collect();
    Program { argv, env: Vec::new(), cwd: None, timeout: None }
}

#[tokio::test]
async fn a_sandbox_keeps_its_files_through_a_stop_and_is_gone_after_its_deletion() {
    let world = World::new(Store::memory()).await;
    let id = world.started().await;
    world.host.exec(id, None, program(&["tee", "note", "kept"])).await.unwrap();
    world.client.stop(id).await.unwrap();
    world.reach(id, State::Stopped).await;
    assert_eq!(world.sandbox(id).exit, Some(ExitCause::Stopped));
    assert!(
        world.host.exec(id, None, program(&["true"])).await.is_err(),
        "a stopped sandbox takes no commands"
    );
    world.client.start(id).await.unwrap();
    world.reach(id, State::Started).await;
    assert_eq!(world.host.exec(id, None, program(&["cat", "note"])).await.unwrap().stdout, b"kept");
    world.client.delete(id).await.unwrap();
    world.reach(id, State::Deleted).await;
    assert!(world.machine.is_clear_of(id));
    assert!(world.engine.sandbox(id).is_none());
    let remembered =
        world.engine.view_of(ORGANIZATION).roster(|roster| roster.by_id(id).map(|gone| gone.state));
    assert_eq!(remembered, Some(State::Deleted), "its history outlives it");
}

#[tokio::test(start_paused = true)]
async fn an_idle_sandbox_stops_after_its_interval_and_not_before() {
    let world = World::new(Store::memory()).await;
    let id = world.started().await;
    world.client.set_auto_stop(id, AutoStop::After(Minutes(2))).await.unwrap();
    let used = world.sandbox(id).last_activity;
    world.engine.wait_for(id, State::Stopped, Duration::from_secs(600)).await.unwrap();
    let idle = world.sandbox(id).since.since(used);
    assert!(idle >= Span::minutes(2), "it stopped after {idle}");
    assert!(idle < Span::seconds(130), "it stopped only after {idle}");
}

#[tokio::test(start_paused = true)]
async fn a_command_in_flight_keeps_a_sandbox_from_stopping() {
    let world = World::new(Store::memory()).await;
    let id = world.started().await;
    world.client.set_auto_stop(id, AutoStop::After(Minutes(1))).await.unwrap();
    let (host, begun) = (world.host.clone(), tokio::time::Instant::now());
    let thinking = tokio::spawn(async move { host.exec(id, None, program(&["sleep", "600"])).await });
    world.engine.wait_for(id, State::Stopped, Duration::from_secs(3_600)).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(660), "it stopped after {:?}", begun.elapsed());
    assert_eq!(thinking.await.unwrap().unwrap().code, 0, "the command ran to its end");
}

#[tokio::test]
async fn an_ephemeral_sandbox_is_deleted_once_it_exits_by_itself() {
    let world = World::new(Store::memory()).await;
    let sandbox = world.client.create(|create| create.auto_delete = Some(AutoDelete::AtOnce)).await.unwrap();
    world.reach(sandbox.id, State::Started).await;
    world.machine.end(sandbox.id, ExitCause::OutOfMemory);
    world.reach(sandbox.id, State::Deleted).await;
    assert!(world.machine.is_clear_of(sandbox.id));
}

#[tokio::test]
async fn a_sandbox_that_fails_to_boot_says_why_and_can_be_deleted() {
    let world = World::new(Store::memory()).await;
    let fault = Fault::NoSpace { doing: "make the disk".to_owned() };
    world.machine.script(None, Act::Provision, Twist::Fail(fault.clone()));
    let sandbox = world.client.create(|_| {}).await.unwrap();
    let failed = world.engine.wait_for(sandbox.id, State::Started, crate::world::PATIENCE).await;
    assert_eq!(failed, Err(WaitError::Failed { sandbox: sandbox.id, fault: Some(fault) }));
    world.client.delete(sandbox.id).await.unwrap();
    world.reach(sandbox.id, State::Deleted).await;
}

#[tokio::test]
async fn a_taken_name_is_refused_with_who_has_it() {
    let world = World::new(Store::memory()).await;
    let name = Name::new("mine").unwrap();
    let holder = world.client.create(|create| create.name = Some(name.clone())).await.unwrap();
    let refused = world.client.create(|create| create.name = Some(name.clone())).await.unwrap_err();
    let AskError::Refused(Refusal::NameTaken { holder: found, .. }) = refused else { panic!("{refused}") };
    assert_eq!(found, holder.id);
}

#[tokio::test]
async fn a_repeat_under_its_key_gives_the_same_sandbox() {
    let world = World::new(Store::memory()).await;
    let key = IdempotencyKey::new("order-66").unwrap();
    let create = |id| Command::Create(Create::new(SandboxId::from_u128(id)));
    let first = world.client.ask_once(key.clone(), create(1)).await.unwrap();
    let second = world.client.ask_once(key, create(2)).await.unwrap();
    assert_eq!(first.subject, second.subject);
    assert_eq!(world.engine.view_of(ORGANIZATION).fleet().len(), 1);
}

#[tokio::test]
async fn a_state_that_is_only_passed_through_is_not_missed() {
    let world = World::new(Store::memory()).await;
    let id = world.started().await;
    let waiting = world.engine.wait_for(id, State::Stopped, crate::world::PATIENCE);
    let passing = async {
        world.client.stop(id).await.unwrap();
        // Waits behind the stop, and begins as soon as it has ended.
        world.client.start(id).await.unwrap();
    };
    let (waited, ()) = tokio::join!(waiting, passing);
    waited.unwrap();
}

#[tokio::test]
async fn waiting_for_what_never_was_ends_at_once() {
    let world = World::new(Store::memory()).await;
    let id = SandboxId::from_u128(404);
    let waited = world.engine.wait_for(id, State::Deleted, crate::world::PATIENCE).await;
    assert_eq!(waited, Err(WaitError::Gone(id)));
}
