//! Looking into a log in a data directory, with no engine running on it. Nothing in the directory is changed.

pub(crate) mod log;
pub(crate) mod replay;
pub(crate) mod verify;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use hourglass_engine::Store;
use hourglass_engine::log::files::Directory;
use hourglass_engine::log::segments::{Inspection, Options, Reader};
use hourglass_events::codec::{self, GroupView};
use hourglass_events::{Digest, Event, Record, Seq, ShardEvent, ShardNumber, Subject};
use hourglass_kernel::{Fleet, Mark, Replay, Slot};

use crate::Data;

/// Which log is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    #[command(flatten)]
    data: Data,
    /// The shard.
    #[arg(long, default_value_t = 0)]
    shard: u64,
}

impl Which {
    /// Open it.
    pub(crate) fn open(&self) -> anyhow::Result<LogReader> {
        LogReader::open(&self.data.data, ShardNumber(self.shard))
    }
}

/// One shard's log, read from its beginning.
pub(crate) struct LogReader {
    path: PathBuf,
    checkpoint: Option<Mark>,
    reader: Reader<Directory>,
    replay: Replay,
    groups: u64,
    bytes: u64,
    /// Keeps others from writing meanwhile.
    _inspection: Inspection,
}

impl LogReader {
    /// Open the log of `shard` in `data`. Nothing is made where there is none.
    pub(crate) fn open(data: &Path, shard: ShardNumber) -> anyhow::Result<Self> {
        let path = Store::log_directory(data, shard);
        if !path.is_dir() {
            bail!(
                "there is no log in {}; run `hourglass demo`, or name the data directory with --data",
                path.display()
            );
        }
        let number = u32::try_from(shard.0).context("there is no such shard")?;
        let inspection =
            Inspection::open(&path, &Options::new(number)).context("the log could not be opened")?;
        for notice in inspection.notices() {
            // Not among what is asked for, which may be read by a program. Whoever closed it wants no notes.
            let _ = writeln!(std::io::stderr(), "note: {notice}");
        }
        let checkpoint = Store::checkpoint_mark(data, shard);
        let reader = inspection.reader();
        let replay = Replay::new(shard, shards(&reader)?);
        Ok(Self { path, checkpoint, reader, replay, groups: 0, bytes: 0, _inspection: inspection })
    }

    /// The group that the checkpoint stands on, if there is a checkpoint. A log without that group is not whole: it was
    /// durable before the checkpoint was made.
    pub(crate) fn check_checkpoint(&self) -> anyhow::Result<Option<Slot>> {
        let Some(mark) = self.checkpoint else { return Ok(None) };
        let slot = mark.slot;
        match self.reader.read(slot)? {
            None => bail!(
                "a checkpoint was made at slot {slot}, but the log ends before slot {}: acknowledged records are missing; restore the log from a copy",
                self.reader.end()
            ),
            Some(frame) if !mark.holds(&frame) => bail!(
                "a checkpoint was made when slot {slot} held another group: it belongs to another log; put the right ones together"
            ),
            Some(_) => Ok(Some(slot)),
        }
    }

    /// Read, check and fold every group, and show the state after each to `see`.
    pub(crate) fn fold(&mut self, mut see: impl FnMut(&Replay)) -> anyhow::Result<()> {
        self.each(|replay, _, _, _| see(replay))
    }

    /// The state right after record `last`, which must be there.
    pub(crate) fn fold_until(mut self, last: Seq) -> anyhow::Result<Fleet> {
        let mut scan = self.reader.scan(self.replay.next_slot());
        while let Some(scanned) = scan.next_frame()? {
            let before = self.replay.clone();
            self.replay.fold(scanned.frame, |_, _, _| {})?;
            if self.replay.fleet().seq() >= last {
                return Ok(before.fold_until(scanned.frame, last)?);
            }
        }
        bail!("there is no record {last}: the log ends with record {}", self.replay.fleet().seq())
    }

    /// Fold every group that is left, with each record and its bytes.
    pub(crate) fn records(&mut self, see: impl FnMut(Slot, Record, &[u8], Digest)) -> anyhow::Result<()> {
        self.check(see, |_| Ok(()))
    }

    /// The same, with the state after each group, which may be objected to.
    pub(crate) fn check(
        &mut self,
        mut see: impl FnMut(Slot, Record, &[u8], Digest),
        mut after: impl FnMut(&Fleet) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut scan = self.reader.scan(self.replay.next_slot());
        while let Some(scanned) = scan.next_frame()? {
            let slot = scanned.slot;
            self.replay.fold(scanned.frame, |record, bytes, digest| see(slot, record, bytes, digest))?;
            self.groups += 1;
            self.bytes += scanned.frame.len() as u64;
            after(self.replay.fleet())?;
        }
        Ok(())
    }

    fn each(&mut self, mut see: impl FnMut(&Replay, Slot, u64, u64)) -> anyhow::Result<()> {
        let mut scan = self.reader.scan(self.replay.next_slot());
        while let Some(scanned) = scan.next_frame()? {
            let slot = scanned.slot;
            let length = scanned.frame.len() as u64;
            self.replay.fold(scanned.frame, |_, _, _| {})?;
            self.groups += 1;
            self.bytes += length;
            see(&self.replay, slot, self.groups, self.bytes);
        }
        Ok(())
    }

    /// The digests of states that records note, by the last record folded into each. Nothing else is looked at, and what
    /// cannot be read is left to whoever folds it.
    pub(crate) fn digests(&self) -> anyhow::Result<BTreeMap<Seq, Vec<NotedDigest>>> {
        let mut noted: BTreeMap<Seq, Vec<NotedDigest>> = BTreeMap::new();
        let mut scan = self.reader.scan(Slot::FIRST);
        while let Some(scanned) = scan.next_frame()? {
            let Ok(group) = GroupView::decode(scanned.frame) else { continue };
            let of_shard = |bytes: &&&[u8]| matches!(codec::subject(bytes), Ok(Subject::Shard(_)));
            for record in group.records.iter().filter(of_shard).filter_map(|bytes| codec::decode(bytes).ok())
            {
                if let Event::Shard(ShardEvent::StateHashed { layout, hash, through }) = record.event {
                    let digest = NotedDigest { by: record.seq, layout, digest: Digest(hash) };
                    noted.entry(through).or_default().push(digest);
                }
            }
        }
        Ok(noted)
    }

    /// What has been folded.
    pub(crate) const fn replay(&self) -> &Replay {
        &self.replay
    }

    /// Groups read, and their bytes.
    pub(crate) const fn read(&self) -> (u64, u64) {
        (self.groups, self.bytes)
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// That a record notes the digest of a state.
#[derive(Debug)]
pub(crate) struct NotedDigest {
    /// The record.
    pub(crate) by: Seq,
    /// The layout of what was digested.
    pub(crate) layout: u32,
    /// The digest.
    pub(crate) digest: Digest,
}

/// How many shards the log was made with, by its first record.
fn shards(reader: &Reader<Directory>) -> anyhow::Result<u64> {
    let Some(frame) = reader.read(Slot::FIRST)? else { return Ok(1) };
    let group = GroupView::decode(&frame)?;
    let first = group.records.first().context("the first group is empty")?;
    let event = codec::decode(first)?.event;
    let Event::Shard(ShardEvent::Opened { shards, .. }) = event else {
        bail!("the log begins with {} and not with the opening of an epoch", event.name());
    };
    Ok(shards)
}
