//! Programs of the agent's own that run as the sandbox's user: work on files, and getting hold of a terminal.
//!
//! The agent is root, so it opens no file for anybody: whatever a path leads to, the kernel judges it by the rights of
//! a process that has no others.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use hourglass_agent::{Failure, Reply, place};

use crate::dress::{account, dress};
use crate::serve::say;
use crate::world::World;
use crate::{command, files};

/// The first argument of a process that works on files for the caller at its standard input.
const FILES: &str = "--files";

/// The first argument of a process that takes the terminal named next and becomes the program named after it.
const TERMINAL: &str = "--terminal";

/// Let a process that is the sandbox's user answer `caller`.
pub(crate) fn files(world: &World, caller: UnixStream) {
    let kept = caller.try_clone();
    if let (Err(failure), Ok(caller)) = (hand_over(world, caller), kept) {
        say::<Reply<()>>(&caller, &Err(failure));
    }
}

fn hand_over(world: &World, caller: UnixStream) -> Result<(), Failure> {
    let mut command = Command::new(place::PROGRAM);
    command.arg(FILES).process_group(0);
    command.stdin(OwnedFd::from(caller)).stdout(Stdio::null()).stderr(Stdio::null());
    dress(&mut command, &account(&world.user)?, &[], None)?;
    command::spawn(world, command, place::PROGRAM).map(drop)
}

/// A command that takes the terminal at `path`, which is its standard input, and becomes `shell`.
pub(crate) fn terminal(path: &str, shell: &str) -> Command {
    let mut command = Command::new(place::PROGRAM);
    command.args([TERMINAL, path, shell]);
    command
}

/// What such a process does.
pub(crate) fn main(arguments: &[String]) -> ExitCode {
    match arguments {
        [first] if first == FILES => files::serve(),
        [first, path, shell] if first == TERMINAL => take(path, shell),
        _ => ExitCode::FAILURE,
    }
}

fn take(path: &str, shell: &str) -> ExitCode {
    // The first terminal that the leader of a new session opens is its terminal.
    let taken = nix::unistd::setsid().map_err(std::io::Error::from);
    let taken = taken.and_then(|_| File::options().read(true).write(true).open(path));
    if taken.is_err() {
        return ExitCode::FAILURE;
    }
    // Returns only when it could not.
    let _ = Command::new(shell).exec();
    ExitCode::from(127)
}
