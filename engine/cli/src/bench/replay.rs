//! How many records a second are read, checked, decoded and folded, beside merely reading the same files.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::ensure;
use hourglass_engine::log::files::Directory;
use hourglass_engine::log::segments::Reader;
use hourglass_events::ShardNumber;
use hourglass_kernel::{Replay, Slot};

use super::log::{Frames, Written};
use super::table::{Aim, Rounds, Row, Unit};
use super::{Load, enough, timed_on_core};
use crate::progress::Bar;

/// As much as the log itself reads at once.
const CHUNK: usize = 1 << 20;

/// Measure, for each size of groups, on a log of its own in `dir`. The files are in the system's cache.
pub(super) async fn measure(load: &Load, dir: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for &records in &load.replayed_groups {
        rows.extend(of_size(load, records, &dir.join(format!("replay-{records}"))).await?);
    }
    Ok(rows)
}

async fn of_size(load: &Load, records: usize, dir: &Path) -> anyhow::Result<Vec<Row>> {
    let mut written = Written::new(load.sandboxes, dir)?;
    let bytes = fill(&mut written, records, load.replayed).await?;
    let files = segments(dir)?;
    let reader = written.log.reader();
    let (mut bare, mut checked, mut replayed) = (Rounds::default(), Rounds::default(), Rounds::default());
    let begun = Instant::now();
    for round in 0..=load.rounds {
        if enough(begun, round.saturating_sub(1) as usize) {
            break;
        }
        let reading = timed_on_core(|| read(&files, bytes))?;
        let checking = timed_on_core(|| check(&reader))?;
        let mut folded = 0;
        let replaying = timed_on_core(|| {
            folded = replay(&reader)?;
            Ok(())
        })?;
        ensure!(folded >= load.replayed as u64, "only {folded} records were folded");
        // The first one warms up.
        if round > 0 {
            let rate = |seconds: f64| folded as f64 / seconds;
            bare.push(rate(reading));
            checked.push(rate(checking));
            replayed.push(rate(replaying));
        }
    }
    let what = |name: &str| format!("{name}, groups of {records}");
    Ok(vec![
        Row::new(what("replay"), Unit::PerSecond, replayed)
            .beside("bare scan", &bare)
            .aim(Aim::Figure(1.5e6)),
        Row::new(what("  of that, read and check"), Unit::PerSecond, checked).beside("bare scan", &bare),
    ])
}

/// Write at least so many records in groups of `records`, and say how many bytes they take.
async fn fill(written: &mut Written, records: usize, least: usize) -> anyhow::Result<u64> {
    const GROUPS: usize = 256;
    let bar = Bar::new(&format!("writing groups of {records}"));
    let mut frames = Frames::default();
    let (mut count, mut bytes) = (0, 0);
    while count < least {
        bar.show(count as f64 / least as f64, String::new());
        count += written.append(records, GROUPS.min((least - count).div_ceil(records)), &mut frames).await?;
        bytes += frames.bytes();
    }
    bar.finish();
    Ok(bytes)
}

/// The segment files in `dir`, first to last.
fn segments(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "segment") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Read `bytes` of `files` in order. Not the zeros that the last one ends with.
fn read(files: &[PathBuf], mut bytes: u64) -> anyhow::Result<()> {
    let mut chunk = vec![0; CHUNK];
    for path in files {
        let mut file = File::open(path)?.take(bytes);
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                break;
            }
            bytes -= read as u64;
            black_box(&chunk);
        }
    }
    Ok(())
}

fn check(reader: &Reader<Directory>) -> anyhow::Result<()> {
    let mut scan = reader.scan(Slot::FIRST);
    while let Some(scanned) = scan.next_frame()? {
        black_box(scanned.frame);
    }
    Ok(())
}

fn replay(reader: &Reader<Directory>) -> anyhow::Result<u64> {
    let mut replay = Replay::new(ShardNumber(0), 1);
    let mut scan = reader.scan(Slot::FIRST);
    while let Some(scanned) = scan.next_frame()? {
        replay.fold(scanned.frame, |_, _, _| {})?;
    }
    Ok(replay.fleet().seq().0)
}
