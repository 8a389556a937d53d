//! What an engine finds when it starts again in its data directory.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use hourglass_engine::{Engine, EngineError, Settings, Store};
use hourglass_events::{ShardNumber, State};
use hourglass_hostd::Scripted;
use hourglass_hostd::ledger::MemoryLedger;

use crate::world::World;

async fn life(data: &Path, sandboxes: usize) {
    let world = World::new(Store::embedded(data)).await;
    for _ in 0..sandboxes {
        world.started().await;
    }
    world.host.shutdown().await;
    world.engine.shutdown().await;
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_restart_from_a_checkpoint_finds_what_a_replay_from_zero_finds() {
    let directory = tempfile::tempdir().unwrap();
    let (machine, ledger) = (Arc::new(Scripted::new()), MemoryLedger::default());
    let settings = Settings { checkpoint_records: 5, ..Settings::default() };
    let store = Store::embedded(directory.path());
    let world = World::on(machine.clone(), ledger.clone(), store.clone(), settings.clone()).await;
    let (kept, gone) = (world.started().await, world.started().await);
    world.client.delete(gone).await.unwrap();
    world.reach(gone, State::Deleted).await;
    world.host.shutdown().await;
    world.engine.shutdown().await;
    let bytes = |engine: &Engine| engine.view(ShardNumber(0)).fleet().to_bytes();
    let other = tempfile::tempdir().unwrap();
    copy(directory.path(), other.path()).unwrap();
    fs::remove_dir_all(other.path().join("checkpoints")).unwrap();
    let with = Engine::builder(store).settings(settings.clone()).start().await.unwrap();
    let without = Engine::builder(Store::embedded(other.path())).settings(settings).start().await.unwrap();
    let strip =
        |engine: &Engine| engine.view(ShardNumber(0)).fleet().sandboxes().cloned().collect::<Vec<_>>();
    assert_eq!(strip(&with), strip(&without));
    assert_eq!(bytes(&with).len(), bytes(&without).len(), "only the opening's time and chain differ");
    for engine in [&with, &without] {
        assert_eq!(engine.sandbox(kept).map(|found| found.state), Some(State::Started));
        let remembered =
            engine.view(ShardNumber(0)).roster(|roster| roster.by_id(gone).map(|gone| gone.state));
        assert_eq!(remembered, Some(State::Deleted));
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn a_checkpoint_ahead_of_the_log_refuses_to_start() {
    let directory = tempfile::tempdir().unwrap();
    life(directory.path(), 1).await;
    let early = tempfile::tempdir().unwrap();
    copy(&directory.path().join("log"), early.path()).unwrap();
    life(directory.path(), 2).await;
    fs::remove_dir_all(directory.path().join("log")).unwrap();
    copy(early.path(), &directory.path().join("log")).unwrap();
    let error = Engine::builder(Store::embedded(directory.path())).start().await.unwrap_err();
    assert!(matches!(error, EngineError::Open { .. } | EngineError::CheckpointAhead { .. }), "{error:?}");
    let told = format!(
        "{error}: {}",
        std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default()
    );
    assert!(told.contains("checkpoint") || told.contains("witness"), "{told}");
}

#[tokio::test]
async fn a_checkpoint_of_another_log_refuses_to_start() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    life(one.path(), 1).await;
    life(other.path(), 2).await;
    fs::copy(one.path().join("checkpoints/shard-0"), other.path().join("checkpoints/shard-0")).unwrap();
    let error = Engine::builder(Store::embedded(other.path())).start().await.unwrap_err();
    assert!(matches!(error, EngineError::Open { .. } | EngineError::CheckpointForeign { .. }), "{error:?}");
}

#[tokio::test]
async fn a_damaged_checkpoint_costs_time_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    life(directory.path(), 1).await;
    let path = directory.path().join("checkpoints/shard-0");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let engine = Engine::builder(Store::embedded(directory.path())).start().await.unwrap();
    assert_eq!(engine.view(ShardNumber(0)).fleet().len(), 1);
    let notices: Vec<_> = engine.notices().map(ToString::to_string).collect();
    let told =
        format!("shard 0: the checkpoint {} is not used, and the whole log replayed instead", path.display());
    assert!(matches!(&notices[..], [notice] if notice.starts_with(&told)), "{notices:?}");
    assert!(notices[0].contains("its digest does not fit its content"), "{notices:?}");
    engine.shutdown().await;
    let engine = Engine::builder(Store::embedded(directory.path())).start().await.unwrap();
    assert_eq!(engine.notices().count(), 0, "a new one was written at the end");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_second_engine_on_the_same_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let first = Engine::builder(Store::embedded(directory.path())).start().await.unwrap();
    let error = Engine::builder(Store::embedded(directory.path())).start().await.unwrap_err();
    let told = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(told.contains("another instance"), "{told}");
    first.shutdown().await;
    Engine::builder(Store::embedded(directory.path())).start().await.unwrap().shutdown().await;
}

#[tokio::test]
async fn an_engine_that_cannot_open_one_shard_lets_go_of_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::embedded(directory.path());
    let start =
        || Engine::builder(store.clone()).settings(Settings { shards: 2, ..Settings::default() }).start();
    start().await.unwrap().shutdown().await;
    let second = Store::log_directory(directory.path(), ShardNumber(1));
    let segments: Vec<_> = fs::read_dir(second).unwrap().map(|entry| entry.unwrap().path()).collect();
    let whole: Vec<_> = segments.iter().map(|path| fs::read(path).unwrap()).collect();
    for (path, bytes) in segments.iter().zip(&whole) {
        let damaged: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
        fs::write(path, damaged).unwrap();
    }
    let refused = start().await.unwrap_err();
    assert!(matches!(refused, EngineError::Open { shard: ShardNumber(1), .. }), "{refused:?}");
    for (path, bytes) in segments.iter().zip(&whole) {
        fs::write(path, bytes).unwrap();
    }
    start().await.expect("the first shard's log is free").shutdown().await;
}
