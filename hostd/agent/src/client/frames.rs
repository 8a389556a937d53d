//! Frames over an asynchronous connection.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::frame::{CHUNK, FrameError, LENGTH_BYTES, decode, encode, length};

/// Write one frame.
pub async fn send<T: Serialize + ?Sized>(
    to: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> Result<(), FrameError> {
    to.write_all(&encode(message)?).await?;
    Ok(to.flush().await?)
}

/// Read one frame and not a byte more. Dropping the future may lose what was read of it.
pub async fn receive<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> Result<T, FrameError> {
    let mut prefix = [0; LENGTH_BYTES];
    from.read_exact(&mut prefix).await?;
    let length = length(prefix)?;
    // Grown as bytes come, so that a claim of length alone takes no memory.
    let mut body = Vec::new();
    from.take(u64::try_from(length).unwrap_or(u64::MAX)).read_to_end(&mut body).await?;
    if body.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    decode(&body)
}

/// Reads frame after frame from a connection on which nothing else is said.
#[derive(Debug)]
pub struct Frames<R> {
    from: R,
    held: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// The frames that come from `from`.
    pub fn new(from: R) -> Self {
        Self { from, held: Vec::new() }
    }

    /// The next frame; nothing at the end of the connection. Dropping the future loses nothing.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        loop {
            if let Some(message) = self.whole()? {
                return Ok(Some(message));
            }
            self.held.reserve(CHUNK);
            if self.from.read_buf(&mut self.held).await? > 0 {
                continue;
            }
            return match self.held.is_empty() {
                true => Ok(None),
                false => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            };
        }
    }

    /// The frame that was read whole, if one was.
    fn whole<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let Some(prefix) = self.held.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let end = LENGTH_BYTES + length(*prefix)?;
        let Some(body) = self.held.get(LENGTH_BYTES..end) else { return Ok(None) };
        let message = decode(body)?;
        self.held.drain(..end);
        Ok(Some(message))
    }
}
