//! Opening a log: everything is looked at first, then what may be mended is mended.
//!
//! The frame that was in flight when the last process ended may be in the page cache alone, even after a failed sync
//! that the system has forgotten. So the last frame is written and synced again before it counts as durable, and a new
//! segment that nothing vouches for is made again.

mod survey;
mod tail;

use std::io;
use std::sync::Arc;

use crate::log::Slot;
use crate::log::files::{File, Files};

use super::catalog::Catalog;
use super::damage::{Notice, OpenError, Trouble};
use super::frame::Check;
use super::header::{DATA, Header, file_name};
use super::identity::{Claim, Identity};
use super::mark::{Mark, Marks};
use super::reader::Reader;
use super::roll::{self, SpareOrder};
use super::{Options, Segments, Stop, Witness, offset_in_memory};

use survey::Survey;
use tail::Tail;

/// Held by whoever has the log open.
pub(super) const LOCK: &str = "lock";

/// A segment file whose header was read and belongs here.
#[derive(Debug)]
pub(super) struct Found<F> {
    header: Header,
    file: F,
    marks: Marks,
}

/// Turns what the system says into an error that names what was tried.
pub(super) fn failed<F: Files>(
    files: &F,
    doing: &'static str,
) -> impl FnOnce(io::Error) -> OpenError + use<F> {
    let place = files.place();
    move |source| OpenError::Io { place, doing, source }
}

/// Turns what stopped a reader into an error of opening.
fn stopped<F: Files>(files: &F) -> impl FnOnce(Trouble) -> OpenError + use<F> {
    let reading = failed(files, "reading a segment");
    move |trouble| match trouble {
        Trouble::Damage(damage) => OpenError::Damaged(damage),
        Trouble::Io(error) => reading(error),
    }
}

/// What a look at a log's files found. Nothing is changed by it.
#[derive(Debug)]
pub(super) struct Judged<F: Files> {
    pub(super) reader: Reader<F>,
    log: u64,
    claim: Claim,
    segments: Vec<Found<F::File>>,
    /// Which of them are to be sealed again.
    unsealed: Vec<usize>,
    /// The first slots of files that hold nothing and are to be removed.
    unfinished: Vec<Slot>,
    tail: Tail,
}

/// Look at everything in `files`, and see that nothing is missing or changed.
pub(super) fn judge<F: Files>(files: &F, options: &Options) -> Result<Judged<F>, OpenError> {
    let mut survey = Survey::new(files, options)?;
    survey.set_leftovers_aside()?;
    survey.check_row()?;
    survey.set_unfinished_aside()?;
    let Survey { claim, segments, unsealed, unfinished, .. } = survey;
    let tail = match segments.last() {
        Some(last) => Tail::survey(last).map_err(stopped(files))?,
        None => Tail::empty(Slot::FIRST, Check::NONE),
    };
    let log = segments.first().map_or_else(|| files.nonce(), |first| first.header.log);
    let headers: Vec<_> = segments.iter().map(|segment| segment.header).collect();
    let catalog = Catalog::new(log, &headers, tail.end, tail.offset);
    if let Some(last) = headers.last() {
        tail.landmarks(&catalog, last.first);
    }
    let reader = Reader::new(files.clone(), Arc::new(catalog));
    if let Some(witness) = options.witness {
        check_witness(&reader, witness)?;
    }
    Ok(Judged { reader, log, claim, segments, unsealed, unfinished, tail })
}

impl<F: Files> Judged<F> {
    /// What is to be mended, in the order in which it is.
    pub(super) fn notices(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        let removed = self.unfinished.iter().map(|&first| file_name(first));
        notices.extend(removed.map(|file| Notice::UnfinishedSegmentRemoved { file }));
        let sealed = self.unsealed.iter().map(|&at| file_name(self.segments[at].header.first));
        notices.extend(sealed.map(|file| Notice::MarkUnreadable { file }));
        let Some(last) = self.segments.last() else { return notices };
        let file = file_name(last.header.first);
        if last.marks.unreadable {
            notices.push(Notice::MarkUnreadable { file: file.clone() });
        }
        let Tail { end: slot, offset, torn_until, .. } = self.tail;
        if torn_until > offset {
            notices.push(Notice::TornTailCut { file, slot, offset, bytes: torn_until - offset });
        }
        match self.claim {
            Claim::Known(_) => {}
            Claim::None | Claim::Unreadable => notices.push(Notice::IdentityRewritten),
        }
        notices
    }
}

/// Open the log in `files`, or make it.
pub(super) fn open<F: Files>(files: &F, options: Options) -> Result<(Segments<F>, Vec<Notice>), OpenError> {
    let lock = files.lock(LOCK).map_err(failed(files, "taking the lock"))?;
    let lock = lock.ok_or_else(|| OpenError::Held { place: files.place() })?;
    let judged = judge(files, &options)?;
    let notices = judged.notices();
    let Judged { reader, log, claim, mut segments, unsealed, unfinished, tail } = judged;
    let mender = Mender { files, options: &options, log };
    mender.remove_unfinished(&unfinished)?;
    mender.seal(&segments, &unsealed)?;
    let last = match segments.pop() {
        Some(last) => last,
        None => mender.begin(&reader)?,
    };
    mender.settle(&last, &tail)?;
    mender.claim(claim)?;
    for notice in &notices {
        tracing::warn!(place = %files.place(), "{notice}");
    }
    let mut segments = assemble(reader, options, last, &tail, lock);
    if segments.mark() == crate::log::Outcome::Broken {
        return Err(failed(files, "writing a mark")(io::Error::other("the mark could not be synced")));
    }
    Ok((segments, notices))
}

