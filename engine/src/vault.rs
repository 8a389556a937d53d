//! Where the values of environment variables are: beside the log, never in it.
//!
//! A log is kept for ever and is read by many; a secret is neither. So the values of a sandbox's variables are put in a
//! vault before its creation is recorded, a host gets them inside the order that boots the sandbox, and they are erased
//! with the sandbox. Events carry names and keyed digests, which tell two requests apart and give nothing away.
//!
//! A vault decides nothing and watches nothing: who stores, hands out and erases is `keeper`.

mod files;
pub(crate) mod gone;
pub(crate) mod keeper;
mod memory;
mod seal;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use hourglass_events::{Digest, Environment, OrganizationId, Refusal, SandboxId, Values};

pub use files::FileVault;
pub use memory::MemoryVault;

/// Keeps the values of environment variables, by sandbox. Every method may be repeated.
#[async_trait]
pub trait Vault: Send + Sync + Debug {
    /// What makes digests of an organization's values unguessable. It never changes.
    fn digest_key(&self, organization: OrganizationId) -> [u8; 32];

    /// Keep `values` for `sandbox`, in place of any others. Once this returns they survive a power cut, where anything
    /// in this vault does.
    async fn store(&self, sandbox: SandboxId, values: &Values) -> Result<(), VaultError>;

    /// The values kept for `sandbox`, or `None` if there are none.
    async fn load(&self, sandbox: SandboxId) -> Result<Option<Values>, VaultError>;

    /// Keep nothing for `sandbox`.
    async fn erase(&self, sandbox: SandboxId) -> Result<(), VaultError>;

    /// Every sandbox that something is kept for.
    async fn list(&self) -> Result<Vec<SandboxId>, VaultError>;
}

/// Why a vault did not do what it was asked. No value is ever in it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A file could not be used.
    #[error("the vault's file {path} could not be {doing}: {source}")]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, as a participle.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Others than its owner may read the key.
    #[error("the vault's key {path} may be read by others (mode {mode:o}); run `chmod 600` on it")]
    Exposed {
        /// The key's file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// There are values, but not the key to them.
    #[error(
        "the vault in {path} has values and no key; restore its file `key`, or remove the directory to give up the \
         environments of all sandboxes"
    )]
    NoKey {
        /// The vault's directory.
        path: PathBuf,
    },
    /// A file is not what this vault wrote, or was written under another key.
    #[error(
        "the vault's file {path} cannot be opened: {what}; restore it together with the key from one copy"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The engine is still starting.
    #[error("the vault is not open yet")]
    NotOpen,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    NoRandomness(String),
}

impl VaultError {
    /// For an I/O error: turns it into one that names `path` and what was tried.
    pub(crate) fn at(path: impl Into<PathBuf>, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Files { path, doing, source }
    }
}

/// What events say of `values`: their names, each with the digest of its value under the vault's key for `organization`.
pub(crate) fn environment(
    vault: &dyn Vault,
    organization: OrganizationId,
    values: &Values,
) -> Result<Environment, Refusal> {
    let key = vault.digest_key(organization);
    let digest = |name: &str, value: &str| {
        // Its length ends the name, so that no other name and value give the same bytes.
        let length = (name.len() as u64).to_le_bytes();
        Digest::keyed(&key, [&length, name.as_bytes(), value.as_bytes()])
    };
    let variables: BTreeMap<_, _> =
        values.expose().map(|(name, value)| (name.to_owned(), digest(name, value))).collect();
    Environment::new(variables)
}

/// As many random bytes.
fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| VaultError::NoRandomness(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
