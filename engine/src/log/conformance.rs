//! What every log must do, as claims that can be put to any of them. For tests, here and in other crates.
//!
//! The suite opens the log again and again through [`Store`], always after dropping the handle before, so that a log
//! that admits one writer can be put to it as well. It does not cut the power; each store has tests of its own for that.

use std::sync::Arc;

use async_trait::async_trait;

use super::{EventLog, Frame, MAX_FRAME_BYTES, Outcome, Slot};

/// A place that holds one log, empty at first.
#[async_trait]
pub trait Store: Send + Sync {
    /// Open the log that is there.
    async fn open(&self) -> Arc<dyn EventLog>;
}

/// Put every claim to logs that `fresh` makes, each an empty one.
pub async fn holds<S: Store>(fresh: impl Fn() -> S) {
    a_new_log_is_empty(&fresh()).await;
    a_durable_frame_is_read_back(&fresh()).await;
    a_filled_slot_keeps_its_frame(&fresh()).await;
    a_gap_is_never_filled(&fresh()).await;
    frames_of_every_size_keep_their_bytes(&fresh()).await;
    frames_outlive_their_handle(&fresh()).await;
    a_writer_that_went_away_leaves_its_frame_or_nothing(&fresh()).await;
}

/// Slot 1 is the first empty one, and no slot holds anything.
pub async fn a_new_log_is_empty(store: &impl Store) {
    let log = store.open().await;
    assert_eq!(log.end().await, Ok(Slot::FIRST));
    for slot in [Slot(0), Slot::FIRST, Slot(2), Slot(u64::MAX)] {
        assert_eq!(log.read(slot).await, Ok(None));
    }
}

/// What was acknowledged is what is read.
pub async fn a_durable_frame_is_read_back(store: &impl Store) {
    let log = store.open().await;
    for number in 1..=20 {
        let slot = Slot(number);
        assert_eq!(log.append(slot, frame(number, 100)).await, Outcome::Durable);
        assert_eq!(log.read(slot).await, Ok(Some(frame(number, 100))));
        assert_eq!(log.end().await, Ok(slot.next()));
    }
}

/// Whoever comes second learns that the slot is taken, even with the same bytes.
pub async fn a_filled_slot_keeps_its_frame(store: &impl Store) {
    let log = store.open().await;
    assert_eq!(log.append(Slot(1), frame(1, 10)).await, Outcome::Durable);
    assert_eq!(log.append(Slot(1), frame(2, 10)).await, Outcome::Occupied);
    assert_eq!(log.append(Slot(1), frame(1, 10)).await, Outcome::Occupied);
    assert_eq!(log.append(Slot(2), frame(3, 10)).await, Outcome::Durable);
    assert_eq!(log.append(Slot(1), frame(4, 10)).await, Outcome::Occupied);
    assert_eq!(log.read(Slot(1)).await, Ok(Some(frame(1, 10))));
    assert_eq!(log.read(Slot(2)).await, Ok(Some(frame(3, 10))));
}

/// A slot is only filled after the one before it.
pub async fn a_gap_is_never_filled(store: &impl Store) {
    let log = store.open().await;
    assert_ne!(log.append(Slot(2), frame(2, 10)).await, Outcome::Durable);
    assert_eq!(log.end().await, Ok(Slot::FIRST));
    assert_eq!(log.append(Slot(1), frame(1, 10)).await, Outcome::Durable);
    assert_ne!(log.append(Slot(4), frame(4, 10)).await, Outcome::Durable);
    assert_eq!(log.end().await, Ok(Slot(2)));
    assert_eq!(log.read(Slot(2)).await, Ok(None));
    assert_eq!(log.read(Slot(4)).await, Ok(None));
}

/// From nothing to the largest frame there is.
pub async fn frames_of_every_size_keep_their_bytes(store: &impl Store) {
    let sizes = [1, 0, 7, 8, 9, 511, 512, 513, 4096, 65_537, MAX_FRAME_BYTES - 1, MAX_FRAME_BYTES, 1];
    let log = store.open().await;
    for (number, &size) in (1..).zip(&sizes) {
        assert_eq!(log.append(Slot(number), frame(number, size)).await, Outcome::Durable);
    }
    for (number, &size) in (1..).zip(&sizes) {
        assert_eq!(log.read(Slot(number)).await, Ok(Some(frame(number, size))));
    }
}

/// A writer that opens the log finds what the one before left, and goes on from there.
pub async fn frames_outlive_their_handle(store: &impl Store) {
    for number in 1..=5 {
        let log = store.open().await;
        assert_eq!(log.end().await, Ok(Slot(number)));
        assert_eq!(log.append(Slot(number), frame(number, 300)).await, Outcome::Durable);
    }
    let log = store.open().await;
    for number in 1..=5 {
        assert_eq!(log.read(Slot(number)).await, Ok(Some(frame(number, 300))));
    }
}

/// Dropping an append leaves the slot empty or filled with those bytes, never with part of them.
pub async fn a_writer_that_went_away_leaves_its_frame_or_nothing(store: &impl Store) {
    for number in 1..=20 {
        let slot = Slot(number);
        let log = store.open().await;
        let mut append = log.append(slot, frame(number, 2_000));
        let polled_once = std::future::poll_fn(|context| {
            let _ = append.as_mut().poll(context);
            std::task::Poll::Ready(())
        });
        polled_once.await;
        drop(append);
        match log.append(slot, frame(number, 2_000)).await {
            Outcome::Durable | Outcome::Occupied => {}
            other @ (Outcome::Doubtful | Outcome::NoSpace | Outcome::Broken) => {
                panic!("slot {slot} was neither empty nor filled: {other:?}")
            }
        }
        assert_eq!(log.read(slot).await, Ok(Some(frame(number, 2_000))));
        assert_eq!(log.end().await, Ok(slot.next()));
    }
}

/// A frame that no other number and size has.
fn frame(number: u64, size: usize) -> Frame {
    number.to_le_bytes().into_iter().cycle().zip(0_u8..=250).map(|(a, b)| a ^ b).cycle().take(size).collect()
}
