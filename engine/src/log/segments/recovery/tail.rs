//! The end of the newest file: where the durable frames end, and whether what follows may be cut.

use std::io;

use crate::log::Slot;
use crate::log::files::File;

use super::super::catalog::Catalog;
use super::super::damage::{Damage, Flaw, Trouble};
use super::super::frame::{ALIGNMENT, Check, HEAD, LARGEST, may_begin};
use super::super::header::{DATA, file_name};
use super::super::mark::Mark;
use super::super::walk::Walk;
use super::Found;

const CHUNK: usize = 1 << 20;
/// The search for anything but zeros compares blocks of this size.
const BLOCK: usize = 4096;
/// Frames between two places that are remembered for readers.
const LANDMARK_EVERY: u64 = 64;

/// Where a file's frames end.
#[derive(Debug)]
pub(super) struct Tail {
    /// The first slot without a frame.
    pub(super) end: Slot,
    pub(super) last: Check,
    /// Where the next frame goes.
    pub(super) offset: u64,
    /// Where the last frame begins; zero if there is none in this file.
    pub(super) last_offset: u64,
    /// The end of what a torn frame left after `offset`; the same as `offset` if nothing did.
    pub(super) torn_until: u64,
    landmarks: Vec<(Slot, u64, Check)>,
}

/// What stands after the last frame.
struct Rest {
    /// Where the last byte that is not zero ends.
    until: u64,
    /// Whether any of it is a whole frame of this log.
    has_frame: bool,
}

impl Tail {
    /// A file without frames, after a frame with the check value `last` and before slot `end`.
    pub(super) const fn empty(end: Slot, last: Check) -> Self {
        Self { end, last, offset: DATA, last_offset: 0, torn_until: DATA, landmarks: Vec::new() }
    }

    /// Follow the newest file to its end.
    pub(super) fn survey<F: File>(found: &Found<F>) -> Result<Self, Trouble> {
        let (mut tail, flaw) = Self::follow(found, None)?;
        let damage = |tail: &Self, flaw| {
            let (slot, offset) = (tail.end, tail.offset);
            Trouble::Damage(Damage { slot, file: file_name(found.header.first), offset, flaw })
        };
        let belongs_elsewhere = matches!(flaw, Flaw::Misplaced { .. } | Flaw::Chain { .. });
        let was_durable = found.marks.latest.is_some_and(|mark| mark.slot >= tail.end);
        if belongs_elsewhere || was_durable {
            return Err(damage(&tail, flaw));
        }
        let rest = Rest::search(found, tail.offset)?;
        if rest.has_frame {
            // It names what stood here as durable.
            return Err(damage(&tail, flaw));
        }
        if rest.until > tail.offset + LARGEST {
            return Err(damage(&tail, Flaw::Stray { until: rest.until }));
        }
        tail.torn_until = rest.until;
        Ok(tail)
    }

    /// Follow a file's frames up to the first flaw (zeros are one), or up to `until`.
    pub(super) fn follow<F: File>(found: &Found<F>, until: Option<Slot>) -> Result<(Self, Flaw), Trouble> {
        let header = &found.header;
        let mut walk = Walk::new(&found.file, header.log, DATA, header.capacity, CHUNK);
        let mut tail = Self::empty(header.first, header.prev);
        loop {
            let place = Slot(tail.end.0 - 1);
            if let Some(flaw) = found.marks.latest.and_then(|mark| contradicts(&mark, place, tail.last)) {
                let (slot, offset) = (place, tail.last_offset);
                return Err(Damage { slot, file: file_name(header.first), offset, flaw }.into());
            }
            if until == Some(tail.end) {
                return Ok((tail, Flaw::Blank));
            }
            match walk.look()? {
                Err(flaw) => return Ok((tail, flaw)),
                Ok(head) if head.slot != tail.end => return Ok((tail, Flaw::Misplaced { found: head.slot })),
                Ok(head) if head.prev != tail.last => {
                    let flaw = Flaw::Chain { named: head.prev, found: tail.last };
                    return Ok((tail, flaw));
                }
                Ok(head) => {
                    if head.slot.0.is_multiple_of(LANDMARK_EVERY) {
                        tail.landmarks.push((head.slot, tail.offset, tail.last));
                    }
                    walk.pass(&head);
                    tail.last_offset = tail.offset;
                    tail.offset = walk.offset();
                    tail.last = head.check;
                    tail.end = head.slot.next();
                }
            }
        }
    }

    /// Tell readers the places that were come by in the file that begins with `first`.
    pub(super) fn landmarks(&self, catalog: &Catalog, first: Slot) {
        for &(slot, offset, prev) in &self.landmarks {
            catalog.note(first, slot, offset, prev);
        }
    }
}

/// A mark knows the check value of the frame it vouched for.
fn contradicts(mark: &Mark, slot: Slot, found: Check) -> Option<Flaw> {
    (mark.slot == slot && mark.check != found).then_some(Flaw::Mark { marked: mark.check, found })
}

impl Rest {
    /// Look at everything from `offset` to the end of the file. Only one frame can have been in flight, so a whole
    /// frame anywhere after the first bad one proves that the bad one was durable before.
    fn search<F: File>(found: &Found<F>, offset: u64) -> io::Result<Self> {
        let mut rest = Self { until: offset, has_frame: false };
        let mut buffer = vec![0; CHUNK];
        let mut at = offset;
        while at < found.header.capacity {
            let read = found.file.read_at(&mut buffer, at)?;
            if read == 0 {
                break;
            }
            for (index, block) in buffer[..read].chunks(BLOCK).enumerate() {
                let block_at = at + (index * BLOCK) as u64;
                if let Some(last) = last_written(block) {
                    rest.until = block_at + last as u64 + 1;
                    rest.has_frame |= holds_frame(found, block, block_at)?;
                }
            }
            at += read as u64;
        }
        Ok(rest)
    }
}

/// Where the last byte that is not zero is. Comparing with zeros first is what makes this fast.
fn last_written(block: &[u8]) -> Option<usize> {
    const ZEROS: [u8; BLOCK] = [0; BLOCK];
    if block == &ZEROS[..block.len()] {
        return None;
    }
    block.iter().rposition(|&byte| byte != 0)
}

/// Whether a whole frame begins in this block.
fn holds_frame<F: File>(found: &Found<F>, block: &[u8], block_at: u64) -> io::Result<bool> {
    for (index, start) in block.chunks(ALIGNMENT).enumerate() {
        if !may_begin(start) {
            continue;
        }
        let at = block_at + (index * ALIGNMENT) as u64;
        let mut walk = Walk::new(&found.file, found.header.log, at, found.header.capacity, HEAD);
        if walk.look()?.is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}
