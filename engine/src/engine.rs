//! The engine: shards, their writers, and the ways in.

use std::sync::Arc;
use std::time::Duration;

use hourglass_events::{
    Command, HostId, OrganizationId, Request, Sandbox, SandboxId, Seq, ShardNumber, SnapshotContent,
    SnapshotId, Span, State,
};
use hourglass_kernel::fleet::GENERAL;
use hourglass_kernel::{Accepted, Halt, ShardConfig};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::client::Client;
use crate::clock::Clock;
use crate::error::{AskError, EngineError, WaitError};
use crate::hosts::{self, HostLink};
use crate::inbox::{Inbox, Message};
use crate::log::EventLog;
use crate::settings::Settings;
use crate::store::{Opened, Store};
use crate::subscription::{Recent, Subscription};
use crate::view::View;
use crate::writer::{Common, End, Writer};

/// A running engine. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shards: Vec<Port>,
    clock: Clock,
}

/// The ways to one shard.
#[derive(Debug)]
struct Port {
    common: Common,
    /// The present log, for subscribers who start in the past.
    log: Arc<std::sync::RwLock<std::sync::Weak<dyn EventLog>>>,
    task: std::sync::Mutex<Option<JoinHandle<()>>>,
}

/// An engine being set up.
#[derive(Debug, Clone)]
pub struct Builder {
    store: Store,
    settings: Settings,
}

impl Builder {
    /// Use these settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Open the log, fold it, take it over, and serve. Returns once every shard takes requests.
    pub async fn start(self) -> Result<Engine, EngineError> {
        let clock = Clock::start();
        let mut shards = Vec::new();
        for number in 0..self.settings.shards {
            shards.push(self.start_shard(ShardNumber(number), clock).await?);
        }
        Ok(Engine { inner: Arc::new(Inner { shards, clock }) })
    }

    async fn start_shard(&self, number: ShardNumber, clock: Clock) -> Result<Port, EngineError> {
        let opened = self.store.open(number, self.settings.shards, |_| {}).await?;
        let (inbox, receiver) = mpsc::channel(self.settings.inbox);
        let fleet = opened.replay.fleet().clone();
        let common = Common {
            number,
            clock,
            recent: Arc::new(Recent::new(self.settings.recent, fleet.seq())),
            view: Arc::new(View::new(fleet, opened.roster.clone())),
            inbox,
            checkpoint_records: self.settings.checkpoint_records,
        };
        let log = Arc::new(std::sync::RwLock::new(Arc::downgrade(&opened.log)));
        let (ready, served) = oneshot::channel();
        let writer = writer(opened, &common, &self.settings)?;
        let keeper = Keeper { builder: self.clone(), common: common.clone(), log: Arc::clone(&log) };
        let task = tokio::spawn(keeper.run(writer, receiver, ready));
        served.await.map_err(|_| EngineError::Ended(number))?;
        Ok(Port { common, log, task: std::sync::Mutex::new(Some(task)) })
    }
}

/// A writer for a log that was read to its end.
fn writer(opened: Opened, common: &Common, settings: &Settings) -> Result<Writer, EngineError> {
    let config = ShardConfig {
        terms: settings.terms.clone(),
        resync: Span(u64::try_from(settings.resync.as_micros()).unwrap_or(u64::MAX)),
        ..ShardConfig::new(Uuid::new_v4().as_u128())
    };
    let Opened { log, replay, roster: _, checkpoints } = opened;
    let shard = replay
        .open(config, common.clock.now())
        .map_err(|source| EngineError::Replay { shard: common.number, source })?;
    Ok(Writer::new(common.clone(), shard, log, checkpoints))
}

/// Keeps a shard written: when storage fails under a writer, the log is read again and another one takes over.
struct Keeper {
    builder: Builder,
    common: Common,
    log: Arc<std::sync::RwLock<std::sync::Weak<dyn EventLog>>>,
}

