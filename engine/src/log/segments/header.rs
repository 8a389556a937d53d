//! The first page of a segment file, which says whose frames these are and which come first.
//!
//! It is written once, before the file gets its name, and never again: so a header that cannot be read is always damage.

use crate::log::Slot;

use super::frame::{Check, u32_at, u64_at};

/// Pages of the file's front: the header, then two places for marks. Frames share no page with them.
pub(super) const PAGE: u64 = 4096;
/// Where the first frame begins.
pub(super) const DATA: u64 = 3 * PAGE;
/// The only format there is so far.
pub(super) const VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"HGLASSEG";
const SIZE: usize = 64;

/// What a segment file says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The number drawn when the log was made; it is part of every check value.
    pub(super) log: u64,
    pub(super) shard: u32,
    pub(super) generation: u32,
    /// How many bytes the file has, so that a shorter one is known to be truncated.
    pub(super) capacity: u64,
    pub(super) first: Slot,
    /// The check value of the frame before the first.
    pub(super) prev: Check,
}

/// Why a header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is not a segment file, or its header is damaged.
    Damaged,
    /// It was written by another build.
    Version(u32),
}

impl Header {
    pub(super) fn encode(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.shard.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.generation.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.prev.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.log.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.capacity.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.first.0.to_le_bytes());
        let check = crc32c::crc32c(&bytes[..SIZE - 4]);
        bytes[SIZE - 4..].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// The header at the start of a file. The checksum comes first: a version may only be believed if it holds.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() < SIZE || bytes[..8] != MAGIC {
            return Err(Unreadable::Damaged);
        }
        if crc32c::crc32c(&bytes[..SIZE - 4]) != u32_at(bytes, SIZE - 4) {
            return Err(Unreadable::Damaged);
        }
        let version = u32_at(bytes, 8);
        if version != VERSION {
            return Err(Unreadable::Version(version));
        }
        Ok(Self {
            shard: u32_at(bytes, 12),
            generation: u32_at(bytes, 16),
            prev: Check(u32_at(bytes, 20)),
            log: u64_at(bytes, 24),
            capacity: u64_at(bytes, 32),
            first: Slot(u64_at(bytes, 40)),
        })
    }
}

/// What the file of the segment that begins with `first` is called. Names sort as slots do.
pub(super) fn file_name(first: Slot) -> String {
    format!("{:020}.segment", first.0)
}

/// The slot that a segment file's name announces, or `None` if it is not the name of one.
pub(super) fn first_slot(name: &str) -> Option<Slot> {
    let digits = name.strip_suffix(".segment")?;
    let first = Slot(digits.parse().ok()?);
    (file_name(first) == name).then_some(first)
}
