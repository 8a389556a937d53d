//! A directory of the real file system.
//!
//! It adds nothing to what the system calls promise, except that creating the directory itself is made durable.

use std::fs::{self, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::{File, Files};

/// A lock on a file, let go when dropped.
///
/// Closing the file would not do: a program that another thread is starting holds every file of this process until it
/// runs, and with it the lock.
#[derive(Debug)]
pub struct Lock(fs::File);

impl Lock {
    /// What trying to take a lock on `file` came to; `None` while it is locked.
    fn tried(file: fs::File, outcome: Result<(), TryLockError>) -> io::Result<Option<Self>> {
        match outcome {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If this fails the file is closed all the same, which lets go of it a little later.
        let _ = self.0.unlock();
    }
}

/// One directory of the real file system.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
    read_only: bool,
}

impl Directory {
    /// The directory at `path`, made (durably, with its parents) if it is not there yet.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        create_durably(&path)?;
        Ok(Self { path, read_only: false })
    }

    /// The directory at `path`, through which nothing can be changed. It is not made if it is not there.
    #[must_use]
    pub fn read_only(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), read_only: true }
    }

    /// Keep those away who [lock](Files::lock) the file `name`, which must be there, together with others who share it.
    /// `None` while it is locked.
    pub fn share(&self, name: &str) -> io::Result<Option<Lock>> {
        let file = fs::File::open(self.path.join(name))?;
        let outcome = file.try_lock_shared();
        Lock::tried(file, outcome)
    }

    fn for_change(&self, name: &str) -> io::Result<PathBuf> {
        if self.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(self.path.join(name))
    }

    /// Where the directory is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A new directory is only a name in its parent, so each parent that gained one is synced.
fn create_durably(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    create_durably(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(error) => return Err(error),
        Ok(()) => {}
    }
    fs::File::open(parent)?.sync_all()
}

impl Files for Directory {
    type File = fs::File;
    type Lock = Lock;

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<fs::File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(self.for_change(name)?)
    }

    fn open(&self, name: &str) -> io::Result<fs::File> {
        OpenOptions::new().read(true).write(!self.read_only).open(self.path.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.for_change(from)?, self.for_change(to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.for_change(name)?)
    }

    fn sync_dir(&self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()
    }

    fn free_space(&self) -> io::Result<u64> {
        let found = statvfs(&self.path)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    fn lock(&self, name: &str) -> io::Result<Option<Lock>> {
        let path = self.for_change(name)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let outcome = file.try_lock();
        Lock::tried(file, outcome)
    }

    fn nonce(&self) -> u64 {
        RandomState::new().hash_one(std::process::id())
    }
}

impl File for fs::File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match FileExt::read_at(self, &mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        match fallocate(self, FallocateFlags::empty(), 0, bytes) {
            // Such a file system sets no room aside: a write may find none later, which the log answers as well.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => self.set_len(bytes),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_let_go_although_a_program_being_started_holds_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let files = Directory::open(dir.path()).unwrap();
        let lock = files.lock("lock").unwrap().unwrap();
        let inherited = lock.0.try_clone().unwrap();
        assert!(files.lock("lock").unwrap().is_none());
        drop(lock);
        assert!(files.lock("lock").unwrap().is_some());
        drop(inherited);
    }
}
