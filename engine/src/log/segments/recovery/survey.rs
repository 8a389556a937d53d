//! Which files there are, and whether they form one row without a gap. Nothing is changed here.

use crate::log::Slot;
use crate::log::files::{File, Files};

use super::super::damage::{Damage, OpenError};
use super::super::frame::{Check, LARGEST};
use super::super::header::{DATA, Header, PAGE, Unreadable, file_name, first_slot};
use super::super::identity::{Claim, Identity};
use super::super::mark::Marks;
use super::super::{Options, offset_in_memory};
use super::tail::Tail;
use super::{Found, failed, stopped};

/// The files of a log, in the order of their slots.
#[derive(Debug)]
pub(super) struct Survey<'a, F: Files> {
    files: &'a F,
    pub(super) claim: Claim,
    pub(super) segments: Vec<Found<F::File>>,
    /// Which of them have a successor but no seal; their frames were followed up to it.
    pub(super) unsealed: Vec<usize>,
    /// The first slots of files that hold nothing and may be removed.
    pub(super) unfinished: Vec<Slot>,
}

impl<'a, F: Files> Survey<'a, F> {
    /// Read the identity and all headers, and see that they belong together.
    pub(super) fn new(files: &'a F, options: &Options) -> Result<Self, OpenError> {
        let claim = Identity::read(files).map_err(failed(files, "reading the identity"))?;
        if let Claim::Known(Identity { log: _, shard, generation }) = claim
            && (shard, generation) != (options.shard, options.generation)
        {
            return Err(OpenError::Foreign { file: "identity".to_owned(), shard, generation });
        }
        let names = files.list().map_err(failed(files, "listing the directory"))?;
        let mut firsts: Vec<_> = names.iter().filter_map(|name| first_slot(name)).collect();
        firsts.sort_unstable();
        let mut survey =
            Self { files, claim, segments: Vec::new(), unsealed: Vec::new(), unfinished: Vec::new() };
        for first in firsts {
            let found = survey.read(first, options)?;
            survey.segments.push(found);
        }
        Ok(survey)
    }

    fn read(&self, slot: Slot, options: &Options) -> Result<Found<F::File>, OpenError> {
        let name = file_name(slot);
        let file = self.files.open(&name).map_err(failed(self.files, "opening a segment"))?;
        let found = file.size().map_err(failed(self.files, "measuring a segment"))?;
        let mut page = vec![0; offset_in_memory(PAGE.min(found))];
        file.read_at(&mut page, 0).map_err(failed(self.files, "reading a header"))?;
        let header = Header::decode(&page).map_err(|unreadable| match unreadable {
            Unreadable::Damaged => OpenError::Header { file: name.clone(), slot },
            Unreadable::Version(found) => OpenError::Version { file: name.clone(), found },
        })?;
        let Header { log, shard, generation, capacity: expected, first, prev: _ } = header;
        if !self.is_ours(log) || (shard, generation) != (options.shard, options.generation) {
            return Err(OpenError::Foreign { file: name, shard, generation });
        }
        if first != slot {
            return Err(OpenError::Swapped { file: name, slot, found: first });
        }
        if found != expected {
            return Err(OpenError::Truncated { file: name, slot, expected, found });
        }
        let marks = Marks::read(&file, log).map_err(failed(self.files, "reading a mark"))?;
        Ok(Found { header, file, marks })
    }

    /// All files of a log carry the number of its identity, or of its first file if the identity cannot be read.
    fn is_ours(&self, log: u64) -> bool {
        match (self.claim, self.segments.first()) {
            (Claim::Known(identity), _) => identity.log == log,
            (Claim::None | Claim::Unreadable, Some(segment)) => segment.header.log == log,
            (Claim::None | Claim::Unreadable, None) => true,
        }
    }

    /// See that the first file is there, that each continues the one before, and that none is missing after the last.
    pub(super) fn check_row(&mut self) -> Result<(), OpenError> {
        let first = self.segments.first().map(|segment| segment.header.first);
        if first != Some(Slot::FIRST) && (first.is_some() || self.claim != Claim::None) {
            return Err(OpenError::Missing { file: file_name(Slot::FIRST), slot: Slot::FIRST });
        }
        for at in 0..self.segments.len() {
            self.check_successor(at)?;
        }
        Ok(())
    }

    fn check_successor(&mut self, at: usize) -> Result<(), OpenError> {
        let segment = &self.segments[at];
        let next = self.segments.get(at + 1).map(|next| next.header);
        let seal = segment.marks.latest.filter(|mark| mark.sealed);
        match (seal, next) {
            (Some(seal), Some(next)) if seal.slot.next() == next.first => continues(&next, seal.check),
            (Some(seal), _) => {
                let slot = seal.slot.next();
                Err(OpenError::Missing { file: file_name(slot), slot })
            }
            (None, Some(next)) => {
                let last = self.follow(segment, next.first)?;
                self.unsealed.push(at);
                continues(&next, last)
            }
            (None, None) => Ok(()),
        }
    }

    /// Follow a file without a seal up to the slot its successor begins with.
    fn follow(&self, segment: &Found<F::File>, until: Slot) -> Result<Check, OpenError> {
        let (tail, flaw) = Tail::follow(segment, Some(until)).map_err(stopped(self.files))?;
        if tail.end == until {
            return Ok(tail.last);
        }
        let file = file_name(segment.header.first);
        Err(Damage { slot: tail.end, file, offset: tail.offset, flaw }.into())
    }

    /// Set aside what earlier processes began and left, before the rest is checked: files that hold nothing and yet have
    /// a successor. Their removal was asked for once and did not last. A file that had frames and lost them all is not
    /// taken for one in the end, since the file before it does not go on in its place.
    pub(super) fn set_leftovers_aside(&mut self) -> Result<(), OpenError> {
        let Some(last) = self.segments.pop() else { return Ok(()) };
        for segment in std::mem::take(&mut self.segments) {
            if self.is_blank(&segment)? {
                self.unfinished.push(segment.header.first);
            } else {
                self.segments.push(segment);
            }
        }
        self.segments.push(last);
        Ok(())
    }

    /// Set aside the last file if it was being started when the process ended: it holds nothing, and neither a seal of
    /// the file before it nor, for the first, the identity says that it was finished.
    pub(super) fn set_unfinished_aside(&mut self) -> Result<(), OpenError> {
        let Some(last) = self.segments.last() else { return Ok(()) };
        let vouched = match self.segments.len().checked_sub(2) {
            None => self.claim != Claim::None,
            Some(before) => !self.unsealed.contains(&before),
        };
        if !vouched && self.is_blank(last)? {
            self.unfinished.push(last.header.first);
            self.segments.pop();
            self.unsealed.retain(|&at| at + 1 < self.segments.len());
        }
        Ok(())
    }

    /// Whether nothing was ever written after the header: no mark, and nothing where the first frame goes, however
    /// large it is.
    fn is_blank(&self, found: &Found<F::File>) -> Result<bool, OpenError> {
        if found.marks.latest.is_some() || found.marks.unreadable {
            return Ok(false);
        }
        let mut bytes = vec![0; offset_in_memory(LARGEST)];
        let read = found.file.read_at(&mut bytes, DATA).map_err(failed(self.files, "reading a segment"))?;
        Ok(bytes[..read].iter().all(|&byte| byte == 0))
    }
}

fn continues(next: &Header, found: Check) -> Result<(), OpenError> {
    if next.prev == found {
        return Ok(());
    }
    Err(OpenError::Discontinued { file: file_name(next.first), slot: next.first, named: next.prev, found })
}
