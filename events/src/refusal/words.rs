//! The words that refusals are made of: what was asked, what would work instead.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refusal;

/// These words in a row.
pub(super) fn all(words: &[impl fmt::Display]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The regions there are, as advice.
pub(super) fn regions(known: &[String]) -> String {
    if known.is_empty() { "no host has joined yet".to_owned() } else { format!("there is {}", all(known)) }
}

/// A text that clients choose and nothing else bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Text {
    /// Who asks, as the credentials say.
    Client,
    /// Who commands run as.
    User,
    /// The name of a snapshot.
    Snapshot,
    /// What names an image's bytes.
    Image,
    /// Where sandboxes are.
    Region,
}

impl Text {
    /// `text`, if it has 1 to `most` bytes and can be shown on one line.
    pub fn check(self, text: &str, most: usize) -> Result<(), Refusal> {
        if (1..=most).contains(&text.len()) && !text.contains(char::is_control) {
            Ok(())
        } else {
            Err(Refusal::BadText { text: self, found: text.len(), most })
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "a client's name",
            Self::User => "a user's name",
            Self::Snapshot => "a snapshot's name",
            Self::Image => "an image's digest",
            Self::Region => "a region's name",
        })
    }
}

/// One of the intervals a user sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Interval {
    /// Idle until stop.
    AutoStop,
    /// Stopped until archive.
    AutoArchive,
    /// Stopped until delete.
    AutoDelete,
}

impl Interval {
    pub(super) fn meaning(self, most: u32) -> String {
        match self {
            Self::AutoStop => format!("send 0 to never stop, or 1 to {most}"),
            Self::AutoArchive => format!("send 0 for the longest, or 1 to {most}"),
            Self::AutoDelete => format!("send -1 to never delete, 0 to delete at stop, or 1 to {most}"),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AutoStop => "an auto-stop interval",
            Self::AutoArchive => "an auto-archive interval",
            Self::AutoDelete => "an auto-delete interval",
        })
    }
}

/// What a client may ask of a sandbox, as an imperative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// Make one.
    Create,
    /// Make an image.
    Build,
    /// Run it.
    Start,
    /// End it.
    Stop,
    /// Keep its memory and end it.
    Pause,
    /// Give it other resources.
    Resize,
    /// Make another sandbox of it.
    Fork,
    /// Be linked with another sandbox.
    Link,
    /// Move its disk to object storage.
    Archive,
    /// Bring it back from an error.
    Recover,
    /// Store a copy of its disk.
    BackUp,
    /// Take a snapshot of it.
    TakeSnapshot,
    /// Take a snapshot of its disk and memory.
    TakeHotSnapshot,
    /// Use its toolbox.
    Use,
    /// Change its labels, intervals, network policy or visibility.
    Configure,
    /// Remove it.
    Delete,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Build => "build an image",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Pause => "pause",
            Self::Resize => "resize",
            Self::Fork => "fork",
            Self::Link => "link with another",
            Self::Archive => "archive",
            Self::Recover => "recover",
            Self::BackUp => "be backed up",
            Self::TakeSnapshot => "give a snapshot of its disk",
            Self::TakeHotSnapshot => "give a snapshot of its memory",
            Self::Use => "run commands",
            Self::Configure => "change",
            Self::Delete => "delete",
        })
    }
}

/// Which sandboxes can do what others cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Able {
    /// Those with memory that can be kept.
    Machines,
    /// Only containers are built of Dockerfiles.
    BuildContainers,
    /// Windows is not published as an image.
    SnapshotOfSandbox,
}

impl fmt::Display for Able {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Machines => "virtual machines (linux-vm, windows)",
            Self::BuildContainers => "only containers are built",
            Self::SnapshotOfSandbox => "take a snapshot of a sandbox instead",
        })
    }
}

/// What would work instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Advice {
    /// Start it first.
    StartFirst,
    /// Stop it first.
    StopFirst,
    /// Nothing went wrong.
    NothingIsWrong,
    /// Only a running one can be stopped.
    NothingRuns,
    /// Errors are left by recovering or deleting.
    RecoverOrDelete,
    /// Its build can be repeated or it can be deleted.
    RebuildOrDelete,
    /// It is going away.
    BeingDeleted,
    /// The operation waits for a later release.
    NotSupportedYet,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StartFirst => "start it first",
            Self::StopFirst => "stop it first",
            Self::NothingIsWrong => "there is no error to recover from",
            Self::NothingRuns => "nothing of it runs",
            Self::RecoverOrDelete => "recover or delete it",
            Self::RebuildOrDelete => "start it to build it again, or delete it",
            Self::BeingDeleted => "it is being deleted",
            Self::NotSupportedYet => "this release cannot bring it back from there",
        })
    }
}
