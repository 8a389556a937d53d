//! A vault that ends with the process, for logs that do as well.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hourglass_events::{OrganizationId, SandboxId, Values};
use uuid::Uuid;

use super::seal::Master;
use super::{Vault, VaultError};

/// Values in memory, under a key drawn when it is made.
#[derive(Debug)]
pub struct MemoryVault {
    key: [u8; 32],
    values: Mutex<BTreeMap<SandboxId, Values>>,
}

impl MemoryVault {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let [a, b] = [(); 2].map(|()| *Uuid::new_v4().as_bytes());
        let mut key = [0; 32];
        key[..16].copy_from_slice(&a);
        key[16..].copy_from_slice(&b);
        Self { key, values: Mutex::default() }
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<SandboxId, Values>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryVault {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Vault for MemoryVault {
    fn digest_key(&self, organization: OrganizationId) -> [u8; 32] {
        Master::from_bytes(self.key).digest_key(organization)
    }

    async fn store(&self, sandbox: SandboxId, values: &Values) -> Result<(), VaultError> {
        self.values().insert(sandbox, values.clone());
        Ok(())
    }

    async fn load(&self, sandbox: SandboxId) -> Result<Option<Values>, VaultError> {
        Ok(self.values().get(&sandbox).cloned())
    }

    async fn erase(&self, sandbox: SandboxId) -> Result<(), VaultError> {
        self.values().remove(&sandbox);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<SandboxId>, VaultError> {
        Ok(self.values().keys().copied().collect())
    }
}
