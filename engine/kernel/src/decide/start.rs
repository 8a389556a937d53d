//! Start: a stopped sandbox boots, a paused one runs on, an archived one is brought back. While work is in flight the
//! wish waits for it; an archive it cancels.

use hourglass_events::lifecycle::others::{HostState, Schedule};
use hourglass_events::{
    Advice, HostId, Intent, Operation, Refusal, RestoreSource, Sandbox, SandboxEvent, State, Timestamp,
};

use super::{Verdict, link, quota, recover, wrong};
use crate::fleet::Fleet;
use crate::terms::Terms;

pub(super) fn decide(fleet: &Fleet, terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Verdict {
    let refuse = |advice| Err(wrong(Operation::Start, sandbox.state, advice));
    if sandbox.state.is_in(&[State::Stopping, State::Stopped, State::Error]) {
        link::unlinked(sandbox, Operation::Start)?;
    }
    match sandbox.state {
        State::Stopped => boot(fleet, terms, sandbox, now).map(Some),
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
        State::Paused => resume(fleet, terms, sandbox, now).map(Some),
        State::Archived => restore(fleet, terms, sandbox, now),
        State::Error => refuse(Advice::RecoverOrDelete),
        // All that keeps it from running is that it was not built.
        State::BuildFailed => {
            quota::run(fleet, sandbox)?;
            Ok(Some(SandboxEvent::BuildQueued { blueprint: None }))
        }
        State::Unknown | State::Deleting | State::Deleted => refuse(Advice::BeingDeleted),
    }
}

/// The event that begins a boot, if there is one. Nobody looks for room: its disk is where it is, so the host it is on
/// is the only one that can boot it, and that host takes it in or refuses. Only if that host is lost, or is to become
/// empty and another has room, it is brought back elsewhere from a backup taken since it stopped.
pub(crate) fn boot(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    now: Timestamp,
) -> Result<SandboxEvent, Refusal> {
    quota::run(fleet, sandbox)?;
    let backup = sandbox.backup.filter(|_| sandbox.is_backed_up());
    let source = || backup.map(|backup| RestoreSource::Backup(backup.number));
    let elsewhere = |source| recover::begin(fleet, terms, sandbox, source, now);
    match standing(fleet, sandbox) {
        Standing::Here => {}
        Standing::Leaving => {
            // What others are linked with stays where they are.
            let free = link::is_free_to_leave(fleet, sandbox).is_ok();
            let moved = source().filter(|_| free).map(elsewhere).filter(recover::has_host);
            if let Some(moved) = moved {
                return Ok(moved);
            }
        }
        Standing::Lost(host) => return source().map(elsewhere).ok_or(Refusal::HostLost(host)),
    }
    Ok(SandboxEvent::BootBegan { deadline: now.after(terms.boot) })
}

/// The event that begins a resume, on the host that has the memory.
pub(crate) fn resume(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    now: Timestamp,
) -> Result<SandboxEvent, Refusal> {
    quota::run(fleet, sandbox)?;
    match standing(fleet, sandbox) {
        Standing::Here | Standing::Leaving => {
            Ok(SandboxEvent::ResumeBegan { deadline: now.after(terms.resume) })
        }
        Standing::Lost(host) => Err(Refusal::HostLost(host)),
    }
}

/// The event that brings an archived sandbox back. An archived sandbox has a backup: that is what made it one.
pub(crate) fn restore(fleet: &Fleet, terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Verdict {
    quota::run(fleet, sandbox)?;
    let source = sandbox.backup.map(|backup| RestoreSource::Backup(backup.number));
    Ok(source.map(|source| recover::begin(fleet, terms, sandbox, source, now)))
}

/// How it stands with the host that has a sandbox's disk.
pub(crate) enum Standing {
    /// It is there, or may be again in a moment; or it was never known.
    Here,
    /// It is to become empty.
    Leaving,
    /// It is lost.
    Lost(HostId),
}

pub(crate) fn standing(fleet: &Fleet, sandbox: &Sandbox) -> Standing {
    let Some(host) = sandbox.host.and_then(|host| fleet.hosts().get(host)) else { return Standing::Here };
    match (host.state, host.schedule) {
        (HostState::Lost, _) => Standing::Lost(host.id),
        (HostState::Unknown | HostState::Ready | HostState::Suspected, Schedule::Draining) => {
            Standing::Leaving
        }
        (
            HostState::Unknown | HostState::Ready | HostState::Suspected,
            Schedule::Open | Schedule::Cordoned,
        ) => Standing::Here,
    }
}

fn queue() -> SandboxEvent {
    SandboxEvent::IntentQueued { intent: Intent::Start }
}
