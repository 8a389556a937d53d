//! The engine's own share of creating a sandbox: a driver that only pretends, and no sync.
//!
//! Measured is what a client waits from asking until it sees the sandbox as started: deciding, framing, four records
//! in three groups, orders to the host's worker and its reports, the read model. With the log in memory nothing is
//! synced; with the embedded log the time of its appends is taken off.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hourglass_engine::telemetry::APPEND_SECONDS;
use hourglass_engine::{Client, Engine, Store};
use hourglass_events::{HostId, Image, OrganizationId, Resources, SandboxId, State};
use hourglass_hostd::Scripted;
use hourglass_hostd::ledger::MemoryLedger;
use tokio::task::JoinSet;

use super::Load;
use super::recorder::Heard;
use super::table::{Aim, Rounds, Row, Unit};
use crate::local::{Local, Machine};
use crate::progress::Bar;

const OWNER: OrganizationId = OrganizationId::from_u128(0xbec);
const HOST: HostId = HostId::from_u128(0x4057);
/// Room for all sandboxes of a round.
const PLENTY: Resources = Resources { cpu: 1_000_000, memory_gib: 1_000_000, disk_gib: 10_000_000, gpu: 0 };
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
const AIM: Aim = Aim::Figure(1e-3);

/// Measure. The embedded log is made in `dir`.
pub(super) async fn measure(load: &Load, dir: &Path) -> anyhow::Result<Vec<Row>> {
    let heard = Heard::installed()?;
    let mut rows = Vec::new();
    let bench = Bench::start(Store::memory()).await?;
    let [half, most] =
        bench.rounds(load, "memory log", async || bench.one_by_one(load.creates, None).await).await?;
    rows.push(Row::new("create → started, log in memory: p50", Unit::Seconds, half));
    rows.push(Row::new("  p99", Unit::Seconds, most).aim(AIM));
    let [half, most] = bench.rounds(load, "at once", async || bench.at_once(load.together).await).await?;
    rows.push(Row::new(format!("  {} at once: p50", load.together), Unit::Seconds, half));
    rows.push(Row::new(format!("  {} at once: p99", load.together), Unit::Seconds, most));
    bench.shutdown().await;
    let bench = Bench::start(Store::embedded(dir)).await?;
    let [half, most] = bench
        .rounds(load, "embedded log", async || bench.one_by_one(load.creates, Some(&heard)).await)
        .await?;
    rows.push(Row::new("  embedded log less its appends: p50", Unit::Seconds, half));
    rows.push(Row::new("  embedded log less its appends: p99", Unit::Seconds, most).aim(AIM));
    bench.shutdown().await;
    Ok(rows)
}

/// An engine with a host that pretends.
struct Bench {
    local: Local,
    client: Client,
}

impl Bench {
    async fn start(store: Store) -> anyhow::Result<Self> {
        let machine = Machine {
            driver: Arc::new(Scripted::with_capacity(PLENTY)),
            image: Image { digest: "scripted".to_owned() },
        };
        let engine = Engine::builder(store).start().await?;
        let local = Local::attach(engine, machine, Box::new(MemoryLedger::default()), HOST).await?;
        let client = local.engine.client(OWNER, "bench");
        Ok(Self { local, client })
    }

    async fn shutdown(self) {
        self.local.shutdown().await;
    }

    /// The p50 and p99 of each round of `run`, of which the first warms up.
    async fn rounds(
        &self,
        load: &Load,
        title: &str,
        run: impl AsyncFn() -> anyhow::Result<Vec<f64>>,
    ) -> anyhow::Result<[Rounds; 2]> {
        let bar = Bar::new(title);
        let (mut half, mut most) = (Rounds::default(), Rounds::default());
        for round in 0..=load.rounds {
            bar.show(f64::from(round) / f64::from(load.rounds + 1), String::new());
            let waited: Rounds = run().await?.into_iter().collect();
            if round > 0 {
                half.push(waited.share(50));
                most.push(waited.share(99));
            }
            self.clear().await?;
        }
        bar.finish();
        Ok([half, most])
    }

    /// Create one after the other, and say how long each took. Without the time of appends, if those are heard.
    async fn one_by_one(&self, creates: usize, heard: Option<&Heard>) -> anyhow::Result<Vec<f64>> {
        let mut waited = Vec::with_capacity(creates);
        for _ in 0..creates {
            let _ = heard.map(Heard::take);
            let whole = create(&self.local.engine, &self.client, &self.local.snapshot).await?;
            let appends = heard.and_then(|heard| heard.take().remove(APPEND_SECONDS));
            waited.push(whole - appends.unwrap_or_default().iter().sum::<f64>());
        }
        Ok(waited)
    }

    /// Create so many at the same time, and say how long each took.
    async fn at_once(&self, creates: usize) -> anyhow::Result<Vec<f64>> {
        let mut tasks = JoinSet::new();
        for _ in 0..creates {
            let (engine, client) = (self.local.engine.clone(), self.client.clone());
            let snapshot = self.local.snapshot.clone();
            tasks.spawn(async move { create(&engine, &client, &snapshot).await });
        }
        tasks.join_all().await.into_iter().collect()
    }

    async fn clear(&self) -> anyhow::Result<()> {
        let fleet = self.local.engine.view_of(OWNER).fleet();
        let ids: Vec<SandboxId> = fleet.sandboxes().map(|sandbox| sandbox.id).collect();
        for &id in &ids {
            self.client.delete(id).await?;
        }
        for id in ids {
            self.local.engine.wait_for(id, State::Deleted, PATIENCE).await?;
        }
        Ok(())
    }
}

/// Create a sandbox and wait until it is seen as started: the seconds that took.
pub(super) async fn create(engine: &Engine, client: &Client, snapshot: &str) -> anyhow::Result<f64> {
    let began = Instant::now();
    let sandbox = client.create(|create| create.snapshot = Some(snapshot.to_owned())).await?;
    engine.wait_for(sandbox.id, State::Started, PATIENCE).await?;
    Ok(began.elapsed().as_secs_f64())
}
