//! Engine, embedded log and native host in one process, as `hourglass` puts them together.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hourglass_engine::{Engine, HostLink, Store};
use hourglass_events::{Class, HostId, Image, Resources, SnapshotContent};
use hourglass_hostd::host::EngineEnd;
use hourglass_hostd::ledger::SledLedger;
use hourglass_hostd::native::{Config, NativeDriver};
use hourglass_hostd::{Driver, Host, HostConfig, HostHandle, Link, Scripted};
use tokio::task::JoinHandle;

/// The one host of a system.
const HOST: HostId = HostId::from_u128(1);
/// How long it may take until the engine knows its host.
const JOIN: Duration = Duration::from_secs(30);

/// The name of the snapshot that sandboxes are made from.
pub const SNAPSHOT: &str = "base";

/// A running system.
#[derive(Debug)]
pub struct System {
    /// The engine.
    pub engine: Engine,
    /// Its host.
    pub host: HostHandle,
    content: SnapshotContent,
    link: JoinHandle<()>,
}

impl System {
    /// Start one in `data` that makes native containers from `image`.
    pub async fn native(data: &Path, image: Image) -> anyhow::Result<Self> {
        let driver = NativeDriver::new(Config::new(data.join("host"))).await?;
        Self::start(data, Arc::new(driver), image).await
    }

    /// Start one in `data` on a scripted driver, which outlives it.
    pub async fn scripted(data: &Path, driver: Arc<Scripted>) -> anyhow::Result<Self> {
        Self::start(data, driver, Image { digest: "scripted".to_owned() }).await
    }

    async fn start(data: &Path, driver: Arc<dyn Driver>, image: Image) -> anyhow::Result<Self> {
        fs::create_dir_all(data.join("host"))?;
        let engine = Engine::builder(Store::embedded(data)).start().await?;
        let ledger = SledLedger::open(&data.join("host/ledger"))?;
        let (link, end) = Link::pair(1_024);
        let host = Host::start(HostConfig::new(HOST, "local"), driver, Box::new(ledger), link).await?;
        let link = engine.attach_host(HOST, links(host.clone(), end));
        let content = SnapshotContent {
            name: SNAPSHOT.to_owned(),
            class: Class::Container,
            resources: Resources::DEFAULT,
            gpu_types: hourglass_events::GpuTypes::default(),
            image,
        };
        engine.register_snapshot(content.clone()).await?;
        let system = Self { engine, host, content, link };
        tokio::time::timeout(JOIN, system.joined()).await.context("the host did not join in time")??;
        Ok(system)
    }

    /// Ask for what is there already. Whoever is answered knows that all that was said before is taken in.
    pub async fn touch(&self) -> anyhow::Result<()> {
        self.engine.register_snapshot(self.content.clone()).await?;
        Ok(())
    }

    /// Wait until every shard knows the host in its present life.
    async fn joined(&self) -> anyhow::Result<()> {
        for shard in (0..self.engine.shards()).map(hourglass_events::ShardNumber) {
            let view = self.engine.view(shard);
            let mut records = self.engine.subscribe(shard, view.fleet().seq().next());
            let present = self.host.profile().incarnation;
            while view.host(HOST).is_none_or(|host| host.incarnation != present) {
                records.next().await?;
            }
        }
        Ok(())
    }

    /// End in order. Sandboxes go on running.
    pub async fn shutdown(self) {
        self.link.abort();
        self.host.shutdown().await;
        self.engine.shutdown().await;
    }
}

/// Links to `host`: the one it was started with, then a new one each time.
fn links(host: HostHandle, first: EngineEnd) -> impl FnMut() -> Option<HostLink> + Send + 'static {
    let mut first = Some(first);
    move || {
        let EngineEnd { calls, news, tunnels } = first.take().unwrap_or_else(|| {
            let (link, end) = Link::pair(1_024);
            host.connect(link);
            end
        });
        Some(HostLink { calls, news, tunnels })
    }
}
