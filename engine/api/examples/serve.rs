//! The API on loopback, with an engine in memory and a machine that only pretends: something to point an SDK at.
//!
//! ```sh
//! cargo run -p hourglass-api --example serve -- localhost:3000 a-key
//! DAYTONA_API_URL=http://localhost:3000/api DAYTONA_API_KEY=a-key python …
//! ```

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use hourglass_api::auth::KeyHash;
use hourglass_api::{Api, Principal, Settings, StoredKeys};
use hourglass_engine::{Engine, HostLink, Store};
use hourglass_events::{Class, HostId, Image, OrganizationId, Resources, SnapshotContent};
use hourglass_hostd::ledger::MemoryLedger;
use hourglass_hostd::{Host, HostConfig, Link, Scripted};

const HOST: HostId = HostId::from_u128(9);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().context("name an address to listen on, such as localhost:3000")?;
    let key = arguments.next().context("name a key that clients send")?;

    let engine = Engine::builder(Store::memory()).start().await?;
    let (link, end) = Link::pair(1_024);
    let config = HostConfig::new(HOST, "local");
    let host =
        Host::start(config, Arc::new(Scripted::new()), Box::new(MemoryLedger::default()), link).await?;
    let mut link = Some(HostLink { calls: end.calls, news: end.news, tunnels: end.tunnels });
    engine.attach_host(HOST, move || link.take());
    let content = SnapshotContent {
        name: "default".to_owned(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: Image { digest: "scripted".to_owned() },
    };
    engine.register_snapshot(content).await?;

    let principal = Principal { organization: OrganizationId::from_u128(1), name: "example".to_owned() };
    let keys = StoredKeys::new().with(KeyHash::of(&key), principal);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    let settings = Settings::new(&format!("http://{address}/api"));
    let api = Api::new(engine.clone(), Arc::new(keys), settings);
    let served = axum::serve(listener, Router::new().nest("/api", api.router()));
    tokio::select! {
        result = served => result?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    host.shutdown().await;
    engine.shutdown().await;
    Ok(())
}
