//! One session: its commands, what they wrote, and the thread that has the shell run one after the other.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use hourglass_agent::log::{Log, Stream};
use hourglass_agent::sessions::{
    COMMAND_MOST, COMMANDS_MOST, Command, Executed, LOG_MOST, Logs, QUEUED_MOST, SESSION_LOG_MOST,
    Session as Described,
};
use hourglass_agent::{Failure, Output, Reply};

use super::pipes::{Ends, Pipes};
use super::shell::Shell;
use super::what;
use crate::dress::account;
use crate::pump::{GoesOn, is_gone, pump, write_for};
use crate::users::Account;
use crate::world::{World, lock};

/// How often somebody who waits for a command looks whether its caller is still there.
const LOOK: Duration = Duration::from_millis(500);

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    name: String,
    number: u64,
    /// The shell's process.
    pid: i32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    commands: VecDeque<Entry>,
    /// How many commands there ever were.
    asked: u64,
    stage: Stage,
}

/// Whether the session takes commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Ended,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    text: String,
    /// Where its input goes, while it runs.
    stdin: Option<Arc<File>>,
    code: Option<u8>,
    log: Log,
}

impl Session {
    pub(super) fn begin(world: &Arc<World>, name: &str, number: u64) -> Reply<Arc<Self>> {
        let account = account(&world.user)?;
        let shell = Shell::start(world, &account)?;
        let state = Mutex::new(State { commands: VecDeque::new(), asked: 0, stage: Stage::Open });
        let session = Self { name: name.to_owned(), number, pid: shell.pid, state, changed: Condvar::new() };
        let session = Arc::new(session);
        let (driven, world) = (Arc::clone(&session), Arc::clone(world));
        let driving = Builder::new().name("session".to_owned()).spawn(move || driven.drive(shell, &account));
        match driving {
            Ok(_) => Ok(session),
            Err(error) => {
                session.end(&world);
                Err(Failure::System { doing: "begin a session".to_owned(), error: error.to_string() })
            }
        }
    }

    /// Kill the shell and all that came from it.
    pub(super) fn end(&self, world: &World) {
        lock(&self.state).stage = Stage::Ended;
        self.changed.notify_all();
        world.children.kill_group(self.pid);
    }

    pub(super) fn describe(&self) -> Described {
        let state = lock(&self.state);
        let commands = state.commands.iter().map(Entry::describe).collect();
        Described { id: self.name.clone(), commands, open: state.stage == Stage::Open }
    }

    /// Have `text` run after all that was asked before; the command's number.
    pub(super) fn enqueue(&self, text: String) -> Reply<u64> {
        if text.len() > COMMAND_MOST || text.contains('\0') {
            return Err(Failure::wrong(format!(
                "the command has {} bytes; give at most {COMMAND_MOST}, none of them zero",
                text.len()
            )));
        }
        let mut state = lock(&self.state);
        if state.stage == Stage::Ended {
            return Err(Failure::Ended { what: what(&self.name) });
        }
        if state.commands.iter().filter(|entry| entry.code.is_none()).count() > QUEUED_MOST {
            let what = "commands waiting in the session".to_owned();
            return Err(Failure::TooMany { what, most: QUEUED_MOST as u64 });
        }
        while state.commands.len() >= COMMANDS_MOST && state.commands.front().is_some_and(Entry::is_over) {
            state.commands.pop_front();
        }
        state.asked += 1;
        let number = state.asked;
        let entry = Entry { number, text, stdin: None, code: None, log: Log::default() };
        state.commands.push_back(entry);
        self.changed.notify_all();
        Ok(number)
    }

    /// The number of the command with this id.
    pub(super) fn number(&self, id: &str) -> Reply<u64> {
        let state = lock(&self.state);
        let found = state.commands.iter().find(|entry| entry.id() == id);
        let missing = || Failure::Missing { what: format!("the command {id:?} of {}", what(&self.name)) };
        found.map(|entry| entry.number).ok_or_else(missing)
    }

    pub(super) fn command(&self, number: u64) -> Reply<Command> {
        self.with(number, Entry::describe)
    }

    pub(super) fn logs(&self, number: u64) -> Reply<Logs> {
        self.with(number, |entry| Logs { pieces: entry.log.all() })
    }

    pub(super) fn executed(&self, number: u64) -> Reply<Executed> {
        self.with(number, |entry| Executed {
            command: entry.describe(),
            logs: Logs { pieces: entry.log.all() },
        })
    }

    /// Give the command `data` to read, while its caller is there.
    pub(super) fn input(&self, number: u64, data: &[u8], caller: &UnixStream) -> Reply<()> {
        let stdin = self.with(number, |entry| entry.stdin.clone())?;
        let stdin =
            stdin.ok_or_else(|| Failure::wrong("the command is not running, so it reads no input"))?;
        let failed = |error: io::Error| Failure::of(&error, "give input to", "the command");
        write_for(caller, &stdin, data).map_err(failed)
    }

