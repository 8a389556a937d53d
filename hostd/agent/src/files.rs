//! Files of a sandbox, with the rights of its user and no others.
//!
//! Paths that do not begin with `/` lead from the place for work. Names that are not UTF-8 are shown as well as they
//! can be and cannot be asked for.

use serde::{Deserialize, Serialize};

use crate::frame::Bytes;

/// The most entries one listing or search answers with.
pub const ENTRIES_MOST: usize = 10_000;

/// The most entries a search looks at.
pub const VISITED_MOST: usize = 500_000;

/// The most matches one search in contents answers with.
pub const MATCHES_MOST: usize = 10_000;

/// The most bytes of a matching line that are shown.
pub const LINE_MOST: usize = 1 << 10;

/// The largest file in which text is replaced.
pub const REPLACED_MOST: u64 = 64 << 20;

/// The most files that are replaced in with one request.
pub const REPLACED_FILES_MOST: usize = 1_000;

/// What is asked of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// What is this? Answered with a [`crate::Reply`] of [`Info`]. Links are followed.
    Info {
        /// The file or directory.
        path: String,
    },
    /// What is in this directory? Answered with a reply of [`Info`]s, ordered by path. Links are not followed.
    List {
        /// The directory.
        path: String,
        /// How many levels of directories; at least 1.
        depth: u32,
    },
    /// The bytes of a file. Answered with a reply of [`Info`], then replies of [`Part`].
    Read {
        /// The file.
        path: String,
    },
    /// Make or replace a file. The caller sends [`Part`]s; the answer, a reply of the number of bytes, comes after
    /// [`Part::End`], or earlier if it is a failure. Nothing is to be seen of the new file until it is whole.
    Write {
        /// The file.
        path: String,
        /// Its permissions; those of the file that is replaced, or else 0644, when not given.
        mode: Option<u32>,
        /// Whether directories on the way to it are made.
        parents: bool,
    },
    /// Remove a file, a link, or an empty directory. Answered with a reply of nothing, as all that follow but the
    /// searches.
    Delete {
        /// The file or directory.
        path: String,
        /// Whether a directory may have something in it.
        recursive: bool,
    },
    /// Give a file or directory another name. What has that name is replaced, if it is a file.
    Move {
        /// What.
        from: String,
        /// Where to.
        to: String,
    },
    /// Make a directory, and those on the way to it. One that is there gets the permissions.
    MakeFolder {
        /// The directory.
        path: String,
        /// Its permissions; 0755 when not given.
        mode: Option<u32>,
    },
    /// Change who may do what with a file.
    SetPermissions {
        /// The file or directory.
        path: String,
        /// Its permissions.
        mode: Option<u32>,
        /// Its owner, by name or number.
        owner: Option<String>,
        /// Its group, by name or number.
        group: Option<String>,
    },
    /// Where does this text stand? Answered with a reply of [`Match`]es. Files that hold zero bytes are passed over.
    Find {
        /// A file, or a directory with all in it.
        path: String,
        /// The text, as it is.
        text: String,
    },
    /// What has such a name? Answered with a reply of paths.
    Search {
        /// The directory to look in, with all in it.
        path: String,
        /// The name: `*` is anything, `?` any one character, `[a-z]` one of these.
        pattern: String,
    },
    /// Replace text in files. Answered with a reply of a [`Replaced`] for each file.
    Replace {
        /// The files.
        files: Vec<String>,
        /// The text, as it is.
        text: String,
        /// What is to stand instead.
        with: String,
    },
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// Its next bytes, at most [`crate::frame::CHUNK`].
    Bytes(Bytes),
    /// That was all.
    End,
}

/// What kind of thing has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A file.
    File,
    /// A directory.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, a pipe, a socket.
    Other,
}

/// A file or directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// Its name.
    pub name: String,
    /// Where it is, from the root.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub size: u64,
    /// Its permissions, the lowest twelve bits.
    pub mode: u32,
    /// When it was last written to: microseconds since 1970.
    pub modified_micros: i64,
    /// Its owner's name, or number if it has none.
    pub owner: String,
    /// Its group's name, or number if it has none.
    pub group: String,
}

/// A line that holds the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The file.
    pub file: String,
    /// Which line, from 1.
    pub line: u64,
    /// The line without its end, at most [`LINE_MOST`] bytes of it.
    pub content: String,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The file.
    pub file: String,
    /// Nothing if it holds the new text now, even if the old one was not found, or why it does not.
    pub failure: Option<crate::Failure>,
}
