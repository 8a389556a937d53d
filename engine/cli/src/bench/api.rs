//! What the HTTP API adds: requests a second beside a bare handler with the same JSON, and what a client waits for.
//!
//! All goes over real connections of this machine to a server in this process, on the embedded log, with a host that only
//! pretends: what a client waits is the API's, the engine's and the log's. Client and server share the cores.

mod connection;

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use axum::routing::get;
use axum::{Json, Router};
use hourglass_api::auth::KeyHash;
use hourglass_api::{Api, Principal, Rates, Settings, StoredKeys};
use hourglass_engine::{Engine, Store};
use hourglass_events::{HostId, Image, OrganizationId, Resources};
use hourglass_hostd::Scripted;
use hourglass_hostd::ledger::MemoryLedger;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::Load;
use super::table::{Aim, Rounds, Row, Unit};
use crate::local::{Local, Machine};
use crate::progress::Bar;
use connection::Connection;

const KEY: &str = "the-key-of-a-bench";
const OWNER: OrganizationId = OrganizationId::from_u128(0xa91);
const HOST: HostId = HostId::from_u128(0x4058);
/// Room for all sandboxes of a round.
const PLENTY: Resources = Resources { cpu: 1_000_000, memory_gib: 1_000_000, disk_gib: 10_000_000, gpu: 0 };
/// How many sandboxes a list tells of.
const LISTED: usize = 100;
/// How many connections ask at once.
const CONNECTIONS: usize = 16;
/// How much of a bare handler's requests are answered at least.
const SHARE: Aim = Aim::Ratio(0.6);
/// How long a client waits at most, the host's own time aside.
const WAIT: Aim = Aim::Figure(20e-3);

/// Measure. The log is made in `dir`.
pub(super) async fn measure(load: &Load, dir: &Path) -> anyhow::Result<Vec<Row>> {
    let bench = Bench::start(dir).await?;
    let mut rows = bench.throughput(load).await?;
    rows.extend(bench.waits(load).await?);
    bench.shutdown().await;
    Ok(rows)
}

/// An API on an engine with a host that pretends.
struct Bench {
    local: Local,
    api: SocketAddr,
    served: JoinHandle<std::io::Result<()>>,
}

/// What a client does with one sandbox, each timed.
#[derive(Default)]
struct Life {
    create: Rounds,
    stop: Rounds,
    start: Rounds,
}

impl Bench {
    async fn start(dir: &Path) -> anyhow::Result<Self> {
        let machine = Machine {
            driver: Arc::new(Scripted::with_capacity(PLENTY)),
            image: Image { digest: "scripted".to_owned() },
        };
        let engine = Engine::builder(Store::embedded(dir)).start().await?;
        let local = Local::attach(engine, machine, Box::new(MemoryLedger::default()), HOST).await?;
        let keys = StoredKeys::new()
            .with(KeyHash::of(KEY), Principal { organization: OWNER, name: "bench".to_owned() });
        let settings = Settings {
            snapshot: Some(local.snapshot.clone()),
            // How fast it is shows only where it is not held back.
            rates: Rates { creations: None, changes: None, reads: None, tools: None },
            ..Settings::new("http://localhost/api")
        };
        let api = Api::new(local.engine.clone(), Arc::new(keys), settings);
        let (api, served) = serve(Router::new().nest("/api", api.router())).await?;
        Ok(Self { local, api, served })
    }

    async fn shutdown(self) {
        self.served.abort();
        self.local.shutdown().await;
    }

    /// Reading one sandbox, and a list of many, each beside a handler that does nothing but give the same JSON.
    async fn throughput(&self, load: &Load) -> anyhow::Result<Vec<Row>> {
        let mut connection = Connection::open(self.api, KEY).await?;
        let mut ids = Vec::new();
        for _ in 0..LISTED {
            ids.push(create(&mut connection).await?);
        }
        let one = format!("/api/sandbox/{}", ids[0]);
        let kinds = [("get", one, load.asked), ("list", "/api/sandbox".to_owned(), load.asked / 8)];
        let mut rows = Vec::new();
        for (name, path, asked) in kinds {
            let (bare, served) = self.bare(&path).await?;
            let (mut own, mut others) = (Rounds::default(), Rounds::default());
            let bar = Bar::new(name);
            for round in 0..=load.rounds {
                bar.show(f64::from(round) / f64::from(load.rounds + 1), String::new());
                let (api, baseline) = (rate(self.api, &path, asked).await?, rate(bare, &path, asked).await?);
                if round > 0 {
                    own.push(api);
                    others.push(baseline);
                }
            }
            bar.finish();
            served.abort();
            let many = if name == "list" { format!(" of {LISTED}") } else { String::new() };
            let row = Row::new(format!("API: {name}{many}"), Unit::PerSecond, own);
            rows.push(row.beside("bare axum", &others).aim(SHARE));
        }
        for id in ids {
            ask(&mut connection, "DELETE", &format!("/api/sandbox/{id}"), "").await?;
        }
        Ok(rows)
    }

