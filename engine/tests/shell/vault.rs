//! The environment of a sandbox: in the vault while it lives, in its programs, and nowhere else.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hourglass_engine::{AskError, FileVault, Settings, Store, Vault};
use hourglass_events::{
    Class, Create, Fault, IdempotencyKey, Refusal, SandboxId, SnapshotContent, Span, State, Values,
};
use hourglass_hostd::ledger::MemoryLedger;
use tokio::time::timeout;
use uuid::Uuid;

use crate::world::{ORGANIZATION, PATIENCE, World, snapshot};

const SECRET: &str = "correct horse battery staple";

fn values() -> Values {
    Values::new(BTreeMap::from([("TOKEN".to_owned(), SECRET.to_owned())])).unwrap()
}

/// Every file below `directory`.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// How many sandboxes the vault in `data` has a file for.
fn kept(data: &Path) -> usize {
    fs::read_dir(data.join("vault")).unwrap().count() - 1
}

/// The files are gone soon after the sandbox: whoever erases them has nobody waiting for it.
async fn emptied(data: &Path) {
    while kept(data) > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn values_reach_the_sandbox_survive_a_restart_and_are_in_no_file_of_the_log() {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings { checkpoint_records: 1, ..Settings::default() };
    let world = World::with(Store::embedded(data.path()), settings.clone()).await;
    let sandbox = world.client.create_with(values(), |_| {}).await.unwrap();
    world.reach(sandbox.id, State::Started).await;
    assert_eq!(world.machine.environment(sandbox.id), Some(values()));
    assert_eq!(sandbox.blueprint.environment.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["TOKEN"]);
    world.client.stop(sandbox.id).await.unwrap();
    world.reach(sandbox.id, State::Stopped).await;
    world.engine.shutdown().await;
    world.host.shutdown().await;

    let machine = Arc::clone(&world.machine);
    drop(world);
    let world = World::on(machine, MemoryLedger::default(), Store::embedded(data.path()), settings).await;
    world.client.start(sandbox.id).await.unwrap();
    world.reach(sandbox.id, State::Started).await;
    assert_eq!(world.machine.environment(sandbox.id), Some(values()));
    assert_eq!(world.engine.values(&sandbox).await, values());
    // Nothing writes any more, so what is listed is there.
    world.engine.shutdown().await;
    let files = files(data.path());
    assert!(files.iter().any(|path| path.extension().is_some_and(|name| name == "segment")));
    for path in files {
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        assert!(!found, "{} has the secret", path.display());
    }
}

#[tokio::test]
async fn what_is_refused_repeated_or_deleted_leaves_nothing_in_the_vault() {
    let data = tempfile::tempdir().unwrap();
    let world = World::new(Store::embedded(data.path())).await;
    let refused =
        world.client.create_with(values(), |create| create.snapshot = Some("none".to_owned())).await;
    assert!(matches!(refused, Err(AskError::Refused(Refusal::NoSuchSnapshot(_)))), "{refused:?}");
    emptied(data.path()).await;
    let ask = || {
        let key = IdempotencyKey::new("once").unwrap();
        world.client.ask_to_create(Create::new(SandboxId(Uuid::now_v7())), values(), Some(key))
    };
    let first = ask().await.unwrap();
    let second = ask().await.unwrap();
    assert_eq!(first.subject, second.subject);
    while kept(data.path()) > 1 {
        tokio::task::yield_now().await;
    }
    let key = IdempotencyKey::new("once").unwrap();
    let others = Values::new(BTreeMap::from([("TOKEN".to_owned(), "other".to_owned())])).unwrap();
    let other = Create::new(SandboxId(Uuid::now_v7()));
    let reused = world.client.ask_to_create(other, others, Some(key)).await;
    assert!(matches!(reused, Err(AskError::Refused(Refusal::KeyReused(_)))), "{reused:?}");
    world.client.delete(first.sandbox.unwrap().id).await.unwrap();
    emptied(data.path()).await;
}

#[tokio::test]
async fn what_was_stored_for_a_creation_that_never_came_is_swept_at_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let world = World::new(Store::embedded(data.path())).await;
    let living = world.client.create_with(values(), |_| {}).await.unwrap();
    world.engine.shutdown().await;
    world.host.shutdown().await;
    drop(world);
    // A process that is killed between storing and recording leaves exactly this.
    let vault = FileVault::open(data.path()).unwrap();
    vault.store(SandboxId(Uuid::now_v7()), &values()).await.unwrap();
    assert_eq!(kept(data.path()), 2);
    let world = World::new(Store::embedded(data.path())).await;
    assert_eq!(vault.list().await.unwrap(), [living.id]);
    world.engine.shutdown().await;
}

#[tokio::test]
async fn a_sandbox_whose_values_are_lost_does_not_run_without_them() {
    let data = tempfile::tempdir().unwrap();
    let world = World::new(Store::embedded(data.path())).await;
    let sandbox = world.client.create_with(values(), |_| {}).await.unwrap();
    world.reach(sandbox.id, State::Started).await;
    world.client.stop(sandbox.id).await.unwrap();
    world.reach(sandbox.id, State::Stopped).await;
    fs::remove_file(data.path().join("vault").join(sandbox.id.to_string())).unwrap();
    world.client.start(sandbox.id).await.unwrap();
    world.reach(sandbox.id, State::Error).await;
    let fault = world.sandbox(sandbox.id).fault.clone();
    assert!(matches!(&fault, Some(Fault::Missing { what }) if what.contains("TOKEN")), "{fault:?}");
    assert_eq!(world.client.organization(), ORGANIZATION);
}

#[tokio::test]
async fn a_fork_has_its_parents_variables_and_they_are_erased_with_it() {
    let data = tempfile::tempdir().unwrap();
    let world = World::new(Store::embedded(data.path())).await;
    let machine = SnapshotContent { name: "machine".to_owned(), class: Class::LinuxVm, ..snapshot() };
    world.engine.register_snapshot(machine).await.unwrap();
    let from = |create: &mut Create| create.snapshot = Some("machine".to_owned());
    let parent = world.client.create_with(values(), from).await.unwrap();
    world.reach(parent.id, State::Started).await;
    let child = world.client.fork(parent.id, None).await.unwrap();
    assert_eq!(child.blueprint.forked_from, Some(parent.id));
    world.reach(child.id, State::Started).await;
    assert_eq!(world.machine.environment(child.id), Some(values()));
    assert_eq!(kept(data.path()), 2);

    let taken = world.client.fork(parent.id, Some(child.blueprint.name.clone())).await;
    assert!(matches!(taken, Err(AskError::Refused(Refusal::NameTaken { .. }))), "{taken:?}");
    world.client.delete(child.id).await.unwrap();
    world.reach(child.id, State::Deleted).await;
    while kept(data.path()) > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.engine.values(&parent).await, values());
}

#[tokio::test]
async fn the_variables_of_what_is_deleted_on_a_lost_host_are_erased_at_once() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    (settings.terms.suspect, settings.terms.lose) = (Span::millis(1), Span::millis(1));
    let world = World::with(Store::embedded(data.path()), settings).await;
    let sandbox = world.client.create_with(values(), |_| {}).await.unwrap();
    world.reach(sandbox.id, State::Started).await;
    world.host.shutdown().await;
    world.reach(sandbox.id, State::Error).await;
    assert_eq!(kept(data.path()), 1);
    world.client.delete(sandbox.id).await.unwrap();
    timeout(PATIENCE, emptied(data.path())).await.expect("the file goes with the sandbox");
}
