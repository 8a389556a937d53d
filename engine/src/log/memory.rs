//! A log in memory, shared by any number of handles, whose answers a test can spoil. It survives nothing but a handle.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{EventLog, Frame, MAX_FRAME_BYTES, Outcome, ReadError, Slot};

/// What goes wrong with one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The frame is stored, the answer is lost.
    AnswerLost,
    /// The frame is lost, and with it the answer.
    FrameLost,
    /// The frame is on its way for a long time: the answer is doubt, and the slot is filled (if it is still empty) when
    /// the test calls [`MemoryLog::deliver`].
    FrameLate,
    /// There is no room.
    NoSpace,
    /// The sync fails after the frame was stored; this handle is of no more use.
    BrokenStored,
    /// The sync fails and the frame is not stored; this handle is of no more use.
    BrokenLost,
}

/// One writer's handle to a log in memory.
#[derive(Debug, Default)]
pub struct MemoryLog {
    store: Arc<Mutex<Store>>,
    handle: Mutex<Handle>,
}

/// What all handles see.
#[derive(Debug, Default)]
struct Store {
    frames: Vec<Frame>,
    late: VecDeque<(Slot, Frame)>,
}

/// What concerns one handle.
#[derive(Debug, Default)]
struct Handle {
    mishaps: VecDeque<Option<Mishap>>,
    broken: bool,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another handle to the same log, with no mishaps ahead: a rival, or the same writer after a crash.
    #[must_use]
    pub fn handle(&self) -> Self {
        Self { store: Arc::clone(&self.store), handle: Mutex::default() }
    }

    /// Let the appends of this handle go as listed, one entry each; later ones go well.
    pub fn expect(&self, mishaps: impl IntoIterator<Item = Option<Mishap>>) {
        lock(&self.handle).mishaps.extend(mishaps);
    }

    /// Let every late frame arrive, in the order of sending. Those whose slot was filled meanwhile change nothing.
    pub fn deliver(&self) {
        let mut store = lock(&self.store);
        while let Some((slot, frame)) = store.late.pop_front() {
            store.fill(slot, frame);
        }
    }

    /// All frames, in the order of their slots.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        lock(&self.store).frames.clone()
    }

    fn fill(&self, slot: Slot, frame: Frame) -> Outcome {
        let mut handle = lock(&self.handle);
        if handle.broken {
            return Outcome::Broken;
        }
        let mut store = lock(&self.store);
        match handle.mishaps.pop_front().flatten() {
            None => store.fill(slot, frame),
            Some(Mishap::AnswerLost) => {
                store.fill(slot, frame);
                Outcome::Doubtful
            }
            Some(Mishap::FrameLost) => Outcome::Doubtful,
            Some(Mishap::FrameLate) => {
                store.late.push_back((slot, frame));
                Outcome::Doubtful
            }
            Some(Mishap::NoSpace) => Outcome::NoSpace,
            Some(Mishap::BrokenStored) => {
                store.fill(slot, frame);
                handle.broken = true;
                Outcome::Broken
            }
            Some(Mishap::BrokenLost) => {
                handle.broken = true;
                Outcome::Broken
            }
        }
    }
}

impl Store {
    /// The first empty slot.
    const fn end(&self) -> Slot {
        Slot(Slot::FIRST.0 + self.frames.len() as u64)
    }

    fn fill(&mut self, slot: Slot, frame: Frame) -> Outcome {
        if slot < self.end() {
            return Outcome::Occupied;
        }
        if slot > self.end() {
            return Outcome::Doubtful;
        }
        self.frames.push(frame);
        Outcome::Durable
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, slot: Slot, frame: Frame) -> Outcome {
        assert!(frame.len() <= MAX_FRAME_BYTES, "a frame of {} bytes is too large", frame.len());
        self.fill(slot, frame)
    }

    async fn read(&self, slot: Slot) -> Result<Option<Frame>, ReadError> {
        let at = slot.0.checked_sub(Slot::FIRST.0).and_then(|at| usize::try_from(at).ok());
        let store = lock(&self.store);
        Ok(at.and_then(|at| store.frames.get(at)).map(Arc::clone))
    }

    async fn end(&self) -> Result<Slot, ReadError> {
        Ok(lock(&self.store).end())
    }
}

/// A test that panicked while holding the lock has left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
