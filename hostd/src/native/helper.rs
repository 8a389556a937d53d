//! Running the programs the driver needs, quietly, for a limited time, with what they said if they failed.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use hourglass_events::Fault;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::doing::{Doing, fault};
use super::lock::Lock;
use super::process::ended_within;

/// The longest any of them may take. Shorter than the patience of who waits for the lock it runs under.
const LIMIT: Duration = Duration::from_secs(45);

/// How long one that was killed may take to be gone. One that hangs in the kernel stays, and keeps the lock with it.
const DYING: Duration = Duration::from_secs(2);

/// Run `command` to its end under the sandbox's lock; its standard output.
pub(super) fn run(command: &mut Command, lock: &Lock, doing: &str) -> Result<String, Fault> {
    run_within(LIMIT, command, lock, doing)
}

fn run_within(limit: Duration, command: &mut Command, lock: &Lock, doing: &str) -> Result<String, Fault> {
    let program = command.get_program().to_string_lossy().into_owned();
    let system =
        |error: String| Fault::System { doing: doing.to_owned(), error: format!("{program}: {error}") };
    let began = Instant::now();
    command.stdin(lock.held_by_child()?).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().doing(doing)?;
    let (said, complained) = (heard(child.stdout.take()), heard(child.stderr.take()));
    if !ends_within(&child, limit) {
        let _ = child.kill();
        if ends_within(&child, DYING) {
            let _ = child.wait();
        }
        return Err(system(format!("it was not done after {} s and was killed", limit.as_secs_f32())));
    }
    let status = child.wait().doing(doing)?;
    // What it left running may hold its output open; that is not waited for longer than for itself.
    let late = |_| system(format!("its output did not end within {} s", limit.as_secs_f32()));
    let left = || limit.saturating_sub(began.elapsed());
    let said = said.recv_timeout(left()).map_err(late)?;
    if status.success() {
        return Ok(said.trim().to_owned());
    }
    let complained = complained.recv_timeout(left()).map_err(late)?;
    // Helpers report a full disk only in words.
    if complained.contains("No space left on device") {
        return Err(fault(doing, &io::ErrorKind::StorageFull.into()));
    }
    Err(system(format!("{status} ({})", complained.trim())))
}

/// Whether `child`, which was not waited for yet, ends within `time`.
fn ends_within(child: &Child, time: Duration) -> bool {
    let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty());
    pidfd.is_ok_and(|pidfd| ended_within(pidfd, time))
}

/// All that comes out of a pipe, once it has ended. Read beside the wait, because a full pipe would hold the program.
fn heard(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (tell, heard) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        // Nobody may be listening any more.
        let _ = tell.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    heard
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_killed_at_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(&dir.path().join("lock")).unwrap();
        let began = Instant::now();
        let mut sleep = Command::new("sleep");
        let hung = run_within(Duration::from_millis(100), sleep.arg("1000"), &lock, "sleep");
        assert!(matches!(&hung, Err(Fault::System { error, .. }) if error.contains("killed")), "{hung:?}");
        assert!(began.elapsed() < Duration::from_secs(10));
        drop((lock, sleep));
        // Nothing of it is left that holds the lock.
        Lock::take(&dir.path().join("lock")).unwrap();
    }

    #[test]
    fn a_program_is_heard_however_much_it_says() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(&dir.path().join("lock")).unwrap();
        let mut flood = Command::new("sh");
        let said = run(flood.args(["-c", "head -c 300000 /dev/zero | tr '\\0' x"]), &lock, "flood").unwrap();
        assert_eq!(said.len(), 300_000);
        let failed = run(Command::new("sh").args(["-c", "echo no >&2; exit 3"]), &lock, "fail");
        assert!(matches!(&failed, Err(Fault::System { error, .. }) if error.contains("(no)")), "{failed:?}");
    }
}
