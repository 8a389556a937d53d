//! The 22 states of a sandbox and the named sets of them.
//!
//! Which event leads where is not said here but in [`crate::lifecycle`].

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! states {
    ($($(#[$doc:meta])* $state:ident = $title:literal),+ $(,)?) => {
        /// Where a sandbox is in its life.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum State {$($(#[$doc])* $state),+}

        impl State {
            /// Every state, in the document's order.
            pub const ALL: &'static [Self] = &[$(Self::$state),+];

            /// The state's title as people read it.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {$(Self::$state => $title),+}
            }
        }
    };
}

states! {
    /// Before it is created.
    Unknown = "Unknown",
    /// Its image build waits for its turn.
    PendingBuild = "Pending Build",
    /// Its image is being built.
    BuildingSnapshot = "Building Snapshot",
    /// Its image build failed and may be tried again.
    BuildFailed = "Build Failed",
    /// Its snapshot is being brought to its host.
    PullingSnapshot = "Pulling Snapshot",
    /// Its disk is being made and it boots for the first time.
    Creating = "Creating",
    /// It boots.
    Starting = "Starting",
    /// It runs and takes requests.
    Started = "Started",
    /// It is ending and takes no requests.
    Stopping = "Stopping",
    /// It does not run; its disk is kept.
    Stopped = "Stopped",
    /// Its memory is being saved.
    Pausing = "Pausing",
    /// It does not run; its disk and memory are kept.
    Paused = "Paused",
    /// Its memory is being brought back.
    Resuming = "Resuming",
    /// Its disk is being moved to object storage.
    Archiving = "Archiving",
    /// Its disk is in object storage.
    Archived = "Archived",
    /// Its disk is being brought back from a backup or object storage.
    Restoring = "Restoring",
    /// Its resources are being changed.
    Resizing = "Resizing",
    /// A snapshot of it is being taken.
    Snapshotting = "Snapshotting",
    /// A fork of it is being made.
    Forking = "Forking",
    /// It is being removed, for as long as that takes.
    Deleting = "Deleting",
    /// It is gone.
    Deleted = "Deleted",
    /// An operation failed; its disk may be intact.
    Error = "Error",
}

impl State {
    /// States with an operation in flight, which a host's report or a deadline ends.
    pub const IN_FLIGHT: &'static [Self] = &[
        Self::BuildingSnapshot,
        Self::PullingSnapshot,
        Self::Creating,
        Self::Starting,
        Self::Stopping,
        Self::Pausing,
        Self::Resuming,
        Self::Archiving,
        Self::Restoring,
        Self::Resizing,
        Self::Snapshotting,
        Self::Forking,
        Self::Deleting,
    ];

    /// Excursions: states that remember where they set out from, to go back there.
    pub const EXCURSIONS: &'static [Self] =
        &[Self::Resizing, Self::Snapshotting, Self::Forking, Self::Pausing, Self::Archiving];

    /// States in which something runs or is about to, and so takes CPUs, memory and GPUs. An excursion does as the state
    /// it set out from does, see [`State::computes`].
    pub const COMPUTES: &'static [Self] = &[
        Self::Unknown,
        Self::PendingBuild,
        Self::BuildingSnapshot,
        Self::PullingSnapshot,
        Self::Creating,
        Self::Starting,
        Self::Started,
        Self::Stopping,
        Self::Resuming,
        Self::Restoring,
    ];

    /// States in which nothing runs or what does is being ended, and a host has the disk. In `Error` it is what
    /// recovering needs, and a deletion has it until it is done.
    pub const DISK_ONLY: &'static [Self] = &[Self::Stopped, Self::Paused, Self::Deleting, Self::Error];

    /// States in which nothing of the sandbox is on a host.
    pub const WEIGHTLESS: &'static [Self] = &[Self::BuildFailed, Self::Archived, Self::Deleted];

    /// States in which the sandbox's name is free for another.
    pub const NAMELESS: &'static [Self] = &[Self::Unknown, Self::Deleting, Self::Deleted];

    /// Whether something runs or is about to in this state, reached by an excursion from `origin` if it is one.
    #[must_use]
    pub fn computes(self, origin: Option<Self>) -> bool {
        let settled = origin.filter(|_| self.is_in(Self::EXCURSIONS)).unwrap_or(self);
        settled.is_in(Self::COMPUTES)
    }

    /// Whether a host has the disk in this state, or makes room for it. Every excursion begins with one.
    #[must_use]
    pub fn has_disk(self) -> bool {
        !self.is_in(Self::WEIGHTLESS)
    }

    /// Whether this state is one of `set`.
    #[must_use]
    pub fn is_in(self, set: &[Self]) -> bool {
        set.contains(&self)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

#[cfg(test)]
mod tests;
