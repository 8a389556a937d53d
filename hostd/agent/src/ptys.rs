//! Terminals: a shell each that believes it is used by a person.
//!
//! A terminal goes on when nobody is attached; the latest [`KEPT`] bytes of what it showed are kept for whoever comes.
//! While somebody is attached it does not run ahead of them by more than that.

use serde::{Deserialize, Serialize};

use crate::frame::Bytes;

/// The most terminals a sandbox may have, ended ones included; the oldest that has ended makes way for a new one.
pub const PTYS_MOST: usize = 32;

/// The bytes kept of what a terminal showed.
pub const KEPT: usize = 256 << 10;

/// The largest number of columns or rows.
pub const SIDE_MOST: u16 = 1_000;

/// What is asked of the terminals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Make a terminal. Answered with a [`crate::Reply`] of [`Pty`].
    Create(Create),
    /// All terminals. Answered with a reply of [`Pty`]s, oldest first.
    List,
    /// One terminal. Answered with a reply of [`Pty`].
    Get {
        /// Its name.
        pty: String,
    },
    /// Give it another size. Answered with a reply of [`Pty`].
    Resize {
        /// Its name.
        pty: String,
        /// The size.
        size: Size,
    },
    /// End it and all that runs in it, and forget it. Answered with a reply of nothing.
    Kill {
        /// Its name.
        pty: String,
    },
    /// Use it. Answered with a reply of [`Pty`], then [`crate::Output`]… until its shell has ended; the caller sends
    /// [`Typed`]. The terminal goes on when the caller goes.
    Attach {
        /// Its name.
        pty: String,
    },
}

/// A terminal to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    /// Its name.
    pub pty: String,
    /// Its size.
    pub size: Size,
    /// Where its shell begins; the place for work when not given.
    pub cwd: Option<String>,
    /// Added to the sandbox's environment.
    pub env: Vec<(String, String)>,
    /// Whether its shell is started only when somebody attaches.
    pub lazy: bool,
}

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns, from 1 to [`SIDE_MOST`].
    pub cols: u16,
    /// Rows, from 1 to [`SIDE_MOST`].
    pub rows: u16,
}

impl Size {
    /// The size, if there may be such.
    pub fn checked(self) -> Result<Self, crate::Failure> {
        let fits = |side: u16| (1..=SIDE_MOST).contains(&side);
        if fits(self.cols) && fits(self.rows) {
            return Ok(self);
        }
        let Self { cols, rows } = self;
        Err(crate::Failure::wrong(format!(
            "a terminal of {cols} columns and {rows} rows cannot be; both are from 1 to {SIDE_MOST}"
        )))
    }
}

/// A terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pty {
    /// Its name.
    pub id: String,
    /// Its size.
    pub size: Size,
    /// Where its shell began.
    pub cwd: String,
    /// What was added to its environment.
    pub env: Vec<(String, String)>,
    /// Whether its shell is started only when somebody attaches.
    pub lazy: bool,
    /// How far it is.
    pub stage: Stage,
    /// When it was made: microseconds since 1970.
    pub created_micros: i64,
}

/// How far a terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// It waits for somebody to attach.
    Waiting,
    /// Its shell runs.
    Running,
    /// Its shell ended with this code.
    Ended(u8),
}

/// What somebody attached to a terminal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Typed {
    /// These keys.
    Keys(Bytes),
    /// The terminal has another size now.
    Resize(Size),
}
