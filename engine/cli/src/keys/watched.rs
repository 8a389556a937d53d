//! The keys of a data directory as a running API knows them: read again when their file has changed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use hourglass_api::auth::Credentials;
use hourglass_api::{Authentication, Principal, StoredKeys, Unauthenticated};
use tokio::task::JoinHandle;

use super::Keys;

/// How often the file is looked at; a key that was revoked opens nothing for longer.
const LOOK: Duration = Duration::from_millis(500);

/// Keys that follow their file.
#[derive(Debug)]
pub(crate) struct Watched {
    known: Arc<RwLock<StoredKeys>>,
    task: JoinHandle<()>,
}

impl Watched {
    /// The keys of `keys`, now and later. A file that cannot be read lets in whom it let in before.
    pub(crate) fn start(keys: Keys) -> anyhow::Result<Self> {
        let mut seen = Stamp::of(&keys.path());
        let known = Arc::new(RwLock::new(keys.read()?));
        let task = tokio::spawn({
            let known = Arc::clone(&known);
            async move {
                let mut beat = tokio::time::interval(LOOK);
                loop {
                    beat.tick().await;
                    let found = Stamp::of(&keys.path());
                    if found == seen {
                        continue;
                    }
                    seen = found;
                    match keys.read() {
                        Ok(read) => *known.write().unwrap_or_else(PoisonError::into_inner) = read,
                        Err(error) => tracing::error!("{error:#}; the keys known before stay valid"),
                    }
                }
            }
        });
        Ok(Self { known, task })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl Authentication for Watched {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Principal, Unauthenticated> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        known.authenticate(credentials).await
    }
}

/// What tells one version of a file from the next: each is a file of its own, renamed into place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stamp {
    Missing,
    File { inode: u64, changed: (i64, i64), size: u64 },
}

impl Stamp {
    fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(found) => Self::File {
                inode: found.ino(),
                changed: (found.mtime(), found.mtime_nsec()),
                size: found.len(),
            },
            Err(_) => Self::Missing,
        }
    }
}
