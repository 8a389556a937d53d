//! Running one command to its end: dressed as its user, its output bounded, its time limited.
//!
//! What a command leaves running in the background lives on, as it would after a login; only a time-out or a caller
//! that hung up kills all that it started.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::Builder;
use std::time::{Duration, Instant};

use hourglass_agent::{Bytes, End, Failure, Program, Ran, Run};

use crate::children::{Children, Heard, Started};
use crate::dress::{account, dress};
use crate::pump::{GoesOn, pump};
use crate::world::{World, lock};

/// The code of a command that was killed.
const KILLED: u8 = 128 + 9;

/// `program` as a command of the sandbox's user, in a process group of its own.
pub(crate) fn dressed(world: &World, program: &Program) -> Result<Command, Failure> {
    let Some((name, arguments)) = program.argv.split_first() else {
        return Err(Failure::wrong("the command is empty; give at least a program"));
    };
    let mut command = Command::new(name);
    command.args(arguments).process_group(0);
    dress(&mut command, &account(&world.user)?, &program.env, program.cwd.as_deref())?;
    Ok(command)
}

/// Start `command`, which is called `name`. Nothing of the command is left: the ends of pipes it held are closed.
pub(crate) fn spawn(world: &World, mut command: Command, name: &str) -> Result<(i32, Started), Failure> {
    let unusable =
        |error: io::Error| Failure::Unusable { program: name.to_owned(), error: error.to_string() };
    world.children.spawn(&mut command).map_err(unusable)
}

/// Run what `asked` says. `caller` is watched: when it goes, the command is killed.
pub(crate) fn run(world: &World, asked: &Run, caller: &UnixStream) -> Result<Ran, Failure> {
    let began = Instant::now();
    let name = asked.program.argv.first().cloned().unwrap_or_default();
    let failed =
        |error: io::Error| Failure::System { doing: "collect output".to_owned(), error: error.to_string() };
    let mut command = dressed(world, &asked.program)?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut both = None;
    if asked.merged {
        let (read, write) = io::pipe().map_err(failed)?;
        command.stdout(write.try_clone().map_err(failed)?).stderr(write);
        both = Some(OwnedFd::from(read));
    }
    let (pid, Started { mut child, hang_up, heard }) = spawn(world, command, &name)?;

    let goes_on = GoesOn::new().map_err(failed)?;
    let keep = usize::try_from(asked.keep).unwrap_or(usize::MAX);
    let kept = |pipe: Option<OwnedFd>| pipe.map(|pipe| Kept::collect(pipe, keep, &goes_on)).transpose();
    let stdout = kept(both.or(child.stdout.take().map(OwnedFd::from))).map_err(failed)?;
    let stderr = kept(child.stderr.take().map(OwnedFd::from)).map_err(failed)?;
    watch(caller, hang_up);
    let deadline = asked.program.timeout_micros.map(|micros| began + Duration::from_micros(micros));
    let End { code, timed_out } = outcome(&world.children, pid, &heard, deadline);
    drop(goes_on);
    let (stdout, dropped_out) = stdout.map_or_else(Default::default, Kept::take);
    let (stderr, dropped_err) = stderr.map_or_else(Default::default, Kept::take);
    let dropped = dropped_out + dropped_err;
    Ok(Ran { code, stdout: Bytes(stdout), stderr: Bytes(stderr), dropped, timed_out })
}

/// Say on `hang_up` when a caller who has nothing more to say goes.
fn watch(caller: &UnixStream, hang_up: Sender<Heard>) {
    if let Ok(mut watched) = caller.try_clone() {
        let _ = Builder::new().name("watch".to_owned()).spawn(move || {
            let _ = watched.read(&mut [0]);
            let _ = hang_up.send(Heard::HungUp);
        });
    }
}

/// Wait for the command's end, its deadline or its caller's leaving.
pub(crate) fn outcome(
    children: &Children,
    pid: i32,
    heard: &Receiver<Heard>,
    deadline: Option<Instant>,
) -> End {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let first = match left {
        Some(left) => heard.recv_timeout(left),
        None => heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match first {
        Ok(Heard::Ended(code)) => End { code, timed_out: false },
        Ok(Heard::HungUp) | Err(RecvTimeoutError::Disconnected) => {
            children.kill_group(pid);
            End { code: KILLED, timed_out: false }
        }
        Err(RecvTimeoutError::Timeout) => {
            children.kill_group(pid);
            // Its end is awaited so that it is surely over when the answer says so.
            while let Ok(Heard::HungUp) = heard.recv() {}
            End { code: KILLED, timed_out: true }
        }
    }
}

/// One output stream, as far as it is kept.
#[derive(Debug)]
struct Kept {
    state: Arc<Mutex<(Vec<u8>, u64)>>,
    carried: Receiver<()>,
}

impl Kept {
    /// Read `pipe` to its end: also what is dropped, so that nobody blocks on a full pipe.
    fn collect(pipe: OwnedFd, keep: usize, goes_on: &GoesOn) -> io::Result<Self> {
        let state = Arc::new(Mutex::new((Vec::new(), 0)));
        let shared = Arc::clone(&state);
        let carried = pump(pipe, goes_on.over(), move |bytes| {
            let (kept, dropped) = &mut *lock(&shared);
            let room = keep.saturating_sub(kept.len()).min(bytes.len());
            kept.extend_from_slice(&bytes[..room]);
            *dropped += u64::try_from(bytes.len() - room).unwrap_or(u64::MAX);
        })?;
        Ok(Self { state, carried })
    }

    /// What was kept and how much was dropped, once the command has ended.
    fn take(self) -> (Vec<u8>, u64) {
        let _ = self.carried.recv();
        std::mem::take(&mut *lock(&self.state))
    }
}
