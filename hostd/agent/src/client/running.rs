//! A command somebody stays with.

use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf, split};

use super::{Error, Frames, send};
use crate::frame::{Bytes, CHUNK};
use crate::{Feed, Output};

/// A command that was started. Its halves may be used at the same time; when both are dropped, it is killed.
#[derive(Debug)]
pub struct Running<S> {
    /// What it is told.
    pub input: Feeding<S>,
    /// What it says.
    pub output: Listening<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Running<S> {
    pub(super) fn over(stream: S) -> Self {
        let (reader, writer) = split(stream);
        Self { input: Feeding { writer }, output: Listening::new(reader) }
    }
}

/// What a command is told.
#[derive(Debug)]
pub struct Feeding<S> {
    writer: WriteHalf<S>,
}

impl<S: AsyncWrite> Feeding<S> {
    /// Give it `bytes` to read. Waits for as long as it reads nothing.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for chunk in bytes.chunks(CHUNK) {
            send(&mut self.writer, &Feed::Stdin(Bytes::from(chunk))).await?;
        }
        Ok(())
    }

    /// There is no more to read.
    pub async fn end(&mut self) -> Result<(), Error> {
        Ok(send(&mut self.writer, &Feed::End).await?)
    }

    /// Send it the signal of this number.
    pub async fn signal(&mut self, signal: u8) -> Result<(), Error> {
        Ok(send(&mut self.writer, &Feed::Signal(signal)).await?)
    }
}

/// What a command, or a terminal, says.
#[derive(Debug)]
pub struct Listening<S> {
    frames: Frames<ReadHalf<S>>,
    over: bool,
}

impl<S: AsyncRead> Listening<S> {
    pub(super) fn new(reader: ReadHalf<S>) -> Self {
        Self { frames: Frames::new(reader), over: false }
    }

    /// What it says next. Nothing after [`Output::Ended`]; a connection that breaks before that is an error. Dropping
    /// the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<Output>, Error> {
        if self.over {
            return Ok(None);
        }
        let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let said: Output = self.frames.next().await?.ok_or_else(broken)?;
        self.over = matches!(said, Output::Ended(_));
        Ok(Some(said))
    }
}
