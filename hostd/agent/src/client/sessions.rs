//! Sessions of a sandbox.

use tokio::io::{AsyncRead, AsyncWrite, split};

use super::{Agent, Error, Listening};
use crate::frame::Bytes;
use crate::sessions::{Command, Executed, Logs, Request, Session};

impl<S: AsyncRead + AsyncWrite + Unpin> Agent<S> {
    /// Begin a session of this name.
    pub async fn create_session(self, session: &str) -> Result<(), Error> {
        self.ask(&asked(Request::Create { session: session.to_owned() })).await
    }

    /// All sessions.
    pub async fn sessions(self) -> Result<Vec<Session>, Error> {
        self.ask(&asked(Request::List)).await
    }

    /// One session.
    pub async fn session(self, session: &str) -> Result<Session, Error> {
        self.ask(&asked(Request::Get { session: session.to_owned() })).await
    }

    /// End a session and all that runs in it.
    pub async fn delete_session(self, session: &str) -> Result<(), Error> {
        self.ask(&asked(Request::Delete { session: session.to_owned() })).await
    }

    /// Run a command in a session; `wait` for its end, or answer at once. It goes on when the future is dropped.
    pub async fn execute(self, session: &str, command: &str, wait: bool) -> Result<Executed, Error> {
        let (session, command) = (session.to_owned(), command.to_owned());
        self.ask(&asked(Request::Execute { session, command, wait })).await
    }

    /// One command of a session.
    pub async fn command(self, session: &str, command: &str) -> Result<Command, Error> {
        let (session, command) = (session.to_owned(), command.to_owned());
        self.ask(&asked(Request::Command { session, command })).await
    }

    /// What a command of a session wrote so far.
    pub async fn logs(self, session: &str, command: &str) -> Result<Logs, Error> {
        let (session, command) = (session.to_owned(), command.to_owned());
        self.ask(&asked(Request::Logs { session, command })).await
    }

    /// What a command of a session wrote and writes, until it has ended.
    pub async fn follow(mut self, session: &str, command: &str) -> Result<Listening<S>, Error> {
        let (session, command) = (session.to_owned(), command.to_owned());
        self.first::<()>(&asked(Request::Follow { session, command })).await?;
        // The connection stays open both ways for as long as one of its halves is kept.
        let (reader, _) = split(self.stream);
        Ok(Listening::new(reader))
    }

    /// Give a command of a session `data` to read.
    pub async fn input(self, session: &str, command: &str, data: &[u8]) -> Result<(), Error> {
        let (session, command) = (session.to_owned(), command.to_owned());
        self.ask(&asked(Request::Input { session, command, data: Bytes::from(data) })).await
    }
}

fn asked(request: Request) -> crate::Request {
    crate::Request::Sessions(request)
}
