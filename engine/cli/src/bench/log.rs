//! How many records a second become durable, through the whole log, beside bare writes of the same bytes.
//!
//! The log is used as the engine uses it: one group in flight, and the next one's records are encoded and chained
//! meanwhile. Rounds alternate between what is compared, so that neighbours on the disk disturb all of it alike.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use hourglass_engine::log::segments::{Options, SegmentLog};
use hourglass_engine::log::{EventLog as _, Outcome};
use hourglass_events::Digest;
use hourglass_events::codec::{GROUP_BYTES_MOST, GroupView};
use hourglass_kernel::{Entry, Mark};

use super::peers::{self, Peer};
use super::table::{Aim, Rounds, Row, Unit};
use super::workload::Workload;
use super::{Load, enough, timed};
use crate::progress::Bar;

/// Drawn once by a writer; here it is always the same.
const NONCE: u128 = 0x0bec;

/// Records in a group, and groups in a round.
pub(super) type Size = (usize, usize);

/// Measure, for each size of groups, in a directory of its own.
pub(super) async fn measure(load: &Load, dir: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for &size in &load.groups {
        rows.extend(of_size(load, size, &dir.join(format!("groups-of-{}", size.0))).await?);
    }
    Ok(rows)
}

async fn of_size(load: &Load, (records, groups): Size, dir: &Path) -> anyhow::Result<Vec<Row>> {
    let mut written = Written::new(load.sandboxes, &dir.join("log"))?;
    let mut peers = peers::open(dir)?;
    let mut frames = Frames::default();
    let (mut log, mut bare, mut growing) = (Rounds::default(), Rounds::default(), Rounds::default());
    let mut others: Vec<Rounds> = peers.iter().map(|_| Rounds::default()).collect();
    let bar = Bar::new(&format!("groups of {records}"));
    let begun = Instant::now();
    for round in 0..=load.rounds {
        if enough(begun, round.saturating_sub(1) as usize) {
            break;
        }
        bar.show(f64::from(round) / f64::from(load.rounds + 1), String::new());
        let began = Instant::now();
        let count = written.append(records, groups, &mut frames).await?;
        let through_log = began.elapsed().as_secs_f64();
        let alone = write(&dir.join("bare"), &frames)?;
        let appended = append(&dir.join("growing"), &frames)?;
        // The first one warms up.
        let counts = round > 0;
        if counts {
            log.push(count as f64 / through_log);
            bare.push(count as f64 / alone);
            growing.push(count as f64 / appended);
        }
        for (peer, rounds) in peers.iter_mut().zip(&mut others) {
            let (count, seconds) = store(peer.as_mut(), &frames, groups.div_ceil(8))?;
            if counts {
                rounds.push(count as f64 / seconds);
            }
        }
    }
    bar.finish();
    let what = |name: &str| format!("{name}, groups of {records}");
    let mut ours = Row::new(what("log"), Unit::PerSecond, log.clone()).beside("bare", &bare);
    if records == 512 {
        ours = ours.aim(Aim::Ratio(0.8));
    }
    let growing = Row::new(what("  bare, growing file"), Unit::PerSecond, growing).beside("log", &log);
    let others = peers.iter().zip(others).map(|(peer, rounds)| {
        Row::new(what(&format!("  {}", peer.name())), Unit::PerSecond, rounds).beside("log", &log)
    });
    let absent = peers::ABSENT.map(|why| Row::skipped(what("  sled, redb"), why));
    Ok([ours, growing].into_iter().chain(others).chain(absent).collect())
}

/// The frames of a round, one behind the other. Kept from round to round, so that no fresh memory is timed.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Frames {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.ends.push(self.bytes.len());
    }

    /// Each with where it begins.
    fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let begins = [0].into_iter().chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, &end)| (begin, &self.bytes[begin..end]))
    }

    /// All their bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// A log being written as the kernel's shard and the engine's writer do it between them.
