//! The bytes of one frame: a head that names the frame before, the payload, zeros up to the next multiple of eight.

use std::fmt;

use crate::log::{MAX_FRAME_BYTES, Slot};

use super::damage::Flaw;

/// Bytes before the payload.
pub(super) const HEAD: usize = 32;

/// No frame, padding included, takes more than this.
pub(super) const LARGEST: u64 = size_on_disk(MAX_FRAME_BYTES) as u64;

/// Frames begin at multiples of this, which is what a search for them relies on.
pub(super) const ALIGNMENT: usize = 8;

const MAGIC: [u8; 4] = *b"HGFR";

/// The check value of a frame: the CRC32C of the log's identity, the frame's place, its predecessor's check value and
/// its payload. So it vouches for every frame before it as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Check(pub u32);

impl Check {
    /// What the first frame of a log names as its predecessor.
    pub const NONE: Self = Self(0);
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) check: Check,
    pub(super) slot: Slot,
    /// The check value of the frame before, which was durable before this one was written.
    pub(super) prev: Check,
    /// Where in this file the frame before begins; zero when it is in another file or there is none.
    pub(super) prev_offset: u32,
    pub(super) payload: u32,
}

impl Head {
    /// The head at the start of `bytes`, or `None` where nothing was written. The check value is not looked at.
    pub(super) fn decode(bytes: &[u8; HEAD]) -> Result<Option<Self>, Flaw> {
        if bytes.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        let head = Self {
            check: Check(u32_at(bytes, 4)),
            slot: Slot(u64_at(bytes, 8)),
            prev: Check(u32_at(bytes, 16)),
            payload: u32_at(bytes, 20),
            prev_offset: u32_at(bytes, 24),
        };
        if bytes[..4] != MAGIC {
            return Err(Flaw::NoFrame);
        }
        if head.payload as usize > MAX_FRAME_BYTES {
            return Err(Flaw::Length { found: head.payload });
        }
        Ok(Some(head))
    }

    /// Bytes the frame takes, padding included.
    pub(super) const fn size(&self) -> usize {
        size_on_disk(self.payload as usize)
    }
}

/// Whether a frame may begin with these bytes.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Bytes that a payload of `payload` bytes takes in a file.
pub(super) const fn size_on_disk(payload: usize) -> usize {
    HEAD + payload.next_multiple_of(ALIGNMENT)
}

/// Write the frame for `payload` into `buffer`, replacing what was there, and return its check value.
pub(super) fn encode(buffer: &mut Vec<u8>, log: u64, place: &Head, payload: &[u8]) -> Check {
    buffer.clear();
    buffer.extend_from_slice(&MAGIC);
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(&place.slot.0.to_le_bytes());
    buffer.extend_from_slice(&place.prev.0.to_le_bytes());
    buffer.extend_from_slice(&place.payload.to_le_bytes());
    buffer.extend_from_slice(&place.prev_offset.to_le_bytes());
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(payload);
    buffer.resize(size_on_disk(payload.len()), 0);
    let check = check_of(log, buffer);
    buffer[4..8].copy_from_slice(&check.0.to_le_bytes());
    check
}

/// The check value that `frame`, a whole frame with its padding, ought to carry.
pub(super) fn check_of(log: u64, frame: &[u8]) -> Check {
    Check(crc32c::crc32c_append(crc32c::crc32c(&log.to_le_bytes()), &frame[8..]))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}
