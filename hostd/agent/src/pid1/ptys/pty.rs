//! One terminal: its shell, what it showed last, and who is attached.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{SystemTime, UNIX_EPOCH};

use hourglass_agent::frame::{read, write};
use hourglass_agent::log::{Log, Stream};
use hourglass_agent::ptys::{Create, KEPT, Pty as Described, Size, Stage, Typed};
use hourglass_agent::{Bytes, End, Failure, Output, Reply};
use nix::sys::signal::Signal;
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::children::{Children, Heard, Started};
use crate::command::spawn;
use crate::dress::{account, directory, dress};
use crate::handover;
use crate::pump::{GoesOn, never_block, pump, write_for};
use crate::world::{World, lock};

/// What a terminal is called to its programs, unless the caller says otherwise.
const TERM: &str = "xterm-256color";

/// A terminal.
#[derive(Debug)]
pub(super) struct Pty {
    create: Create,
    cwd: String,
    created_micros: i64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    size: Size,
    stage: Stage,
    shell: Option<Shell>,
    log: Log,
    /// How far each of those attached has seen it.
    attached: BTreeMap<u64, u64>,
    /// How many ever were attached.
    came: u64,
}

/// A shell at a terminal.
#[derive(Debug, Clone)]
struct Shell {
    pid: i32,
    /// The agent's side of the terminal.
    master: Arc<File>,
}

impl Pty {
    pub(super) fn new(world: &World, create: Create) -> Reply<Self> {
        let cwd = directory(&account(&world.user)?, create.cwd.as_deref())?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let state = State {
            size: create.size,
            stage: Stage::Waiting,
            shell: None,
            log: Log::default(),
            attached: BTreeMap::new(),
            came: 0,
        };
        let created_micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Ok(Self { create, cwd, created_micros, state: Mutex::new(state), changed: Condvar::new() })
    }

    pub(super) fn name(&self) -> &str {
        &self.create.pty
    }

