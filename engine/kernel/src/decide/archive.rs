//! Archive: the disk of a stopped sandbox moves to object storage, or what failed is kept as its backup has it.
//! What others are linked with stays on its host.

use hourglass_events::{
    Advice, ArchiveReason, Capability, DropReason, Intent, Operation, Refusal, Sandbox, SandboxEvent, State,
    Timestamp,
};

use super::able::able;
use super::{Verdict, link, wrong};
use crate::fleet::Fleet;
use crate::terms::Terms;

pub(super) fn decide(fleet: &Fleet, terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Verdict {
    let refuse = |advice| Err(wrong(Operation::Archive, sandbox.state, advice));
    link::unlinked(sandbox, Operation::Archive)?;
    if sandbox.is_ephemeral() {
        return Err(Refusal::Ephemeral(Operation::Archive));
    }
    let able = || able(fleet, sandbox, Capability::Archive, Operation::Archive);
    match sandbox.state {
        State::Stopped => {
            link::is_free_to_leave(fleet, sandbox)?;
            able()?;
            Ok(Some(begin(terms, ArchiveReason::Asked, now)))
        }
        State::Error if sandbox.backup.is_some() => {
            link::is_free_to_leave(fleet, sandbox)?;
            Ok(Some(begin(terms, ArchiveReason::Asked, now)))
        }
        State::Archived => Ok(None),
        // Whoever archives takes back a start that cancels it.
        State::Archiving => {
            Ok(sandbox.intent.map(|_| SandboxEvent::IntentDropped { why: DropReason::Replaced }))
        }
        State::Stopping => {
            link::is_free_to_leave(fleet, sandbox)?;
            able()?;
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
