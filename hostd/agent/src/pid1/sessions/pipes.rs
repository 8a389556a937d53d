//! The named pipes of one command of a session: how a shell that runs already gets input and output that are the
//! command's alone.
//!
//! They lie in a directory of root's, so that nobody else can put anything in their place, and belong to the user,
//! whose shell opens them.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rustix::fs::OFlags;

use crate::users::Account;

/// Where they lie: in memory, because the sandbox's disk may be full.
const PLACE: &str = "/dev/shm/.hourglass";

/// The pipes of a command. Their names are gone when this is dropped; who has opened them keeps them.
#[derive(Debug)]
pub(super) struct Pipes {
    base: PathBuf,
    /// Holds output open, so that it does not end before the shell has opened it.
    _writers: [File; 2],
}

/// The agent's ends of them.
#[derive(Debug)]
pub(super) struct Ends {
    /// Where the command's input is written to.
    pub(super) stdin: File,
    pub(super) stdout: File,
    pub(super) stderr: File,
}

impl Pipes {
    /// The pipes of command `number` of the session with the number `session`.
    pub(super) fn make(session: u64, number: u64, owner: &Account) -> io::Result<(Self, Ends)> {
        let place = Path::new(PLACE);
        match DirBuilder::new().mode(0o711).create(place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        let base = place.join(format!("{session}.{number}"));
        for end in ["in", "out", "err"] {
            let path = named(&base, end);
            mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR)?;
            chown(&path, Some(owner.uid), Some(owner.gid))?;
        }
        let open = |end: &str, read: bool, write: bool| {
            let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits()).unwrap_or_default();
            File::options().read(read).write(write).custom_flags(flags).open(named(&base, end))
        };
        // Read and write, because nobody else reads it yet.
        let stdin = open("in", true, true)?;
        let (stdout, stderr) = (open("out", true, false)?, open("err", true, false)?);
        let writers = [open("out", false, true)?, open("err", false, true)?];
        Ok((Self { base, _writers: writers }, Ends { stdin, stdout, stderr }))
    }

    /// What a shell puts behind a command so that it uses them.
    pub(super) fn redirection(&self) -> String {
        let base = self.base.display();
        format!("<{base}.in >{base}.out 2>{base}.err")
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        for end in ["in", "out", "err"] {
            let _ = fs::remove_file(named(&self.base, end));
        }
    }
}

fn named(base: &Path, end: &str) -> PathBuf {
    let mut path = base.as_os_str().to_owned();
    path.push(".");
    path.push(end);
    path.into()
}
