//! Files of a sandbox.

use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Agent, Error, receive, send};
use crate::files::{Info, Match, Part, Replaced, Request};
use crate::frame::{Bytes, CHUNK};
use crate::{FrameError, Reply};

impl<S: AsyncRead + AsyncWrite + Unpin> Agent<S> {
    /// What is at `path`? Links are followed.
    pub async fn info(self, path: &str) -> Result<Info, Error> {
        self.file(Request::Info { path: path.to_owned() }).await
    }

    /// What is in the directory `path`, down to `depth` levels?
    pub async fn list(self, path: &str, depth: u32) -> Result<Vec<Info>, Error> {
        self.file(Request::List { path: path.to_owned(), depth }).await
    }

    /// The bytes of a file, as they are asked for.
    pub async fn read(mut self, path: &str) -> Result<Download<S>, Error> {
        let info = self.begin(Request::Read { path: path.to_owned() }).await?;
        Ok(Download { stream: self.stream, info, over: false })
    }

    /// Make or replace the file `path`, once [`Upload::finish`] is called.
    pub async fn write(mut self, path: &str, mode: Option<u32>, parents: bool) -> Result<Upload<S>, Error> {
        send(&mut self.stream, &crate::Request::Files).await?;
        send(&mut self.stream, &Request::Write { path: path.to_owned(), mode, parents }).await?;
        Ok(Upload { stream: self.stream })
    }

    /// Remove a file, or a directory; `recursive` with all in it.
    pub async fn delete(self, path: &str, recursive: bool) -> Result<(), Error> {
        self.file(Request::Delete { path: path.to_owned(), recursive }).await
    }

    /// Give a file or directory another name.
    pub async fn rename(self, from: &str, to: &str) -> Result<(), Error> {
        self.file(Request::Move { from: from.to_owned(), to: to.to_owned() }).await
    }

    /// Make a directory, and those on the way to it.
    pub async fn make_folder(self, path: &str, mode: Option<u32>) -> Result<(), Error> {
        self.file(Request::MakeFolder { path: path.to_owned(), mode }).await
    }

    /// Change who may do what with a file.
    pub async fn set_permissions(
        self,
        path: &str,
        mode: Option<u32>,
        owner: Option<String>,
        group: Option<String>,
    ) -> Result<(), Error> {
        self.file(Request::SetPermissions { path: path.to_owned(), mode, owner, group }).await
    }

    /// Where does `text` stand in the files below `path`?
    pub async fn find(self, path: &str, text: &str) -> Result<Vec<Match>, Error> {
        self.file(Request::Find { path: path.to_owned(), text: text.to_owned() }).await
    }

    /// What below `path` has a name that `pattern` describes?
    pub async fn search(self, path: &str, pattern: &str) -> Result<Vec<String>, Error> {
        self.file(Request::Search { path: path.to_owned(), pattern: pattern.to_owned() }).await
    }

    /// Replace `text` in `files`.
    pub async fn replace(self, files: Vec<String>, text: &str, with: &str) -> Result<Vec<Replaced>, Error> {
        self.file(Request::Replace { files, text: text.to_owned(), with: with.to_owned() }).await
    }

    async fn file<T: DeserializeOwned>(mut self, request: Request) -> Result<T, Error> {
        self.begin(request).await
    }

    async fn begin<T: DeserializeOwned>(&mut self, request: Request) -> Result<T, Error> {
        send(&mut self.stream, &crate::Request::Files).await?;
        self.first(&request).await
    }
}

/// A file that is being read.
#[derive(Debug)]
pub struct Download<S> {
    stream: S,
    /// The file, when reading began. What is read of one that changes meanwhile may be longer or shorter.
    pub info: Info,
    over: bool,
}

impl<S: AsyncRead + Unpin> Download<S> {
    /// Its next bytes; nothing at its end. A connection that breaks before that is an error.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.over {
            return Ok(None);
        }
        let part: Reply<Part> = receive(&mut self.stream).await?;
        match part? {
            Part::Bytes(Bytes(bytes)) => Ok(Some(bytes)),
            Part::End => {
                self.over = true;
                Ok(None)
            }
        }
    }

    /// All of it, if it has at most `most` bytes.
    pub async fn whole(mut self, most: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(next) = self.next().await? {
            if bytes.len() + next.len() > most {
                return Err(FrameError::TooLong { found: bytes.len() + next.len() }.into());
            }
            bytes.extend_from_slice(&next);
        }
        Ok(bytes)
    }
}

/// A file that is being written. Dropped before it is finished, nothing of it is left.
#[derive(Debug)]
pub struct Upload<S> {
    stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Upload<S> {
    /// Add `bytes` to it.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for chunk in bytes.chunks(CHUNK) {
            if let Err(error) = send(&mut self.stream, &Part::Bytes(Bytes::from(chunk))).await {
                return Err(self.refused(error).await);
            }
        }
        Ok(())
    }

    /// That was all: it is put in its place. The number of its bytes.
    pub async fn finish(mut self) -> Result<u64, Error> {
        if let Err(error) = send(&mut self.stream, &Part::End).await {
            return Err(self.refused(error).await);
        }
        let reply: Reply<u64> = receive(&mut self.stream).await?;
        Ok(reply?)
    }

    /// Why the agent takes nothing more: it says so before it goes.
    async fn refused(&mut self, error: FrameError) -> Error {
        match receive::<Reply<u64>>(&mut self.stream).await {
            Ok(Err(failure)) => failure.into(),
            Ok(Ok(_)) | Err(_) => error.into(),
        }
    }
}
