//! Who stores, hands out and erases what a vault keeps.
//!
//! Values are stored before a creation is asked for, and copied before a fork is. If it is refused they are erased again; if its outcome is unknown,
//! or the process dies in between, they are kept until an engine starts, which has read the whole log by then and
//! erases what belongs to no sandbox. Orders are filled on their way to the host, off the writer's path.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hourglass_events::{Environment, HostCall, OrganizationId, Refusal, SandboxId, Values};
use tokio::sync::Notify;

use super::{Vault, VaultError, environment};
use crate::error::AskError;
use crate::step;

/// The wait before what could not be erased is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// A vault, and the sandboxes that are gone and may still have something in it.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    /// There once all shards are open: their locks say that nobody else is at the vault.
    vault: OnceLock<Arc<dyn Vault>>,
    gone: Mutex<BTreeSet<SandboxId>>,
    woken: Notify,
}

impl Keeper {
    /// Begin with `vault`: erase what belongs to no sandbox that `lives`. Nothing is created before this returns.
    pub(crate) async fn open(&self, vault: Arc<dyn Vault>, lives: impl Fn(SandboxId) -> bool) {
        match vault.list().await {
            Ok(kept) => self.forget(kept.into_iter().filter(|id| !lives(*id))),
            Err(error) => tracing::warn!(%error, "the vault could not be swept"),
        }
        // It is opened once.
        let _ = self.vault.set(vault);
        self.erase().await;
    }

    fn vault(&self) -> Result<&dyn Vault, VaultError> {
        self.vault.get().map(|vault| &**vault).ok_or(VaultError::NotOpen)
    }

    /// Put `values` in the vault, durably, and say what the creation of `sandbox` records of them.
    pub(crate) async fn store(
        &self,
        organization: OrganizationId,
        sandbox: SandboxId,
        values: &Values,
    ) -> Result<Environment, AskError> {
        let failed = |error: VaultError| {
            tracing::error!(%sandbox, %error, "an environment could not be kept");
            AskError::Vault { why: error.to_string() }
        };
        let vault = self.vault().map_err(failed)?;
        let environment = environment(vault, organization, values)?;
        vault.store(sandbox, values).await.map_err(failed)?;
        step::done("engine.vault.stored");
        Ok(environment)
    }

    /// Put the values of `parent` in the vault for `child` too, durably.
    pub(crate) async fn copy(&self, parent: SandboxId, child: SandboxId) -> Result<(), AskError> {
        let failed = |error: VaultError| {
            tracing::error!(%parent, %child, %error, "an environment could not be copied");
            AskError::Vault { why: error.to_string() }
        };
        let vault = self.vault().map_err(failed)?;
        // What the vault has lost the child will lack as its parent does, and is told so at its boot.
        let values = vault.load(parent).await.map_err(failed)?.unwrap_or_default();
        vault.store(child, &values).await.map_err(failed)?;
        step::done("engine.vault.copied");
        Ok(())
    }

    /// Act on what became of the creation that values were stored for: unless it was accepted, they are nobody's.
    pub(crate) fn settle(&self, sandbox: SandboxId, became: Became) {
        match became {
            Became::Ours | Became::Unknown => {}
            Became::Nothing => self.forget([sandbox]),
        }
    }

    /// The values of `sandbox`; none if nothing is kept or it cannot be read, which is said out loud.
    pub(crate) async fn values(&self, sandbox: SandboxId) -> Values {
        let loaded = match self.vault() {
            Ok(vault) => vault.load(sandbox).await,
            Err(error) => Err(error),
        };
        match loaded {
            Ok(Some(values)) => values,
            Ok(None) => {
                tracing::error!(%sandbox, "the vault has no values for this sandbox's variables");
                Values::default()
            }
            Err(error) => {
                tracing::error!(%sandbox, %error, "the values of a sandbox's variables cannot be read");
                Values::default()
            }
        }
    }

    /// `call` with the values that belong in it. A host does not run what lacks some.
    pub(crate) async fn fill(&self, mut call: HostCall) -> HostCall {
        if let HostCall::Do(order) = &mut call
            && let Some(plan) = order.task.plan_mut()
            && !plan.environment.is_empty()
        {
            plan.values = self.values(order.sandbox).await;
        }
        call
    }

    /// These sandboxes are gone for good: what is kept for them is erased soon.
    pub(crate) fn forget(&self, sandboxes: impl IntoIterator<Item = SandboxId>) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let before = gone.len();
        gone.extend(sandboxes);
        if gone.len() > before {
            self.woken.notify_one();
        }
    }

    /// Erase for those that are gone, for ever.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            self.woken.notified().await;
            while !self.erase().await {
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    /// Erase for those that are gone; whether all of it is done.
    pub(crate) async fn erase(&self) -> bool {
        let Ok(vault) = self.vault() else { return false };
        let gone = std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner));
        let mut left = BTreeSet::new();
        for sandbox in gone {
            if let Err(error) = vault.erase(sandbox).await {
                tracing::warn!(%sandbox, %error, "an environment could not be erased yet");
                left.insert(sandbox);
            }
        }
        let done = left.is_empty();
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).append(&mut left);
        done
    }
}

/// What became of a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    /// The sandbox is in the log.
    Ours,
    /// There is no such sandbox and never will be: it was refused, or the request was a repeat and the answer another
    /// sandbox.
    Nothing,
    /// Only the log knows, once it has been read again.
    Unknown,
}

impl Became {
    /// What a creation of `sandbox` became that was answered thus.
    pub(crate) fn of(sandbox: SandboxId, answer: &Result<hourglass_kernel::Accepted, AskError>) -> Self {
        match answer {
            Ok(accepted) if accepted.subject == hourglass_events::Subject::Sandbox(sandbox) => Self::Ours,
            Err(AskError::Closed | AskError::Ended { .. } | AskError::Refused(Refusal::Fenced)) => {
                Self::Unknown
            }
            Ok(_) | Err(AskError::Refused(_) | AskError::Vault { .. }) => Self::Nothing,
        }
    }
}