    pub(super) fn describe(&self) -> Described {
        let State { size, stage, .. } = *lock(&self.state);
        let Create { pty, env, lazy, .. } = self.create.clone();
        Described {
            id: pty,
            size,
            cwd: self.cwd.clone(),
            env,
            lazy,
            stage,
            created_micros: self.created_micros,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        lock(&self.state).stage == Stage::Running
    }

    /// Start its shell, unless that was done before.
    pub(super) fn start(self: &Arc<Self>, world: &Arc<World>) -> Reply<()> {
        let mut state = lock(&self.state);
        if state.stage != Stage::Waiting {
            return Ok(());
        }
        let failed = |error: io::Error| Failure::System {
            doing: "make a terminal".to_owned(),
            error: error.to_string(),
        };
        let user = account(&world.user)?;
        let (master, slave, path) = open().map_err(failed)?;
        set_size(&master, state.size).map_err(failed)?;
        fchown(&slave, Some(user.uid), None).map_err(failed)?;
        never_block(&master).map_err(failed)?;

        let shell = if Path::new(&user.shell).exists() { user.shell.as_str() } else { "/bin/sh" };
        let mut command = handover::terminal(&path, shell);
        command.env("TERM", TERM);
        dress(&mut command, &user, &self.create.env, Some(&self.cwd))?;
        let end = || slave.try_clone().map(OwnedFd::from);
        command.stdin(end().map_err(failed)?).stdout(end().map_err(failed)?).stderr(end().map_err(failed)?);
        let goes_on = GoesOn::new().map_err(failed)?;
        let reader = master.try_clone().map_err(failed)?;
        let (pid, Started { child: _, hang_up: _, heard }) = spawn(world, command, shell)?;
        drop(slave);

        let showing = Arc::clone(self);
        let carried = pump(reader, goes_on.over(), move |bytes| showing.show(bytes));
        let waiting = Arc::clone(self);
        let ending = carried.and_then(|carried| {
            let wait = move || waiting.await_end(&heard, goes_on, &carried);
            Builder::new().name("terminal".to_owned()).spawn(wait)
        });
        ending.map_err(|error| {
            world.children.kill_group(pid);
            failed(error)
        })?;
        state.shell = Some(Shell { pid, master: Arc::new(master) });
        state.stage = Stage::Running;
        Ok(())
    }

    pub(super) fn resize(&self, size: Size) -> Reply<()> {
        let mut state = lock(&self.state);
        let failed = |error: io::Error| Failure::System {
            doing: "resize the terminal".to_owned(),
            error: error.to_string(),
        };
        if let Some(shell) = state.shell.as_ref().filter(|_| state.stage == Stage::Running) {
            set_size(&shell.master, size).map_err(failed)?;
        }
        state.size = size;
        Ok(())
    }

    pub(super) fn kill(&self, children: &Children) {
        if let Some(shell) = self.shell() {
            children.kill_group(shell.pid);
        }
        // One that nobody ever used ends as well, so that nobody waits for it.
        let mut state = lock(&self.state);
        if state.stage == Stage::Waiting {
            state.stage = Stage::Ended(137);
        }
        self.changed.notify_all();
    }

    pub(super) fn hang_up(&self, children: &Children) {
        if let Some(shell) = self.shell() {
            children.signal_group(shell.pid, Signal::SIGHUP as i32);
        }
    }

    /// Show the terminal to `caller` and type for it, until its shell has ended or the caller is gone.
    pub(super) fn attend(self: &Arc<Self>, caller: &UnixStream) {
        let me = {
            let mut state = lock(&self.state);
            state.came += 1;
            let (me, from) = (state.came, state.log.start());
            state.attached.insert(me, from);
            me
        };
        let keys = caller.try_clone().and_then(|keys| {
            let typing = Arc::clone(self);
            Builder::new().name("keys".to_owned()).spawn(move || typing.type_for(me, &keys))
        });
        while let Some(said) = self.next(me).filter(|_| keys.is_ok()) {
            if write(caller, &said).is_err() || matches!(said, Output::Ended(_)) {
                break;
            }
        }
        self.leave(me);
    }

    /// What `me` has not seen yet; waits for it. Nothing when `me` has left.
    fn next(&self, me: u64) -> Option<Output> {
        let mut state = lock(&self.state);
        loop {
            let position = *state.attached.get(&me)?;
            if let Some((said, after)) = state.log.at(position) {
                state.attached.insert(me, after);
                self.changed.notify_all();
                return Some(said);
            }
            if let Stage::Ended(code) = state.stage {
                return Some(Output::Ended(End { code, timed_out: false }));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Type what `caller` says, until it goes.
    fn type_for(&self, me: u64, caller: &UnixStream) {
        while let Ok(typed) = read::<Typed>(caller) {
            match typed {
                Typed::Keys(Bytes(keys)) => {
                    if let Some(shell) = self.shell() {
                        // Keys that come too late are lost, as they would be.
                        let _ = write_for(caller, &shell.master, &keys);
                    }
                }
                Typed::Resize(size) => {
                    // A size that cannot be is not taken.
                    let _ = size.checked().and_then(|size| self.resize(size));
                }
            }
        }
        self.leave(me);
    }

    fn leave(&self, me: u64) {
        lock(&self.state).attached.remove(&me);
        self.changed.notify_all();
    }

    /// The terminal shows `bytes`. It waits for those attached, so that none of them misses any.
    fn show(&self, bytes: &[u8]) {
        let mut state = lock(&self.state);
        let ahead = |state: &State| {
            let end = state.log.end() + bytes.len() as u64;
            state.attached.values().any(|seen| seen + (KEPT as u64) < end)
        };
        while ahead(&state) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.log.push(Stream::Out, bytes, KEPT);
        self.changed.notify_all();
    }

    fn await_end(&self, heard: &Receiver<Heard>, goes_on: GoesOn, carried: &Receiver<()>) {
        let code = match heard.recv() {
            Ok(Heard::Ended(code)) => code,
            Ok(Heard::HungUp) | Err(_) => u8::MAX,
        };
        drop(goes_on);
        let _ = carried.recv();
        let mut state = lock(&self.state);
        state.stage = Stage::Ended(code);
        // With its last side open the terminal would take keys that nobody reads.
        state.shell = None;
        self.changed.notify_all();
    }

    fn shell(&self) -> Option<Shell> {
        lock(&self.state).shell.clone()
    }
}

/// Both sides of a new terminal, and where the programs' side lies.
fn open() -> io::Result<(File, File, String)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let path = ptsname(&master, Vec::new())?.to_string_lossy().into_owned();
    let not_ours = i32::try_from(OFlags::NOCTTY.bits()).unwrap_or_default();
    let slave = File::options().read(true).write(true).custom_flags(not_ours).open(&path)?;
    Ok((File::from(master), slave, path))
}

fn set_size(terminal: &File, size: Size) -> io::Result<()> {
    let Size { cols, rows } = size;
    Ok(tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 })?)
}
