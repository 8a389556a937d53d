//! Frames: four bytes of length, most significant first, then MessagePack.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The most bytes a frame may have: two full output streams of 8 MiB and room for the rest.
pub const FRAME_MOST: usize = 17 << 20;

/// How many bytes of a stream (a file, a command's output) are put into one frame.
pub const CHUNK: usize = 128 << 10;

/// Bytes before a frame that say how long it is.
pub const LENGTH_BYTES: usize = 4;

/// Bytes that cost a byte each.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(#[serde(with = "serde_bytes")] pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Bytes").field(&String::from_utf8_lossy(&self.0)).finish()
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The connection failed or ended.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// The frame is longer than any that is sent.
    #[error("a frame of {found} bytes is longer than the {FRAME_MOST} allowed")]
    TooLong {
        /// Its length.
        found: usize,
    },
    /// The bytes are no message of these words.
    #[error("the frame is not understood: {0}")]
    Garbled(String),
}

/// `message` as a frame, its length included.
pub fn encode<T: Serialize + ?Sized>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; LENGTH_BYTES];
    rmp_serde::encode::write(&mut frame, message).map_err(|error| FrameError::Garbled(error.to_string()))?;
    let found = frame.len() - LENGTH_BYTES;
    let length = u32::try_from(found).ok().filter(|_| found <= FRAME_MOST);
    let length = length.ok_or(FrameError::TooLong { found })?;
    frame[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

/// How many bytes follow this `prefix`.
pub fn length(prefix: [u8; LENGTH_BYTES]) -> Result<usize, FrameError> {
    let found = usize::try_from(u32::from_be_bytes(prefix)).unwrap_or(usize::MAX);
    if found <= FRAME_MOST { Ok(found) } else { Err(FrameError::TooLong { found }) }
}

/// The message of a frame, its length taken off.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    rmp_serde::from_slice(body).map_err(|error| FrameError::Garbled(error.to_string()))
}

/// Write one frame.
pub fn write<T: Serialize + ?Sized>(mut to: impl Write, message: &T) -> Result<(), FrameError> {
    to.write_all(&encode(message)?)?;
    Ok(to.flush()?)
}

/// Read one frame and not a byte more: what follows may be another's to read.
pub fn read<T: DeserializeOwned>(mut from: impl Read) -> Result<T, FrameError> {
    let mut prefix = [0; LENGTH_BYTES];
    from.read_exact(&mut prefix)?;
    let length = length(prefix)?;
    // Grown as bytes come, so that a claim of length alone takes no memory.
    let mut body = Vec::new();
    from.take(u64::try_from(length).unwrap_or(u64::MAX)).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    decode(&body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{End, Failure, Feed, Output, Program, Ran, Reply, Request, Run, files, ptys, sessions};

    fn comes_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(sent: &T) {
        let frame = encode(sent).ok();
        let back = frame.and_then(|frame| read::<T>(frame.as_slice()).ok());
        assert_eq!(back.as_ref(), Some(sent));
    }

    #[test]
    fn a_frame_comes_back_as_it_was_sent() {
        let ran = Ran {
            code: 137,
            stdout: Bytes(vec![0, 255]),
            stderr: Bytes::default(),
            dropped: 3,
            timed_out: true,
        };
        comes_back::<Reply<Ran>>(&Ok(ran));
        comes_back::<Reply<Ran>>(&Err(Failure::Full { what: "/x".to_owned() }));
        comes_back::<Reply<()>>(&Ok(()));
        let program = Program { argv: vec!["sh".to_owned()], ..Program::default() };
        comes_back(&Request::Ping);
        comes_back(&Request::Run(Run { program: program.clone(), merged: true, keep: 9 }));
        comes_back(&Request::Start(program));
        comes_back(&Request::Port(8080));
        comes_back(&Feed::Signal(15));
        comes_back(&Output::Ended(End { code: 2, timed_out: false }));
        comes_back(&files::Request::Read { path: "a".to_owned() });
        comes_back(&Request::Sessions(sessions::Request::Get { session: "s".to_owned() }));
        comes_back(&Request::Ptys(ptys::Request::Attach { pty: "p".to_owned() }));
    }

    #[test]
    fn output_costs_a_byte_for_a_byte() -> Result<(), FrameError> {
        let said = Output::Stdout(Bytes(vec![200; 1000]));
        assert!(encode(&said)?.len() < 1100);
        Ok(())
    }

    #[test]
    fn a_frame_that_claims_too_much_is_refused_before_it_is_read() {
        let claims = u32::MAX.to_be_bytes();
        assert!(matches!(read::<Reply<Ran>>(claims.as_slice()), Err(FrameError::TooLong { .. })));
    }

    #[test]
    fn what_follows_a_frame_is_left_to_others() -> Result<(), FrameError> {
        let mut bytes = encode(&Request::Files)?;
        bytes.extend_from_slice(b"more");
        let mut from = bytes.as_slice();
        assert_eq!(read::<Request>(&mut from)?, Request::Files);
        assert_eq!(from, b"more");
        Ok(())
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_an_error_or_a_message(bytes: Vec<u8>) {
            let _ = read::<Reply<Ran>>(bytes.as_slice());
            let _ = decode::<Request>(&bytes);
            let _ = decode::<files::Request>(&bytes);
            let _ = decode::<Feed>(&bytes);
            let _ = decode::<Output>(&bytes);
            let _ = decode::<ptys::Typed>(&bytes);
        }

        #[test]
        fn any_bytes_are_carried(bytes: Vec<u8>, input: bool) {
            if input { comes_back(&Feed::Stdin(Bytes(bytes))) } else { comes_back(&Output::Stderr(Bytes(bytes))) }
        }
    }
}
