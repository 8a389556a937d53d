//! Which slots are in which file, and how far the log is durable: what the writer tells the readers.
//!
//! Not every slot is listed. Each file has landmarks some way apart, from which a reader walks the rest of the way.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::log::Slot;

use super::frame::Check;
use super::header::{DATA, Header};

/// Landmarks are at least so many bytes apart: 12 bytes of memory for each 64 KiB of log.
const SPACING: u32 = 64 << 10;

/// A place from which a file can be walked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Landmark {
    /// Slots after the first of the file.
    after_first: u32,
    offset: u32,
    /// The check value of the frame before.
    prev: Check,
}

/// Where a walk towards some slot begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    /// The first slot of the file, which gives its name.
    pub(super) first: Slot,
    pub(super) slot: Slot,
    pub(super) offset: u64,
    pub(super) prev: Check,
    /// The first slot that is not in this file, or not durable yet.
    pub(super) until: Slot,
    /// Where the file's durable frames end, or later.
    pub(super) limit: u64,
}

/// Shared between the one writer and any number of readers.
#[derive(Debug)]
pub(super) struct Catalog {
    /// The number that is part of the log's check values.
    pub(super) log: u64,
    layout: RwLock<Layout>,
}

#[derive(Debug)]
struct Layout {
    segments: Vec<Segment>,
    end: Slot,
    tail: u64,
}

#[derive(Debug)]
struct Segment {
    first: Slot,
    capacity: u64,
    landmarks: Vec<Landmark>,
}

impl Segment {
    /// The beginning of a file is its first landmark.
    fn new(header: &Header) -> Self {
        let start = Landmark { after_first: 0, offset: narrow(DATA), prev: header.prev };
        Self { first: header.first, capacity: header.capacity, landmarks: vec![start] }
    }

    fn note(&mut self, slot: Slot, offset: u64, prev: Check) {
        let offset = narrow(offset);
        if self.landmarks.last().is_none_or(|last| offset.saturating_sub(last.offset) >= SPACING) {
            self.landmarks.push(Landmark { after_first: narrow(slot.0 - self.first.0), offset, prev });
        }
    }
}

/// Segments are smaller than 4 GiB, so offsets and slots in them fit.
fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl Catalog {
    /// A log of these files, the last of which has its durable frames before `tail`.
    pub(super) fn new(log: u64, headers: &[Header], end: Slot, tail: u64) -> Self {
        let segments = headers.iter().map(Segment::new).collect();
        Self { log, layout: RwLock::new(Layout { segments, end, tail }) }
    }

    fn layout(&self) -> RwLockReadGuard<'_, Layout> {
        self.layout.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn layout_mut(&self) -> RwLockWriteGuard<'_, Layout> {
        self.layout.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first slot that is not durable.
    pub(super) fn end(&self) -> Slot {
        self.layout().end
    }

    /// Say that the frame for `slot`, following one with check value `prev`, is durable at `offset` up to `tail`.
    pub(super) fn extend(&self, slot: Slot, offset: u64, prev: Check, tail: u64) {
        let mut layout = self.layout_mut();
        if let Some(segment) = layout.segments.last_mut() {
            segment.note(slot, offset, prev);
        }
        layout.end = slot.next();
        layout.tail = tail;
    }

    /// Say that the log goes on in another file.
    pub(super) fn begin(&self, header: &Header) {
        let mut layout = self.layout_mut();
        layout.segments.push(Segment::new(header));
        layout.tail = DATA;
    }

    /// Remember a place that a reader came by.
    pub(super) fn note(&self, first: Slot, slot: Slot, offset: u64, prev: Check) {
        let mut layout = self.layout_mut();
        if let Ok(at) = layout.segments.binary_search_by_key(&first, |segment| segment.first) {
            layout.segments[at].note(slot, offset, prev);
        }
    }

    /// From where `slot` can be reached, or `None` when it is not durable.
    pub(super) fn route(&self, slot: Slot) -> Option<Route> {
        let layout = self.layout();
        if slot >= layout.end {
            return None;
        }
        let at = layout.segments.partition_point(|segment| segment.first <= slot).checked_sub(1)?;
        let segment = &layout.segments[at];
        let near =
            segment.landmarks.partition_point(|mark| mark.after_first as u64 <= slot.0 - segment.first.0);
        let landmark = segment.landmarks[near.checked_sub(1)?];
        let next = layout.segments.get(at + 1);
        Some(Route {
            first: segment.first,
            slot: Slot(segment.first.0 + u64::from(landmark.after_first)),
            offset: u64::from(landmark.offset),
            prev: landmark.prev,
            until: next.map_or(layout.end, |next| next.first),
            limit: next.map_or(layout.tail, |_| segment.capacity),
        })
    }
}
