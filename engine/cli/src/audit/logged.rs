//! One shard's log in a data directory, read from its beginning.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use hourglass_engine::Store;
use hourglass_engine::log::files::Directory;
use hourglass_engine::log::segments::{Inspection, Options, Reader};
use hourglass_events::codec::{self, GroupView};
use hourglass_events::{Event, Record, ShardEvent, ShardNumber};
use hourglass_kernel::{Fleet, Mark, Replay, Slot};

use super::past::Moment;

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
    pub(super) fn check_checkpoint(&self) -> anyhow::Result<Option<Slot>> {
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
        let mut scan = self.reader.scan(self.replay.next_slot());
        while let Some(scanned) = scan.next_frame()? {
            self.replay.fold(scanned.frame, |_, _, _| {})?;
            see(&self.replay);
        }
        Ok(())
    }

    /// As [`Past::walk`](super::past::Past::walk).
    pub(super) fn walk(
        &mut self,
        mut wanted: impl FnMut(&Record) -> bool,
        mut see: impl FnMut(Moment<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let mut scan = self.reader.scan(self.replay.next_slot());
        while let Some(scanned) = scan.next_frame()? {
            let mut objection = Ok(());
            let whole =
                self.replay.fold_while(scanned.frame, &mut wanted, |fleet, record, bytes, digest| {
                    if objection.is_ok() {
                        objection = see(Moment { fleet, record, bytes, digest });
                    }
                })?;
            objection?;
            self.groups += 1;
            self.bytes += scanned.frame.len() as u64;
            if !whole {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Every record that is about the shard itself. Nothing else is looked at, and what cannot be read is left to
    /// whoever folds it.
    pub(super) fn of_shard(&self, mut see: impl FnMut(Record)) -> anyhow::Result<()> {
        let mut scan = self.reader.scan(Slot::FIRST);
        while let Some(scanned) = scan.next_frame()? {
            let Ok(group) = GroupView::decode(scanned.frame) else { continue };
            group.records.iter().filter_map(|bytes| super::past::of_shard(bytes)).for_each(&mut see);
        }
        Ok(())
    }

    /// What has been folded.
    pub(crate) const fn replay(&self) -> &Replay {
        &self.replay
    }

    /// The state so far.
    pub(super) const fn fleet(&self) -> &Fleet {
        self.replay.fleet()
    }

    /// Groups read, and their bytes.
    pub(super) const fn read(&self) -> (u64, u64) {
        (self.groups, self.bytes)
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
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
