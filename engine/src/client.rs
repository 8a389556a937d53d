//! Typed commands of one organization, for programs that embed the engine.

use std::sync::Arc;

use hourglass_events::{
    Actor, AutoArchive, AutoDelete, AutoStop, Command, CorrelationId, Create, Fork, IdempotencyKey, Labels,
    Name, NetworkPolicy, OrganizationId, Request, Resize, Sandbox, SandboxId, StopMode, Target, Values,
};
use hourglass_kernel::Accepted;
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::AskError;

/// Asks on behalf of one organization.
#[derive(Debug, Clone)]
pub struct Client {
    engine: Engine,
    organization: OrganizationId,
    actor: Actor,
}

impl Client {
    pub(crate) fn new(engine: Engine, organization: OrganizationId, actor: &str) -> Self {
        Self { engine, organization, actor: Actor::Client(actor.to_owned()) }
    }

    /// Whose sandboxes this client sees.
    #[must_use]
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Ask for `command`. Answered once it is durable and can be read; repeating it may do it twice.
    pub async fn ask(&self, command: Command) -> Result<Accepted, AskError> {
        self.send(command, None).await
    }

    /// Ask for `command` under a key: for a day, repeating it does nothing and gives the same answer.
    pub async fn ask_once(&self, key: IdempotencyKey, command: Command) -> Result<Accepted, AskError> {
        self.send(command, Some(key)).await
    }

    /// Create a sandbox. `fill` says what differs from the defaults. It is on its way when this returns; wait for it
    /// with [`Engine::wait_for`].
    pub async fn create(&self, fill: impl FnOnce(&mut Create)) -> Result<Arc<Sandbox>, AskError> {
        let mut create = Create::new(SandboxId(Uuid::now_v7()));
        fill(&mut create);
        let accepted = self.ask(Command::Create(create)).await?;
        // A sandbox that is gone again by the time it is answered for cannot be returned.
        accepted.sandbox.ok_or(AskError::Closed)
    }

    /// Create a sandbox whose programs all have these variables. Their values are kept in the engine's vault until it is
    /// deleted, and are in no record.
    pub async fn create_with(
        &self,
        values: Values,
        fill: impl FnOnce(&mut Create),
    ) -> Result<Arc<Sandbox>, AskError> {
        let mut create = Create::new(SandboxId(Uuid::now_v7()));
        fill(&mut create);
        self.ask_to_create(create, values, None).await?.sandbox.ok_or(AskError::Closed)
    }

    /// Ask for a sandbox with these variables, under a key if one is given.
    pub async fn ask_to_create(
        &self,
        create: Create,
        values: Values,
        key: Option<IdempotencyKey>,
    ) -> Result<Accepted, AskError> {
        self.engine.create(self.request(Command::Create(create), key), values).await
    }

    /// Make another sandbox of the files and the memory of a virtual machine that runs. It is on its way when this
    /// returns; wait for it with [`Engine::wait_for`].
    pub async fn fork(
        &self,
        target: impl Into<Target>,
        name: Option<Name>,
    ) -> Result<Arc<Sandbox>, AskError> {
        let fork = Fork { id: SandboxId(Uuid::now_v7()), name };
        self.ask_to_fork(target.into(), fork, None).await?.sandbox.ok_or(AskError::Closed)
    }

    /// Ask for a fork, under a key if one is given.
    pub async fn ask_to_fork(
        &self,
        target: Target,
        fork: Fork,
        key: Option<IdempotencyKey>,
    ) -> Result<Accepted, AskError> {
        self.engine.fork(self.request(Command::Fork(target, fork), key)).await
    }

    /// Run a stopped sandbox.
    pub async fn start(&self, target: impl Into<Target>) -> Result<Accepted, AskError> {
        self.ask(Command::Start(target.into())).await
    }

    /// End a running sandbox and keep its files; its processes may take the engine's grace to end.
    pub async fn stop(&self, target: impl Into<Target>) -> Result<Accepted, AskError> {
        self.ask(Command::Stop(target.into(), StopMode::Graceful(None))).await
    }

