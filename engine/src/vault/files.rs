//! A vault in a directory: a key, and one sealed file for each sandbox. Who can read the key can read everything.
//!
//! ```text
//! DATA/vault/key               32 random bytes, made at first use, for its owner alone
//! DATA/vault/<sandbox>         that sandbox's values, sealed
//! DATA/vault/<sandbox>.draft   a file that was being written; swept when the vault is opened
//! ```
//!
//! A file is written beside, synced and put in place, and the directory synced, so it is there whole or not at all. What
//! is erased is removed from the directory; the medium may keep its bytes, sealed, until it needs the room.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use hourglass_events::{OrganizationId, SandboxId, Values};
use uuid::Uuid;

use super::seal::Master;
use super::{Vault, VaultError};

const DIRECTORY: &str = "vault";
const KEY: &str = "key";
const DRAFT: &str = "draft";
/// For the owner alone.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;
/// No file of ours is larger: the most that values take, and room for what surrounds them.
const FILE_BYTES_MOST: u64 = 2 * Values::BYTES_MOST as u64;

/// Values in files under a data directory.
#[derive(Debug, Clone)]
pub struct FileVault {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    master: Master,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("path", &self.path).finish_non_exhaustive()
    }
}

impl FileVault {
    /// The vault below `data`, made with a fresh key if there is none. It blocks.
    pub fn open(data: &Path) -> Result<Self, VaultError> {
        let path = data.join(DIRECTORY);
        let made = fs::DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(&path);
        made.and_then(|()| sync(data)).map_err(VaultError::at(&path, "made"))?;
        let names = names(&path)?;
        for draft in names.iter().filter(|name| name.ends_with(DRAFT)) {
            remove(&path.join(draft))?;
        }
        let master = match read_key(&path.join(KEY))? {
            Some(master) => master,
            None if names.iter().any(|name| sandbox(name).is_some()) => {
                return Err(VaultError::NoKey { path });
            }
            None => {
                let master = Master::draw()?;
                write(&path, KEY, master.bytes())?;
                master
            }
        };
        Ok(Self { inner: Arc::new(Inner { path, master }) })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.unwrap_or_else(|error| Err(VaultError::at(&self.inner.path, "used")(io::Error::other(error))))
    }
}

#[async_trait]
impl Vault for FileVault {
    fn digest_key(&self, organization: OrganizationId) -> [u8; 32] {
        self.inner.master.digest_key(organization)
    }

    async fn store(&self, sandbox: SandboxId, values: &Values) -> Result<(), VaultError> {
        let values = values.clone();
        self.blocking(move |inner| {
            let sealed = inner.master.seal(sandbox, &values)?;
            write(&inner.path, &sandbox.to_string(), &sealed)
        })
        .await
    }

    async fn load(&self, sandbox: SandboxId) -> Result<Option<Values>, VaultError> {
        self.blocking(move |inner| {
            let path = inner.path.join(sandbox.to_string());
            let Some(bytes) = read(&path)? else { return Ok(None) };
            let values = inner.master.open(sandbox, &bytes);
            values.map(Some).map_err(|what| VaultError::Damaged { path, what })
        })
        .await
    }

    async fn erase(&self, sandbox: SandboxId) -> Result<(), VaultError> {
        self.blocking(move |inner| {
            let path = inner.path.join(sandbox.to_string());
            if remove(&path)? {
                sync(&inner.path).map_err(VaultError::at(&inner.path, "synced"))?;
            }
            Ok(())
        })
        .await
    }

    async fn list(&self) -> Result<Vec<SandboxId>, VaultError> {
        self.blocking(|inner| Ok(names(&inner.path)?.iter().filter_map(|name| sandbox(name)).collect())).await
    }
}

/// The sandbox whose file is called `name`.
fn sandbox(name: &str) -> Option<SandboxId> {
    Uuid::try_parse(name).ok().map(SandboxId).filter(|id| id.to_string() == name)
}

fn names(path: &Path) -> Result<Vec<String>, VaultError> {
    let unread = || VaultError::at(path, "listed");
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(unread())? {
        // A name that is not UTF-8 is none of ours.
        names.extend(entry.map_err(unread())?.file_name().into_string().ok());
    }
    Ok(names)
}

fn read_key(path: &Path) -> Result<Option<Master>, VaultError> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    let mode = fs::metadata(path).map_err(VaultError::at(path, "read"))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(VaultError::Exposed { path: path.to_owned(), mode });
    }
    let damaged = || VaultError::Damaged { path: path.to_owned(), what: "a key has 32 bytes" };
    let bytes = <[u8; Master::SIZE]>::try_from(bytes).map_err(|_| damaged())?;
    Ok(Some(Master::from_bytes(bytes)))
}

/// What a file holds, or `None` if it is not there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, VaultError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MOST).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(VaultError::at(path, "read")(error)),
        Ok(_) => Ok(Some(bytes)),
    }
}

/// Put a file with these bytes in place, durably.
fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
    let path = directory.join(name);
    // Two writers of one name never write into one file.
    let draft = directory.join(format!("{name}.{}.{DRAFT}", Uuid::new_v4()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE_FILE)
        .open(&draft)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, &path))
        .and_then(|()| sync(directory));
    written.map_err(|error| {
        // What cannot be removed now is swept when the vault is opened.
        let _ = fs::remove_file(&draft);
        VaultError::at(path, "written")(error)
    })
}

/// Remove a file; whether it was there.
fn remove(path: &Path) -> Result<bool, VaultError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(VaultError::at(path, "removed")(error)),
        Ok(()) => Ok(true),
    }
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
