//! Who asks: a bearer token becomes a principal.
//!
//! An embedder brings its own [`Authentication`] or uses [`StoredKeys`]. A principal belongs to one organization and
//! sees nothing else. What a principal may do within it is not distinguished.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use hourglass_events::OrganizationId;
use serde::{Deserialize, Serialize};

/// Tells who a bearer token belongs to.
#[async_trait]
pub trait Authentication: Send + Sync + fmt::Debug + 'static {
    /// Who asks with these credentials.
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Principal, Unauthenticated>;
}

/// What a client says about itself.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The bearer token: a key, or a token that somebody signed.
    pub token: &'a str,
    /// The organization it says it asks for. The SDK names one with signed tokens, which may be good for several, and
    /// none with keys, which imply theirs.
    pub organization: Option<OrganizationId>,
}

impl<'a> Credentials<'a> {
    /// A token that implies its organization.
    #[must_use]
    pub const fn of(token: &'a str) -> Self {
        Self { token, organization: None }
    }
}

/// Tokens do not get into logs.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("organization", &self.organization).finish_non_exhaustive()
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose sandboxes are meant.
    pub organization: OrganizationId,
    /// The name that the log keeps.
    pub name: String,
}

/// Why nobody is known to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// The token is nobody's.
    #[error("this key is not known; send a valid one as \"Authorization: Bearer <key>\"")]
    Unknown,
    /// The token is good, and not for the organization that was named.
    #[error(
        "this key is not for the organization that the request names; leave the name out, or send its key"
    )]
    OtherOrganization,
    /// Whoever could tell cannot be asked.
    #[error("keys cannot be checked at the moment; repeat the request shortly")]
    Unavailable,
}

/// The BLAKE3 hash of a key, all that is kept of it. Keys are long and random, so a plain hash does not give them away,
/// and looking one up by its hash tells nothing by its timing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of `key`.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(*blake3::hash(key.as_bytes()).as_bytes())
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

/// One line of a file of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredKey {
    /// Whose it is, as the log will name it.
    pub name: String,
    /// Whose sandboxes it opens.
    pub organization: OrganizationId,
    /// The BLAKE3 hash of the key, in hexadecimal.
    pub hash: String,
}

/// Keys known by their hashes.
#[derive(Debug, Clone, Default)]
pub struct StoredKeys {
    keys: BTreeMap<KeyHash, Principal>,
}

/// Why a file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It cannot be read.
    #[error("the keys in {path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It does not hold keys.
    #[error("{path} is not a list of keys with name, organization and hash")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// A hash is none.
    #[error("the hash of the key {name:?} in {path} is not 64 hexadecimal digits")]
    BadHash {
        /// The file.
        path: PathBuf,
        /// Whose key.
        name: String,
    },
}

impl StoredKeys {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These keys and the one with this hash.
    #[must_use]
    pub fn with(mut self, hash: KeyHash, principal: Principal) -> Self {
        self.keys.insert(hash, principal);
        self
    }

    /// The keys in a file: a JSON array of [`StoredKey`]s.
    pub fn read(path: &Path) -> Result<Self, KeysError> {
        let path = path.to_owned();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(source) => return Err(KeysError::Unreadable { path, source }),
        };
        let stored: Vec<StoredKey> = match serde_json::from_slice(&text) {
            Ok(stored) => stored,
            Err(source) => return Err(KeysError::Malformed { path, source }),
        };
        let mut keys = Self::new();
        for StoredKey { name, organization, hash } in stored {
            let Ok(hash) = blake3::Hash::from_hex(&hash) else {
                return Err(KeysError::BadHash { path, name });
            };
            keys = keys.with(KeyHash(*hash.as_bytes()), Principal { organization, name });
        }
        Ok(keys)
    }
}

#[async_trait]
impl Authentication for StoredKeys {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Principal, Unauthenticated> {
        let Credentials { token, organization } = credentials;
        let principal = self.keys.get(&KeyHash::of(token)).ok_or(Unauthenticated::Unknown)?;
        match organization.is_none_or(|named| named == principal.organization) {
            true => Ok(principal.clone()),
            false => Err(Unauthenticated::OtherOrganization),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal() -> Principal {
        Principal { organization: OrganizationId::from_u128(7), name: "ada".to_owned() }
    }

    #[tokio::test]
    async fn a_key_is_known_by_its_hash_alone() {
        let keys = StoredKeys::new().with(KeyHash::of("right"), principal());
        assert_eq!(keys.authenticate(Credentials::of("right")).await, Ok(principal()));
        assert_eq!(keys.authenticate(Credentials::of("wrong")).await, Err(Unauthenticated::Unknown));
        assert!(!format!("{keys:?}").contains("right"));
    }

    #[tokio::test]
    async fn a_key_is_for_one_organization() {
        let keys = StoredKeys::new().with(KeyHash::of("right"), principal());
        let naming = |id| Credentials {
            organization: Some(OrganizationId::from_u128(id)),
            ..Credentials::of("right")
        };
        assert_eq!(keys.authenticate(naming(7)).await, Ok(principal()));
        assert_eq!(keys.authenticate(naming(8)).await, Err(Unauthenticated::OtherOrganization));
        assert!(!format!("{:?}", naming(7)).contains("right"));
    }

    #[tokio::test]
    async fn keys_are_read_from_a_file_and_bad_ones_are_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let write = |hash: &str| {
            let stored = StoredKey {
                name: "ada".to_owned(),
                organization: OrganizationId::from_u128(7),
                hash: hash.to_owned(),
            };
            std::fs::write(file.path(), serde_json::to_vec(&[stored]).unwrap()).unwrap();
        };
        write(&KeyHash::of("right").to_string());
        let keys = StoredKeys::read(file.path()).unwrap();
        assert_eq!(keys.authenticate(Credentials::of("right")).await, Ok(principal()));
        write("nonsense");
        assert!(StoredKeys::read(file.path()).unwrap_err().to_string().contains("\"ada\""));
    }
}