impl Keeper {
    async fn run(self, first: Writer, mut inbox: mpsc::Receiver<Message>, ready: oneshot::Sender<()>) {
        let mut next = Some((first, Some(ready)));
        while let Some((writer, ready)) = next.take() {
            match writer.run(&mut inbox, ready).await {
                End::Shutdown => return,
                // Storage that failed may come back, and what it really holds is known only by reading it again.
                End::Halted(halt @ Halt::Broken { .. }) => {
                    tracing::warn!(shard = %self.common.number, %halt, "the log is read again");
                    next = self.reopen().await.map(|writer| (writer, None));
                }
                // Taking over from whoever took over would only begin a quarrel; a defect or damage does not pass.
                End::Halted(halt @ (Halt::Fenced { .. } | Halt::Defect(_) | Halt::Unreadable(_))) => {
                    tracing::error!(shard = %self.common.number, %halt, "this engine serves the shard no longer");
                    return;
                }
            }
        }
    }

    /// A new writer, as soon as the log can be opened. Damage is final.
    async fn reopen(&self) -> Option<Writer> {
        loop {
            tokio::time::sleep(self.builder.settings.reopen).await;
            match self.try_reopen().await {
                Ok(writer) => return Some(writer),
                Err(error @ (EngineError::Open { .. } | EngineError::Files { .. })) => {
                    tracing::warn!(shard = %self.common.number, %error, "the log cannot be opened yet");
                }
                Err(error) => {
                    tracing::error!(shard = %self.common.number, %error, "the shard stays closed");
                    return None;
                }
            }
        }
    }

    async fn try_reopen(&self) -> Result<Writer, EngineError> {
        let latest = *self.common.recent.watch().borrow();
        let recent = Arc::clone(&self.common.recent);
        // What was durable but not yet known to be is new to everybody.
        let see = move |entry: hourglass_kernel::Entry| {
            if entry.record.seq > latest {
                recent.publish(&[Arc::new(entry)]);
            }
        };
        let opened = self.builder.store.open(self.common.number, self.builder.settings.shards, see).await?;
        self.common.view.replace(opened.replay.fleet().clone(), opened.roster.clone());
        *self.log.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::downgrade(&opened.log);
        writer(opened, &self.common, &self.builder.settings)
    }
}

impl Engine {
    /// An engine on `store`, to be set up.
    #[must_use]
    pub fn builder(store: Store) -> Builder {
        Builder { store, settings: Settings::default() }
    }

    /// A client of `organization` that acts under the name `actor`.
    #[must_use]
    pub fn client(&self, organization: OrganizationId, actor: &str) -> Client {
        Client::new(self.clone(), organization, actor)
    }

    /// Decide `request` and answer once that is durable and can be read.
    pub async fn ask(&self, request: Request) -> Result<Accepted, AskError> {
        let port = self.port(self.shard_of(request.organization));
        let (answer, answered) = oneshot::channel();
        let message = Message::Ask { request: Box::new(request), answer };
        port.common.inbox.send(message).await.map_err(|_| AskError::Closed)?;
        Ok(answered.await.map_err(|_| AskError::Closed)??)
    }

    /// Make a snapshot known to everybody. Every shard keeps its own record of it.
    pub async fn register_snapshot(&self, content: SnapshotContent) -> Result<SnapshotId, AskError> {
        let id = SnapshotId(Uuid::now_v7());
        let mut known = id;
        for port in &self.inner.shards {
            let (answer, answered) = oneshot::channel();
            let request = Request {
                organization: GENERAL,
                actor: hourglass_events::Actor::Engine,
                key: None,
                correlation: hourglass_events::CorrelationId(Uuid::now_v7()),
                command: Command::RegisterSnapshot(id, content.clone()),
            };
            let message = Message::Ask { request: Box::new(request), answer };
            port.common.inbox.send(message).await.map_err(|_| AskError::Closed)?;
            let accepted = answered.await.map_err(|_| AskError::Closed)??;
            if let hourglass_events::Subject::Snapshot(found) = accepted.subject {
                known = found;
            }
        }
        Ok(known)
    }

