//! What a host's report means: the one edge its order was for, or nothing if the order is not the present one.

use hourglass_events::{
    Actor, Capability, Cause, Event, ExitCause, Fault, Finding, HostId, OwedTask, Report, Sandbox,
    SandboxEvent, Span, State, Subject, TaskKind, Timestamp, duties,
};

use super::{Proposal, backup};
use crate::fleet::Fleet;
use crate::owe::snapshots;
use crate::place::{Needs, place};
use crate::terms::Terms;

/// The event that `report` calls for, or none: it is late, repeated, or about something that is gone.
#[must_use]
pub fn decide(
    fleet: &Fleet,
    terms: &Terms,
    host: HostId,
    report: &Report,
    now: Timestamp,
) -> Option<Proposal> {
    if let Some(snapshot) = snapshots::borne(fleet, report.sandbox) {
        return snapshots::reported(snapshot, terms, host, report, now);
    }
    let sandbox = fleet.sandbox(report.sandbox).filter(|sandbox| sandbox.host == Some(host))?;
    if owed(sandbox, report).is_some_and(|owed| owed.task == TaskKind::Capture) {
        let end = match &report.finding {
            Finding::Done(_) => Ok(()),
            Finding::Failed(fault) => Err(fault.clone().clipped()),
            Finding::Exited(_) => return None,
        };
        // How it ended is the snapshot's to say; the sandbox goes on once that is known.
        return snapshots::captured(fleet, sandbox, Actor::Host(host), Cause::Report(report.number), end);
    }
    let event = match &report.finding {
        // An exit bears its boot's number, so that a late one cannot end the next life.
        Finding::Exited(cause) => {
            let present = sandbox.state == State::Started && sandbox.boot == Some(report.number);
            present.then_some(SandboxEvent::Exited { cause: *cause })?
        }
        Finding::Done(exit) => done(terms, sandbox, owed(sandbox, report)?, *exit, now),
        Finding::Failed(fault) => {
            let (owed, fault) = (owed(sandbox, report)?, fault.clone().clipped());
            let declined = declined(fleet, sandbox, host, &fault);
            declined.unwrap_or_else(|| failed(terms, sandbox, owed, fault, now))
        }
    };
    Some(Proposal {
        subject: Subject::Sandbox(sandbox.id),
        organization: sandbox.organization,
        actor: Actor::Host(host),
        cause: Cause::Report(report.number),
        correlation: None,
        event: Event::Sandbox(event),
    })
}

/// What becomes of a sandbox that its host will not take in for want of something that another has: it goes there, if
/// nothing binds it to the one.
fn declined(fleet: &Fleet, sandbox: &Sandbox, host: HostId, fault: &Fault) -> Option<SandboxEvent> {
    let mut needs = Needs::now(sandbox);
    let free = match sandbox.state {
        State::PullingSnapshot | State::BuildingSnapshot => true,
        // Its own disk is where it is.
        State::Restoring => needs.capabilities.has(Capability::Archive),
        State::Unknown
        | State::PendingBuild
        | State::BuildFailed
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
        | State::Resizing
        | State::Snapshotting
        | State::Forking
        | State::Deleting
        | State::Deleted
        | State::Error => false,
    };
    if !free || !fault.elsewhere() || sandbox.blueprint.linked.is_some() {
        return None;
    }
    needs.refused.push(host);
    let placement = place(fleet, &needs);
    placement.host?;
    let deadline = sandbox.work?.deadline?;
    Some(SandboxEvent::Declined { fault: fault.clone(), placement, deadline })
}

/// The task the report is about, if it is the present one.
fn owed(sandbox: &Sandbox, report: &Report) -> Option<OwedTask> {
    sandbox.work.filter(|work| work.number == report.number)?;
    duties(sandbox.state).task
}

/// The event that the end of the present task is: the one its duty names, with its payload.
fn done(
    terms: &Terms,
    sandbox: &Sandbox,
    owed: OwedTask,
    exit: Option<ExitCause>,
    now: Timestamp,
) -> SandboxEvent {
    let event = match owed.task {
        TaskKind::Pull | TaskKind::Build => SandboxEvent::SnapshotReady { deadline: now.after(terms.create) },
        TaskKind::Create | TaskKind::Boot => SandboxEvent::Booted,
        TaskKind::Stop => {
            let forced = sandbox.work.is_some_and(|work| work.grace == Span::ZERO);
            let assumed = if forced { ExitCause::Killed } else { ExitCause::Stopped };
            SandboxEvent::Exited { cause: exit.unwrap_or(assumed) }
        }
        TaskKind::SaveMemory => SandboxEvent::MemorySaved,
        TaskKind::Resume => SandboxEvent::Resumed,
        TaskKind::Archive => SandboxEvent::ArchiveStored,
        TaskKind::Discard => SandboxEvent::DiskDropped,
        TaskKind::Restore => SandboxEvent::Restored,
        TaskKind::Resize => SandboxEvent::Resized,
        // What was to be taken away is of no use since the backup was taken.
        TaskKind::Backup if sandbox.is_backing_up() => SandboxEvent::BackupTaken,
        TaskKind::Backup => return SandboxEvent::LeftoverRemoved,
        TaskKind::Capture => SandboxEvent::SnapshotTaken,
        TaskKind::Fork => SandboxEvent::Forked,
        TaskKind::Quiesce => SandboxEvent::Quiesced,
        TaskKind::Hold => SandboxEvent::SettingsApplied,
        TaskKind::Remove if sandbox.state == State::Deleted => SandboxEvent::LeftoverRemoved,
        TaskKind::Remove => SandboxEvent::Removed,
    };
    debug_assert_eq!(event.kind(), owed.done, "the duty names the event");
    event
}

/// The event that a failure of the present task is: the one its duty names, with its payload.
#[must_use]
pub(super) fn failed(
    terms: &Terms,
    sandbox: &Sandbox,
    owed: OwedTask,
    fault: Fault,
    now: Timestamp,
) -> SandboxEvent {
    let event = match owed.task {
        TaskKind::Pull
        | TaskKind::Create
        | TaskKind::Boot
        | TaskKind::Stop
        | TaskKind::Resume
        | TaskKind::Restore => SandboxEvent::Failed { fault },
        TaskKind::Build => SandboxEvent::BuildFailed { fault },
        TaskKind::Backup if sandbox.is_backing_up() => backup::failed(sandbox, fault, now),
        TaskKind::Backup => return struggled(terms, sandbox, fault, now),
        TaskKind::SaveMemory | TaskKind::Archive | TaskKind::Resize | TaskKind::Capture | TaskKind::Fork => {
            SandboxEvent::Abandoned { fault: Some(fault) }
        }
        TaskKind::Hold | TaskKind::Discard | TaskKind::Quiesce | TaskKind::Remove => {
            struggled(terms, sandbox, fault, now)
        }
    };
    debug_assert_eq!(event.kind(), owed.failed, "the duty names the event");
    event
}

/// The event that a failure of what is tried for ever is.
fn struggled(terms: &Terms, sandbox: &Sandbox, fault: Fault, now: Timestamp) -> SandboxEvent {
    let before = sandbox.work.map_or(0, |work| work.attempt);
    let wait = terms.retry.doubled(before, terms.retry_most);
    SandboxEvent::Struggled { fault, attempt: before.saturating_add(1), retry_at: now.after(wait) }
}
