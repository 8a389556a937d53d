//! Pause: a started virtual machine keeps its memory and ends. While work is in flight the wish waits for it.

use hourglass_events::{
    Able, Advice, Capability, DropReason, Intent, Operation, Refusal, Sandbox, SandboxEvent, State, Timestamp,
};

use super::able::able;
use super::{Verdict, link, wrong};
use crate::fleet::Fleet;
use crate::terms::Terms;

pub(super) fn decide(fleet: &Fleet, terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Verdict {
    let refuse = |advice| Err(wrong(Operation::Pause, sandbox.state, advice));
    let class = sandbox.blueprint.class;
    if !class.is_vm() {
        return Err(Refusal::NotForClass { operation: Operation::Pause, class, able: Able::Machines });
    }
    link::unlinked(sandbox, Operation::Pause)?;
    let able = || may(fleet, sandbox);
    match sandbox.state {
        State::Started => able().map(|()| Some(begin(terms, now))),
        State::Paused => Ok(None),
        // Whoever pauses takes back what waits for the end of the pause.
        State::Pausing => {
            Ok(sandbox.intent.map(|_| SandboxEvent::IntentDropped { why: DropReason::Replaced }))
        }
        State::PendingBuild => refuse(Advice::StartFirst),
        State::BuildingSnapshot
        | State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Resuming
        | State::Restoring
        | State::Forking => able().map(|()| queue(sandbox)),
        State::Resizing | State::Snapshotting => match sandbox.origin {
            Some(State::Started) => able().map(|()| queue(sandbox)),
            _ => refuse(Advice::StartFirst),
        },
        State::Stopping | State::Stopped | State::Archiving | State::Archived => refuse(Advice::StartFirst),
        State::Error => refuse(Advice::RecoverOrDelete),
        State::BuildFailed => refuse(Advice::RebuildOrDelete),
        State::Unknown | State::Deleting | State::Deleted => refuse(Advice::BeingDeleted),
    }
}

/// Whether its host can save its memory.
pub(crate) fn may(fleet: &Fleet, sandbox: &Sandbox) -> Result<(), Refusal> {
    able(fleet, sandbox, Capability::Memory, Operation::Pause)
}

/// The event that begins a pause.
pub(crate) fn begin(terms: &Terms, now: Timestamp) -> SandboxEvent {
    SandboxEvent::PauseBegan { deadline: now.after(terms.pause) }
}

fn queue(sandbox: &Sandbox) -> Option<SandboxEvent> {
    let intent = Intent::Pause;
    (sandbox.intent != Some(intent)).then_some(SandboxEvent::IntentQueued { intent })
}
