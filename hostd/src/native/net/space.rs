//! Network namespaces: made before there is a process to be in them, kept by a bind mount, entered by a thread.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};
use rustix::mount::mount_bind;

/// The calling thread's own network namespace, as a file.
const OWN: &str = "/proc/thread-self/ns/net";

/// Make a network namespace, keep it at the file `at`, and do `work` inside it, given the namespace.
pub(super) fn make<T: Send>(at: &Path, work: impl FnOnce(&File) -> io::Result<T> + Send) -> io::Result<T> {
    File::create(at)?;
    aside(|| {
        unshare(CloneFlags::CLONE_NEWNET)?;
        mount_bind(OWN, at)?;
        work(&File::open(OWN)?)
    })
}

/// Do `work` inside the namespace kept at `at`.
pub(super) fn enter<T: Send>(at: &Path, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let space = File::open(at)?;
    aside(move || {
        setns(space.as_fd(), CloneFlags::CLONE_NEWNET)?;
        work()
    })
}

/// On a thread of its own, because a thread that has moved does not come back.
fn aside<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let done = thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
