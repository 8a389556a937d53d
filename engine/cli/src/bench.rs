//! `hourglass bench`: how fast this machine does what Hourglass is made of, beside what bounds it.
//!
//! Loads are fixed, the first round of each warms up, and what is compared alternates within one run. Medians are
//! shown with the least and the most, because neighbours on a machine disturb.

mod api;
mod engine;
mod fleet;
mod fold;
mod log;
mod native;
mod peers;
mod recorder;
mod replay;
mod table;
mod workload;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::local::BaseArguments;
use crate::{Data, paint};
use table::Row;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value_t = What::All)]
    what: What,
    /// How often each thing is measured at most, beside a first time that does not count.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Print JSON, with the figure of every round, and no table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    base: BaseArguments,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Folding and decoding records on one core.
    Fold,
    /// Durable appends, beside bare writes and other stores.
    Log,
    /// Reading, checking and folding a log, beside a bare scan.
    Replay,
    /// What a shard costs by how many sandboxes it holds.
    Fleet,
    /// Creating native sandboxes. Needs root.
    Native,
    /// The engine's own share of creating a sandbox.
    Engine,
    /// What the HTTP API adds, beside a bare handler.
    Api,
    /// All of these.
    All,
}

impl What {
    const EACH: [Self; 7] =
        [Self::Fold, Self::Log, Self::Replay, Self::Fleet, Self::Engine, Self::Api, Self::Native];

    /// What the figures are, for who only sees the table.
    const fn note(self) -> &'static str {
        match self {
            Self::Fold => {
                "fold: one core, by its own time; the records of 10 000 sandboxes, visited in a scattered order."
            }
            Self::Log => {
                "log: records encoded, chained, framed and synced, one group in flight, as the engine does it; \
                 bare: the same frames written to a file made beforehand, with one fdatasync each; growing file: \
                 appended to an empty one instead. The log makes \
                 its next file while it runs, so it writes every byte twice. Other stores \
                 hold the same records by number, one durable transaction a group."
            }
            Self::Replay => {
                "replay: read, check CRC and chain, decode, fold, on one core, by its own time; bare scan: read() \
                 of the same files by the MiB. The files are in the system's cache."
            }
            Self::Fleet => {
                "fleet: a shard of stopped sandboxes in memory, with a log that takes no time and a host that does \
                 everything at once; decisions on one core, by its own time, and memory of the shard alone. \
                 Timers go off in real time, 10 000 a second, while all others are armed."
            }
            Self::Native => {
                "native: provision and boot by the driver until the agent inside answers; through the engine, \
                 from a client's request until it sees the sandbox started, with every sync."
            }
            Self::Engine => {
                "create → started: from a client's request until it sees the sandbox started, through engine, \
                 host worker and a driver that only pretends. No sync is in it: the log is in memory, or the \
                 time of the embedded log's appends is taken off. At once: all asked together, so the last waits \
                 for the others."
            }
            Self::Api => {
                "API: over connections of this machine, client and server on the same cores; the log is on the disk, and \
                 the host only pretends, so its own time is none. bare axum: a handler that gives the same JSON."
            }
            Self::All => "",
        }
    }
}

/// How much is done.
#[derive(Debug, Clone)]
struct Load {
    rounds: u32,
    sandboxes: usize,
    /// Records that are folded in memory.
    folded: usize,
    groups: Vec<log::Size>,
    /// Sandboxes of a shard; commands of a round, checkpoints, and how long timers are watched.
    crowds: Vec<usize>,
    linked: usize,
    decided: usize,
    checkpoints: usize,
    timers: Duration,
    /// Records of the logs that are replayed, and the sizes of their groups.
    replayed: usize,
    replayed_groups: Vec<usize>,
    /// Sandboxes created one by one in a round, and at once.
    creates: usize,
    together: usize,
    /// Requests to the API in a round, and sandboxes that a client uses in one.
    asked: usize,
    lives: usize,
    /// Native sandboxes, over all.
    natives: usize,
}

/// The longest that repeats of one thing may take: on a busy disk there are fewer of them, but never none. With it a
/// whole run takes some three minutes.
const REPEATS: Duration = Duration::from_secs(15);

/// Whether what began then, and has been done so often beside a first time that does not count, was repeated enough.
fn enough(began: Instant, counted: usize) -> bool {
    counted > 0 && began.elapsed() > REPEATS
}

