//! How long a native sandbox takes until it runs: through the driver alone, part by part, and through the engine.
//!
//! Everything it makes is in a directory of its own, which is cleared before and after; only the base image is shared
//! with the demo.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hourglass_agent::client::Agent;
use hourglass_agent::{Program, Run};
use hourglass_engine::{Engine, Store, Target};
use hourglass_events::{HostId, Image, OrderNumber, OrganizationId, Plan, SandboxId, Span, State};
use hourglass_hostd::Driver;
use hourglass_hostd::driver::Command;
use hourglass_hostd::image::{self, Recipe};
use hourglass_hostd::ledger::SledLedger;
use hourglass_hostd::native::{Config, NativeDriver, Pool};

use super::engine::{PATIENCE, create};
use super::recorder::Heard;
use super::table::{Aim, Rounds, Row, Unit};
use super::{Load, enough};
use crate::local::{BaseArguments, Local, Machine, base_image, install_tools};
use crate::progress::Bar;

const OWNER: OrganizationId = OrganizationId::from_u128(0xbec);
const HOST: HostId = HostId::from_u128(0xbec);
const WHAT: &str = "native create → running";
/// Sandboxes made before any counts.
const WARM_UP: usize = 3;

/// Measure in `dir`, with the base image of the data directory `data`. Where this machine cannot, say why.
pub(super) async fn measure(
    load: &Load,
    dir: &Path,
    data: &Path,
    base: &BaseArguments,
) -> anyhow::Result<Vec<Row>> {
    let image = match prepare(dir, data, base).await {
        Ok(image) => image,
        Err(error) => return Ok(vec![Row::skipped(WHAT, format!("{error:#}"))]),
    };
    let measured = tokio::select! {
        measured = both(load, dir, image) => measured,
        stopped = tokio::signal::ctrl_c() => {
            stopped?;
            Err(anyhow::anyhow!("interrupted; what was made is removed again"))
        }
    };
    clear(dir).await.context("not everything that was made could be removed")?;
    measured
}

/// See that the machine can, take away what a bench that was killed left, and have a base image.
async fn prepare(dir: &Path, data: &Path, base: &BaseArguments) -> anyhow::Result<Image> {
    install_tools(base)?;
    clear(dir).await?;
    let images = data.join("host/images");
    fs::create_dir_all(&images)?;
    let image = base_image(image::Store::new(&data.join("host")), base, Recipe::default()).await?;
    fs::create_dir_all(dir.join("host"))?;
    std::os::unix::fs::symlink(fs::canonicalize(images)?, dir.join("host/images"))?;
    Ok(image)
}

/// Leave no sandbox of `dir`, and not the directory either.
async fn clear(dir: &Path) -> anyhow::Result<()> {
    for place in ["host", "pooled"] {
        let driver = NativeDriver::new(Config::new(dir.join(place))).await?;
        for found in driver.survey().await? {
            driver.erase(found.sandbox).await?;
        }
    }
    Ok(fs::remove_dir_all(dir)?)
}

async fn both(load: &Load, dir: &Path, image: Image) -> anyhow::Result<Vec<Row>> {
    let heard = Heard::installed()?;
    let driver = Arc::new(NativeDriver::new(Config::new(dir.join("host"))).await?);
    let (mut rows, Figures { run, exec }) = by_driver(load, &driver, &image, &heard).await?;
    let pooled = by_pool(load, dir, &image).await?;
    let whole = by_engine(load, dir, Machine { driver, image }).await?;
    let row = |rounds| Row::new("  through the whole engine", Unit::Seconds, rounds);
    // Behind the row of the same by the driver alone, which follows the first and its parts.
    rows.insert(PARTS.len() + 2, row(whole.exec).beside("driver", &exec).aim(EXEC_AIM));
    rows.insert(1, row(whole.run).beside("driver", &run).aim(AIM));
    let row = Row::new("  from the pool, by the driver", Unit::Seconds, pooled);
    rows.insert(1, row.beside("made anew", &run).aim(POOLED_AIM));
    Ok(rows)
}

const AIM: Aim = Aim::Figure(60e-3);
const POOLED_AIM: Aim = Aim::Figure(30e-3);
const EXEC_AIM: Aim = Aim::Figure(5e-3);

/// How much the pool keeps ready.
const POOLED: usize = 3;

/// The time until each sandbox ran when disk and network lay ready.
async fn by_pool(load: &Load, dir: &Path, image: &Image) -> anyhow::Result<Rounds> {
    let host = dir.join("pooled");
    fs::create_dir_all(&host)?;
    std::os::unix::fs::symlink(fs::canonicalize(dir.join("host/images"))?, host.join("images"))?;
    let mut config = Config::new(host);
    config.pool = Pool::of(POOLED);
    let driver = NativeDriver::new(config).await?;
    let bar = Bar::new("native, from the pool");
    let mut rounds = Rounds::default();
    let begun = Instant::now();
    for count in 0..load.natives + WARM_UP {
        if enough(begun, count.saturating_sub(WARM_UP)) {
            break;
        }
        bar.show(count as f64 / (load.natives + WARM_UP) as f64, String::new());
        while driver.pooled() != (POOLED, POOLED) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let id = SandboxId::from_u128(count as u128 + 1);
        let began = Instant::now();
        driver.provision(id, OrderNumber(1), &plan(image)).await?;
        driver.boot(id, OrderNumber(1), &plan(image)).await?;
        let ran = began.elapsed();
        driver.erase(id).await?;
        if count >= WARM_UP {
            rounds.push(ran.as_secs_f64());
        }
    }
    bar.finish();
    Ok(rounds)
}

