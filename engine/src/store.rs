//! Where an engine keeps its shards: as segment files and checkpoints in a data directory, or in any logs at all.
//!
//! ```text
//! DATA/log/shard-0/…            the log: everything there is to know
//! DATA/checkpoints/shard-0      a folded state that saves replaying; may be deleted
//! DATA/vault/…                  the values of sandboxes' variables, which are in no log
//! ```

mod checkpoints;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hourglass_events::ShardNumber;
use hourglass_kernel::{Entry, Mark, Replay};
use hourglass_projections::{Projection, Roster};

use crate::error::{Ended, EngineError};
use crate::log::EventLog;
use crate::log::files::Directory;
use crate::log::memory::MemoryLog;
use crate::log::segments::{Options, Reader, SegmentLog};
use crate::notice::Notice;
use crate::vault::{FileVault, MemoryVault, Vault, VaultError};

pub(crate) use checkpoints::CheckpointFile;

/// Where an engine keeps its shards.
#[derive(Debug, Clone)]
pub struct Store {
    kind: Kind,
    /// Used in place of the usual one.
    vault: Option<Arc<dyn Vault>>,
}

#[derive(Clone)]
enum Kind {
    Logs(Arc<dyn Fn(ShardNumber) -> Arc<dyn EventLog> + Send + Sync>),
    Embedded { data: PathBuf, segment_bytes: u64 },
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Logs(_) => f.write_str("Logs"),
            Self::Embedded { data, .. } => write!(f, "Embedded({})", data.display()),
        }
    }
}

/// One shard's log, read to its end.
pub(crate) struct Opened {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) replay: Replay,
    pub(crate) roster: Roster,
    pub(crate) checkpoints: Option<Checkpoints>,
    pub(crate) notices: Vec<Notice>,
}

/// Where checkpoints go, and the log they vouch for.
pub(crate) struct Checkpoints {
    pub(crate) file: CheckpointFile,
    pub(crate) log: Reader<Directory>,
}

impl Store {
    /// Logs that end with the process. Clones share them, so that a second engine finds what the first one wrote.
    #[must_use]
    pub fn memory() -> Self {
        let logs: Mutex<BTreeMap<ShardNumber, MemoryLog>> = Mutex::default();
        Self::logs(move |shard| {
            let mut logs = logs.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::new(logs.entry(shard).or_default().handle())
        })
    }

    /// Logs of the embedder's own. `open` gives a fresh handle to a shard's log each time it is to be read from its
    /// beginning. No checkpoints are kept, and the values of variables end with the last clone of this store: a log
    /// that lives longer needs a [vault](Self::with_vault) that does.
    #[must_use]
    pub fn logs(open: impl Fn(ShardNumber) -> Arc<dyn EventLog> + Send + Sync + 'static) -> Self {
        Self { kind: Kind::Logs(Arc::new(open)), vault: Some(Arc::new(MemoryVault::new())) }
    }

    /// Segment files under `data`, which is made if it is not there.
    #[must_use]
    pub fn embedded(data: impl Into<PathBuf>) -> Self {
        let segment_bytes = Options::new(0).segment_bytes;
        Self { kind: Kind::Embedded { data: data.into(), segment_bytes }, vault: None }
    }

    /// The same with segments of another size, in bytes.
    #[must_use]
    pub fn with_segment_bytes(mut self, bytes: u64) -> Self {
        match &mut self.kind {
            Kind::Logs(_) => {}
            Kind::Embedded { segment_bytes, .. } => *segment_bytes = bytes,
        }
        self
    }

    /// The same with the values of variables elsewhere.
    #[must_use]
    pub fn with_vault(mut self, vault: Arc<dyn Vault>) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Where the values of variables are. Only for who holds the logs' locks.
    pub(crate) async fn vault(&self) -> Result<Arc<dyn Vault>, VaultError> {
        match (&self.vault, &self.kind) {
            (Some(vault), _) => Ok(Arc::clone(vault)),
            (None, Kind::Logs(_)) => Ok(Arc::new(MemoryVault::new())),
            (None, Kind::Embedded { data, .. }) => {
                let data = data.clone();
                let opened = tokio::task::spawn_blocking(move || FileVault::open(&data)).await;
                let vault = opened.unwrap_or_else(|error| {
                    Err(VaultError::at("vault", "opened")(std::io::Error::other(error)))
                })?;
                Ok(Arc::new(vault))
            }
        }
    }

    /// The directory of a shard's segments below `data`.
    #[must_use]
    pub fn log_directory(data: &Path, shard: ShardNumber) -> PathBuf {
        data.join("log").join(format!("shard-{shard}"))
    }

