//! One hand at a time on each sandbox, across lives of the host worker.
//!
//! The lock is on an open file, and every helper program is given that file as its standard input. So when the
//! worker is killed, the lock is free only once the last helper it had started is done, and a new worker never acts
//! beside a `mkfs` or a half-made container of the old one.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use hourglass_events::Fault;

use super::doing::Doing;

/// How long another hand is waited for. Longer than any single operation takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Take the lock at `path`, waiting for whoever holds it.
    pub(super) fn take(path: &Path) -> Result<Self, Fault> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(lock) = Self::attempt(path).doing("take the sandbox's lock")? {
                return Ok(lock);
            }
            if Instant::now() >= deadline {
                let error = format!("{} is held by another process; see `fuser` on it", path.display());
                return Err(Fault::System { doing: "take the sandbox's lock".to_owned(), error });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    fn attempt(path: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).truncate(false).read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        // Whoever held it before may have removed the file, and then this lock is on nothing.
        let locked = file.metadata()?.ino();
        match fs::metadata(path) {
            Ok(found) if found.ino() == locked => Ok(Some(Self { file, path: path.to_owned() })),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The lock as the standard input of a helper program, which then holds it too.
    pub(super) fn held_by_child(&self) -> Result<Stdio, Fault> {
        Ok(self.file.try_clone().doing("share the sandbox's lock")?.into())
    }

    /// Let go of it and leave no file.
    pub(super) fn remove(self) -> Result<(), Fault> {
        fs::remove_file(&self.path).doing("remove the sandbox's lock")
    }
}