pub(super) struct Written {
    pub(super) log: SegmentLog,
    workload: Workload,
    mark: Mark,
    /// A record that did not fit the group before.
    over: Option<Entry>,
}

impl Written {
    /// A new log in `dir`.
    pub(super) fn new(sandboxes: usize, dir: &Path) -> anyhow::Result<Self> {
        let (log, _) = SegmentLog::open(dir, Options::new(0))?;
        Ok(Self { log, workload: Workload::new(sandboxes)?, mark: Mark::START, over: None })
    }

    /// Append so many groups of so many records, one after the other, and leave their frames in `frames`. Says how many
    /// records those are: large ones fill a group early.
    pub(super) async fn append(
        &mut self,
        records: usize,
        groups: usize,
        frames: &mut Frames,
    ) -> anyhow::Result<usize> {
        frames.clear();
        let mut count = 0;
        let mut next = stage(&mut self.workload, &mut self.over, records);
        for left in (0..groups).rev() {
            let entries = std::mem::take(&mut next);
            count += entries.len();
            let bytes = entries.iter().map(|entry| entry.bytes.as_slice()).collect();
            let last = entries.last().map_or(Digest::NONE, |entry| entry.digest);
            let (mark, frame) = self.mark.frame(self.mark == Mark::START, NONCE, bytes, last);
            self.mark = mark;
            let log = &self.log;
            let append = log.append(mark.slot, Arc::clone(&frame));
            let (workload, over) = (&mut self.workload, &mut self.over);
            let meanwhile = async {
                frames.push(&frame);
                if left > 0 {
                    next = stage(workload, over, records);
                }
            };
            // In this order: the frame is under way before the next records are encoded.
            let (outcome, ()) = tokio::join!(biased; append, meanwhile);
            ensure!(outcome == Outcome::Durable, "the log answered {outcome:?}");
        }
        Ok(count)
    }
}

/// Write down the records of the next group: so many, or as many as fit.
fn stage(workload: &mut Workload, over: &mut Option<Entry>, records: usize) -> Vec<Entry> {
    let mut bytes = 0;
    let mut entries = Vec::with_capacity(records);
    while entries.len() < records {
        let entry = over.take().unwrap_or_else(|| workload.entry());
        bytes += entry.bytes.len();
        if bytes > GROUP_BYTES_MOST {
            *over = Some(entry);
            break;
        }
        entries.push(entry);
    }
    entries
}

/// Write each frame behind the one before and sync it, to a file all of whose bytes were written before; the seconds
/// that takes.
fn write(path: &Path, frames: &Frames) -> anyhow::Result<f64> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    let there = file.metadata()?.len();
    if there < frames.bytes() {
        file.write_all_at(&vec![0; usize::try_from(frames.bytes() - there)?], there)?;
        file.sync_all()?;
    }
    write_through(&file, frames)
}

/// The same to a file that grows with every frame, as is written where nothing is set aside.
fn append(path: &Path, frames: &Frames) -> anyhow::Result<f64> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.sync_all()?;
    write_through(&file, frames)
}

fn write_through(file: &File, frames: &Frames) -> anyhow::Result<f64> {
    timed(|| {
        for (offset, frame) in frames.iter() {
            file.write_all_at(frame, offset as u64)?;
            file.sync_data()?;
        }
        Ok(())
    })
}

/// Store the records of the first `groups` frames; how many those are, and the seconds that took.
fn store(peer: &mut dyn Peer, frames: &Frames, groups: usize) -> anyhow::Result<(usize, f64)> {
    let frames = frames.iter().take(groups).map(|(_, frame)| GroupView::decode(frame));
    let views = frames.collect::<Result<Vec<_>, _>>()?;
    let seconds = timed(|| views.iter().try_for_each(|view| peer.store(&view.records)))?;
    Ok((views.iter().map(|view| view.records.len()).sum(), seconds))
}