    /// Wait until the command has ended or `caller` is gone.
    pub(super) fn await_end(&self, number: u64, caller: &UnixStream) {
        let mut state = lock(&self.state);
        while state.entry(number).is_some_and(|entry| !entry.is_over()) && !is_gone(caller) {
            state = self.wait(state);
        }
    }

    /// What the command wrote at `position` and the position after it, or its code when that was all; waits for it.
    /// Nothing when it is forgotten or `caller` is gone.
    pub(super) fn next(
        &self,
        number: u64,
        position: u64,
        caller: &UnixStream,
    ) -> Option<Result<(Output, u64), u8>> {
        let mut state = lock(&self.state);
        loop {
            let entry = state.entry(number)?;
            if let Some(next) = entry.log.at(position) {
                return Some(Ok(next));
            }
            if let Some(code) = entry.code {
                return Some(Err(code));
            }
            if is_gone(caller) {
                return None;
            }
            state = self.wait(state);
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0
    }

    fn with<T>(&self, number: u64, look: impl FnOnce(&Entry) -> T) -> Reply<T> {
        let state = lock(&self.state);
        let forgotten = || Failure::Missing { what: format!("the command of {}", what(&self.name)) };
        state.entry(number).map(look).ok_or_else(forgotten)
    }

    /// Have `shell` run what is asked until it ends.
    fn drive(self: &Arc<Self>, mut shell: Shell, account: &Account) {
        while let Some((number, text)) = self.await_command() {
            let done = self.run(&mut shell, number, &text, account);
            let code = done.unwrap_or_else(|code| {
                lock(&self.state).stage = Stage::Ended;
                code
            });
            self.change(number, |entry| {
                entry.stdin = None;
                entry.code = Some(code);
            });
            if lock(&self.state).stage == Stage::Ended {
                break;
            }
        }
        // What still waited will never run.
        let mut state = lock(&self.state);
        state.stage = Stage::Ended;
        for entry in state.commands.iter_mut().filter(|entry| !entry.is_over()) {
            entry.code = Some(u8::MAX);
        }
        self.changed.notify_all();
    }

    fn await_command(&self) -> Option<(u64, String)> {
        let mut state = lock(&self.state);
        loop {
            if state.stage == Stage::Ended {
                return None;
            }
            if let Some(next) = state.commands.iter().find(|entry| !entry.is_over()) {
                return Some((next.number, next.text.clone()));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Run one command. Its code, or how the shell ended because of it.
    fn run(
        self: &Arc<Self>,
        shell: &mut Shell,
        number: u64,
        text: &str,
        account: &Account,
    ) -> Result<u8, u8> {
        let begun = Pipes::make(self.number, number, account).and_then(|(pipes, ends)| {
            let Ends { stdin, stdout, stderr } = ends;
            let goes_on = GoesOn::new()?;
            let listen = |pipe: File, stream: Stream| {
                let session = Arc::clone(self);
                pump(pipe, goes_on.over(), move |bytes| session.wrote(number, stream, bytes))
            };
            let carried = [listen(stdout, Stream::Out)?, listen(stderr, Stream::Err)?];
            Ok((pipes, stdin, goes_on, carried))
        });
        let (pipes, stdin, goes_on, carried) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                let why = format!("the command could not be run: {error}\n");
                self.wrote(number, Stream::Err, why.as_bytes());
                return Ok(126);
            }
        };
        self.change(number, |entry| entry.stdin = Some(Arc::new(stdin)));
        let code = shell.run(number, text, &pipes);
        drop((pipes, goes_on));
        for carried in carried {
            let _ = carried.recv();
        }
        code
    }

    fn wrote(&self, number: u64, stream: Stream, bytes: &[u8]) {
        self.change(number, |entry| entry.log.push(stream, bytes, LOG_MOST));
        let mut state = lock(&self.state);
        let mut over = state.commands.iter().map(|entry| entry.log.kept()).sum::<usize>();
        for entry in &mut state.commands {
            if over <= SESSION_LOG_MOST {
                break;
            }
            let kept = entry.log.kept();
            entry.log.cut(kept.saturating_sub(over - SESSION_LOG_MOST));
            over -= kept - entry.log.kept();
        }
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Entry)) {
        let mut state = lock(&self.state);
        if let Some(entry) = state.commands.iter_mut().find(|entry| entry.number == number) {
            change(entry);
        }
        self.changed.notify_all();
    }
}

impl State {
    fn entry(&self, number: u64) -> Option<&Entry> {
        self.commands.iter().find(|entry| entry.number == number)
    }
}

impl Entry {
    fn id(&self) -> String {
        self.number.to_string()
    }

    fn is_over(&self) -> bool {
        self.code.is_some()
    }

    fn describe(&self) -> Command {
        Command { id: self.id(), command: self.text.clone(), code: self.code }
    }
}
