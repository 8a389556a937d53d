//! Frame after frame through one file, through a buffer. It checks each frame's own bytes, not where it belongs.

use std::io;
use std::ops::Range;

use crate::log::files::File;

use super::damage::Flaw;
use super::frame::{HEAD, Head, check_of};
use super::offset_in_memory;

/// A position in a file, and the bytes read around it.
#[derive(Debug)]
pub(super) struct Walk<F> {
    file: F,
    log: u64,
    buffer: Vec<u8>,
    /// The part of the buffer that is read and not yet walked over; it begins at `offset` of the file.
    ahead: Range<usize>,
    offset: u64,
    limit: u64,
    chunk: usize,
    payload: Range<usize>,
}

impl<F: File> Walk<F> {
    /// Walk `file` of the log numbered `log` from `offset`, where a frame begins, at most to `limit`, reading `chunk`
    /// bytes at once.
    pub(super) const fn new(file: F, log: u64, offset: u64, limit: u64, chunk: usize) -> Self {
        Self { file, log, buffer: Vec::new(), ahead: 0..0, offset, limit, chunk, payload: 0..0 }
    }

    /// Where the next frame begins.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Let the walk go further, because the file has grown.
    pub(super) const fn extend(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Look at the next frame, without stepping over it.
    pub(super) fn look(&mut self) -> io::Result<Result<Head, Flaw>> {
        if !self.read_ahead(HEAD)? {
            return Ok(Err(Flaw::Blank));
        }
        let mut bytes = [0; HEAD];
        bytes.copy_from_slice(&self.buffer[self.ahead.start..self.ahead.start + HEAD]);
        let head = match Head::decode(&bytes) {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(Err(Flaw::Blank)),
            Err(flaw) => return Ok(Err(flaw)),
        };
        let size = head.size();
        if !self.read_ahead(size)? {
            return Ok(Err(Flaw::Length { found: head.payload }));
        }
        let start = self.ahead.start;
        if check_of(self.log, &self.buffer[start..start + size]) != head.check {
            return Ok(Err(Flaw::Check));
        }
        self.payload = start + HEAD..start + HEAD + head.payload as usize;
        Ok(Ok(head))
    }

    /// Step over the frame that was looked at.
    pub(super) const fn pass(&mut self, head: &Head) {
        self.ahead.start += head.size();
        self.offset += head.size() as u64;
    }

    /// The payload of the frame last looked at.
    pub(super) fn payload(&self) -> &[u8] {
        &self.buffer[self.payload.clone()]
    }

    /// Have `needed` bytes from the position in the buffer; whether there are as many before the limit.
    fn read_ahead(&mut self, needed: usize) -> io::Result<bool> {
        if self.ahead.len() >= needed {
            return Ok(true);
        }
        if self.offset + needed as u64 > self.limit {
            return Ok(false);
        }
        self.buffer.copy_within(self.ahead.clone(), 0);
        self.ahead = 0..self.ahead.len();
        let left = offset_in_memory(self.limit - self.offset);
        let size = self.chunk.max(needed).min(left);
        if self.buffer.len() < size {
            let mut larger = vec![0; size];
            larger[..self.ahead.end].copy_from_slice(&self.buffer[..self.ahead.end]);
            self.buffer = larger;
        }
        let from = self.offset + self.ahead.end as u64;
        let read = self.file.read_at(&mut self.buffer[self.ahead.end..size], from)?;
        self.ahead.end += read;
        Ok(self.ahead.len() >= needed)
    }
}