    /// Connect a host. `connect` gives a link at once and again whenever the one before has ended; without a further
    /// link the host stays disconnected.
    pub fn attach_host(
        &self,
        host: HostId,
        connect: impl FnMut() -> Option<HostLink> + Send + 'static,
    ) -> JoinHandle<()> {
        let shards: Vec<Inbox> = self.inner.shards.iter().map(|port| port.common.inbox.clone()).collect();
        tokio::spawn(hosts::keep(host, shards, connect))
    }

    /// Which shard an organization's sandboxes are in.
    #[must_use]
    pub fn shard_of(&self, organization: OrganizationId) -> ShardNumber {
        let shards = self.inner.shards.len() as u64;
        ShardNumber(u64::try_from(organization.0.as_u128() % u128::from(shards)).unwrap_or(0))
    }

    /// How many shards there are.
    #[must_use]
    pub fn shards(&self) -> u64 {
        self.inner.shards.len() as u64
    }

    /// The read model of a shard.
    ///
    /// # Panics
    /// If there is no such shard.
    #[must_use]
    pub fn view(&self, shard: ShardNumber) -> &View {
        &self.port(shard).common.view
    }

    /// The read model that has `organization`'s sandboxes.
    #[must_use]
    pub fn view_of(&self, organization: OrganizationId) -> &View {
        self.view(self.shard_of(organization))
    }

    /// The sandbox with this id, whoever owns it, unless it is gone.
    #[must_use]
    pub fn sandbox(&self, id: SandboxId) -> Option<Arc<Sandbox>> {
        self.inner.shards.iter().find_map(|port| port.common.view.sandbox(id))
    }

    /// The time by the engine's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// A shard's records from `from` on, and then every new one.
    #[must_use]
    pub fn subscribe(&self, shard: ShardNumber, from: Seq) -> Subscription {
        let port = self.port(shard);
        let log = port.log.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        Subscription::new(from, Arc::clone(&port.common.recent), log)
    }

    /// Wait until the sandbox is in `state`, at most `patience`.
    ///
    /// A sandbox that fails on the way, or goes away, ends the wait; so does one that is deleted, unless that is what
    /// is waited for.
    pub async fn wait_for(&self, id: SandboxId, state: State, patience: Duration) -> Result<(), WaitError> {
        let found = self.inner.shards.iter().find(|port| port.common.view.sandbox(id).is_some());
        let Some(port) = found else {
            return if state == State::Deleted { Ok(()) } else { Err(WaitError::Gone(id)) };
        };
        let mut latest = port.common.recent.watch();
        let reached = async {
            loop {
                latest.borrow_and_update();
                match port.common.view.sandbox(id) {
                    None if state == State::Deleted => return Ok(()),
                    None => return Err(WaitError::Gone(id)),
                    Some(sandbox) if sandbox.state == state => return Ok(()),
                    Some(sandbox) if sandbox.state == State::Error => {
                        return Err(WaitError::Failed { sandbox: id, fault: sandbox.fault.clone() });
                    }
                    Some(_) => {}
                }
                latest.changed().await.map_err(|_| WaitError::Closed)?;
            }
        };
        match tokio::time::timeout(patience, reached).await {
            Ok(result) => result,
            Err(_) => {
                let state = port.common.view.sandbox(id).map_or(State::Deleted, |sandbox| sandbox.state);
                let after = Span(u64::try_from(patience.as_micros()).unwrap_or(u64::MAX));
                Err(WaitError::TimedOut { sandbox: id, state, after })
            }
        }
    }

    /// Take no more requests, make everything accepted durable, leave a checkpoint, and end.
    pub async fn shutdown(&self) {
        for port in &self.inner.shards {
            // A shard that has ended already needs no telling.
            let _ = port.common.inbox.send(Message::Shutdown).await;
        }
        for port in &self.inner.shards {
            let task = port.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            if let Some(task) = task {
                let _ = task.await;
            }
        }
    }

    fn port(&self, shard: ShardNumber) -> &Port {
        let index = usize::try_from(shard.0).unwrap_or(usize::MAX);
        self.inner.shards.get(index).expect("the shard is one of this engine's")
    }
}
