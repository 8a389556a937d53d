//! Which records say that nobody needs a sandbox's values any more. Who erases them is `keeper`.

use hourglass_events::{Event, Record, SandboxEvent, SandboxId, Subject};

/// The sandbox that `record` says is gone: its deletion is over, whether or not something is still left of it somewhere.
pub(crate) fn sandbox(record: &Record) -> Option<SandboxId> {
    match (&record.event, record.subject) {
        (Event::Sandbox(event), Subject::Sandbox(id)) => is_end(event).then_some(id),
        (
            Event::Sandbox(_)
            | Event::Shard(_)
            | Event::Organization(_)
            | Event::Host(_)
            | Event::Snapshot(_),
            _,
        ) => None,
    }
}

/// Whether a sandbox is deleted by `event`.
fn is_end(event: &SandboxEvent) -> bool {
    match event {
        SandboxEvent::Removed | SandboxEvent::Buried => true,
        SandboxEvent::BuildQueued { .. }
        | SandboxEvent::BuildBegan { .. }
        | SandboxEvent::BuildFailed { .. }
        | SandboxEvent::PullBegan { .. }
        | SandboxEvent::SnapshotReady { .. }
        | SandboxEvent::Born { .. }
        | SandboxEvent::CopyReady { .. }
        | SandboxEvent::BootBegan { .. }
        | SandboxEvent::Booted
        | SandboxEvent::StopBegan { .. }
        | SandboxEvent::StopForced { .. }
        | SandboxEvent::Exited { .. }
        | SandboxEvent::PauseBegan { .. }
        | SandboxEvent::MemorySaved
        | SandboxEvent::ResumeBegan { .. }
        | SandboxEvent::Resumed
        | SandboxEvent::ArchiveBegan { .. }
        | SandboxEvent::ArchiveStored
        | SandboxEvent::DiskDropped
        | SandboxEvent::RestoreBegan { .. }
        | SandboxEvent::Restored
        | SandboxEvent::ResizeBegan { .. }
        | SandboxEvent::Resized
        | SandboxEvent::SnapshotBegan { .. }
        | SandboxEvent::SnapshotTaken
        | SandboxEvent::ForkBegan { .. }
        | SandboxEvent::Forked
        | SandboxEvent::Abandoned { .. }
        | SandboxEvent::DeleteBegan { .. }
        | SandboxEvent::Failed { .. }
        | SandboxEvent::LabelsReplaced { .. }
        | SandboxEvent::AutoStopSet { .. }
        | SandboxEvent::AutoArchiveSet { .. }
        | SandboxEvent::AutoDeleteSet { .. }
        | SandboxEvent::NetworkSet { .. }
        | SandboxEvent::SettingsApplied
        | SandboxEvent::PublicSet { .. }
        | SandboxEvent::ActivityRefreshed
        | SandboxEvent::IntentQueued { .. }
        | SandboxEvent::IntentDropped { .. }
        | SandboxEvent::Placed { .. }
        | SandboxEvent::Declined { .. }
        | SandboxEvent::Struggled { .. }
        | SandboxEvent::Quiesced
        | SandboxEvent::BackupBegan { .. }
        | SandboxEvent::BackupTaken
        | SandboxEvent::BackupFailed { .. }
        | SandboxEvent::LeftoverRemoved => false,
    }
}
