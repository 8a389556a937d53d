//! PID 1 of a sandbox as the host sees it: found through the sandbox's control group, held by a pidfd.
//!
//! A process id alone is never trusted: it may by then belong to another.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};

use super::cgroup::Groups;

/// A sandbox's PID 1.
#[derive(Debug)]
pub(super) struct Init {
    fd: OwnedFd,
}

impl Init {
    /// The PID 1 of the group called `name`, if it lives.
    pub(super) fn find(groups: &Groups, name: &str) -> Option<Self> {
        let first = |pid: &Pid| is_first(*pid);
        let pid = groups.processes(name).into_iter().find(first)?;
        let fd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // It may have died and its number been given away before it was opened; then the number is not in the group.
        groups.processes(name).contains(&pid).then_some(Self { fd })
    }

    /// Send it a signal; it may be gone.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.fd, signal);
    }

    /// Whether it ends within `time`.
    pub(super) fn ends_within(&self, time: Duration) -> bool {
        ended_within(&self.fd, time)
    }

    /// Take its end, if that is this process's to take.
    pub(super) fn reap(&self) {
        reap(&self.fd);
    }

    /// The descriptor that becomes readable when it ends.
    pub(super) fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

/// Take the end of the process behind `pidfd`, if it has ended and is this process's to take. It is where this process
/// is the machine's init, or a container's; elsewhere init does it.
pub(super) fn reap(pidfd: impl AsFd) {
    let _ = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
}

/// Whether the process behind `pidfd` ends within `time`.
pub(super) fn ended_within(pidfd: impl AsFd, time: Duration) -> bool {
    let timeout = Timespec::try_from(time).ok();
    loop {
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], timeout.as_ref()) {
            Ok(ready) => return ready > 0,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// Whether a process is the first of its own process namespace.
fn is_first(pid: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap_or_default();
    let mut ids =
        status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default().split_whitespace();
    ids.next_back() == Some("1")
}