    /// Kill a running sandbox at once and keep its files.
    pub async fn stop_by_force(&self, target: impl Into<Target>) -> Result<Accepted, AskError> {
        self.ask(Command::Stop(target.into(), StopMode::Force)).await
    }

    /// Save the memory of a virtual machine and let it use no CPU until it is started again.
    pub async fn pause(&self, target: impl Into<Target>) -> Result<Accepted, AskError> {
        self.ask(Command::Pause(target.into())).await
    }

    /// Give a sandbox other resources.
    pub async fn resize(&self, target: impl Into<Target>, resize: Resize) -> Result<Accepted, AskError> {
        self.ask(Command::Resize(target.into(), resize)).await
    }

    /// Move the disk of a stopped sandbox to object storage.
    pub async fn archive(&self, target: impl Into<Target>) -> Result<Accepted, AskError> {
        self.ask(Command::Archive(target.into())).await
    }

    /// Bring a sandbox back from an error, once what caused it is put right.
    pub async fn recover(&self, target: impl Into<Target>) -> Result<Accepted, AskError> {
        self.ask(Command::Recover(target.into())).await
    }

    /// Remove a sandbox, whatever it is doing.
    pub async fn delete(&self, target: impl Into<Target>) -> Result<Accepted, AskError> {
        self.ask(Command::Delete(target.into())).await
    }

    /// Replace a sandbox's labels, all of them.
    pub async fn replace_labels(
        &self,
        target: impl Into<Target>,
        labels: Labels,
    ) -> Result<Accepted, AskError> {
        self.ask(Command::ReplaceLabels(target.into(), labels)).await
    }

    /// Set when a sandbox stops unused.
    pub async fn set_auto_stop(
        &self,
        target: impl Into<Target>,
        policy: AutoStop,
    ) -> Result<Accepted, AskError> {
        self.ask(Command::SetAutoStop(target.into(), policy)).await
    }

    /// Set when a stopped sandbox is archived.
    pub async fn set_auto_archive(
        &self,
        target: impl Into<Target>,
        policy: AutoArchive,
    ) -> Result<Accepted, AskError> {
        self.ask(Command::SetAutoArchive(target.into(), policy)).await
    }

    /// Set when a stopped sandbox is deleted.
    pub async fn set_auto_delete(
        &self,
        target: impl Into<Target>,
        policy: AutoDelete,
    ) -> Result<Accepted, AskError> {
        self.ask(Command::SetAutoDelete(target.into(), policy)).await
    }

    /// Set what a sandbox may reach. What runs is held to it at once.
    pub async fn set_network(
        &self,
        target: impl Into<Target>,
        policy: NetworkPolicy,
    ) -> Result<Accepted, AskError> {
        self.ask(Command::SetNetwork(target.into(), policy)).await
    }

    /// Set whether a sandbox's previews are open to everybody.
    pub async fn set_public(&self, target: impl Into<Target>, public: bool) -> Result<Accepted, AskError> {
        self.ask(Command::SetPublic(target.into(), public)).await
    }

    /// Say that a sandbox is in use.
    pub async fn refresh_activity(&self, target: impl Into<Target>) -> Result<Accepted, AskError> {
        self.ask(Command::RefreshActivity(target.into())).await
    }

    /// The sandbox that `target` means, as last made durable.
    #[must_use]
    pub fn get(&self, target: impl Into<Target>) -> Option<Arc<Sandbox>> {
        self.engine.view_of(self.organization).find(self.organization, &target.into())
    }

    async fn send(&self, command: Command, key: Option<IdempotencyKey>) -> Result<Accepted, AskError> {
        self.engine.ask(self.request(command, key)).await
    }

    fn request(&self, command: Command, key: Option<IdempotencyKey>) -> Request {
        Request {
            organization: self.organization,
            actor: self.actor.clone(),
            key,
            correlation: CorrelationId(Uuid::now_v7()),
            command,
        }
    }
}
