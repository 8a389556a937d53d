//! Reading what is durable, from any thread, while the writer goes on. It takes no lock that a sync is waited for under.

use std::io;
use std::sync::Arc;

use crate::log::files::{File, Files};
use crate::log::{ReadError, Slot};

use super::catalog::{Catalog, Route};
use super::damage::{Damage, Flaw, Trouble};
use super::frame::Check;
use super::header::file_name;
use super::walk::Walk;

/// Bytes read at once when many frames are wanted.
const SCAN_CHUNK: usize = 1 << 20;
/// Bytes read at once when one frame is wanted: the way from a landmark.
const READ_CHUNK: usize = 64 << 10;

/// Slots between two places that are remembered for other readers.
const NOTE_EVERY: u64 = 64;

/// A handle for reading a log. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Reader<F> {
    files: F,
    catalog: Arc<Catalog>,
}

/// A frame that a scan came to. It borrows the scan's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned<'a> {
    /// The slot it fills.
    pub slot: Slot,
    /// Its check value, which a checkpoint keeps as a [`Witness`](super::Witness).
    pub check: Check,
    /// Its bytes.
    pub frame: &'a [u8],
}

/// Frames one after the other, each checked, up to the end of the log. It can go on when the log has grown.
#[derive(Debug)]
pub struct Scan<F: Files> {
    reader: Reader<F>,
    chunk: usize,
    /// The slot the next call returns.
    next: Slot,
    leg: Option<Leg<F::File>>,
}

/// The way through one file.
#[derive(Debug)]
struct Leg<F> {
    walk: Walk<F>,
    first: Slot,
    /// The slot the walk stands before.
    slot: Slot,
    prev: Check,
    until: Slot,
}

impl<F: Files> Reader<F> {
    pub(super) const fn new(files: F, catalog: Arc<Catalog>) -> Self {
        Self { files, catalog }
    }

    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(super) const fn files(&self) -> &F {
        &self.files
    }

    /// The first slot that is not durable.
    #[must_use]
    pub fn end(&self) -> Slot {
        self.catalog.end()
    }

    /// The frame in `slot`, or `None` while nothing durable is there.
    pub fn read(&self, slot: Slot) -> Result<Option<Vec<u8>>, ReadError> {
        let mut scan = self.scan_by(slot, READ_CHUNK);
        Ok(scan.next_frame()?.map(|scanned| scanned.frame.to_vec()))
    }

    /// The check value of the frame in `slot`, or `None` while nothing durable is there.
    pub fn check(&self, slot: Slot) -> Result<Option<Check>, ReadError> {
        Ok(self.find_check(slot)?)
    }

    pub(super) fn find_check(&self, slot: Slot) -> Result<Option<Check>, Trouble> {
        let mut scan = self.scan_by(slot, READ_CHUNK);
        Ok(scan.advance()?.map(|scanned| scanned.check))
    }

    /// All frames from `slot` on.
    #[must_use]
    pub fn scan(&self, slot: Slot) -> Scan<F> {
        self.scan_by(slot, SCAN_CHUNK)
    }

    fn scan_by(&self, slot: Slot, chunk: usize) -> Scan<F> {
        Scan { reader: self.clone(), chunk, next: slot.max(Slot::FIRST), leg: None }
    }

    fn leg(&self, route: &Route, chunk: usize) -> io::Result<Leg<F::File>> {
        let file = self.files.open(&file_name(route.first))?;
        let walk = Walk::new(file, self.catalog.log, route.offset, route.limit, chunk);
        Ok(Leg { walk, first: route.first, slot: route.slot, prev: route.prev, until: route.until })
    }
}

impl<F: Files> Scan<F> {
    /// The next frame, or `None` at the end of what is durable. After an error the scan stays before the bad slot.
    pub fn next_frame(&mut self) -> Result<Option<Scanned<'_>>, ReadError> {
        Ok(self.advance()?)
    }

    fn advance(&mut self) -> Result<Option<Scanned<'_>>, Trouble> {
        self.reach()?;
        let Some(leg) = self.leg.as_mut().filter(|leg| self.next < leg.until) else { return Ok(None) };
        let check = loop {
            let (slot, offset, prev) = (leg.slot, leg.walk.offset(), leg.prev);
            let check = leg.step()?;
            if slot.0.is_multiple_of(NOTE_EVERY) {
                self.reader.catalog.note(leg.first, slot, offset, prev);
            }
            if slot == self.next {
                break check;
            }
        };
        let slot = self.next;
        self.next = slot.next();
        Ok(self.leg.as_ref().map(|leg| Scanned { slot, check, frame: leg.walk.payload() }))
    }

    /// Stand in the file that holds the next slot, if that slot is durable.
    fn reach(&mut self) -> Result<(), Trouble> {
        if self.leg.as_ref().is_none_or(|leg| self.next >= leg.until) {
            let Some(route) = self.reader.catalog.route(self.next) else { return Ok(()) };
            match &mut self.leg {
                Some(leg) if leg.first == route.first => {
                    leg.until = route.until;
                    leg.walk.extend(route.limit);
                }
                Some(leg) if leg.slot == route.slot && leg.prev != route.prev => {
                    let flaw = Flaw::Chain { named: route.prev, found: leg.prev };
                    let file = file_name(route.first);
                    return Err(Damage { slot: route.slot, file, offset: route.offset, flaw }.into());
                }
                Some(_) | None => {
                    self.leg = Some(self.reader.leg(&route, self.chunk)?);
                }
            }
        }
        Ok(())
    }
}

impl<F: File> Leg<F> {
    /// Step over one frame, which must be the one that belongs here.
    fn step(&mut self) -> Result<Check, Trouble> {
        let offset = self.walk.offset();
        let flaw = match self.walk.look()? {
            Ok(head) if head.slot != self.slot => Flaw::Misplaced { found: head.slot },
            Ok(head) if head.prev != self.prev => Flaw::Chain { named: head.prev, found: self.prev },
            Ok(head) => {
                self.walk.pass(&head);
                self.slot = self.slot.next();
                self.prev = head.check;
                return Ok(head.check);
            }
            Err(flaw) => flaw,
        };
        Err(Damage { slot: self.slot, file: file_name(self.first), offset, flaw }.into())
    }
}
