//! Running a command: to its end, or staying with it.

use serde::{Deserialize, Serialize};

use crate::frame::Bytes;

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Program {
    /// Program and arguments; not empty. No shell is involved unless it is the program.
    pub argv: Vec<String>,
    /// Added to the sandbox's environment.
    pub env: Vec<(String, String)>,
    /// Where to run it; the place for work when not given.
    pub cwd: Option<String>,
    /// Killed, with all it started, after this many microseconds.
    pub timeout_micros: Option<u64>,
}

/// A command to run to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The command.
    pub program: Program,
    /// Whether its standard error is to go where its standard output goes, in the order it was written.
    pub merged: bool,
    /// How many bytes of each output stream to keep.
    pub keep: u64,
}

/// How a command that was run to its end ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// 0–255; 128 + n when signal n ended it.
    pub code: u8,
    /// The first bytes of its standard output.
    pub stdout: Bytes,
    /// The first bytes of its standard error.
    pub stderr: Bytes,
    /// How many bytes of output were dropped beyond what was to be kept.
    pub dropped: u64,
    /// Whether the time-out ended it.
    pub timed_out: bool,
}

/// What a caller says to a command it stays with. Input that the command does not read holds up what is said after it;
/// to hang up always ends the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Feed {
    /// For its standard input.
    Stdin(Bytes),
    /// There is no more input.
    End,
    /// This signal, for the command and what is in its process group.
    Signal(u8),
}

/// What comes of a command somebody stays with, of a session's command that is followed, and of a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// It wrote this. All that a terminal shows is such.
    Stdout(Bytes),
    /// It wrote this to its standard error.
    Stderr(Bytes),
    /// So many bytes before the next are not kept any more.
    Missed(u64),
    /// It ended. Nothing follows.
    Ended(End),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// 0–255; 128 + n when signal n ended it.
    pub code: u8,
    /// Whether its time-out ended it.
    pub timed_out: bool,
}
