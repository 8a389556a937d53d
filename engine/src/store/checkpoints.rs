//! The file of a shard's checkpoint: written beside, synced, then put in place, so that there is always a whole one.
//!
//! It holds the folded state, the sandboxes a roster still remembers after they are gone, and the log's own check of the frame the state stands on: a log that has lost
//! that frame does not open.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hourglass_events::{Digest, Sandbox, ShardNumber, State};
use hourglass_kernel::{Checkpoint, CheckpointError};
use hourglass_projections::Roster;

use crate::error::EngineError;
use crate::log::files::Directory;
use crate::log::segments::{Check, Reader, Witness};

const DIRECTORY: &str = "checkpoints";
/// Bytes before the state: the frame's check and the state's length.
const HEAD: usize = 12;
/// Bytes after everything: a digest of it.
const TAIL: usize = 32;

/// Where one shard's checkpoint is.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointFile {
    path: PathBuf,
}

/// A checkpoint that was read.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) roster: Roster,
    pub(crate) witness: Option<Witness>,
}

impl CheckpointFile {
    pub(crate) fn new(data: &Path, shard: ShardNumber) -> Result<Self, EngineError> {
        let directory = data.join(DIRECTORY);
        let failed = |source| EngineError::Files { path: directory.clone(), doing: "made", source };
        fs::create_dir_all(&directory).map_err(failed)?;
        Ok(Self::found(data, shard))
    }

    /// The same, to be read alone: nothing is made.
    pub(crate) fn found(data: &Path, shard: ShardNumber) -> Self {
        Self { path: data.join(DIRECTORY).join(format!("shard-{shard}")) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The checkpoint, if there is one; or why it cannot be used, which is no loss but time.
    pub(crate) fn read(&self) -> Result<Option<Saved>, String> {
        match fs::read(&self.path) {
            Ok(bytes) => decode(&bytes).map(Some).map_err(|error| error.to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Put a checkpoint in place of the one before. Returns the digest of its state.
    pub(crate) fn write(
        &self,
        checkpoint: &Checkpoint,
        roster: &Roster,
        log: &Reader<Directory>,
    ) -> io::Result<Digest> {
        let check = log.check(checkpoint.mark.slot).map_err(io::Error::other)?.unwrap_or(Check::NONE);
        let state = checkpoint.to_bytes();
        let mut bytes = Vec::with_capacity(state.len() * 2);
        bytes.extend_from_slice(&check.0.to_le_bytes());
        bytes.extend_from_slice(&(state.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&state);
        let gone: Vec<_> = roster.iter().filter(|sandbox| sandbox.state == State::Deleted).collect();
        rmp_serde::encode::write(&mut bytes, &gone).map_err(io::Error::other)?;
        let digest = Digest::of(&bytes);
        bytes.extend_from_slice(&digest.0);
        let beside = self.path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        if let Some(directory) = self.path.parent() {
            File::open(directory)?.sync_all()?;
        }
        Ok(Digest::of(&checkpoint.fleet.to_bytes()))
    }
}

fn decode(bytes: &[u8]) -> Result<Saved, CheckpointError> {
    let damaged = CheckpointError::Damaged;
    let (content, digest) = bytes.split_last_chunk::<TAIL>().ok_or(damaged("it is cut off"))?;
    if Digest::of(content).0 != *digest {
        return Err(damaged("its digest does not fit its content"));
    }
    let (head, rest) = content.split_first_chunk::<HEAD>().ok_or(damaged("it is cut off"))?;
    let [a, b, c, d, length @ ..] = *head;
    let check = Check(u32::from_le_bytes([a, b, c, d]));
    let length = usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX);
    let (state, gone) = rest.split_at_checked(length).ok_or(damaged("it is cut off"))?;
    let checkpoint = Checkpoint::from_bytes(state)?;
    let gone: Vec<Arc<Sandbox>> =
        rmp_serde::from_slice(gone).map_err(|_| damaged("its roster is not one"))?;
    // The fleet keeps the deleted for as long as something is left of them, the roster for as long as it shows them.
    let living = checkpoint.fleet.sandboxes().filter(|sandbox| sandbox.state != State::Deleted);
    let known = living.cloned().chain(gone);
    let roster = Roster::resume(checkpoint.fleet.seq(), known);
    let witness = (check != Check::NONE).then_some(Witness { slot: checkpoint.mark.slot, check });
    Ok(Saved { checkpoint, roster, witness })
}
