//! What a host and the agent inside a sandbox say to each other, and nothing else.
//!
//! One connection carries one request and its answer, each a frame: four bytes of length, most significant first,
//! then MessagePack. The agent is not to be trusted by its host: whoever is root in the sandbox can take its place,
//! so frames are bounded before they are read and what they say is only ever data.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Places inside every sandbox that belong to the agent.
pub mod place {
    /// Directory of all of them.
    pub const ROOT: &str = "/.hourglass";
    /// The agent's own program, read-only.
    pub const PROGRAM: &str = "/.hourglass/agent";
    /// A small directory the host sees too.
    pub const SHARED: &str = "/.hourglass/run";
    /// In [`SHARED`]: the socket the agent answers on.
    pub const SOCKET: &str = "agent.sock";
    /// In [`SHARED`], from the host: a line `address A` with the sandbox's own, and for each resolver a line
    /// `nameserver A`. Not there if the sandbox has no network.
    pub const NETWORK: &str = "network";
    /// In [`SHARED`]: how the entrypoint ended, written before the agent leaves because of it.
    pub const EXIT: &str = "exit";
    /// In [`SHARED`]: why the agent could not start.
    pub const FAILED: &str = "failed";
    /// In [`SHARED`]: why the entrypoint could not be run.
    pub const UNUSABLE: &str = "unusable";
}

/// What a host asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Are you there?
    Ping,
    /// Run a command to its end.
    Run(Run),
}

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Program and arguments; not empty.
    pub argv: Vec<String>,
    /// Added to the sandbox's environment.
    pub env: Vec<(String, String)>,
    /// Where to run it; the user's home when not given.
    pub cwd: Option<String>,
    /// Whom to run it as; a name of the sandbox's own `/etc/passwd`, or a number.
    pub user: String,
    /// Killed, with all it started, after this many microseconds.
    pub timeout_micros: Option<u64>,
    /// How many bytes of each output stream to keep.
    pub keep: u64,
}

/// What the agent answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Here, and this is the version of the words I know.
    Pong {
        /// [`VERSION`] of the agent.
        version: u32,
    },
    /// The command ended.
    Ran(Ran),
    /// The command could not be started.
    Unusable {
        /// The program.
        program: String,
        /// What the system said.
        error: String,
    },
    /// The request was not understood, or there is no room to carry it out.
    Refused {
        /// Why, as a sentence.
        why: String,
    },
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// 0–255; 128 + n when signal n ended it.
    pub code: u8,
    /// The first bytes of its standard output.
    #[serde(with = "serde_bytes")]
    pub stdout: Vec<u8>,
    /// The first bytes of its standard error.
    #[serde(with = "serde_bytes")]
    pub stderr: Vec<u8>,
    /// How many bytes of output were dropped beyond what was to be kept.
    pub dropped: u64,
    /// Whether the time-out ended it.
    pub timed_out: bool,
}

/// Which words these are. A host that finds another number boots the sandbox anew before it uses it.
pub const VERSION: u32 = 1;

/// The most bytes a frame may have: two full output streams of 8 MiB and room for the rest.
pub const FRAME_MOST: usize = 17 << 20;

/// Bytes before a frame that say how long it is.
pub const LENGTH_BYTES: usize = 4;

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
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
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
pub fn write<T: Serialize>(mut to: impl Write, message: &T) -> Result<(), FrameError> {
    to.write_all(&encode(message)?)?;
    Ok(to.flush()?)
}

/// Read one frame.
pub fn read<T: DeserializeOwned>(mut from: impl Read) -> Result<T, FrameError> {
    let mut prefix = [0; LENGTH_BYTES];
    from.read_exact(&mut prefix)?;
    let mut body = vec![0; length(prefix)?];
    from.read_exact(&mut body)?;
    decode(&body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_comes_back_as_it_was_sent() -> Result<(), FrameError> {
        let ran = Ran { code: 137, stdout: vec![0, 255], stderr: Vec::new(), dropped: 3, timed_out: true };
        let sent = Answer::Ran(ran);
        let frame = encode(&sent)?;
        assert_eq!(read::<Answer>(frame.as_slice())?, sent);
        Ok(())
    }

    #[test]
    fn output_costs_a_byte_for_a_byte() -> Result<(), FrameError> {
        let ran = Ran { code: 0, stdout: vec![200; 1000], stderr: Vec::new(), dropped: 0, timed_out: false };
        assert!(encode(&Answer::Ran(ran))?.len() < 1100);
        Ok(())
    }

    #[test]
    fn a_frame_that_claims_too_much_is_refused_before_it_is_read() {
        let claims = u32::MAX.to_be_bytes();
        assert!(matches!(read::<Answer>(claims.as_slice()), Err(FrameError::TooLong { .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_an_error_or_a_message(bytes: Vec<u8>) {
            let _ = read::<Answer>(bytes.as_slice());
            let _ = decode::<Request>(&bytes);
        }
    }
}
