//! Terminals of a sandbox.

use tokio::io::{AsyncRead, AsyncWrite, WriteHalf, split};

use super::{Agent, Error, Listening, send};
use crate::frame::{Bytes, CHUNK};
use crate::ptys::{Create, Pty, Request, Size, Typed};

impl<S: AsyncRead + AsyncWrite + Unpin> Agent<S> {
    /// Make a terminal.
    pub async fn create_pty(self, create: Create) -> Result<Pty, Error> {
        self.ask(&asked(Request::Create(create))).await
    }

    /// All terminals.
    pub async fn ptys(self) -> Result<Vec<Pty>, Error> {
        self.ask(&asked(Request::List)).await
    }

    /// One terminal.
    pub async fn pty(self, pty: &str) -> Result<Pty, Error> {
        self.ask(&asked(Request::Get { pty: pty.to_owned() })).await
    }

    /// Give a terminal another size.
    pub async fn resize_pty(self, pty: &str, size: Size) -> Result<Pty, Error> {
        self.ask(&asked(Request::Resize { pty: pty.to_owned(), size })).await
    }

    /// End a terminal and all that runs in it, and forget it.
    pub async fn kill_pty(self, pty: &str) -> Result<(), Error> {
        self.ask(&asked(Request::Kill { pty: pty.to_owned() })).await
    }

    /// Use a terminal, beginning with what it showed last.
    pub async fn attach(mut self, pty: &str) -> Result<Attached<S>, Error> {
        let pty = self.first(&asked(Request::Attach { pty: pty.to_owned() })).await?;
        let (reader, writer) = split(self.stream);
        Ok(Attached { pty, keys: Keys { writer }, screen: Listening::new(reader) })
    }
}

/// A terminal in use. Its halves may be used at the same time; it goes on when they are dropped.
#[derive(Debug)]
pub struct Attached<S> {
    /// The terminal.
    pub pty: Pty,
    /// What it is told.
    pub keys: Keys<S>,
    /// What it shows.
    pub screen: Listening<S>,
}

/// What a terminal is told.
#[derive(Debug)]
pub struct Keys<S> {
    writer: WriteHalf<S>,
}

impl<S: AsyncWrite> Keys<S> {
    /// Type these keys.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for chunk in bytes.chunks(CHUNK) {
            send(&mut self.writer, &Typed::Keys(Bytes::from(chunk))).await?;
        }
        Ok(())
    }

    /// It has another size now.
    pub async fn resize(&mut self, size: Size) -> Result<(), Error> {
        Ok(send(&mut self.writer, &Typed::Resize(size)).await?)
    }
}

fn asked(request: Request) -> crate::Request {
    crate::Request::Ptys(request)
}
