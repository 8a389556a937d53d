//! The embedded log: append-only segment files in one directory, one sync per frame.
//!
//! ```text
//! 00000000000000000001.segment     header | mark | mark | frame 1 | frame 2 | … | zeros, stored as such
//! 00000000000000000731.segment     header | mark | mark | frame 731 | …
//! spare                            the next segment, allocated ahead
//! identity, lock                   which log this is; who has it open
//! ```
//!
//! A frame names its predecessor, which was durable before it was written. So whatever follows a frame proves that it
//! was acknowledged, and only the last frame can be a torn one. Marks vouch for the last frame after a quiet spell; a
//! mark that is a seal vouches for the next file. What nothing vouches for is cut, with a notice; anything else that is
//! missing or changed is an error that names it, and nothing is repaired by guessing.
//!
//! This module knows neither time nor threads nor what a frame means: [`worker`] gives it a thread.

mod catalog;
mod damage;
mod frame;
mod header;
mod identity;
mod inspection;
mod mark;
mod reader;
mod recovery;
mod roll;
mod walk;
pub mod worker;

use std::io;

use super::files::{File, Files, is_full};
use super::{MAX_FRAME_BYTES, Outcome, Slot};
use crate::step;

pub use damage::{Damage, Flaw, Notice, OpenError};
pub use frame::Check;
pub use inspection::Inspection;
pub use reader::{Reader, Scan, Scanned};
pub use roll::{Spare, SpareOrder};
pub use worker::SegmentLog;

use frame::{Head, size_on_disk};
use header::{DATA, Header};
use mark::Mark;

/// Under load a mark goes along with every so many frames, in the same sync, so that a crash with a damaged tail loses
/// its witness for no more than these.
const FRAMES_PER_MARK: u32 = 128;

/// Something outside the log that remembers a frame of it: a checkpoint, or the head of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    /// The last slot it knows.
    pub slot: Slot,
    /// The check value of the frame there.
    pub check: Check,
}

/// How a log is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The shard whose log this is; files of another are refused.
    pub shard: u32,
    /// The generation of the log; files of another are refused.
    pub generation: u32,
    /// The size that segment files grow to.
    pub segment_bytes: u64,
    /// The largest frame that will ever be appended to this log: [`MAX_FRAME_BYTES`], or less in a test that wants small
    /// files, since each has room for at least one.
    pub frame_bytes: usize,
    /// Room that is left to others on the disk: no segment is begun that would use it.
    pub reserve_bytes: u64,
    /// What remembers the log's recent past, if anything does.
    pub witness: Option<Witness>,
}

impl Options {
    /// The usual sizes: 64 MiB a segment, 16 MiB left free.
    #[must_use]
    pub const fn new(shard: u32) -> Self {
        Self {
            shard,
            generation: 0,
            segment_bytes: 64 << 20,
            frame_bytes: MAX_FRAME_BYTES,
            reserve_bytes: 16 << 20,
            witness: None,
        }
    }
}

/// A log that is open for appending.
#[derive(Debug)]
pub struct Segments<F: Files> {
    reader: Reader<F>,
    options: Options,
    header: Header,
    file: F::File,
    /// Where the next frame goes.
    tail: u64,
    /// Where the last frame of this file begins, or zero.
    last_offset: u32,
    end: Slot,
    last: Check,
    next_mark: u64,
    marked: Slot,
    unmarked: u32,
    /// Bytes after the tail that a write without room may have left.
    dirty_until: u64,
    spare: Option<Spare<F>>,
    broken: bool,
    buffer: Vec<u8>,
    _lock: F::Lock,
}

impl<F: Files> Segments<F> {
    /// Open the log in `files`, or make it. The notices say what was mended on the way.
    pub fn open(files: &F, options: Options) -> Result<(Self, Vec<Notice>), OpenError> {
        recovery::open(files, options)
    }

    /// The first slot that is not durable.
    #[must_use]
    pub const fn end(&self) -> Slot {
        self.end
    }

    /// What a checkpoint made now should remember of this log, or `None` while the log is empty.
    #[must_use]
    pub fn witness(&self) -> Option<Witness> {
        (self.end > Slot::FIRST).then(|| Witness { slot: Slot(self.end.0 - 1), check: self.last })
    }

    /// A handle for reading, which works beside the writer.
    #[must_use]
    pub fn reader(&self) -> Reader<F> {
        self.reader.clone()
    }

    /// Bytes, heads of frames included, that can be appended even if the disk is full.
    #[must_use]
    pub fn room(&self) -> u64 {
        let spare = self.spare.as_ref().map_or(0, |spare| spare.capacity() - DATA);
        self.header.capacity - self.tail + spare
    }

    /// Fill `slot` with `frame`. A slot further out than the next answers [`Outcome::Doubtful`], since the ones before
    /// it are not there.
    ///
    /// # Panics
    /// If the frame is larger than [`Options::frame_bytes`].
    pub fn append(&mut self, slot: Slot, frame: &[u8]) -> Outcome {
        assert!(frame.len() <= self.options.frame_bytes, "a frame of {} bytes is too large", frame.len());
        if self.broken {
            return Outcome::Broken;
        }
        if slot < self.end {
            return Outcome::Occupied;
        }
        if slot > self.end {
            return Outcome::Doubtful;
        }
        match self.try_append(frame) {
            Ok(()) => Outcome::Durable,
            Err(stop) => self.give_up(&stop),
        }
    }

