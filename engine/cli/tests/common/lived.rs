//! A log that tells of a few lives, and what tests read off it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use hourglass_engine::{Engine, HostLink, Settings, Store};
use hourglass_events::{HostId, Name, OrganizationId, SandboxId, State};
use hourglass_hostd::ledger::MemoryLedger;
use hourglass_hostd::{Driver, Host, HostConfig, HostHandle, Link, Scripted};
use serde_json::Value;

use super::{Data, snapshot};

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const HOST: HostId = HostId::from_u128(9);

/// A log that several tests look at: made for the first of them, and gone after the last.
pub(crate) struct Shared(Mutex<Weak<Data>>);

/// How many logs were made.
static MADE: AtomicU32 = AtomicU32::new(0);

impl Shared {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    /// The log, which `live` makes if nobody looks at it yet.
    pub(crate) fn get(&self, name: &str, live: impl AsyncFnOnce(&Data)) -> Arc<Data> {
        let mut shared = self.0.lock().unwrap();
        if let Some(data) = shared.upgrade() {
            return data;
        }
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let data = Arc::new(Data::empty(&format!("{name}-{made}")));
        tokio::runtime::Runtime::new().unwrap().block_on(live(&data));
        *shared = Arc::downgrade(&data);
        data
    }
}

/// A log that tells of three sandboxes: `web` was stopped and started again, `gone` is deleted, and the third has a
/// name that needs quotes.
pub(crate) fn lived() -> Arc<Data> {
    static LIVED: Shared = Shared::new();
    LIVED.get("lived", live)
}

/// An engine on `data` that notes a digest of its state after every group, with a pretended host.
pub(crate) async fn start(data: &Data) -> (Engine, HostHandle, Arc<Scripted>) {
    let settings = Settings { checkpoint_records: 1, ..Settings::default() };
    let engine = Engine::builder(Store::embedded(&data.0)).settings(settings).start().await.unwrap();
    let (link, end) = Link::pair(64);
    let machine = Arc::new(Scripted::new());
    let driver: Arc<dyn Driver> = machine.clone();
    let host = Host::start(HostConfig::new(HOST, "local"), driver, Box::new(MemoryLedger::default()), link);
    let host = host.await.unwrap();
    let mut end = Some(end);
    engine.attach_host(HOST, move || {
        let end = end.take()?;
        Some(HostLink { calls: end.calls, news: end.news, tunnels: end.tunnels })
    });
    engine.register_snapshot(snapshot()).await.unwrap();
    (engine, host, machine)
}

async fn live(data: &Data) {
    let (engine, host, _) = start(data).await;
    let client = engine.client(OrganizationId::from_u128(1), "ann");
    let others = engine.client(OrganizationId::from_u128(2), "bob");
    let reach = async |id: SandboxId, state| engine.wait_for(id, state, PATIENCE).await.unwrap();
    let web = client.create(|create| create.name = Some(Name::new("web").unwrap())).await.unwrap().id;
    reach(web, State::Started).await;
    client.stop(web).await.unwrap();
    reach(web, State::Stopped).await;
    let gone = client.create(|create| create.name = Some(Name::new("gone").unwrap())).await.unwrap().id;
    reach(gone, State::Started).await;
    client.delete(gone).await.unwrap();
    reach(gone, State::Deleted).await;
    client.start(web).await.unwrap();
    reach(web, State::Started).await;
    let quoted = Name::new("a \"b\", c").unwrap();
    let third = others.create(|create| create.name = Some(quoted)).await.unwrap().id;
    reach(third, State::Started).await;
    host.shutdown().await;
    engine.shutdown().await;
}

/// The records as programs read them.
pub(crate) fn views(data: &Data) -> Vec<Value> {
    data.said("log", &["--json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn number(record: &Value) -> String {
    record["seq"].to_string()
}

pub(crate) fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["event"] == kind).collect()
}

/// Where an export of `data` is, that only one test has.
pub(crate) fn exported(data: &Data, name: &str) -> PathBuf {
    let path = data.0.join(name);
    data.said("export", &[path.to_str().unwrap()]);
    path
}
