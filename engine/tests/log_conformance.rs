//! Every log keeps the same promises.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use hourglass_engine::log::conformance::{self, Store};
use hourglass_engine::log::files::Directory;
use hourglass_engine::log::files::simulated::SimulatedDisk;
use hourglass_engine::log::memory::{MemoryLog, Mishap};
use hourglass_engine::log::segments::{OpenError, Options, SegmentLog, Segments};
use hourglass_engine::log::{EventLog, Frame, Outcome, Slot};

struct InMemory(MemoryLog);

#[async_trait]
impl Store for InMemory {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(self.0.handle())
    }
}

struct OnDisk(tempfile::TempDir);

#[async_trait]
impl Store for OnDisk {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(SegmentLog::open(&self.0.path().join("log"), small()).unwrap().0)
    }
}

struct OnSimulatedDisk(SimulatedDisk);

#[async_trait]
impl Store for OnSimulatedDisk {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(SegmentLog::start(Segments::open(&self.0, small()).unwrap().0).unwrap())
    }
}

/// Segments so small that the larger frames make them roll.
fn small() -> Options {
    Options { segment_bytes: 20 << 10, reserve_bytes: 0, ..Options::new(0) }
}

fn frame(text: &str) -> Frame {
    text.as_bytes().into()
}

#[tokio::test]
async fn the_memory_log_conforms() {
    conformance::holds(|| InMemory(MemoryLog::new())).await;
}

#[tokio::test]
async fn the_segment_log_conforms() {
    conformance::holds(|| OnDisk(tempfile::tempdir().unwrap())).await;
}

#[tokio::test]
async fn the_segment_log_conforms_on_a_simulated_disk() {
    conformance::holds(|| OnSimulatedDisk(SimulatedDisk::new())).await;
}

#[tokio::test]
async fn one_of_two_writers_gets_the_slot() {
    let first = MemoryLog::new();
    let rival = first.handle();
    assert_eq!(first.append(Slot(1), frame("ours")).await, Outcome::Durable);
    assert_eq!(rival.append(Slot(1), frame("theirs")).await, Outcome::Occupied);
    assert_eq!(rival.read(Slot(1)).await, Ok(Some(frame("ours"))));
}

#[tokio::test]
async fn a_late_frame_fills_its_slot_only_while_that_is_empty() {
    let first = MemoryLog::new();
    let rival = first.handle();
    first.expect([Some(Mishap::FrameLate)]);
    assert_eq!(first.append(Slot(1), frame("ours")).await, Outcome::Doubtful);
    assert_eq!(rival.append(Slot(1), frame("theirs")).await, Outcome::Durable);
    first.deliver();
    assert_eq!(first.frames(), [frame("theirs")]);

    first.expect([Some(Mishap::FrameLate)]);
    assert_eq!(first.append(Slot(2), frame("ours")).await, Outcome::Doubtful);
    first.deliver();
    assert_eq!(rival.append(Slot(2), frame("theirs")).await, Outcome::Occupied);
    assert_eq!(first.frames(), [frame("theirs"), frame("ours")]);
}

#[tokio::test]
async fn doubt_is_settled_by_sending_again() {
    for (mishap, settled) in [(Mishap::AnswerLost, Outcome::Occupied), (Mishap::FrameLost, Outcome::Durable)]
    {
        let log = MemoryLog::new();
        log.expect([Some(mishap)]);
        assert_eq!(log.append(Slot(1), frame("ours")).await, Outcome::Doubtful);
        assert_eq!(log.append(Slot(1), frame("ours")).await, settled);
        assert_eq!(log.frames(), [frame("ours")]);
    }
}

#[tokio::test]
async fn a_broken_handle_stays_broken_and_another_one_works() {
    for (mishap, frames) in [(Mishap::BrokenStored, 1), (Mishap::BrokenLost, 0)] {
        let log = MemoryLog::new();
        log.expect([Some(mishap)]);
        assert_eq!(log.append(Slot(1), frame("ours")).await, Outcome::Broken);
        assert_eq!(log.append(Slot(1), frame("ours")).await, Outcome::Broken);
        let reopened = log.handle();
        assert_eq!(reopened.end().await, Ok(Slot(1 + frames)));
        assert_eq!(reopened.append(Slot(1 + frames), frame("next")).await, Outcome::Durable);
    }
}

#[tokio::test]
async fn lack_of_room_stores_nothing_and_passes() {
    let log = MemoryLog::new();
    log.expect([Some(Mishap::NoSpace)]);
    assert_eq!(log.append(Slot(1), frame("ours")).await, Outcome::NoSpace);
    assert_eq!(log.frames(), Vec::<Frame>::new());
    assert_eq!(log.append(Slot(1), frame("ours")).await, Outcome::Durable);
}

#[test]
fn a_second_instance_is_told_who_holds_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let holder = SegmentLog::open(directory.path(), small()).unwrap();
    let refused = SegmentLog::open(directory.path(), small()).unwrap_err();
    assert!(matches!(refused, OpenError::Held { .. }), "{refused:?}");
    assert!(refused.to_string().contains("another instance holds the data directory"), "{refused}");
    drop(holder);
    SegmentLog::open(directory.path(), small()).unwrap();
}

#[test]
fn a_directory_is_made_with_its_parents() {
    let root = tempfile::tempdir().unwrap();
    let nested: &Path = &root.path().join("a/b/c");
    Directory::open(nested).unwrap();
    assert!(nested.is_dir());
}
