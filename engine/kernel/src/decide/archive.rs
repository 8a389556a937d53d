//! Archive: the disk of a stopped sandbox moves to object storage, or what failed is kept as its backup has it.

use hourglass_events::{
    Advice, ArchiveReason, DropReason, Intent, Operation, Refusal, Sandbox, SandboxEvent, State, Timestamp,
};

use super::{Verdict, wrong};
use crate::terms::Terms;

pub(super) fn decide(terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Verdict {
    let refuse = |advice| Err(wrong(Operation::Archive, sandbox.state, advice));
    if sandbox.is_ephemeral() {
        return Err(Refusal::Ephemeral(Operation::Archive));
    }
    match sandbox.state {
        State::Stopped => Ok(Some(begin(terms, ArchiveReason::Asked, now))),
        State::Error if sandbox.backup.is_some() => Ok(Some(begin(terms, ArchiveReason::Asked, now))),
        State::Archived => Ok(None),
        // Whoever archives takes back a start that cancels it.
        State::Archiving => {
            Ok(sandbox.intent.map(|_| SandboxEvent::IntentDropped { why: DropReason::Replaced }))
        }
        State::Stopping => {
            let intent = Intent::Archive;
            Ok((sandbox.intent != Some(intent)).then_some(SandboxEvent::IntentQueued { intent }))
        }
        State::PendingBuild
        | State::BuildingSnapshot
        | State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Pausing
        | State::Resuming
        | State::Restoring
        | State::Resizing
        | State::Snapshotting
        | State::Forking => Err(Refusal::Busy { operation: Operation::Archive, state: sandbox.state }),
        State::Started | State::Paused => refuse(Advice::StopFirst),
        State::Error => refuse(Advice::RecoverOrDelete),
        State::BuildFailed => refuse(Advice::RebuildOrDelete),
        State::Unknown | State::Deleting | State::Deleted => refuse(Advice::BeingDeleted),
    }
}

/// The event that begins an archive.
pub(crate) fn begin(terms: &Terms, reason: ArchiveReason, now: Timestamp) -> SandboxEvent {
    SandboxEvent::ArchiveBegan { reason, deadline: now.after(terms.archive) }
}
