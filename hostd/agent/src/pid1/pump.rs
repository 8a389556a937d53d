//! Carrying what commands write to whoever wants it, to the last byte, without being held up by what they leave behind.

use std::fs::File;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long output is waited for once a command has ended but something it left behind keeps its pipes open.
const STRAGGLING: Duration = Duration::from_millis(200);

/// How much is read at once.
const AT_ONCE: usize = 64 << 10;

/// Whether a command goes on. Dropped when it has ended.
#[derive(Debug)]
pub(crate) struct GoesOn {
    _open: PipeWriter,
    over: Arc<PipeReader>,
}

/// Learns when a command is over.
pub(crate) type Over = Arc<PipeReader>;

impl GoesOn {
    pub(crate) fn new() -> io::Result<Self> {
        let (over, open) = io::pipe()?;
        Ok(Self { _open: open, over: Arc::new(over) })
    }

    pub(crate) fn over(&self) -> Over {
        Arc::clone(&self.over)
    }
}

/// Carry everything from `pipe` into `sink`, on a thread of its own, until nobody can write to it any more. The answer
/// hears once all that was written before `over` has been carried.
pub(crate) fn pump(
    pipe: impl Into<OwnedFd>,
    over: Over,
    mut sink: impl FnMut(&[u8]) + Send + 'static,
) -> io::Result<Receiver<()>> {
    let mut pipe = File::from(pipe.into());
    let (tell, carried) = channel();
    Builder::new().name("output".to_owned()).spawn(move || {
        let mut buffer = vec![0; AT_ONCE];
        let mut end: Option<(Instant, u64)> = None;
        let mut told = false;
        loop {
            if !told && end.is_some_and(|(until, owed)| owed == 0 && Instant::now() >= until) {
                told = true;
                let _ = tell.send(());
            }
            // Once told, only what the command left behind is waited for, as long as it takes.
            let patience =
                end.filter(|_| !told).map(|(until, _)| until.saturating_duration_since(Instant::now()));
            let watched = end.is_none().then(|| over.as_fd());
            let (input, ended) = await_input(pipe.as_fd(), watched, patience);
            if !input {
                if ended {
                    let owed = rustix::io::ioctl_fionread(&pipe).unwrap_or_default();
                    end = Some((Instant::now() + STRAGGLING, owed));
                }
                continue;
            }
            match pipe.read(&mut buffer) {
                Ok(read @ 1..) => {
                    sink(&buffer[..read]);
                    if let Some((_, owed)) = &mut end {
                        *owed = owed.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                // A terminal ends with an error.
                Ok(0) | Err(_) => break,
            }
        }
    })?;
    Ok(carried)
}

/// Wait until there is something to read from `pipe`, be it its end, or `over` says so, or the patience ends; whether
/// the first and the second came about. A signal may be the reason for neither.
fn await_input(
    pipe: BorrowedFd<'_>,
    over: Option<BorrowedFd<'_>>,
    patience: Option<Duration>,
) -> (bool, bool) {
    let mut watched = vec![PollFd::from_borrowed_fd(pipe, PollFlags::IN)];
    watched.extend(over.map(|over| PollFd::from_borrowed_fd(over, PollFlags::IN)));
    let patience = patience.and_then(|patience| Timespec::try_from(patience).ok());
    let found = poll(&mut watched, patience.as_ref());
    let is = |at: usize| found.is_ok() && watched.get(at).is_some_and(|one| !one.revents().is_empty());
    (is(0), is(1))
}

/// Whether `caller` has gone.
pub(crate) fn is_gone(caller: &UnixStream) -> bool {
    let mut watched = [PollFd::new(caller, PollFlags::RDHUP)];
    matches!(poll(&mut watched, Some(&Timespec::default())), Ok(1..))
}

/// Write all of `bytes` to `to`, which does not block, for as long as `caller` is there.
pub(crate) fn write_for(caller: &UnixStream, mut to: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let mut watched = [PollFd::new(&to, PollFlags::OUT), PollFd::new(caller, PollFlags::RDHUP)];
                // A signal only makes it look again.
                let found = poll(&mut watched, None);
                if found.is_ok() && !watched[1].revents().is_empty() {
                    return Err(ErrorKind::BrokenPipe.into());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Have reading from and writing to `file` never wait.
pub(crate) fn never_block(file: impl AsFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(&file)?;
    Ok(rustix::fs::fcntl_setfl(&file, flags | rustix::fs::OFlags::NONBLOCK)?)
}
