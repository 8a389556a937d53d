//! Delete: accepted in every state but the last two, whatever is in flight.

use hourglass_events::{DeleteReason, Sandbox, SandboxEvent, State};

pub(super) fn decide(sandbox: &Sandbox) -> Option<SandboxEvent> {
    match sandbox.state {
        State::Unknown | State::Deleting | State::Deleted => None,
        State::PendingBuild
        | State::BuildingSnapshot
        | State::BuildFailed
        | State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Started
        | State::Stopping
        | State::Stopped
        | State::Pausing
        | State::Paused
        | State::Resuming
        | State::Archiving
        | State::Archived
        | State::Restoring
        | State::Resizing
        | State::Snapshotting
        | State::Forking
        | State::Error => Some(SandboxEvent::DeleteBegan { reason: DeleteReason::Asked }),
    }
}