    /// A server that gives what the API gives at `path`, and does nothing else.
    async fn bare(&self, path: &str) -> anyhow::Result<(SocketAddr, JoinHandle<std::io::Result<()>>)> {
        let mut connection = Connection::open(self.api, KEY).await?;
        let same = Arc::new(ask(&mut connection, "GET", path, "").await?);
        let handler = get(move || std::future::ready(Json(Arc::clone(&same))));
        serve(Router::new().route(path, handler)).await
    }

    /// What a client waits for, alone and among many.
    async fn waits(&self, load: &Load) -> anyhow::Result<Vec<Row>> {
        let bar = Bar::new("waits");
        let (mut life, mut half, mut most) = (Life::default(), Rounds::default(), Rounds::default());
        for round in 0..=load.rounds {
            bar.show(f64::from(round) / f64::from(load.rounds + 1), String::new());
            let (alone, together) = (self.alone(load.lives).await?, self.together(load.together).await?);
            if round > 0 {
                life.create.push(alone.create.median());
                life.stop.push(alone.stop.median());
                life.start.push(alone.start.median());
                half.push(together.share(50));
                most.push(together.share(99));
            }
        }
        bar.finish();
        Ok(vec![
            Row::new("API: create → started: p50", Unit::Seconds, life.create).aim(WAIT),
            Row::new("  stop → stopped: p50", Unit::Seconds, life.stop).aim(WAIT),
            Row::new("  start → started: p50", Unit::Seconds, life.start).aim(WAIT),
            Row::new(format!("  {} created at once: p50", load.together), Unit::Seconds, half),
            Row::new(format!("  {} created at once: p99", load.together), Unit::Seconds, most),
        ])
    }

    /// One client with one sandbox after the other.
    async fn alone(&self, lives: usize) -> anyhow::Result<Life> {
        let mut connection = Connection::open(self.api, KEY).await?;
        let mut life = Life::default();
        for _ in 0..lives {
            let began = Instant::now();
            let id = create(&mut connection).await?;
            life.create.push(began.elapsed().as_secs_f64());
            for (what, state, waited) in
                [("stop", "stopped", &mut life.stop), ("start", "started", &mut life.start)]
            {
                let began = Instant::now();
                let sandbox = ask(&mut connection, "POST", &format!("/api/sandbox/{id}/{what}"), "").await?;
                waited.push(began.elapsed().as_secs_f64());
                ensure!(sandbox["state"] == state, "{what} was answered with {}", sandbox["state"]);
            }
            ask(&mut connection, "DELETE", &format!("/api/sandbox/{id}"), "").await?;
        }
        Ok(life)
    }

    /// So many clients that each create a sandbox at the same time, and how long each waited.
    async fn together(&self, clients: usize) -> anyhow::Result<Rounds> {
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let mut connection = Connection::open(self.api, KEY).await?;
            tasks.spawn(async move {
                let began = Instant::now();
                let id = create(&mut connection).await?;
                let waited = began.elapsed().as_secs_f64();
                ask(&mut connection, "DELETE", &format!("/api/sandbox/{id}"), "").await?;
                anyhow::Ok(waited)
            });
        }
        tasks.join_all().await.into_iter().collect()
    }
}

async fn serve(router: Router) -> anyhow::Result<(SocketAddr, JoinHandle<std::io::Result<()>>)> {
    let listener = TcpListener::bind("localhost:0").await?;
    let address = listener.local_addr()?;
    Ok((address, tokio::spawn(axum::serve(listener, router).into_future())))
}

/// Requests a second, asked over many connections at once.
async fn rate(address: SocketAddr, path: &str, asked: usize) -> anyhow::Result<f64> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(address, KEY).await?);
    }
    let each = asked.div_ceil(CONNECTIONS);
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let path = path.to_owned();
        tasks.spawn(async move {
            for _ in 0..each {
                let (status, _) = connection.ask("GET", &path, "").await?;
                ensure!(status == 200, "{path} was answered with {status}");
            }
            Ok(())
        });
    }
    tasks.join_all().await.into_iter().collect::<anyhow::Result<()>>()?;
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let done = (each * CONNECTIONS) as f64;
    Ok(done / began.elapsed().as_secs_f64())
}

/// Create a sandbox and see it started.
async fn create(connection: &mut Connection) -> anyhow::Result<String> {
    let sandbox = ask(connection, "POST", "/api/sandbox", "{}").await?;
    ensure!(sandbox["state"] == "started", "creating was answered with {}", sandbox["state"]);
    sandbox["id"].as_str().map(str::to_owned).context("a sandbox has an id")
}

async fn ask(connection: &mut Connection, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
    let (status, answer) = connection.ask(method, path, body).await?;
    ensure!(
        status == 200,
        "{method} {path} was answered with {status}: {}",
        String::from_utf8_lossy(&answer)
    );
    Ok(serde_json::from_slice(&answer)?)
}
