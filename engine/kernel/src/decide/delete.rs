//! Delete: accepted in every state but the last two, whatever is in flight. Only what still has forks is kept.

use hourglass_events::{DeleteReason, Refusal, Sandbox, SandboxEvent, State};

use super::Verdict;
use crate::fleet::Fleet;

pub(super) fn decide(fleet: &Fleet, sandbox: &Sandbox) -> Verdict {
    match sandbox.state {
        State::Unknown | State::Deleting | State::Deleted => Ok(None),
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
        | State::Error => {
            has_no_forks(fleet, sandbox)?;
            Ok(Some(begin(sandbox, DeleteReason::Asked)))
        }
    }
}

/// The event that deletes `sandbox`, or begins to. No host has anything of what is archived, once its host has dropped
/// the disk: it is deleted at once, and what is left of it in object storage is taken away afterwards.
pub(crate) fn begin(sandbox: &Sandbox, reason: DeleteReason) -> SandboxEvent {
    if sandbox.state == State::Archived && sandbox.work.is_none() {
        SandboxEvent::Removed
    } else {
        SandboxEvent::DeleteBegan { reason }
    }
}

/// Refuse to delete what others were forked from while any of them lives, whoever would: a client, a timer, or its stop.
pub(crate) fn has_no_forks(fleet: &Fleet, sandbox: &Sandbox) -> Result<(), Refusal> {
    let mut forks = fleet.kin().forks(sandbox.id);
    let count = forks.len();
    match forks.next() {
        Some(first) => Err(Refusal::HasForks { forks: count, first }),
        None => Ok(()),
    }
}