    /// Write and sync a mark for the last frame, if it has none yet. To be called after a quiet spell, and at the end.
    pub fn mark(&mut self) -> Outcome {
        if self.broken {
            return Outcome::Broken;
        }
        if self.marked.next() == self.end {
            return Outcome::Durable;
        }
        match self.write_mark(false).and_then(|()| self.sync()) {
            Ok(()) => {
                self.mark_holds();
                Outcome::Durable
            }
            Err(stop) => self.give_up(&stop),
        }
    }

    /// Whether an append of `frame` bytes has to begin a new file.
    #[must_use]
    pub const fn must_roll(&self, frame: usize) -> bool {
        self.tail + size_on_disk(frame) as u64 > self.header.capacity
    }

    /// What to prepare for the next file, once this one is half full. Without it room is set aside when it is needed.
    #[must_use]
    pub fn wants_spare(&self) -> Option<SpareOrder<F>> {
        (self.spare.is_none() && self.tail > self.header.capacity / 2).then(|| self.spare_order())
    }

    /// Take a file that was prepared.
    pub fn take_spare(&mut self, spare: Spare<F>) {
        self.spare = Some(spare);
    }

    fn spare_order(&self) -> SpareOrder<F> {
        let capacity = roll::capacity_after(Some(self.header.capacity), &self.options);
        SpareOrder::new(self.reader.files().clone(), capacity, self.options.reserve_bytes)
    }

    fn try_append(&mut self, frame: &[u8]) -> Result<(), Stop> {
        if self.must_roll(frame.len()) {
            self.roll()?;
        }
        // The mark goes first: if there is no room for it, nothing of the frame was written either.
        let marks = self.unmarked >= FRAMES_PER_MARK;
        if marks {
            self.write_mark(false)?;
        }
        let payload = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let place = Head {
            check: Check::NONE,
            slot: self.end,
            prev: self.last,
            prev_offset: self.last_offset,
            payload,
        };
        let check = frame::encode(&mut self.buffer, self.header.log, &place, frame);
        let until = self.tail + self.buffer.len() as u64;
        if self.dirty_until > until {
            self.buffer.resize(self.buffer.len() + offset_in_memory(self.dirty_until - until), 0);
        }
        self.dirty_until = self.dirty_until.max(until);
        self.file.write_at(&self.buffer, self.tail).map_err(Stop::writing)?;
        step::done("engine.group.written");
        self.sync()?;
        if marks {
            self.mark_holds();
        }
        self.dirty_until = 0;
        self.unmarked += 1;
        self.reader.catalog().extend(self.end, self.tail, self.last, until);
        self.last_offset = u32::try_from(self.tail).unwrap_or(u32::MAX);
        self.tail = until;
        self.last = check;
        self.end = self.end.next();
        Ok(())
    }

    fn sync(&self) -> Result<(), Stop> {
        self.file.sync_data().map_err(Stop::Failed)
    }

    /// Note that the last durable frame was durable. The note holds from the next sync on, of which
    /// [`Self::mark_holds`] is to be told; until then it is written again to the same place.
    fn write_mark(&self, sealed: bool) -> Result<(), Stop> {
        let slot = Slot(self.end.0 - 1);
        let mark = Mark { count: self.next_mark, slot, check: self.last, sealed };
        mark.write(&self.file, self.header.log).map_err(Stop::writing)
    }

    /// The mark for the last durable frame is on the medium.
    const fn mark_holds(&mut self) {
        self.next_mark += 1;
        self.marked = Slot(self.end.0 - 1);
        self.unmarked = 0;
    }

    /// Go on in a new file. The old one is sealed only once the new one is durable, and before anything is in it.
    fn roll(&mut self) -> Result<(), Stop> {
        let spare = match self.spare.take() {
            Some(spare) => spare,
            None => self.spare_order().reserve().map_err(Stop::writing)?,
        };
        let header = Header { capacity: spare.capacity(), first: self.end, prev: self.last, ..self.header };
        let file = spare.begin(self.reader.files(), &header)?;
        self.write_mark(true)?;
        self.sync()?;
        self.mark_holds();
        self.reader.catalog().begin(&header);
        self.file = file;
        self.header = header;
        self.tail = DATA;
        self.last_offset = 0;
        self.dirty_until = 0;
        self.next_mark = 0;
        Ok(())
    }

    /// Lack of room passes; after anything else nothing more is done here.
    fn give_up(&mut self, stop: &Stop) -> Outcome {
        match stop {
            Stop::Full => Outcome::NoSpace,
            Stop::Failed(error) => {
                self.broken = true;
                let place = self.reader.files().place();
                tracing::error!(%error, %place, slot = %self.end, "the log stops: writing or syncing failed");
                Outcome::Broken
            }
        }
    }
}

/// Why nothing was added to a log.
#[derive(Debug)]
enum Stop {
    /// There was no room to write, and nothing was synced: the same can be tried again.
    Full,
    /// It is open what is on the medium.
    Failed(io::Error),
}

impl Stop {
    /// What a failed write or allocation means. A failed sync is always [`Stop::Failed`]: where blocks are found only
    /// when they are stored it may well be for lack of room, but the system has then forgotten what was not stored.
    fn writing(error: io::Error) -> Self {
        if is_full(&error) { Self::Full } else { Self::Failed(error) }
    }
}

fn offset_in_memory(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
