//! Beginning a new segment file. It has its final name only once its header is durable.

use std::io;

use crate::log::files::{File, Files};

use super::header::{DATA, Header, file_name};

/// What a file is called before it is a segment.
pub(super) const SPARE: &str = "spare";

/// The first file of a log is small, so that starting many shards is quick; each next one is larger by this factor.
const GROWTH: u64 = 4;
const SMALLEST: u64 = 4 << 20;
/// Offsets in a file are kept in 32 bits.
const LARGEST: u64 = 2 << 30;

/// An allocated file of zeros, waiting to be the next segment: the reserve that a log lives on when the disk is full.
#[derive(Debug)]
pub struct Spare<F: Files> {
    file: F::File,
    capacity: u64,
}

/// What it takes to make a [`Spare`]; any thread can.
#[derive(Debug, Clone)]
pub struct SpareOrder<F> {
    pub(super) files: F,
    pub(super) capacity: u64,
    pub(super) reserve: u64,
}

impl<F: Files> SpareOrder<F> {
    /// Allocate the file. Without room for it and the reserve beside it the answer is
    /// [`StorageFull`](io::ErrorKind::StorageFull), and nothing is left behind.
    pub fn prepare(&self) -> io::Result<Spare<F>> {
        if self.files.free_space()? < self.capacity.saturating_add(self.reserve) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        discard(&self.files)?;
        let file = self.files.create(SPARE)?;
        match file.allocate(self.capacity) {
            Ok(()) => Ok(Spare { file, capacity: self.capacity }),
            Err(error) => {
                drop(file);
                discard(&self.files)?;
                Err(error)
            }
        }
    }
}

impl<F: Files> Spare<F> {
    pub(super) const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Make it the segment that `header` describes, durably.
    pub(super) fn begin(self, files: &F, header: &Header) -> io::Result<F::File> {
        self.file.write_at(&header.encode(), 0)?;
        self.file.sync_data()?;
        files.rename(SPARE, &file_name(header.first))?;
        files.sync_dir()?;
        Ok(self.file)
    }
}

/// Remove what an earlier run or attempt left.
pub(super) fn discard(files: &impl Files) -> io::Result<()> {
    match files.remove(SPARE) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// How large the segment after one of `previous` bytes is, so that a frame of `frame` bytes fits.
pub(super) fn capacity_after(previous: Option<u64>, largest: u64, frame: usize) -> u64 {
    let grown = previous.map_or(SMALLEST, |previous| previous.saturating_mul(GROWTH));
    grown.min(largest).min(LARGEST).max(DATA + frame as u64)
}
