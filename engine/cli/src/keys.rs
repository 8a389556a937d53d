//! The keys of a data directory: which there are, as hashes, and the one that `up` itself made.
//!
//! ```text
//! DATA/keys.json   every key that opens the API, by its hash alone
//! DATA/key         the key of this directory's own `up`, for whoever may read the directory
//! ```

mod watched;

use std::fs::{self, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use hourglass_api::StoredKeys;
use hourglass_api::auth::{KeyHash, StoredKey};
use hourglass_events::OrganizationId;
use uuid::Uuid;

use crate::durable::{private, write};

pub(crate) use watched::Watched;

/// What the key of `up` itself is called.
pub(crate) const OWN: &str = "local";
/// Whose sandboxes a key opens if nobody says otherwise.
pub(crate) const ORGANIZATION: OrganizationId = OrganizationId::from_u128(1);
/// The shortest key that may be given; what is made here is longer.
const KEY_LEAST: usize = 16;
/// The longest.
const KEY_MOST: usize = 256;
/// The longest name of a key.
const NAME_MOST: usize = 64;

/// The keys of one data directory.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    data: PathBuf,
}

impl Keys {
    /// The keys in `data`.
    pub(crate) fn of(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    /// Where the hashes are.
    pub(crate) fn path(&self) -> PathBuf {
        self.data.join("keys.json")
    }

    /// Where the key of `up` itself is.
    pub(crate) fn own_path(&self) -> PathBuf {
        self.data.join("key")
    }

    /// All of them, by name.
    pub(crate) fn list(&self) -> anyhow::Result<Vec<StoredKey>> {
        let path = self.path();
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.with_context(|| format!("the keys in {} cannot be read", path.display()))?,
        };
        let mut keys: Vec<StoredKey> = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not a list of keys; mend it or remove it", path.display()))?;
        keys.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(keys)
    }

    /// The key of `up` itself, as long as it opens the API.
    pub(crate) fn own(&self) -> anyhow::Result<Option<String>> {
        let path = self.own_path();
        let key = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("the key in {} cannot be read", path.display()))?,
        };
        let key = key.trim();
        let hash = KeyHash::of(key).to_string();
        Ok(self.list()?.iter().any(|stored| stored.hash == hash).then(|| key.to_owned()))
    }

    /// Make a key called `name`. It is told this once and never again.
    pub(crate) fn create(&self, name: &str, organization: OrganizationId) -> anyhow::Result<String> {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@'));
        if name.is_empty() || name.len() > NAME_MOST || !plain {
            bail!("{name:?} cannot be a key's name; up to {NAME_MOST} letters, digits, and -_.@ can");
        }
        let key = fresh();
        self.change(|keys| {
            if let Some(holder) = keys.iter().find(|stored| stored.name == name) {
                let organization = holder.organization;
                bail!(
                    "there is a key called {name:?} already, of organization {organization}; \
                     revoke it with `hourglass key revoke {name}`, or choose another name"
                );
            }
            keys.push(stored(name, organization, &key));
            Ok(())
        })?;
        Ok(key)
    }

    /// Take the key called `name` away.
    pub(crate) fn revoke(&self, name: &str) -> anyhow::Result<()> {
        self.change(|keys| {
            let before = keys.len();
            keys.retain(|stored| stored.name != name);
            if keys.len() == before {
                let names: Vec<&str> = keys.iter().map(|stored| stored.name.as_str()).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                bail!("there is no key called {name:?}; there are: {names}");
            }
            Ok(())
        })
    }

    /// The key of `up` itself: `given`, else the one it had, else a new one. It opens `organization` if one is given,
    /// else what it opened before.
    pub(crate) fn settle(
        &self,
        given: Option<&str>,
        organization: Option<OrganizationId>,
    ) -> anyhow::Result<(String, OrganizationId)> {
        if let Some(given) = given {
            check(given)?;
        }
        let key = match (given, self.own()?) {
            (Some(given), _) => given.to_owned(),
            (None, Some(own)) => own,
            (None, None) => fresh(),
        };
        let mut opened = organization.unwrap_or(ORGANIZATION);
        self.change(|keys| {
            let hash = KeyHash::of(&key).to_string();
            if let Some(other) = keys.iter().find(|stored| stored.hash == hash && stored.name != OWN) {
                bail!("this key is the one called {:?} already; give another with --key", other.name);
            }
            let before = keys.iter().find(|stored| stored.name == OWN).map(|stored| stored.organization);
            opened = organization.or(before).unwrap_or(ORGANIZATION);
            keys.retain(|stored| stored.name != OWN);
            keys.push(stored(OWN, opened, &key));
            Ok(())
        })?;
        write(&self.own_path(), format!("{key}\n").as_bytes())?;
        Ok((key, opened))
    }

    /// Those who are let in, as the API asks for them.
    pub(crate) fn read(&self) -> anyhow::Result<StoredKeys> {
        Ok(StoredKeys::read(&self.path())?)
    }

    /// Change the list, alone.
    fn change(&self, change: impl FnOnce(&mut Vec<StoredKey>) -> anyhow::Result<()>) -> anyhow::Result<()> {
        fs::create_dir_all(&self.data)
            .with_context(|| format!("the data directory {} cannot be made", self.data.display()))?;
        let path = self.data.join("keys.lock");
        let lock = private(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => lock.lock()?,
            Err(TryLockError::Error(error)) => return Err(error).context("the keys cannot be locked"),
        }
        let mut keys = self.list()?;
        change(&mut keys)?;
        write(&self.path(), &serde_json::to_vec_pretty(&keys)?)
    }
}

fn stored(name: &str, organization: OrganizationId, key: &str) -> StoredKey {
    StoredKey { name: name.to_owned(), organization, hash: KeyHash::of(key).to_string() }
}

/// A key nobody guesses: 244 random bits.
fn fresh() -> String {
    format!("hg_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// A key travels in a header, and its plain hash must not give it away.
fn check(key: &str) -> anyhow::Result<()> {
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible || !(KEY_LEAST..=KEY_MOST).contains(&key.len()) {
        bail!("--key must be {KEY_LEAST} to {KEY_MOST} visible ASCII characters without spaces");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
