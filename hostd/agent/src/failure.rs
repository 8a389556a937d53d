//! Why the agent did not do what it was asked.

use std::io::{Error, ErrorKind};

use serde::{Deserialize, Serialize};

/// What the agent answers with: the thing asked for, or why not.
pub type Reply<T> = Result<T, Failure>;

/// Why something was not done. Nothing was changed, unless the failure says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// It is not there.
    #[error("{what} does not exist")]
    Missing {
        /// The path, session, terminal or command.
        what: String,
    },
    /// It is there already.
    #[error("{what} exists already")]
    Exists {
        /// The path, session or terminal.
        what: String,
    },
    /// The sandbox's user may not do it.
    #[error("the sandbox's user has no permission for {what}")]
    Denied {
        /// The path.
        what: String,
    },
    /// The request cannot be meant.
    #[error("{why}")]
    Wrong {
        /// What was found and what is allowed, as a sentence.
        why: String,
    },
    /// More than there may be.
    #[error("there are more than {most} {what}, which is the most")]
    TooMany {
        /// Of what.
        what: String,
        /// How many there may be.
        most: u64,
    },
    /// The program could not be started.
    #[error("{program:?} could not be run in the sandbox: {error}")]
    Unusable {
        /// The program.
        program: String,
        /// What the system said.
        error: String,
    },
    /// The sandbox's disk is full.
    #[error("there is no room on the sandbox's disk for {what}")]
    Full {
        /// The path.
        what: String,
    },
    /// The session's shell, or the terminal's program, has ended.
    #[error("{what} has ended; make another")]
    Ended {
        /// The session or terminal.
        what: String,
    },
    /// The system failed.
    #[error("could not {doing}: {error}")]
    System {
        /// What was tried.
        doing: String,
        /// What the system said.
        error: String,
    },
}

impl Failure {
    /// What an error of the system means for `what`, met while `doing` something with it.
    #[must_use]
    #[allow(clippy::wildcard_enum_match_arm, reason = "the system's errors are not ours to close")]
    pub fn of(error: &Error, doing: &str, what: &str) -> Self {
        let what = what.to_owned();
        match error.kind() {
            ErrorKind::NotFound => Self::Missing { what },
            ErrorKind::AlreadyExists => Self::Exists { what },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::Denied { what },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { what },
            ErrorKind::NotADirectory => Self::Wrong { why: format!("{what} is not a directory") },
            ErrorKind::IsADirectory => Self::Wrong { why: format!("{what} is a directory") },
            ErrorKind::DirectoryNotEmpty => {
                Self::Wrong { why: format!("{what} is not empty; ask for it to be removed with all in it") }
            }
            ErrorKind::InvalidFilename => {
                Self::Wrong { why: format!("{what} is too long for a file's name") }
            }
            _ => Self::System { doing: format!("{doing} {what}"), error: error.to_string() },
        }
    }

    /// A request that cannot be meant.
    #[must_use]
    pub fn wrong(why: impl Into<String>) -> Self {
        Self::Wrong { why: why.into() }
    }
}
