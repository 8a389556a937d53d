//! Sessions: shells that go on between commands, so that the directory and variables one sets are there for the next.
//!
//! The commands of a session run one after the other; those that wait are [`QUEUED_MOST`] at most. What they write is
//! kept in memory, the latest bytes of each.

use serde::{Deserialize, Serialize};

use crate::frame::Bytes;
use crate::run::Output;

/// The most sessions a sandbox may have.
pub const SESSIONS_MOST: usize = 32;

/// The most commands of a session that are remembered; the oldest that have ended are forgotten first.
pub const COMMANDS_MOST: usize = 256;

/// The most commands of a session that may wait for their turn.
pub const QUEUED_MOST: usize = 64;

/// The most bytes kept of what one command wrote.
pub const LOG_MOST: usize = 2 << 20;

/// The most bytes kept of what all commands of a session wrote; the oldest commands' are forgotten first.
pub const SESSION_LOG_MOST: usize = 8 << 20;

/// The longest command.
pub const COMMAND_MOST: usize = 1 << 20;

/// The longest name of a session or terminal.
pub const NAME_MOST: usize = 128;

/// What is asked of the sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Begin a session. Answered with a [`crate::Reply`] of nothing.
    Create {
        /// Its name.
        session: String,
    },
    /// All sessions. Answered with a reply of [`Session`]s, ordered by name.
    List,
    /// One session. Answered with a reply of [`Session`].
    Get {
        /// Its name.
        session: String,
    },
    /// End a session and all that runs in it. Answered with a reply of nothing.
    Delete {
        /// Its name.
        session: String,
    },
    /// Run a command in a session. Answered with a reply of [`Executed`]: at once, or when the command has ended. It goes
    /// on when its caller goes.
    Execute {
        /// The session.
        session: String,
        /// The command, in the shell's language.
        command: String,
        /// Whether to answer when it has ended.
        wait: bool,
    },
    /// One command. Answered with a reply of [`Command`].
    Command {
        /// The session.
        session: String,
        /// The command's id.
        command: String,
    },
    /// What a command wrote so far. Answered with a reply of [`Logs`].
    Logs {
        /// The session.
        session: String,
        /// The command's id.
        command: String,
    },
    /// What a command wrote and writes. Answered with a reply of nothing, then [`Output`]… until it has ended.
    Follow {
        /// The session.
        session: String,
        /// The command's id.
        command: String,
    },
    /// For a command's standard input. Answered with a reply of nothing.
    Input {
        /// The session.
        session: String,
        /// The command's id.
        command: String,
        /// What to type.
        data: Bytes,
    },
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name.
    pub id: String,
    /// Its commands, oldest first.
    pub commands: Vec<Command>,
    /// Whether its shell goes on.
    pub open: bool,
}

/// A command of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its id.
    pub id: String,
    /// What was asked for.
    pub command: String,
    /// How it ended, once it has: 0–255.
    pub code: Option<u8>,
}

/// A command that was begun, or has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// The command.
    pub command: Command,
    /// What it wrote so far.
    pub logs: Logs,
}

/// What a command wrote, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Logs {
    /// Bytes in the order they came; no [`Output::Ended`] among them.
    pub pieces: Vec<Output>,
}

impl Logs {
    /// What went to standard output.
    #[must_use]
    pub fn stdout(&self) -> Vec<u8> {
        self.of(true, false)
    }

    /// What went to standard error.
    #[must_use]
    pub fn stderr(&self) -> Vec<u8> {
        self.of(false, true)
    }

    /// All of it.
    #[must_use]
    pub fn output(&self) -> Vec<u8> {
        self.of(true, true)
    }

    fn of(&self, out: bool, err: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.pieces {
            match piece {
                Output::Stdout(said) if out => bytes.extend_from_slice(&said.0),
                Output::Stderr(said) if err => bytes.extend_from_slice(&said.0),
                Output::Stdout(_) | Output::Stderr(_) | Output::Missed(_) | Output::Ended(_) => {}
            }
        }
        bytes
    }
}

/// Whether `name` may be the name of a session or terminal; a sentence that says why not.
pub fn check_name(name: &str) -> Result<(), crate::Failure> {
    let fits = !name.is_empty() && name.len() <= NAME_MOST && !name.chars().any(char::is_control);
    let why = || format!("{name:?} is no name; give 1 to {NAME_MOST} bytes without control characters");
    if fits { Ok(()) } else { Err(crate::Failure::wrong(why())) }
}
