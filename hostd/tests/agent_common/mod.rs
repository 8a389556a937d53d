//! What the tests of the host worker share: a host on a scripted machine, seen from the engine's end.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test binary uses its part of this")]

use std::sync::Arc;
use std::time::Duration;

use hourglass_events::{
    Finding, HostCall, HostId, HostNews, Image, Order, OrderNumber, OrganizationId, Plan, Report, SandboxId,
    ShardNumber, Span, Task,
};
use hourglass_hostd::driver::Command;
use hourglass_hostd::host::EngineEnd;
use hourglass_hostd::ledger::MemoryLedger;
use hourglass_hostd::{Host, HostConfig, HostHandle, Link, Scripted};

pub const BOX: SandboxId = SandboxId::from_u128(0xb0c5);
pub const SHARD: ShardNumber = ShardNumber(3);

pub fn plan() -> Plan {
    let image = Image { digest: "base".into() };
    Plan { user: "hourglass".into(), ..Plan::new(OrganizationId::from_u128(1), "box", image) }
}

pub fn create() -> Task {
    Task::Create(Box::new(plan()))
}

pub fn boot() -> Task {
    Task::Boot(Box::new(plan()))
}

pub fn stop(grace: Span) -> Task {
    Task::Stop { grace }
}

pub fn command(argv: &[&str]) -> Command {
    Command {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: Vec::new(),
        cwd: None,
        timeout: None,
    }
}

/// A machine, its ledger, and the engine's end of the present connection.
pub struct Rig {
    pub driver: Arc<Scripted>,
    pub ledger: MemoryLedger,
    pub host: HostHandle,
    pub engine: EngineEnd,
}

impl Rig {
    pub async fn new() -> Self {
        let (driver, ledger) = (Arc::new(Scripted::new()), MemoryLedger::default());
        let (host, engine) = start(&driver, &ledger).await;
        Self { driver, ledger, host, engine }
    }

    /// Kills the host worker, if it lives, and starts another on the same machine.
    pub async fn restart(&mut self) {
        self.host.kill().await;
        (self.host, self.engine) = start(&self.driver, &self.ledger).await;
    }

    /// Opens another connection, as an engine that was started again does.
    pub fn reconnect(&mut self) {
        let (link, engine) = Link::pair(16);
        self.host.connect(link);
        self.engine = engine;
    }

    pub async fn order(&self, number: u64, task: Task) {
        let order = Order { shard: SHARD, sandbox: BOX, number: OrderNumber(number), deadline: None, task };
        self.engine.calls.send(HostCall::Do(order)).await.unwrap();
    }

    pub async fn ask_use(&self, number: u64) {
        let ask = HostCall::AskUse { shard: SHARD, sandbox: BOX, number: OrderNumber(number) };
        self.engine.calls.send(ask).await.unwrap();
    }

    pub async fn acknowledge(&self, report: &Report) {
        self.engine.calls.send(HostCall::Acknowledge { serial: report.serial }).await.unwrap();
    }

    pub async fn news(&mut self) -> HostNews {
        self.engine.news.recv().await.expect("the host is there")
    }

    /// The next report, whatever else is said before it.
    pub async fn report(&mut self) -> Report {
        let next = async {
            loop {
                if let HostNews::Reported(report) = self.news().await {
                    return report;
                }
            }
        };
        // In the tests' own time, which runs as fast as nothing happens.
        tokio::time::timeout(Duration::from_secs(600), next).await.expect("the host reports")
    }

    /// The next report as number and finding.
    pub async fn finding(&mut self) -> (u64, Finding) {
        let report = self.report().await;
        assert_eq!((report.shard, report.sandbox), (SHARD, BOX));
        (report.number.0, report.finding)
    }

    /// Everything said on a new connection up to [`HostNews::Synced`].
    pub async fn backlog(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        loop {
            match self.news().await {
                HostNews::Reported(report) => reports.push(report),
                HostNews::Synced => return reports,
                HostNews::Joined(_) | HostNews::Used(_) => {}
            }
        }
    }
}

async fn start(driver: &Arc<Scripted>, ledger: &MemoryLedger) -> (HostHandle, EngineEnd) {
    let (link, engine) = Link::pair(16);
    let config = HostConfig::new(HostId::from_u128(7), "here");
    let ledger = Box::new(ledger.clone());
    let host = Host::start(config, Arc::<Scripted>::clone(driver), ledger, link).await.unwrap();
    (host, engine)
}
