//! A log that tells of a few lives, and what tests read off it.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
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

/// A log that tells of three sandboxes: `web` was stopped and started again, `gone` is deleted, and the third has a
/// name that needs quotes. Tests only look at it.
pub(crate) fn lived() -> &'static Data {
    static LIVED: OnceLock<Data> = OnceLock::new();
    LIVED.get_or_init(|| {
        let data = Data::empty("lived");
        tokio::runtime::Runtime::new().unwrap().block_on(live(&data));
        data
    })
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

/// A file of this test alone, there until the process ends.
pub(crate) fn file(name: &str) -> PathBuf {
    let path = Data::empty(name).0.clone();
    let _ = fs::remove_file(&path);
    path
}

/// An export of what was lived.
pub(crate) fn exported(name: &str) -> PathBuf {
    let path = file(name);
    lived().said("export", &[path.to_str().unwrap()]);
    path
}
