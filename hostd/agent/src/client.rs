//! The asking side of the words, for whoever has a connection to an agent: hosts, engines, the API, tests.
//!
//! [`Agent::over`] takes a connection and each of its methods one request; there is one request to a connection. How
//! the connection came about, and how long to wait, is the caller's. Nothing an agent says takes more memory than a
//! frame may have, at any time.
//!
//! ```no_run
//! # async fn example(stream: tokio::io::DuplexStream) -> Result<(), hourglass_agent::client::Error> {
//! use hourglass_agent::client::Agent;
//!
//! let files = Agent::over(stream).list("src", 1).await?;
//! # Ok(()) }
//! ```

mod files;
mod frames;
mod ptys;
mod running;
mod sessions;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};

pub use self::files::{Download, Upload};
pub use self::frames::{Frames, receive, send};
pub use self::ptys::{Attached, Keys};
pub use self::running::{Feeding, Listening, Running};
use crate::{Failure, FrameError, Places, Pong, Program, Ran, Reply, Request, Run};

/// A connection to the agent of a sandbox, on which nothing was said yet.
#[derive(Debug)]
pub struct Agent<S> {
    stream: S,
}

/// Why there is no answer, or not the one hoped for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The agent did not do it.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The connection broke, as when the sandbox stops, or what came is not of these words.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl Error {
    /// The agent's own word, if it had one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Frame(_) => None,
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Frame(error.into())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Agent<S> {
    /// The agent at the other end of `stream`.
    pub const fn over(stream: S) -> Self {
        Self { stream }
    }

    /// Which version of the words it knows.
    pub async fn ping(mut self) -> Result<u32, Error> {
        send(&mut self.stream, &Request::Ping).await?;
        let Pong { version } = receive(&mut self.stream).await?;
        Ok(version)
    }

    /// Run a command to its end. When the future is dropped and the connection with it, the command is killed.
    pub async fn run(self, run: Run) -> Result<Ran, Error> {
        let keep = usize::try_from(run.keep).unwrap_or(usize::MAX);
        let mut ran: Ran = self.ask(&Request::Run(run)).await?;
        // The agent may be an impostor: it is held to what it was asked.
        ran.stdout.0.truncate(keep);
        ran.stderr.0.truncate(keep);
        Ok(ran)
    }

    /// Start a command and stay with it. When both halves are dropped, the command is killed.
    pub async fn start(mut self, program: Program) -> Result<Running<S>, Error> {
        self.first::<()>(&Request::Start(program)).await?;
        Ok(Running::over(self.stream))
    }

    /// Where is what?
    pub async fn places(self) -> Result<Places, Error> {
        self.ask(&Request::Places).await
    }

    /// A connection to a TCP port on the sandbox's loopback.
    pub async fn port(mut self, port: u16) -> Result<S, Error> {
        self.first::<()>(&Request::Port(port)).await?;
        Ok(self.stream)
    }

    /// Ask, and take the one answer there is.
    async fn ask<T: DeserializeOwned>(mut self, request: &impl Serialize) -> Result<T, Error> {
        self.first(request).await
    }

    /// Ask, and take the first answer.
    async fn first<T: DeserializeOwned>(&mut self, request: &impl Serialize) -> Result<T, Error> {
        send(&mut self.stream, request).await?;
        let reply: Reply<T> = receive(&mut self.stream).await?;
        Ok(reply?)
    }
}
