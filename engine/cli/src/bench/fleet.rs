//! What a shard costs by how many sandboxes it holds: a decision, the memory of one that is idle, a checkpoint while it
//! serves, serving from a checkpoint, and how late its timers are.

mod crowd;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hourglass_events::{Span, Timestamp};
use hourglass_kernel::Checkpoint;

use super::table::{Aim, Rounds, Row, Unit};
use super::{Load, timed_on_core};
use crate::progress::Bar;
use crowd::Crowd;

/// The time between a crowd's records: so far apart are the timers of its sandboxes.
const STEP: Span = Span(100);
/// The smallest crowd whose memory is more than noise.
const WEIGHABLE: usize = 10_000;

/// Measure, for each size of crowd.
pub(super) async fn measure(load: &Load, dir: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut smallest = None;
    for &sandboxes in &load.crowds {
        let before = resident()?;
        let mut crowd = gather(sandboxes)?;
        let weight = resident()?.saturating_sub(before) as f64 / sandboxes as f64;
        let decided = decisions(load, &mut crowd)?;
        let row = Row::new(of("decisions", sandboxes), Unit::PerSecond, decided.clone());
        rows.push(match &smallest {
            // Half as dear again is two thirds as many.
            Some(smallest) => row.beside("the fewest", smallest).aim(Aim::Ratio(1.0 / 1.5)),
            None => row,
        });
        smallest.get_or_insert(decided);
        if sandboxes >= WEIGHABLE {
            let weight = [weight].into_iter().collect();
            rows.push(
                Row::new(of("memory of each", sandboxes), Unit::Bytes, weight).aim(Aim::Figure(1024.0)),
            );
        }
        rows.extend(checkpoints(load, &mut crowd, sandboxes, dir)?);
        rows.push(lateness(load, crowd, sandboxes).await?);
    }
    rows.push(cascade(load)?);
    Ok(rows)
}

/// From the deletion of a sandbox until everybody linked with it is gone.
fn cascade(load: &Load) -> anyhow::Result<Row> {
    let mut rounds = Rounds::default();
    for _ in 0..load.rounds {
        let mut family = Crowd::family(load.linked)?;
        rounds.push(timed_on_core(|| family.end())?);
    }
    Ok(Row::new(of("cascade to linked sandboxes", load.linked), Unit::Seconds, rounds))
}

fn of(what: &str, sandboxes: usize) -> String {
    let sandboxes = match sandboxes {
        1_000_000.. => format!("{} M", sandboxes / 1_000_000),
        1_000.. => format!("{} k", sandboxes / 1_000),
        few => few.to_string(),
    };
    format!("{what}, of {sandboxes}")
}

fn gather(sandboxes: usize) -> anyhow::Result<Crowd> {
    let bar = Bar::new(&format!("gathering {sandboxes} sandboxes"));
    let crowd = Crowd::gather(sandboxes, STEP, |done| bar.show(done, String::new()));
    bar.finish();
    crowd
}

/// Records decided a second, from a request or a report until it is answered, with a log that takes no time.
fn decisions(load: &Load, crowd: &mut Crowd) -> anyhow::Result<Rounds> {
    let mut rounds = Rounds::default();
    for round in 0..=load.rounds {
        let before = crowd.records();
        let seconds = timed_on_core(|| (0..load.decided).try_for_each(|_| crowd.use_one()))?;
        // The first one warms up.
        if round > 0 {
            rounds.push((crowd.records() - before) as f64 / seconds);
        }
    }
    Ok(rounds)
}

/// A checkpoint written by another thread while the shard decides, and a shard that serves from it.
fn checkpoints(load: &Load, crowd: &mut Crowd, sandboxes: usize, dir: &Path) -> anyhow::Result<[Row; 3]> {
    let path = dir.join("checkpoint");
    let (mut written, mut decided, mut serving) = (Rounds::default(), Rounds::default(), Rounds::default());
    for _ in 0..load.checkpoints {
        let checkpoint = crowd.shard().checkpoint();
        let to = path.clone();
        let writer = thread::spawn(move || write(&checkpoint, &to));
        while !writer.is_finished() {
            let began = Instant::now();
            crowd.use_one()?;
            decided.push(began.elapsed().as_secs_f64());
        }
        written.push(writer.join().map_err(|_| anyhow::anyhow!("the checkpoint was not written"))??);
        serving.push(serve(&path)?);
    }
    let slowest = [decided.share(99)].into_iter().collect();
    Ok([
        Row::new(of("checkpoint", sandboxes), Unit::Seconds, written),
        Row::new(of("  one command meanwhile: p99", sandboxes), Unit::Seconds, slowest)
            .aim(Aim::Figure(0.01)),
        Row::new(of("checkpoint → serving", sandboxes), Unit::Seconds, serving).aim(Aim::Figure(2.0)),
    ])
}

fn write(checkpoint: &Checkpoint, path: &Path) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut file = File::create(path)?;
    file.write_all(&checkpoint.to_bytes())?;
    file.sync_all()?;
    Ok(began.elapsed().as_secs_f64())
}

/// Read the checkpoint, and serve from it.
fn serve(path: &Path) -> anyhow::Result<f64> {
    let began = Instant::now();
    let crowd = Crowd::resume(Checkpoint::from_bytes(&fs::read(path)?)?)?;
    let seconds = began.elapsed().as_secs_f64();
    ensure!(!crowd.shard().committed().is_empty(), "nobody came back from the checkpoint");
    Ok(seconds)
}

/// How long after it was due each timer's decision was made, in real time, while all others are armed too.
async fn lateness(load: &Load, mut crowd: Crowd, sandboxes: usize) -> anyhow::Result<Row> {
    let due = crowd.deadline().context("a timer is armed")?;
    crowd.hurry_to(due);
    let (base, began) = (due, Instant::now());
    let mut late = Rounds::default();
    while began.elapsed() < load.timers {
        let Some(next) = crowd.deadline() else { break };
        tokio::time::sleep_until((began + since(next, base)).into()).await;
        let now = base.after(Span(u64::try_from(began.elapsed().as_micros())?));
        for at in crowd.ring(now)? {
            late.push(since(now, at).as_secs_f64());
        }
    }
    ensure!(late.share(99).is_finite(), "no timer went off");
    let slowest = [late.share(99)].into_iter().collect();
    let what = of("lateness of timers: p99", sandboxes);
    Ok(Row::new(what, Unit::Seconds, slowest).aim(Aim::Figure(0.01)))
}

fn since(later: Timestamp, earlier: Timestamp) -> Duration {
    Duration::from_micros(later.since(earlier).0)
}

/// The bytes of memory this process has.
fn resident() -> anyhow::Result<u64> {
    let said = fs::read_to_string("/proc/self/status").context("Linux says how much memory is used")?;
    let line = said.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the resident set")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}