    /// Where a shard's log is, for people.
    pub(crate) fn place(&self, shard: ShardNumber) -> String {
        match &self.kind {
            Kind::Logs(_) => "the embedder's storage".to_owned(),
            Kind::Embedded { data, .. } => Self::log_directory(data, shard).display().to_string(),
        }
    }

    /// The place in the log that a shard's checkpoint below `data` stands on, if there is one that can be used.
    #[must_use]
    pub fn checkpoint_mark(data: &Path, shard: ShardNumber) -> Option<Mark> {
        CheckpointFile::found(data, shard).read().ok().flatten().map(|saved| saved.checkpoint.mark)
    }

    /// Open a shard's log and fold it, showing each record that had to be read to `see`.
    pub(crate) async fn open(
        &self,
        shard: ShardNumber,
        shards: u64,
        see: impl FnMut(Entry) + Send + 'static,
    ) -> Result<Opened, EngineError> {
        match &self.kind {
            Kind::Logs(open) => read_through(open(shard), shard, shards, see).await,
            Kind::Embedded { data, segment_bytes } => {
                let (data, segment_bytes) = (data.clone(), *segment_bytes);
                let opening =
                    tokio::task::spawn_blocking(move || embedded(&data, segment_bytes, shard, shards, see));
                let panicked = || EngineError::Ended { shard, place: self.place(shard), why: Ended::Defect };
                opening.await.unwrap_or_else(|_| Err(panicked()))
            }
        }
    }
}

async fn read_through(
    log: Arc<dyn EventLog>,
    shard: ShardNumber,
    shards: u64,
    mut see: impl FnMut(Entry),
) -> Result<Opened, EngineError> {
    let mut replay = Replay::new(shard, shards);
    let mut roster = Roster::default();
    let unread = |source| EngineError::Read { shard, source };
    while let Some(frame) = log.read(replay.next_slot()).await.map_err(unread)? {
        fold(&mut replay, &mut roster, shard, &frame, &mut see)?;
    }
    Ok(Opened { log, replay, roster, checkpoints: None, notices: Vec::new() })
}

fn embedded(
    data: &Path,
    segment_bytes: u64,
    shard: ShardNumber,
    shards: u64,
    mut see: impl FnMut(Entry),
) -> Result<Opened, EngineError> {
    let checkpoints = CheckpointFile::new(data, shard)?;
    let mut notices = Vec::new();
    let checkpoint = checkpoints.read().unwrap_or_else(|why| {
        let notice = Notice::Checkpoint { shard, path: checkpoints.path().to_owned(), why };
        tracing::warn!("{notice}");
        notices.push(notice);
        None
    });
    let number = u32::try_from(shard.0).unwrap_or(u32::MAX);
    let witness = checkpoint.as_ref().and_then(|saved| saved.witness);
    let options = Options { segment_bytes, witness, ..Options::new(number) };
    let directory = Store::log_directory(data, shard);
    let (log, mended) =
        SegmentLog::open(&directory, options).map_err(|source| EngineError::Open { shard, source })?;
    notices.extend(mended.into_iter().map(|notice| Notice::Log { shard, notice }));
    let reader = log.reader();
    let unread = |source| EngineError::Read { shard, source };
    let (mut replay, mut roster) = match checkpoint {
        None => (Replay::new(shard, shards), Roster::default()),
        Some(saved) => {
            let (slot, end) = (saved.checkpoint.mark.slot, reader.end());
            let path = checkpoints.path().to_owned();
            match reader.read(slot).map_err(unread)? {
                None => return Err(EngineError::CheckpointAhead { shard, checkpoint: slot, end, path }),
                Some(frame) if !saved.checkpoint.mark.holds(&frame) => {
                    return Err(EngineError::CheckpointForeign { shard, slot, path });
                }
                Some(_) => (Replay::from_checkpoint(saved.checkpoint), saved.roster),
            }
        }
    };
    let mut scan = reader.scan(replay.next_slot());
    while let Some(scanned) = scan.next_frame().map_err(unread)? {
        fold(&mut replay, &mut roster, shard, scanned.frame, &mut see)?;
    }
    let checkpoints = Some(Checkpoints { file: checkpoints, log: reader });
    Ok(Opened { log: Arc::new(log), replay, roster, checkpoints, notices })
}

fn fold(
    replay: &mut Replay,
    roster: &mut Roster,
    shard: ShardNumber,
    frame: &[u8],
    see: &mut impl FnMut(Entry),
) -> Result<(), EngineError> {
    let mut listed = Ok(());
    let folded = replay.feed(frame, |entry| {
        if listed.is_ok() {
            listed = roster.apply(&entry.record);
        }
        see(entry);
    });
    folded.map_err(|source| EngineError::Replay { shard, source })?;
    listed.map_err(|source| EngineError::Project { shard, source })
}
