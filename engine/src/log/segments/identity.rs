//! A small file that says that a log was once made here, so that a directory that lost its segments is not taken for
//! a new one. Everything in it is also in the segments' headers.

use std::io;

use crate::log::files::{File, Files};

use super::frame::{u32_at, u64_at};

const NAME: &str = "identity";
const DRAFT: &str = "identity.draft";
const MAGIC: [u8; 8] = *b"HGLASSID";
const SIZE: usize = 32;

/// Which log a directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) log: u64,
    pub(super) shard: u32,
    pub(super) generation: u32,
}

/// What a directory says about the log in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// No log was ever finished here.
    None,
    /// A log was made here, but not which can be read.
    Unreadable,
    /// This one.
    Known(Identity),
}

impl Identity {
    pub(super) fn read(files: &impl Files) -> io::Result<Claim> {
        let file = match files.open(NAME) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Claim::None),
            Err(error) => return Err(error),
        };
        let mut bytes = [0; SIZE];
        let read = file.read_at(&mut bytes, 0)?;
        let whole = read == SIZE && bytes[..8] == MAGIC && crc32c::crc32c(&bytes[..24]) == u32_at(&bytes, 24);
        Ok(if whole { Claim::Known(Self::decode(&bytes)) } else { Claim::Unreadable })
    }

    fn decode(bytes: &[u8; SIZE]) -> Self {
        Self { log: u64_at(bytes, 8), shard: u32_at(bytes, 16), generation: u32_at(bytes, 20) }
    }

    /// Make the claim durable. The segments it vouches for must be durable already.
    pub(super) fn write(&self, files: &impl Files) -> io::Result<()> {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.log.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.shard.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.generation.to_le_bytes());
        let check = crc32c::crc32c(&bytes[..24]);
        bytes[24..28].copy_from_slice(&check.to_le_bytes());
        if files.list()?.iter().any(|name| name == DRAFT) {
            files.remove(DRAFT)?;
        }
        let file = files.create(DRAFT)?;
        file.write_at(&bytes, 0)?;
        file.sync_data()?;
        files.rename(DRAFT, NAME)?;
        files.sync_dir()
    }
}
