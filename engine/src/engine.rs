//! The engine: shards, their writers, and the ways in.

use std::sync::Arc;
use std::time::Duration;

use hourglass_events::{
    Command, HostId, OrganizationId, Request, Sandbox, SandboxId, Seq, ShardNumber, SnapshotContent,
    SnapshotId, Span, State, Values,
};
use hourglass_kernel::Accepted;
use hourglass_kernel::fleet::GENERAL;
use hourglass_tunnel::{Target, Tunnel};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};
use uuid::Uuid;

use crate::client::Client;
use crate::clock::Clock;
use crate::error::{AskError, Ended, EngineError, WaitError};
use crate::hosts::{self, HostLink};
use crate::inbox::{Inbox, Message};
use crate::notice::Notice;
use crate::port::Port;
use crate::settings::Settings;
use crate::store::Store;
use crate::subscription::Subscription;
use crate::tunnels::{DialError, Roads};
use crate::vault::keeper::{Became, Keeper};
use crate::view::View;
use crate::wait;

/// A running engine. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shards: Vec<Port>,
    clock: Clock,
    roads: Arc<Roads>,
    vault: Arc<Keeper>,
    /// Erases what is kept for sandboxes that are gone.
    eraser: AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.eraser.abort();
    }
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
        crate::telemetry::describe();
        let clock = Clock::start();
        let vault = Arc::new(Keeper::default());
        let mut shards: Vec<Port> = Vec::new();
        for number in 0..self.settings.shards {
            let number = ShardNumber(number);
            match Port::open(&self.store, &self.settings, number, clock, Arc::clone(&vault)).await {
                Ok(port) => shards.push(port),
                Err(error) => {
                    // Those before it hold their logs, which whoever starts again needs.
                    end(&shards).await;
                    return Err(error);
                }
            }
        }
        let lives = |id| {
            let known = shards.iter().find_map(|port| port.common.view.sandbox(id));
            // A fork whose birth is still to be recorded has its values already.
            let reserved = || shards.iter().any(|port| port.common.view.fleet().kin().is_reserved(id));
            known.map_or_else(reserved, |sandbox| sandbox.state != State::Deleted)
        };
        match self.store.vault().await {
            Ok(opened) => vault.open(opened, lives).await,
            Err(error) => {
                end(&shards).await;
                return Err(error.into());
            }
        }
        let eraser = tokio::spawn(Arc::clone(&vault).run()).abort_handle();
        Ok(Engine { inner: Arc::new(Inner { shards, clock, roads: Arc::default(), vault, eraser }) })
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
        port.common.inbox.send(message).await.map_err(|_| port.closed())?;
        Ok(answered.await.map_err(|_| port.closed())??)
    }

    /// Create a sandbox whose programs have these variables. `request` must ask to create; its environment is filled in
    /// here. The values are in the vault before the creation is decided, and in no record.
    ///
    /// It goes on when the caller stops waiting, so that what was stored does not stay behind.
    pub async fn create(&self, mut request: Request, values: Values) -> Result<Accepted, AskError> {
        let Command::Create(create) = &mut request.command else { return self.ask(request).await };
        if values.is_empty() {
            return self.ask(request).await;
        }
        let (engine, sandbox) = (self.clone(), create.id);
        let creating = tokio::spawn(async move {
            let vault = &engine.inner.vault;
            let environment = vault.store(request.organization, sandbox, &values).await?;
            if let Command::Create(create) = &mut request.command {
                create.environment = environment;
            }
            let answer = engine.ask(request).await;
            vault.settle(sandbox, Became::of(sandbox, &answer));
            answer
        });
        creating.await.unwrap_or(Err(AskError::Closed))
    }

    /// Fork a sandbox. `request` must ask to fork; what the vault has for the parent is copied for the child before the
    /// fork is decided.
    ///
    /// It goes on when the caller stops waiting, so that what was copied does not stay behind.
    pub async fn fork(&self, request: Request) -> Result<Accepted, AskError> {
        let Command::Fork(target, fork) = &request.command else { return self.ask(request).await };
        let parent = self.view_of(request.organization).find(request.organization, target);
        let Some(parent) = parent.filter(|parent| !parent.blueprint.environment.is_empty()) else {
            return self.ask(request).await;
        };
        let (engine, child) = (self.clone(), fork.id);
        let forking = tokio::spawn(async move {
            let vault = &engine.inner.vault;
            vault.copy(parent.id, child).await?;
            let answer = engine.ask(request).await;
            let became = Became::of(child, &answer);
            vault.settle(child, became);
            if let (Became::Ours, Ok(accepted)) = (became, &answer) {
                // Another sandbox may have come by the name since it was looked up. The child boots later than this.
                let forked = accepted.sandbox.as_ref().and_then(|child| child.blueprint.forked_from);
                if let Some(other) = forked.filter(|forked| *forked != parent.id) {
                    vault.copy(other, child).await?;
                }
            }
            answer
        });
        forking.await.unwrap_or(Err(AskError::Closed))
    }

    /// The values of a sandbox's variables. None, and an error in the log, if the vault cannot give them.
    pub async fn values(&self, sandbox: &Sandbox) -> Values {
        if sandbox.blueprint.environment.is_empty() || sandbox.state == State::Deleted {
            return Values::default();
        }
        self.inner.vault.values(sandbox.id).await
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
            port.common.inbox.send(message).await.map_err(|_| port.closed())?;
            let accepted = answered.await.map_err(|_| port.closed())??;
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
        let (vault, roads) = (Arc::clone(&self.inner.vault), Arc::clone(&self.inner.roads));
        tokio::spawn(hosts::keep(host, shards, vault, roads, connect))
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

    /// A tunnel into a running sandbox: to its agent, for one request, or to a TCP port inside. The sandbox is in use for
    /// as long as it is open. Its host closes it as soon as the sandbox is to end.
    pub async fn dial(&self, id: SandboxId, target: Target) -> Result<Tunnel, DialError> {
        let sandbox = self.sandbox(id);
        self.inner.roads.dial(id, sandbox.as_deref(), target).await
    }

    /// What was found and mended while the engine started, and should be shown to who started it.
    pub fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.inner.shards.iter().flat_map(|port| &port.notices)
    }

    /// The time by the engine's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// A shard's records from `from` on, and then every new one.
    #[must_use]
    pub fn subscribe(&self, shard: ShardNumber, from: Seq) -> Subscription {
        self.port(shard).subscribe(from)
    }

    /// Wait until the sandbox is in `state` or comes into it, at most `patience`. A state it only passes through counts.
    ///
    /// A sandbox that fails on the way, or goes away, ends the wait, unless it is waited for to be deleted.
    pub async fn wait_for(&self, id: SandboxId, state: State, patience: Duration) -> Result<(), WaitError> {
        let port = self.port_of(id)?;
        let waited = tokio::time::timeout(patience, wait::until(port, id, state)).await;
        waited.unwrap_or_else(|_| Err(timed_out(port, id, patience)))
    }

    /// Wait until the sandbox is as `settled` wants it, or is gone, at most `patience`; and give it as it was then. What
    /// it only passes through counts. Whoever needs to tell how an operation ended looks here: what was tried and given
    /// up leaves the state it began in.
    pub async fn wait_until(
        &self,
        id: SandboxId,
        patience: Duration,
        settled: impl Fn(&Sandbox) -> bool,
    ) -> Result<Sandbox, WaitError> {
        let port = self.port_of(id)?;
        let waited = tokio::time::timeout(patience, wait::settled(port, id, settled)).await;
        waited.unwrap_or_else(|_| Err(timed_out(port, id, patience)))
    }

    fn port_of(&self, id: SandboxId) -> Result<&Port, WaitError> {
        let known = |port: &&Port| port.common.view.roster(|roster| roster.by_id(id).is_some());
        self.inner.shards.iter().find(known).ok_or(WaitError::Gone(id))
    }

    /// Wait until a shard is served no longer, and say why. That need not be a [shutdown](Self::shutdown): a shard whose
    /// log was taken over by another engine, or is damaged, ends by itself, and the others go on. An engine started anew
    /// takes it over again.
    ///
    /// # Panics
    /// If there is no such shard.
    pub async fn ended(&self, shard: ShardNumber) -> Ended {
        self.port(shard).end().await
    }

    /// Take no more requests, make everything accepted durable, leave a checkpoint, and end. If the log takes nothing,
    /// because its disk is full or has failed, what waited for that is answered that its outcome is unknown.
    pub async fn shutdown(&self) {
        end(&self.inner.shards).await;
        self.inner.vault.erase().await;
    }

    fn port(&self, shard: ShardNumber) -> &Port {
        let index = usize::try_from(shard.0).unwrap_or(usize::MAX);
        self.inner.shards.get(index).expect("the shard is one of this engine's")
    }
}

/// Let these shards make durable what they accepted, and end.
async fn end(shards: &[Port]) {
    for port in shards {
        port.close().await;
    }
    for port in shards {
        port.ended().await;
    }
}

fn timed_out(port: &Port, id: SandboxId, patience: Duration) -> WaitError {
    let state = port.common.view.sandbox(id).map_or(State::Deleted, |sandbox| sandbox.state);
    let after = Span(u64::try_from(patience.as_micros()).unwrap_or(u64::MAX));
    WaitError::TimedOut { sandbox: id, state, after }
}
