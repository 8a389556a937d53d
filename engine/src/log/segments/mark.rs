//! Marks: notes in the front of a segment file that its frames were durable up to some slot.
//!
//! The last frame of a log has no successor to vouch for it, so damage to it looks like a frame that a power cut tore
//! before anyone was told it was durable. A mark, written after a quiet spell, tells the two apart. It stands on a page
//! of its own, away from the frames, and two places take turns, so that a torn mark leaves the one before.
//! A *seal* is a mark that also says that the log goes on in another file.

use std::io;

use crate::log::Slot;
use crate::log::files::File;

use super::frame::{Check, u32_at, u64_at};
use super::header::PAGE;

const MAGIC: [u8; 4] = *b"HGMK";
const SIZE: usize = 40;

/// That every slot of this file up to `slot` was durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Marks of one file are counted; the highest count is the latest, and its parity is its place.
    pub(super) count: u64,
    pub(super) slot: Slot,
    pub(super) check: Check,
    /// Whether the next slot is in another file.
    pub(super) sealed: bool,
}

/// What the two places of a file hold.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    pub(super) latest: Option<Mark>,
    /// Something that is no mark stands where one belongs.
    pub(super) unreadable: bool,
}

impl Mark {
    /// Put the mark in its place. It holds once the file is synced.
    pub(super) fn write(&self, file: &impl File, log: u64) -> io::Result<()> {
        file.write_at(&self.encode(log), place(self.count))
    }

    fn encode(&self, log: u64) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.count.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.slot.0.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.check.0.to_le_bytes());
        bytes[28] = u8::from(self.sealed);
        let check = check_of(log, &bytes);
        bytes[4..8].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    fn decode(log: u64, bytes: &[u8]) -> Option<Self> {
        let whole = bytes[..4] == MAGIC && u32_at(bytes, 4) == check_of(log, bytes);
        whole.then(|| Self {
            count: u64_at(bytes, 8),
            slot: Slot(u64_at(bytes, 16)),
            check: Check(u32_at(bytes, 24)),
            sealed: bytes[28] != 0,
        })
    }
}

impl Marks {
    pub(super) fn read(file: &impl File, log: u64) -> io::Result<Self> {
        let mut found = Self::default();
        for turn in 0..2 {
            let mut bytes = [0; SIZE];
            file.read_at(&mut bytes, place(turn))?;
            match Mark::decode(log, &bytes) {
                Some(mark) if found.latest.is_none_or(|latest| latest.count < mark.count) => {
                    found.latest = Some(mark);
                }
                Some(_) => {}
                None => found.unreadable |= bytes.iter().any(|&byte| byte != 0),
            }
        }
        Ok(found)
    }

    /// The count for the next mark, which goes where the latest is not.
    pub(super) fn next_count(&self) -> u64 {
        self.latest.map_or(0, |latest| latest.count + 1)
    }
}

fn place(count: u64) -> u64 {
    PAGE * (1 + count % 2)
}

fn check_of(log: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&log.to_le_bytes()), &bytes[8..])
}
