//! Backups: a copy of the disk of what has stopped, in object storage. The engine's terms say how long after a stop one
//! is due; whoever wants one now asks. What has not run since its backup needs no other.

use hourglass_events::{
    Advice, Capability, Fault, Operation, Refusal, Sandbox, SandboxEvent, Span, State, Timestamp,
};

use super::able::able;
use super::{Verdict, wrong};
use crate::fleet::Fleet;
use crate::terms::Terms;

/// The wait before a backup that failed is tried again; it doubles up to [`AGAIN_MOST`].
pub const AGAIN: Span = Span::minutes(1);
/// The longest such wait.
pub const AGAIN_MOST: Span = Span::minutes(60);

pub(super) fn decide(fleet: &Fleet, terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Verdict {
    let refuse = |advice| Err(wrong(Operation::BackUp, sandbox.state, advice));
    match sandbox.state {
        State::Stopped if sandbox.is_ephemeral() => Err(Refusal::Ephemeral(Operation::BackUp)),
        State::Stopped if sandbox.is_backing_up() || sandbox.is_backed_up() => Ok(None),
        State::Stopped if sandbox.host.is_some() => {
            able(fleet, sandbox, Capability::Archive, Operation::BackUp)?;
            Ok(Some(begin(terms, now)))
        }
        State::Archived => Ok(None),
        State::PendingBuild
        | State::BuildingSnapshot
        | State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Stopping
        | State::Pausing
        | State::Resuming
        | State::Archiving
        | State::Restoring
        | State::Resizing
        | State::Snapshotting
        | State::Forking => Err(Refusal::Busy { operation: Operation::BackUp, state: sandbox.state }),
        State::Started | State::Paused => refuse(Advice::StopFirst),
        State::Stopped => refuse(Advice::StartFirst),
        State::Error => refuse(Advice::RecoverOrDelete),
        State::BuildFailed => refuse(Advice::RebuildOrDelete),
        State::Unknown | State::Deleting | State::Deleted => refuse(Advice::BeingDeleted),
    }
}

/// The event that begins a backup.
pub(crate) fn begin(terms: &Terms, now: Timestamp) -> SandboxEvent {
    SandboxEvent::BackupBegan { deadline: now.after(terms.archive) }
}

/// When a backup of a stopped sandbox is due; never, if it needs none, or if its host has said that it cannot.
pub(super) fn due(terms: &Terms, sandbox: &Sandbox) -> Option<Timestamp> {
    let due = sandbox.stopped_since?.after(terms.backup?);
    let idle = !sandbox.is_ephemeral() && !sandbox.is_backing_up() && !sandbox.is_backed_up();
    sandbox.host.filter(|_| idle)?;
    match sandbox.unsaved.as_deref() {
        Some(unsaved) if matches!(unsaved.fault, Fault::Unsupported { .. }) => None,
        Some(unsaved) => Some(due.max(unsaved.retry_at)),
        None => Some(due),
    }
}

/// The event that a backup that failed is.
pub(super) fn failed(sandbox: &Sandbox, fault: Fault, now: Timestamp) -> SandboxEvent {
    let before = sandbox.unsaved.as_ref().map_or(0, |unsaved| unsaved.attempt);
    let retry_at = now.after(AGAIN.doubled(before, AGAIN_MOST));
    SandboxEvent::BackupFailed { fault, attempt: before.saturating_add(1), retry_at }
}
