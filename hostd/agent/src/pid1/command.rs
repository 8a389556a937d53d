//! Running one command to its end: dressed as its user, its output bounded, its time limited.
//!
//! What a command leaves running in the background lives on, as it would after a login; only a time-out or a caller
//! that hung up kills all that it started.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use hourglass_agent::{Answer, Ran, Run};

use crate::children::{Children, Heard, Started};
use crate::users;

/// How long output is waited for once the command has ended but something it left behind keeps its pipes open.
const STRAGGLING: Duration = Duration::from_millis(200);

/// The code of a command that was killed.
const KILLED: u8 = 128 + 9;

/// Put `command` into its user's place: ids, home, environment, a group of its own.
pub(crate) fn dress(
    command: &mut Command,
    user: &str,
    env: &[(String, String)],
    cwd: Option<&str>,
) -> io::Result<()> {
    let account =
        users::find(user).ok_or_else(|| io::Error::other(format!("no user {user:?} in /etc/passwd")))?;
    let home = if Path::new(&account.home).is_dir() { account.home.as_str() } else { "/" };
    let cwd = cwd.unwrap_or(home);
    if !Path::new(cwd).is_dir() {
        return Err(io::Error::other(format!("the working directory {cwd:?} is not a directory")));
    }
    command.uid(account.uid).gid(account.gid).process_group(0).current_dir(cwd);
    command.env("HOME", home).env("USER", &account.name).env("LOGNAME", &account.name);
    command.env("SHELL", &account.shell).envs(env.iter().map(|(name, value)| (name, value)));
    Ok(())
}

/// Run what `asked` says. `caller` is watched: when it goes, the command is killed.
pub(crate) fn run(children: &Children, asked: &Run, caller: &UnixStream) -> Answer {
    let Some((program, arguments)) = asked.argv.split_first() else {
        return Answer::Refused { why: "the command is empty".to_owned() };
    };
    let began = Instant::now();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = dress(&mut command, &asked.user, &asked.env, asked.cwd.as_deref())
        .and_then(|()| children.spawn(&mut command));
    let (pid, Started { mut child, hang_up, heard }) = match started {
        Ok(started) => started,
        Err(error) => return Answer::Unusable { program: program.clone(), error: error.to_string() },
    };

    let keep = usize::try_from(asked.keep).unwrap_or(usize::MAX);
    let stdout = child.stdout.take().map(|pipe| Kept::collect(pipe, keep));
    let stderr = child.stderr.take().map(|pipe| Kept::collect(pipe, keep));
    if let Ok(mut watched) = caller.try_clone() {
        // The caller sends nothing more, so any end of reading means that it is gone.
        let _ = Builder::new().name("caller".to_owned()).spawn(move || {
            let _ = watched.read(&mut [0]);
            let _ = hang_up.send(Heard::HungUp);
        });
    }

    let deadline = asked.timeout_micros.map(|micros| began + Duration::from_micros(micros));
    let (code, timed_out) = outcome(children, pid, &heard, deadline);
    let until = Instant::now() + STRAGGLING;
    let (stdout, dropped_out) = stdout.map_or_else(Default::default, |kept| kept.take(until));
    let (stderr, dropped_err) = stderr.map_or_else(Default::default, |kept| kept.take(until));
    Answer::Ran(Ran { code, stdout, stderr, dropped: dropped_out + dropped_err, timed_out })
}

/// Wait for the command's end, its deadline or its caller's leaving; its code and whether time ran out.
fn outcome(children: &Children, pid: i32, heard: &Receiver<Heard>, deadline: Option<Instant>) -> (u8, bool) {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let first = match left {
        Some(left) => heard.recv_timeout(left),
        None => heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match first {
        Ok(Heard::Ended(code)) => (code, false),
        Ok(Heard::HungUp) | Err(RecvTimeoutError::Disconnected) => {
            children.kill_group(pid);
            (KILLED, false)
        }
        Err(RecvTimeoutError::Timeout) => {
            children.kill_group(pid);
            // Its end is awaited so that it is surely over when the answer says so.
            while let Ok(Heard::HungUp) = heard.recv() {}
            (KILLED, true)
        }
    }
}

/// One output stream, as far as it is kept.
#[derive(Debug)]
struct Kept {
    state: Arc<Mutex<(Vec<u8>, u64)>>,
    ended: Receiver<()>,
}

impl Kept {
    /// Read `pipe` to its end on a thread of its own: also what is dropped, so that nobody blocks on a full pipe.
    fn collect(mut pipe: impl Read + Send + 'static, keep: usize) -> Self {
        let state = Arc::new(Mutex::new((Vec::new(), 0)));
        let (tell, ended) = channel();
        let shared = Arc::clone(&state);
        let _ = Builder::new().name("output".to_owned()).spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                let mut held = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let room = keep.saturating_sub(held.0.len()).min(read);
                held.0.extend_from_slice(&buffer[..room]);
                held.1 += u64::try_from(read - room).unwrap_or(u64::MAX);
            }
            let _ = tell.send(());
        });
        Self { state, ended }
    }

    /// What was kept and how much was dropped, by its end or `until`.
    fn take(self, until: Instant) -> (Vec<u8>, u64) {
        let _ = self.ended.recv_timeout(until.saturating_duration_since(Instant::now()));
        std::mem::take(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