fn assemble<F: Files>(
    reader: Reader<F>,
    options: Options,
    last: Found<F::File>,
    tail: &Tail,
    lock: F::Lock,
) -> Segments<F> {
    Segments {
        reader,
        options,
        header: last.header,
        file: last.file,
        tail: tail.offset,
        last_offset: u32::try_from(tail.last_offset).unwrap_or(u32::MAX),
        end: tail.end,
        last: tail.last,
        next_mark: last.marks.next_count(),
        marked: last.marks.latest.map_or(Slot(last.header.first.0 - 1), |mark| mark.slot),
        unmarked: 0,
        dirty_until: 0,
        spare: None,
        broken: false,
        buffer: Vec::new(),
        _lock: lock,
    }
}

/// A checkpoint or index may lag behind the log, but not know a frame that the log does not have.
fn check_witness<F: Files>(reader: &Reader<F>, witness: Witness) -> Result<(), OpenError> {
    let Witness { slot, check: expected } = witness;
    match reader.find_check(slot).map_err(stopped(reader.files()))? {
        None => Err(OpenError::WitnessAhead { witness: slot, end: reader.end() }),
        Some(found) if found != expected => Err(OpenError::WitnessDiffers { slot, expected, found }),
        Some(_) => Ok(()),
    }
}

/// What may be changed on opening, once it is known that nothing is wrong.
struct Mender<'a, F> {
    files: &'a F,
    options: &'a Options,
    log: u64,
}

impl<F: Files> Mender<'_, F> {
    /// Remove segments that were being started, and whatever was being prepared.
    fn remove_unfinished(&self, unfinished: &[Slot]) -> Result<(), OpenError> {
        roll::discard(self.files).map_err(failed(self.files, "removing the spare segment"))?;
        for &first in unfinished {
            let file = file_name(first);
            self.files.remove(&file).map_err(failed(self.files, "removing an unfinished segment"))?;
        }
        self.files.sync_dir().map_err(failed(self.files, "syncing the directory"))
    }

    /// Seal again the files whose seals cannot be read. Their frames were all found.
    fn seal(&self, segments: &[Found<F::File>], unsealed: &[usize]) -> Result<(), OpenError> {
        for &at in unsealed {
            let (segment, next) = (&segments[at], &segments[at + 1].header);
            let seal = Mark {
                count: segment.marks.next_count(),
                slot: Slot(next.first.0 - 1),
                check: next.prev,
                sealed: true,
            };
            let sealed = seal.write(&segment.file, self.log).and_then(|()| segment.file.sync_data());
            sealed.map_err(failed(self.files, "sealing a segment"))?;
        }
        Ok(())
    }

    /// Make the first segment of a new log.
    fn begin(&self, reader: &Reader<F>) -> Result<Found<F::File>, OpenError> {
        let capacity = roll::capacity_after(None, self.options);
        let reserve = self.options.reserve_bytes;
        let order = SpareOrder::new(self.files.clone(), capacity, reserve);
        let header = Header {
            log: self.log,
            shard: self.options.shard,
            generation: self.options.generation,
            capacity,
            first: Slot::FIRST,
            prev: Check::NONE,
        };
        // A sync that failed in here needs no stop: what is prepared is thrown away, or made again by the next opening.
        let prepared = order.prepare().map_err(Stop::writing);
        let begun = prepared.and_then(|spare| spare.begin(self.files, &header));
        let file = begun.map_err(|stop| match stop {
            Stop::Full => {
                OpenError::NoSpace { place: self.files.place(), needed: capacity.saturating_add(reserve) }
            }
            Stop::Failed(error) => failed(self.files, "making the first segment")(error),
        })?;
        reader.catalog().begin(&header);
        Ok(Found { header, file, marks: Marks::default() })
    }

    /// Cut a torn tail, and make the last frame durable whatever a forgotten sync left of it.
    fn settle(&self, last: &Found<F::File>, tail: &Tail) -> Result<(), OpenError> {
        if tail.torn_until > tail.offset {
            let bytes = tail.torn_until - tail.offset;
            let zeros = vec![0; offset_in_memory(bytes)];
            last.file.write_at(&zeros, tail.offset).map_err(failed(self.files, "cutting a torn frame"))?;
        }
        let rewritten = rewrite(&last.file, tail).and_then(|()| last.file.sync_data());
        rewritten.map_err(failed(self.files, "writing the last frame again"))
    }

    /// Let the directory say which log it holds, now that its first segment is durable.
    fn claim(&self, claim: Claim) -> Result<(), OpenError> {
        let identity =
            Identity { log: self.log, shard: self.options.shard, generation: self.options.generation };
        match claim {
            Claim::Known(_) => Ok(()),
            Claim::None | Claim::Unreadable => {
                identity.write(self.files).map_err(failed(self.files, "writing the identity"))
            }
        }
    }
}

/// Write the last frame again where it is, so that the next sync stores it even if an earlier one failed to.
fn rewrite(file: &impl File, tail: &Tail) -> io::Result<()> {
    if tail.last_offset < DATA {
        return Ok(());
    }
    let mut frame = vec![0; offset_in_memory(tail.offset - tail.last_offset)];
    file.read_at(&mut frame, tail.last_offset)?;
    file.write_at(&frame, tail.last_offset)
}
