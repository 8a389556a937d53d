//! A thread for a segment log, and the async handle that asks it.
//!
//! All appends of one log happen on one thread, so a sync never blocks the runtime and two never overlap. The thread
//! also writes a mark when nothing came for a while, and has the next segment prepared beside it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::log::files::{Directory, Files};
use crate::log::{EventLog, Frame, MAX_FRAME_BYTES, Outcome, ReadError, Slot};

use super::damage::{Notice, OpenError};
use super::reader::Reader;
use super::roll::{Spare, SpareOrder};
use super::{Options, Segments, Witness};

/// How long nothing must have come before a mark is written.
const QUIET: Duration = Duration::from_millis(50);

/// How long to stay awake for the next frame. Under load it follows at once, and waking a thread can take half as long
/// as a sync does (60 of 130 µs, on a small virtual machine).
const ALERT: Duration = Duration::from_micros(100);

/// A segment log behind its thread. Dropping it waits for the append under way, writes a mark and lets go of the lock.
#[derive(Debug)]
pub struct SegmentLog<F: Files = Directory> {
    requests: Sender<Request>,
    reader: Reader<F>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Request {
    Append { slot: Slot, frame: Frame, answer: oneshot::Sender<Outcome> },
    Read { slot: Slot, answer: oneshot::Sender<Result<Option<Vec<u8>>, ReadError>> },
    Witness { answer: oneshot::Sender<Option<Witness>> },
    Close,
}

impl SegmentLog<Directory> {
    /// Open the log in a directory of the file system, made if need be, and give it a thread. This blocks while the
    /// newest segment is read.
    pub fn open(path: &Path, options: Options) -> Result<(Self, Vec<Notice>), OpenError> {
        let directory = Directory::open(path).map_err(|source| OpenError::Io {
            place: path.display().to_string(),
            doing: "making the directory",
            source,
        })?;
        let (segments, notices) = Segments::open(&directory, options)?;
        Ok((Self::start(segments)?, notices))
    }
}

impl<F: Files> SegmentLog<F> {
    /// Give an open log a thread.
    pub fn start(segments: Segments<F>) -> Result<Self, OpenError> {
        let reader = segments.reader();
        let place = reader.files().place();
        let (requests, inbox) = mpsc::channel();
        let worker = Worker { segments, preparing: None };
        let thread = thread::Builder::new()
            .name("hourglass-log".to_owned())
            .spawn(move || worker.run(&inbox))
            .map_err(|source| OpenError::Io { place, doing: "starting the log's thread", source })?;
        Ok(Self { requests, reader, thread: Some(thread) })
    }

    /// A handle for reading in bulk, which blocks its caller and never the writer.
    #[must_use]
    pub fn reader(&self) -> Reader<F> {
        self.reader.clone()
    }

    /// What a checkpoint made now should remember of this log, or `None` while it is empty or its thread has died.
    pub async fn witness(&self) -> Option<Witness> {
        self.ask(|answer| Request::Witness { answer }).await.flatten()
    }

    /// Ask the thread; `None` when it has died.
    async fn ask<A>(&self, request: impl FnOnce(oneshot::Sender<A>) -> Request) -> Option<A> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).ok()?;
        answered.await.ok()
    }
}

#[async_trait]
impl<F: Files> EventLog for SegmentLog<F> {
    async fn append(&self, slot: Slot, frame: Frame) -> Outcome {
        assert!(frame.len() <= MAX_FRAME_BYTES, "a frame of {} bytes is too large", frame.len());
        let outcome = self.ask(|answer| Request::Append { slot, frame, answer }).await;
        outcome.unwrap_or(Outcome::Broken)
    }

    async fn read(&self, slot: Slot) -> Result<Option<Frame>, ReadError> {
        let read = self.ask(|answer| Request::Read { slot, answer }).await;
        let gone = || Err(ReadError::Unavailable { why: "the log's thread has ended".to_owned() });
        Ok(read.unwrap_or_else(gone)?.map(Arc::from))
    }

    async fn end(&self) -> Result<Slot, ReadError> {
        Ok(self.reader.end())
    }
}

impl<F: Files> Drop for SegmentLog<F> {
    fn drop(&mut self) {
        // Either fails only if the thread has died, and then there is nothing to wait for.
        let _ = self.requests.send(Request::Close);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A request that comes while it is not yet worth sleeping.
fn soon(inbox: &Receiver<Request>) -> Option<Request> {
    let began = Instant::now();
    while began.elapsed() < ALERT {
        if let Ok(request) = inbox.try_recv() {
            return Some(request);
        }
        // Whoever is to send it may need this core.
        thread::yield_now();
    }
    None
}

/// What the thread owns.
struct Worker<F: Files> {
    segments: Segments<F>,
    preparing: Option<Preparing<F>>,
}

/// A thread that makes the next segment, and the order it works on.
struct Preparing<F: Files> {
    order: SpareOrder<F>,
    thread: JoinHandle<io::Result<Spare<F>>>,
}

impl<F: Files> Worker<F> {
    fn run(mut self, inbox: &Receiver<Request>) {
        let mut marked = true;
        loop {
            let request = if marked {
                inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                soon(inbox).map_or_else(|| inbox.recv_timeout(QUIET), Ok)
            };
            match request {
                Ok(Request::Append { slot, frame, answer }) => {
                    marked = false;
                    let _ = answer.send(self.append(slot, &frame));
                    self.prepare();
                }
                Ok(Request::Read { slot, answer }) => {
                    let _ = answer.send(self.segments.reader().read(slot));
                }
                Ok(Request::Witness { answer }) => {
                    let _ = answer.send(self.segments.witness());
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.segments.mark();
                    marked = true;
                }
                Ok(Request::Close) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.segments.mark();
        // The lock must not be let go while a file is still being prepared under it.
        self.take_prepared();
    }

    fn append(&mut self, slot: Slot, frame: &[u8]) -> Outcome {
        if self.segments.must_roll(frame.len()) {
            self.take_prepared();
        }
        let began = Instant::now();
        let outcome = self.segments.append(slot, frame);
        metrics::histogram!("hourglass_log_append_seconds").record(began.elapsed());
        outcome
    }

    /// Have the next segment made, on a thread of its own, before it is needed.
    fn prepare(&mut self) {
        if self.preparing.is_some() {
            return;
        }
        if let Some(order) = self.segments.wants_spare() {
            let work = order.clone();
            let thread = thread::Builder::new().name("hourglass-spare".to_owned());
            // Without the thread the segment is made when it is needed, as it is after a failure.
            let thread = thread.spawn(move || work.prepare()).ok();
            self.preparing = thread.map(|thread| Preparing { order, thread });
        }
    }

    /// Take what is being prepared, as far as it has come.
    fn take_prepared(&mut self) {
        let Some(Preparing { order, thread }) = self.preparing.take() else { return };
        order.hurry();
        match thread.join() {
            Ok(Ok(spare)) => self.segments.take_spare(spare),
            Ok(Err(error)) => tracing::warn!(%error, "the next log segment could not be prepared"),
            Err(_) => tracing::error!("the thread that prepared the next log segment panicked"),
        }
    }
}
