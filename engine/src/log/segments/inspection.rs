//! Reading a log without changing anything in it, not even what an opening would mend.

use std::io;
use std::path::Path;

use crate::log::files::{Directory, Files};

use super::Options;
use super::damage::{Notice, OpenError};
use super::reader::Reader;
use super::recovery::{self, LOCK, failed};

/// A log that nobody writes to, looked at as an opening does.
///
/// Any number of inspections can be under way. A writer is refused meanwhile, and an inspection while there is a writer:
/// without that, a frame on its way to the medium would look like a torn or a durable one, and a file just begun like a
/// missing one. A directory without a lock file, such as a copy, was never opened where it is, and is read without.
#[derive(Debug)]
pub struct Inspection {
    reader: Reader<Directory>,
    notices: Vec<Notice>,
    _lock: Option<<Directory as Files>::Lock>,
}

impl Inspection {
    /// Look at the log in the directory at `path`, which must be there. The sizes in `options` do not matter.
    pub fn open(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let files = Directory::read_only(path);
        let lock = match files.share(LOCK) {
            Ok(Some(lock)) => Some(lock),
            Ok(None) => return Err(OpenError::Held { place: files.place() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&files, "sharing the lock")(error)),
        };
        let judged = recovery::judge(&files, options)?;
        let notices = judged.notices();
        Ok(Self { reader: judged.reader, notices, _lock: lock })
    }

    /// A handle for reading what an opening would take for durable.
    #[must_use]
    pub fn reader(&self) -> Reader<Directory> {
        self.reader.clone()
    }

    /// What the next opening mends.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}
