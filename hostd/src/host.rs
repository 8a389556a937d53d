//! The host worker as it runs: a tokio task that drives the [`Agent`], the ledger and a driver.
//!
//! Nothing is decided here. One task waits for the next input, hands it to the agent and does what the agent asks;
//! steps and commands run in tasks of their own, so that nothing slow is waited for. Ending the worker, gently or not,
//! stops no sandbox.

mod clock;
mod traffic;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use hourglass_events::{Fault, HostCall, HostId, HostNews, HostProfile, OrderNumber, SandboxId};
use hourglass_tunnel::{DIALS, Dial};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use self::clock::Clock;
use self::worker::Worker;
use crate::agent::Agent;
use crate::driver::{Command, Driver, ExecError, Ran};
use crate::ledger::{Ledger, LedgerError};

/// How many wishes of the holders of a handle may wait for the worker.
const ASKS: usize = 256;

/// Who a host worker is and how it behaves.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// The host.
    pub id: HostId,
    /// Where it is.
    pub region: String,
    /// How often the engine is told how long ago running sandboxes were used.
    pub use_every: Duration,
    /// How long a shutdown waits for steps in flight. Those not ended by then are done again after the restart.
    pub shutdown_grace: Duration,
}

impl HostConfig {
    /// The host `id` in `region`, with the usual pace.
    #[must_use]
    pub fn new(id: HostId, region: &str) -> Self {
        Self {
            id,
            region: region.to_owned(),
            use_every: Duration::from_secs(5),
            shutdown_grace: Duration::from_secs(5),
        }
    }
}

/// A host's end of the connection to an engine.
#[derive(Debug)]
pub struct Link {
    /// What the shards say.
    pub calls: mpsc::Receiver<HostCall>,
    /// What the host says.
    pub news: mpsc::Sender<HostNews>,
    /// Tunnels into sandboxes that are wished for.
    pub tunnels: mpsc::Receiver<Dial>,
}

/// An engine's end of the connection to a host.
#[derive(Debug)]
pub struct EngineEnd {
    /// What the shards say.
    pub calls: mpsc::Sender<HostCall>,
    /// What the host says.
    pub news: mpsc::Receiver<HostNews>,
    /// Tunnels into sandboxes that are wished for.
    pub tunnels: mpsc::Sender<Dial>,
}

impl Link {
    /// A connection within one process, with room for `room` messages each way.
    #[must_use]
    pub fn pair(room: usize) -> (Self, EngineEnd) {
        let (call, calls) = mpsc::channel(room);
        let (tell, news) = mpsc::channel(room);
        let (dial, tunnels) = mpsc::channel(DIALS);
        (Self { calls, news: tell, tunnels }, EngineEnd { calls: call, news, tunnels: dial })
    }
}

/// Starts host workers.
#[derive(Debug)]
pub struct Host;

impl Host {
    /// Start a worker: read the ledger, survey the machine, tidy up after what ended meanwhile, join the engine.
    pub async fn start(
        config: HostConfig,
        driver: Arc<dyn Driver>,
        mut ledger: Box<dyn Ledger>,
        link: Link,
    ) -> Result<HostHandle, StartError> {
        let clock = Clock::start();
        let memory = ledger.begin(clock::wall())?;
        let survey = driver.survey().await.map_err(StartError::Survey)?;
        let profile = HostProfile {
            host: config.id,
            incarnation: memory.incarnation,
            region: config.region.clone(),
            classes: driver.classes(),
            capacity: driver.capacity(),
            gpu_type: driver.gpu_type(),
            capabilities: driver.capabilities(),
        };
        tracing::info!(
            host = %profile.host, incarnation = %profile.incarnation, found = survey.len(), "host worker started"
        );
        let agent = Agent::new(profile.clone(), memory, survey, clock.now());
        let (ask, asked) = mpsc::channel(ASKS);
        let worker = Worker::new(config, clock, agent, driver, ledger, asked);
        let task = tokio::spawn(worker.run(link));
        Ok(HostHandle { shared: Arc::new(Shared { ask, profile, task }) })
    }
}

/// Why a host worker did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The driver cannot tell what is on the machine. Starting blind would do orders twice.
    #[error("the host worker cannot tell what is on this machine: {0}")]
    Survey(#[source] Fault),
}

/// A running host worker. Clones are the same one; when the last is dropped it ends at once, as if it were killed.
#[derive(Debug, Clone)]
pub struct HostHandle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ask: mpsc::Sender<Ask>,
    profile: HostProfile,
    task: JoinHandle<()>,
}

/// What holders of the handle want of the worker.
#[derive(Debug)]
enum Ask {
    Connect(Link),
    Exec {
        sandbox: SandboxId,
        number: Option<OrderNumber>,
        command: Command,
        answer: oneshot::Sender<Result<Ran, ExecError>>,
    },
    ShutDown {
        done: oneshot::Sender<()>,
    },
    Kill {
        done: oneshot::Sender<()>,
    },
}

impl HostHandle {
    /// Who this host is.
    #[must_use]
    pub fn profile(&self) -> &HostProfile {
        &self.shared.profile
    }

    /// Whether the worker has ended, so that nobody answers any more.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.shared.ask.is_closed()
    }

    /// Use another connection from here on, as when the engine was started again. What was not acknowledged is said
    /// again on it.
    pub fn connect(&self, link: Link) {
        // A worker that has ended has nobody to connect, and one that does not keep up drops the link: its other end
        // hears that, and may come again.
        let _ = self.shared.ask.try_send(Ask::Connect(link));
    }

    /// Run a command in a sandbox to its end, in the life `number` if one is named. The sandbox is in use throughout.
    ///
    /// Refused from the moment the host has accepted an order that ends the sandbox. When the future is dropped, the
    /// command counts as ended.
    pub async fn exec(
        &self,
        sandbox: SandboxId,
        number: Option<OrderNumber>,
        command: Command,
    ) -> Result<Ran, ExecError> {
        let (answer, answered) = oneshot::channel();
        let gone = || ExecError::Agent("the host worker has ended".to_owned());
        let ask = Ask::Exec { sandbox, number, command, answer };
        self.shared.ask.send(ask).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// End the worker gently: steps in flight may end, what is remembered becomes durable. Sandboxes run on.
    pub async fn shutdown(&self) {
        let (done, over) = oneshot::channel();
        if self.shared.ask.send(Ask::ShutDown { done }).await.is_ok() {
            // Without an answer it has ended otherwise, which is as good.
            let _ = over.await;
        }
    }

    /// End the worker at once, as kill -9 would, and wait until it is gone. For tests of restarts.
    pub async fn kill(&self) {
        let (done, over) = oneshot::channel();
        if self.shared.ask.send(Ask::Kill { done }).await.is_ok() {
            let _ = over.await;
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}
