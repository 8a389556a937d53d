//! Who is running, and who waits to hear of an end. The only place that reaps.
//!
//! PID 1 inherits every orphan, so it must wait for *any* child; waiting for one by name elsewhere would race with
//! that. Those who start a command get a channel on which its end arrives.

use std::collections::BTreeMap;
use std::io;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// What a waiter hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The command ended with this code.
    Ended(u8),
    /// Nobody wants to know any more.
    HungUp,
}

/// What one round of reaping found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reaped {
    /// The entrypoint's code, if it ended.
    pub(crate) entry: Option<u8>,
    /// Whether nothing else runs in the sandbox.
    pub(crate) none_left: bool,
}

/// The running children somebody waits for.
#[derive(Debug, Default)]
pub(crate) struct Children {
    waiters: Mutex<BTreeMap<i32, Sender<Heard>>>,
    leaving: AtomicBool,
}

impl Children {
    /// Start `command`; its process id, its pipes, and where its end will be heard.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<(i32, Started)> {
        // Held across the start, so that a child that ends at once is not reaped before it is known.
        let mut waiters = self.waiters();
        if self.leaving() {
            return Err(io::Error::other("the sandbox is stopping"));
        }
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        let (sender, heard) = channel();
        waiters.insert(pid, sender.clone());
        Ok((pid, Started { child, hang_up: sender, heard }))
    }

    /// Take the ends of all who ended, and tell those who wait.
    pub(crate) fn reap(&self, entry: Option<i32>) -> Reaped {
        let mut reaped = Reaped { entry: None, none_left: false };
        let mut waiters = self.waiters();
        loop {
            let (pid, code) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid.as_raw(), u8::try_from(code).unwrap_or(u8::MAX)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid.as_raw(), of_signal(signal)),
                Ok(WaitStatus::StillAlive) => return reaped,
                Err(Errno::ECHILD) => return Reaped { none_left: true, ..reaped },
                // Stops and continues are not asked for; an interrupted wait is taken up again.
                Ok(_) | Err(Errno::EINTR) => continue,
                Err(_) => return reaped,
            };
            if Some(pid) == entry {
                reaped.entry = Some(code);
            }
            if let Some(waiter) = waiters.remove(&pid) {
                let _ = waiter.send(Heard::Ended(code));
            }
        }
    }

    /// Ask everything in the sandbox to end, and start nothing more.
    pub(crate) fn leave(&self) {
        let _held = self.waiters();
        self.leaving.store(true, Ordering::SeqCst);
        // From PID 1 this reaches every process of the sandbox but PID 1 itself.
        let _ = kill(Pid::from_raw(-1), Signal::SIGTERM);
    }

    /// Whether the sandbox was asked to end.
    pub(crate) fn leaving(&self) -> bool {
        self.leaving.load(Ordering::SeqCst)
    }

    /// Pass a signal on to the entrypoint.
    pub(crate) fn forward(&self, entry: Option<i32>, signal: i32) {
        if let (Some(pid), Ok(signal)) = (entry, Signal::try_from(signal)) {
            let _held = self.waiters();
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    /// Send `signal` to the group of `pid`, if it has not been reaped.
    pub(crate) fn signal_group(&self, pid: i32, signal: i32) {
        let waiters = self.waiters();
        if let (true, Ok(signal)) = (waiters.contains_key(&pid), Signal::try_from(signal)) {
            let _ = kill(Pid::from_raw(-pid), signal);
        }
    }

    /// Kill `pid` and all that came from it, if it has not been reaped. Only then is its number surely its own.
    pub(crate) fn kill_group(&self, pid: i32) {
        let waiters = self.waiters();
        if waiters.contains_key(&pid) {
            for process in family(pid) {
                let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
            }
            let _ = kill(Pid::from_raw(-pid), Signal::SIGKILL);
        }
    }

    fn waiters(&self) -> MutexGuard<'_, BTreeMap<i32, Sender<Heard>>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A command that was started.
#[derive(Debug)]
pub(crate) struct Started {
    /// Its pipes. Never waited for: [`Children::reap`] does that.
    pub(crate) child: Child,
    /// Says on `heard` that nobody wants to know.
    pub(crate) hang_up: Sender<Heard>,
    /// Where its end is heard.
    pub(crate) heard: Receiver<Heard>,
}

/// The code a shell would give a death by `signal`.
fn of_signal(signal: Signal) -> u8 {
    u8::try_from(128 + signal as i32).unwrap_or(u8::MAX)
}

/// `pid` and all that descends from it or shares its session or group, as `/proc` shows it.
fn family(pid: i32) -> Vec<i32> {
    let listed = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids: Vec<i32> = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let kin: Vec<[i32; 4]> = ids.iter().filter_map(|&id| kinship(id)).collect();
    let mut family = vec![pid];
    let mut before = 0;
    while before != family.len() {
        before = family.len();
        for [id, parent, group, session] in &kin {
            let related = family.contains(parent) || *group == pid || *session == pid;
            if related && *id != 1 && !family.contains(id) {
                family.push(*id);
            }
        }
    }
    family
}

/// Id, parent, group and session of a process.
fn kinship(id: i32) -> Option<[i32; 4]> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything, parentheses included.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(1);
    let mut next = || fields.next()?.parse().ok();
    Some([id, next()?, next()?, next()?])
}
