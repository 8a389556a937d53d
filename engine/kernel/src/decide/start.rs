//! Start: a stopped sandbox boots, a paused one runs on, an archived one is brought back. While work is in flight the
//! wish waits for it; an archive it cancels.

use hourglass_events::{Advice, Intent, Operation, RestoreSource, Sandbox, SandboxEvent, State, Timestamp};

use super::{Verdict, link, recover, wrong};
use crate::fleet::Fleet;
use crate::terms::Terms;

pub(super) fn decide(fleet: &Fleet, terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Verdict {
    let refuse = |advice| Err(wrong(Operation::Start, sandbox.state, advice));
    if sandbox.state.is_in(&[State::Stopping, State::Stopped, State::Error]) {
        link::unlinked(sandbox, Operation::Start)?;
    }
    match sandbox.state {
        State::Stopped => Ok(Some(begin(terms, now))),
        State::Started => Ok(None),
        // These end up running by themselves, unless somebody has asked for a stop meanwhile.
        State::PullingSnapshot
        | State::BuildingSnapshot
        | State::PendingBuild
        | State::Creating
        | State::Starting
        | State::Resuming
        | State::Restoring => Ok(match sandbox.intent {
            Some(Intent::Stop { .. } | Intent::Pause | Intent::Archive) => Some(queue()),
            Some(Intent::Start) | None => None,
        }),
        State::Stopping
        | State::Pausing
        | State::Archiving
        | State::Resizing
        | State::Snapshotting
        | State::Forking => Ok((sandbox.intent != Some(Intent::Start)).then(queue)),
        State::Paused => Ok(Some(resume(terms, now))),
        State::Archived => Ok(restore(fleet, terms, sandbox, now)),
        State::Error => refuse(Advice::RecoverOrDelete),
        State::BuildFailed => refuse(Advice::RebuildOrDelete),
        State::Unknown | State::Deleting | State::Deleted => refuse(Advice::BeingDeleted),
    }
}

/// The event that begins a boot. Nobody looks for room: its disk is where it is, so the host it is on is the only one
/// that can boot it, and that host takes it in or refuses.
pub(crate) fn begin(terms: &Terms, now: Timestamp) -> SandboxEvent {
    SandboxEvent::BootBegan { deadline: now.after(terms.boot) }
}

/// The event that begins a resume, on the host that has the memory.
pub(crate) fn resume(terms: &Terms, now: Timestamp) -> SandboxEvent {
    SandboxEvent::ResumeBegan { deadline: now.after(terms.resume) }
}

/// The event that brings an archived sandbox back. An archived sandbox has a backup: that is what made it one.
pub(crate) fn restore(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    now: Timestamp,
) -> Option<SandboxEvent> {
    let source = RestoreSource::Backup(sandbox.backup?.number);
    Some(recover::begin(fleet, terms, sandbox, source, now))
}

fn queue() -> SandboxEvent {
    SandboxEvent::IntentQueued { intent: Intent::Start }
}