impl Load {
    fn new(rounds: u32) -> Self {
        Self {
            rounds,
            sandboxes: 10_000,
            folded: 200_000,
            groups: vec![(1, 1_000), (64, 1_500), (512, 700)],
            crowds: vec![1_000, 100_000, 1_000_000],
            linked: 10_000,
            decided: 20_000,
            checkpoints: 3,
            timers: Duration::from_secs(5),
            replayed: 1_000_000,
            replayed_groups: vec![512, 16],
            creates: 300,
            together: 100,
            asked: 8_000,
            lives: 30,
            natives: 6 * rounds as usize,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let asked = |what: &What| arguments.what == What::All || arguments.what == *what;
    let chosen: Vec<What> = What::EACH.into_iter().filter(asked).collect();
    let place = Place::take(&arguments.data.data)?;
    let load = Load::new(arguments.rounds);
    let before = machine();
    if !arguments.json {
        paint::say(format!("Hourglass {} · {before}", env!("CARGO_PKG_VERSION")));
        table::header();
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let mut measured: Vec<Value> = Vec::new();
    for &what in &chosen {
        let rows = runtime.block_on(measure(what, &load, &place, arguments))?;
        if !arguments.json {
            rows.iter().for_each(paint::say);
        }
        measured.extend(rows.iter().map(Row::json));
    }
    if arguments.json {
        let report = json!({ "command": command(), "machine": before, "after": machine(), "rows": measured });
        paint::say(format!("{report:#}"));
    } else {
        paint::say("");
        chosen.iter().for_each(|what| paint::say(what.note()));
        paint::say(format!("Afterwards: {}.\nCommand: {}", machine(), command()));
    }
    Ok(())
}

async fn measure(what: What, load: &Load, place: &Place, arguments: &Arguments) -> anyhow::Result<Vec<Row>> {
    match what {
        What::Fold => fold::measure(load),
        What::Log => log::measure(load, &place.empty("log")?).await,
        What::Replay => replay::measure(load, &place.empty("replay")?).await,
        What::Fleet => fleet::measure(load, &place.empty("fleet")?).await,
        What::Api => api::measure(load, &place.empty("api")?).await,
        What::Engine => engine::measure(load, &place.empty("engine")?).await,
        What::Native => {
            native::measure(load, &place.path.join("native"), &arguments.data.data, &arguments.base).await
        }
        What::All => Ok(Vec::new()),
    }
}

/// Do `work`, and say how many seconds it took.
fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed().as_secs_f64())
}

/// The same for work of this thread alone, not counting the time neighbours kept it off its core.
fn timed_on_core(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let before = on_core()?;
    work()?;
    Ok(on_core()? - before)
}

/// The seconds this thread has been on a core.
fn on_core() -> anyhow::Result<f64> {
    let said =
        fs::read_to_string("/proc/thread-self/schedstat").context("Linux says how long threads ran")?;
    let nanos: u64 = said.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanos).as_secs_f64())
}

/// The bench's own corner of the data directory, on the disk whose speed matters. Held by one bench at a time.
struct Place {
    path: PathBuf,
    lock: File,
}

impl Place {
    fn take(data: &Path) -> anyhow::Result<Self> {
        let path = data.join("bench");
        let unusable = || format!("{} cannot be used; name another directory with --data", path.display());
        fs::create_dir_all(&path).with_context(unusable)?;
        let lock = File::create(path.join("lock")).with_context(unusable)?;
        lock.try_lock().with_context(|| format!("another bench runs in {}", path.display()))?;
        Ok(Self { path, lock })
    }

    /// An empty directory, whatever a bench that was cut short left there.
    fn empty(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir(&path)?;
        Ok(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The native bench has removed its own, or has said why it could not.
        for name in ["log", "replay", "fleet", "engine", "api", "lock"] {
            let path = self.path.join(name);
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        let _ = fs::remove_dir(&self.path);
        let _ = self.lock.unlock();
    }
}

/// What the figures were measured on, and how busy that is.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!("{cores} cores of {model}, load {load}")
}

/// The command line as it was given.
fn command() -> String {
    std::env::args().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A little of everything, to see that it works. Times are nobody's claim here.
    fn little() -> Load {
        Load {
            rounds: 1,
            sandboxes: 10,
            folded: 100,
            groups: vec![(1, 2), (16, 2)],
            crowds: vec![10],
            linked: 5,
            decided: 20,
            checkpoints: 1,
            timers: Duration::from_millis(20),
            replayed: 200,
            replayed_groups: vec![16],
            creates: 3,
            together: 5,
            asked: 32,
            lives: 1,
            natives: 1,
        }
    }

    fn told(rows: &[Row]) -> String {
        rows.iter().map(|row| format!("{row}\n")).collect()
    }

    #[test]
    fn folding_is_measured() {
        let rows = fold::measure(&little()).unwrap();
        assert!(told(&rows).contains("decode + fold"), "{}", told(&rows));
    }

    #[tokio::test]
    async fn the_log_and_its_replay_are_measured() {
        let dir = tempfile::tempdir().unwrap();
        let rows = log::measure(&little(), dir.path()).await.unwrap();
        assert!(told(&rows).contains("log, groups of 16"), "{}", told(&rows));
        let rows = replay::measure(&little(), dir.path()).await.unwrap();
        assert!(told(&rows).contains("replay, groups of 16"), "{}", told(&rows));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_engine_is_measured() {
        let dir = tempfile::tempdir().unwrap();
        let rows = engine::measure(&little(), dir.path()).await.unwrap();
        assert!(told(&rows).contains("embedded log less its appends: p99"), "{}", told(&rows));
    }

    #[tokio::test]
    async fn a_fleet_is_measured() {
        let dir = tempfile::tempdir().unwrap();
        let rows = fleet::measure(&little(), dir.path()).await.unwrap();
        assert!(told(&rows).contains("checkpoint → serving, of 10"), "{}", told(&rows));
        assert!(told(&rows).contains("cascade to linked sandboxes, of 5"), "{}", told(&rows));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_api_is_measured() {
        let dir = tempfile::tempdir().unwrap();
        let rows = api::measure(&little(), dir.path()).await.unwrap();
        assert!(told(&rows).contains("API: list of 100"), "{}", told(&rows));
    }

    #[test]
    fn a_place_is_one_benchs_and_goes_with_it() {
        let data = tempfile::tempdir().unwrap();
        let place = Place::take(data.path()).unwrap();
        assert!(Place::take(data.path()).is_err());
        place.empty("log").unwrap();
        drop(place);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }
}
