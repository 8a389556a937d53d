//! Speaking with the agent of a sandbox over its socket, and reading what it left in the directory both see.
//!
//! Root in the sandbox owns that directory and may put anything there: links lead nowhere, what is not a socket is
//! not connected to, what is read is short.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hourglass_agent::{FrameError, Pong, Request, VERSION, frame, place};
use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

/// How long an agent has to answer a ping.
const PING: Duration = Duration::from_secs(5);

/// The most that is read of a file the agent left.
const NOTE_MOST: u64 = 1024;

/// Whether the agent behind `shared` answers, in words this build knows.
pub(super) fn answers(shared: &Path) -> bool {
    ping(shared).is_ok_and(|version| version == VERSION)
}

fn ping(shared: &Path) -> Result<u32, FrameError> {
    let (_held, path) = socket(shared)?;
    let mut until = Until { stream: reach(&path)?, deadline: Instant::now() + PING };
    frame::write(&mut until, &Request::Ping)?;
    let Pong { version } = frame::read(&mut until)?;
    Ok(version)
}

/// Connect to the socket at `path`, or fail at once. Whoever listens without ever accepting fills its queue, and a
/// connection made in the ordinary way would wait for room in it without end, with the sandbox's lock held.
fn reach(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// A stream on which everything together ends at one time: a limit for each read would begin anew with every byte.
#[derive(Debug)]
struct Until {
    stream: UnixStream,
    deadline: Instant,
}

impl Until {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Until {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(into)
    }
}

impl Write for Until {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A connection to the agent behind `shared`. Made at once or not at all, so it may be made where nothing may block.
pub(super) fn connect(shared: &Path) -> io::Result<tokio::net::UnixStream> {
    let (_held, path) = socket(shared)?;
    let stream = reach(&path)?;
    stream.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(stream)
}

/// The agent's socket, held open, and a path to it that is short and leads only there.
fn socket(shared: &Path) -> io::Result<(OwnedFd, PathBuf)> {
    let dir = directory(shared)?;
    let socket =
        openat(&dir, place::SOCKET, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    if FileType::from_raw_mode(fstat(&socket)?.st_mode) != FileType::Socket {
        return Err(io::Error::other("what lies in the agent's place is no socket"));
    }
    let path = PathBuf::from(format!("/proc/self/fd/{}", socket.as_raw_fd()));
    Ok((socket, path))
}

/// The first line of what the agent left under `name`.
pub(super) fn note(shared: &Path, name: &str) -> Option<String> {
    let dir = directory(shared).ok()?;
    // Not blocking, because a pipe may lie there that nobody writes to.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(&dir, name, flags, Mode::empty()).ok()?);
    let mut text = Vec::new();
    file.take(NOTE_MOST).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned())
}

fn directory(shared: &Path) -> io::Result<OwnedFd> {
    Ok(open(shared, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn who_listens_and_never_accepts_holds_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(place::SOCKET);
        let _listens = UnixListener::bind(&path).unwrap();
        // As many as its queue takes, without naming a number that is the machine's to set.
        let mut queued = Vec::new();
        let full = loop {
            match reach(&path) {
                Ok(stream) => queued.push(stream),
                Err(error) => break error,
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        let began = Instant::now();
        assert!(!answers(dir.path()));
        assert!(began.elapsed() < PING);
    }

    #[test]
    fn who_answers_byte_by_byte_is_not_listened_to_for_longer() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        std::thread::spawn(move || {
            while theirs.write_all(&[0]).is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let began = Instant::now();
        let mut until = Until { stream: ours, deadline: began + Duration::from_millis(200) };
        assert!(until.read_exact(&mut [0; 10_000]).is_err());
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
