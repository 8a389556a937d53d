//! The few things a log asks of a disk, so that a test can put a worse disk in its place.
//!
//! One value of [`Files`] is one flat directory. Nothing here knows what the bytes mean, retries, or buffers: each
//! method is one request to the operating system (or to [`simulated`], which answers as a failing one would).

pub mod directory;
pub mod simulated;

use std::fmt::Debug;
use std::io;

pub use directory::Directory;

/// One directory, and the files in it.
///
/// A name is a promise about the directory alone: whether a created or renamed file is found after a power cut is
/// settled by [`Files::sync_dir`], and whether its bytes are is settled by [`File::sync_data`].
pub trait Files: Clone + Debug + Send + Sync + 'static {
    /// An open file.
    type File: File + 'static;
    /// Held for as long as the directory is ours.
    type Lock: Debug + Send + Sync + 'static;

    /// Where this directory is, for messages.
    fn place(&self) -> String;

    /// The names of the files, in no particular order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Make a file that does not exist yet.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Open a file that exists, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Give a file another name, replacing what had that name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Take a name away.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Make every name given or taken so far survive a power cut.
    fn sync_dir(&self) -> io::Result<()>;

    /// Bytes that could still be allocated here.
    fn free_space(&self) -> io::Result<u64>;

    /// Take the directory for ourselves, or `None` while another holder lives.
    fn lock(&self, name: &str) -> io::Result<Option<Self::Lock>>;

    /// A number that nobody can foresee. It tells one log's frames from another's, and from look-alikes in a payload.
    fn nonce(&self) -> u64;
}

/// An open file, read and written at offsets.
pub trait File: Debug + Send + Sync {
    /// How many bytes the file has.
    fn size(&self) -> io::Result<u64>;

    /// Fill `buffer` from `offset`; fewer bytes are returned only at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Write all of `bytes` at `offset`. Until the next [`File::sync_data`] any part of them may be lost.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Make everything written so far survive a power cut.
    ///
    /// After a failure the operating system may have forgotten which bytes were not stored, so a second call that
    /// succeeds proves nothing.
    fn sync_data(&self) -> io::Result<()>;

    /// Make the empty file `bytes` zeros long, and set room aside for them, so that writing there cannot run out of it.
    fn allocate(&self, bytes: u64) -> io::Result<()>;
}

impl<F: File> File for &F {
    fn size(&self) -> io::Result<u64> {
        F::size(self)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        F::read_at(self, buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        F::write_at(self, bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        F::sync_data(self)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        F::allocate(self, bytes)
    }
}

/// Whether `error` says that the disk, or the share of it that is ours, is full.
#[must_use]
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