/// What is measured by the driver and by the engine.
#[derive(Default)]
struct Figures {
    /// The time until each sandbox ran.
    run: Rounds,
    /// The time a command in each took.
    exec: Rounds,
}

/// The rows, and the figures behind them.
async fn by_driver(
    load: &Load,
    driver: &NativeDriver,
    image: &Image,
    heard: &Heard,
) -> anyhow::Result<(Vec<Row>, Figures)> {
    let [mut run, mut exec, mut stop, mut again, mut erase]: [Rounds; 5] = Default::default();
    let mut parts = Vec::new();
    let bar = Bar::new("native, by the driver");
    let plan = plan(image);
    let begun = Instant::now();
    for count in 0..load.natives + WARM_UP {
        if enough(begun, count.saturating_sub(WARM_UP)) {
            break;
        }
        bar.show(count as f64 / (load.natives + WARM_UP) as f64, String::new());
        let id = SandboxId::from_u128(count as u128 + 1);
        heard.take();
        let began = Instant::now();
        driver.provision(id, OrderNumber(1), &plan).await?;
        driver.boot(id, OrderNumber(1), &plan).await?;
        let ran = began.elapsed();
        let made = heard.take();
        let began = Instant::now();
        driver.exec(id, nothing()).await?;
        let executed = began.elapsed();
        let began = Instant::now();
        driver.halt(id, Span::seconds(5)).await?;
        let halted = began.elapsed();
        let began = Instant::now();
        driver.boot(id, OrderNumber(2), &plan).await?;
        let ran_again = began.elapsed();
        let began = Instant::now();
        driver.erase(id).await?;
        let erased = began.elapsed();
        if count >= WARM_UP {
            run.push(ran.as_secs_f64());
            parts.push(made);
            exec.push(executed.as_secs_f64());
            stop.push(halted.as_secs_f64());
            again.push(ran_again.as_secs_f64());
            erase.push(erased.as_secs_f64());
        }
    }
    bar.finish();
    let row = |what: &str, rounds| Row::new(what, Unit::Seconds, rounds);
    let mut rows = vec![row(WHAT, run.clone()).aim(AIM)];
    for part in PARTS {
        let seconds = parts.iter().map(|made| made.get(part).into_iter().flatten().sum());
        rows.push(row(&format!("  part: {part}"), seconds.collect()));
    }
    rows.push(row("native exec /bin/true", exec.clone()).aim(EXEC_AIM));
    rows.push(row("native stop, with grace", stop));
    rows.push(row("native start again", again));
    rows.push(row("native delete, running", erase));
    Ok((rows, Figures { run, exec }))
}

/// What the driver measures of itself on the way to a sandbox that runs, in this order.
const PARTS: [&str; 7] = ["disk", "loop", "mounts", "network", "cgroup", "container", "agent"];

/// The time from asking until each sandbox is seen as started, and that of a command through a tunnel. One is there at
/// a time.
async fn by_engine(load: &Load, dir: &Path, machine: Machine) -> anyhow::Result<Figures> {
    let engine = Engine::builder(Store::embedded(dir)).start().await?;
    let ledger = SledLedger::open(&dir.join("ledger"))?;
    let local = Local::attach(engine, machine, Box::new(ledger), HOST).await?;
    let client = local.engine.client(OWNER, "bench");
    let bar = Bar::new("native, by the engine");
    let mut figures = Figures::default();
    let begun = Instant::now();
    for count in 0..load.natives + WARM_UP {
        if enough(begun, count.saturating_sub(WARM_UP)) {
            break;
        }
        bar.show(count as f64 / (load.natives + WARM_UP) as f64, String::new());
        let seconds = create(&local.engine, &client, &local.snapshot).await?;
        let made = local.engine.view_of(OWNER).fleet();
        for sandbox in made.sandboxes() {
            let began = Instant::now();
            let tunnel = local.engine.dial(sandbox.id, Target::Agent).await?;
            Agent::over(tunnel).run(nothing_by_agent()).await?;
            if count >= WARM_UP {
                figures.run.push(seconds);
                figures.exec.push(began.elapsed().as_secs_f64());
            }
            client.delete(sandbox.id).await?;
            local.engine.wait_for(sandbox.id, State::Deleted, PATIENCE).await?;
        }
    }
    bar.finish();
    local.shutdown().await;
    Ok(figures)
}

fn plan(image: &Image) -> Plan {
    Plan::new(OWNER, "bench", image.clone())
}

fn nothing() -> Command {
    let argv = vec!["/bin/true".to_owned()];
    Command { argv, env: Vec::new(), cwd: None, timeout: Some(Span::seconds(60)) }
}

fn nothing_by_agent() -> Run {
    let program = Program { argv: nothing().argv, ..Program::default() };
    Run { program, merged: false, keep: 0 }
}
