//! What a sandbox is owed merely because of its state: one task for its host, and alarms.
//!
//! This is the half of `owe` that needs nothing but the state. The kernel adds what depends on the rest of the
//! sandbox and its fleet: when alarms go off, and which follow-up event is due.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::SandboxEventKind as Kind;
use crate::state::State;

/// What can be asked of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaskKind {
    /// Have an image.
    Pull,
    /// Build an image.
    Build,
    /// Make a disk and boot it.
    Create,
    /// Boot a disk that is there.
    Boot,
    /// End it, keep its disk.
    Stop,
    /// Save its memory and end it.
    SaveMemory,
    /// Run on from saved memory.
    Resume,
    /// Move its disk to object storage.
    Archive,
    /// Leave nothing of it on the host; it is archived.
    Discard,
    /// Bring its disk back and boot it.
    Restore,
    /// Change its resources.
    Resize,
    /// Store a backup of its disk, or take away those that are of no use any more.
    Backup,
    /// Take a snapshot.
    Capture,
    /// Make a fork.
    Fork,
    /// Let nothing of it run.
    Quiesce,
    /// Hold what runs of it to the settings that hold.
    Hold,
    /// Leave nothing of it.
    Remove,
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pull => "fetch the snapshot",
            Self::Build => "build the image",
            Self::Create => "create the sandbox",
            Self::Boot => "boot the sandbox",
            Self::Stop => "stop the sandbox",
            Self::SaveMemory => "save the sandbox's memory",
            Self::Resume => "resume the sandbox",
            Self::Archive => "archive the sandbox",
            Self::Discard => "drop the archived sandbox's disk",
            Self::Restore => "restore the sandbox",
            Self::Resize => "resize the sandbox",
            Self::Backup => "back the sandbox up",
            Self::Capture => "take the snapshot",
            Self::Fork => "fork the sandbox",
            Self::Quiesce => "quieten the sandbox",
            Self::Hold => "hold the sandbox to its settings",
            Self::Remove => "remove the sandbox",
        })
    }
}

/// What goes off when nothing else happens first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Alarm {
    /// The operation in flight has taken too long.
    Deadline,
    /// It was not used for too long.
    AutoStop,
    /// It was stopped for long enough to be archived.
    AutoArchive,
    /// It was stopped for long enough to be backed up.
    Backup,
    /// It was stopped for long enough to be deleted.
    AutoDelete,
    /// What failed is tried again.
    Retry,
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deadline => "operation deadline",
            Self::AutoStop => "auto-stop",
            Self::AutoArchive => "auto-archive",
            Self::Backup => "backup",
            Self::AutoDelete => "auto-delete",
            Self::Retry => "retry",
        })
    }
}

/// A task, and the events its two possible reports become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwedTask {
    /// The task.
    pub task: TaskKind,
    /// What a report of success becomes.
    pub done: Kind,
    /// What a report of failure becomes.
    pub failed: Kind,
}

/// What one state owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duties {
    /// At most one task at a time.
    pub task: Option<OwedTask>,
    /// What may go off meanwhile.
    pub alarms: &'static [Alarm],
}

/// What a sandbox in `state` is owed.
#[must_use]
pub const fn duties(state: State) -> Duties {
    use TaskKind::{
        Archive, Backup, Boot, Build, Capture, Create, Discard, Fork, Hold, Pull, Quiesce, Remove, Resize,
        Restore, Resume, SaveMemory, Stop,
    };
    match state {
        State::Unknown | State::PendingBuild | State::BuildFailed => watch(&[]),
        State::BuildingSnapshot => task(Build, Kind::SnapshotReady, Kind::BuildFailed, &[Alarm::Deadline]),
        State::PullingSnapshot => task(Pull, Kind::SnapshotReady, Kind::Failed, &[Alarm::Deadline]),
        State::Creating => task(Create, Kind::Booted, Kind::Failed, &[Alarm::Deadline]),
        State::Starting => task(Boot, Kind::Booted, Kind::Failed, &[Alarm::Deadline]),
        // Owed only from when a setting was changed until what runs is held to it.
        State::Started => {
            task(Hold, Kind::SettingsApplied, Kind::Struggled, &[Alarm::AutoStop, Alarm::Retry])
        }
        State::Stopping => task(Stop, Kind::Exited, Kind::Failed, &[Alarm::Deadline]),
        // Owed only while a backup is due, or one is of no use any more.
        State::Stopped => task(
            Backup,
            Kind::BackupTaken,
            Kind::BackupFailed,
            &[Alarm::AutoArchive, Alarm::AutoDelete, Alarm::Backup, Alarm::Deadline, Alarm::Retry],
        ),
        State::Pausing => task(SaveMemory, Kind::MemorySaved, Kind::Abandoned, &[Alarm::Deadline]),
        State::Paused => watch(&[]),
        State::Resuming => task(Resume, Kind::Resumed, Kind::Failed, &[Alarm::Deadline]),
        State::Archiving => task(Archive, Kind::ArchiveStored, Kind::Abandoned, &[Alarm::Deadline]),
        // Owed only until its host has dropped the disk.
        State::Archived => {
            task(Discard, Kind::DiskDropped, Kind::Struggled, &[Alarm::AutoDelete, Alarm::Retry])
        }
        State::Restoring => task(Restore, Kind::Restored, Kind::Failed, &[Alarm::Deadline]),
        State::Resizing => task(Resize, Kind::Resized, Kind::Abandoned, &[Alarm::Deadline]),
        State::Snapshotting => task(Capture, Kind::SnapshotTaken, Kind::Abandoned, &[Alarm::Deadline]),
        State::Forking => task(Fork, Kind::Forked, Kind::Abandoned, &[Alarm::Deadline]),
        // These two have no deadline: they are tried until they succeed.
        State::Deleting => task(Remove, Kind::Removed, Kind::Struggled, &[Alarm::Retry]),
        State::Error => task(Quiesce, Kind::Quiesced, Kind::Struggled, &[Alarm::Retry]),
        // Owed only while something of it is left in object storage.
        State::Deleted => task(Remove, Kind::LeftoverRemoved, Kind::Struggled, &[Alarm::Retry]),
    }
}

const fn watch(alarms: &'static [Alarm]) -> Duties {
    Duties { task: None, alarms }
}

const fn task(task: TaskKind, done: Kind, failed: Kind, alarms: &'static [Alarm]) -> Duties {
    Duties { task: Some(OwedTask { task, done, failed }), alarms }
}
