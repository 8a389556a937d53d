//! What an alarm means when it goes off, and when it is due.

use hourglass_events::{
    Actor, Alarm, ArchiveReason, AutoDelete, AutoStop, Capability, Cause, DeleteReason, Fault, Operation,
    Sandbox, SandboxEvent, Span, StopReason, TaskKind, Timestamp, duties,
};

use super::able::able;
use super::start::{self, Standing};
use super::{Proposal, archive, backup, delete, link, report, stop};
use crate::fleet::Fleet;
use crate::owe::snapshots;
use crate::place::{Needs, place};
use crate::terms::Terms;

/// When `alarm` goes off for `sandbox`, last used at `used`; never, while something blocks it.
#[must_use]
pub fn due(terms: &Terms, sandbox: &Sandbox, alarm: Alarm, used: Timestamp) -> Option<Timestamp> {
    match alarm {
        Alarm::Deadline => sandbox.work?.deadline,
        Alarm::Retry => sandbox.work?.retry_at,
        Alarm::AutoStop => match sandbox.blueprint.auto_stop {
            AutoStop::Never => None,
            AutoStop::After(minutes) => Some(sandbox.last_activity.max(used).after(minutes.into())),
        },
        Alarm::AutoArchive => archive_due(sandbox),
        Alarm::Backup => backup::due(terms, sandbox),
        Alarm::AutoDelete => match sandbox.blueprint.auto_delete {
            // An ephemeral sandbox does not wait for an alarm: its deletion is owed as soon as it has stopped.
            AutoDelete::Never | AutoDelete::AtOnce => None,
            AutoDelete::After(minutes) => Some(sandbox.stopped_since?.after(minutes.into())),
        },
    }
}

/// Whether others keep `alarm` from going off for `sandbox`, or its host cannot do what it calls for: it is armed again
/// when that has changed.
#[must_use]
pub fn blocked(fleet: &Fleet, sandbox: &Sandbox, alarm: Alarm) -> bool {
    match alarm {
        Alarm::AutoDelete => delete::has_no_forks(fleet, sandbox).is_err(),
        Alarm::AutoArchive | Alarm::Backup => {
            let able = able(fleet, sandbox, Capability::Archive, Operation::Archive);
            let lost = matches!(start::standing(fleet, sandbox), Standing::Lost(_));
            let archives = alarm == Alarm::AutoArchive;
            lost || able.is_err() || (archives && link::is_free_to_leave(fleet, sandbox).is_err())
        }
        Alarm::Deadline | Alarm::AutoStop | Alarm::Retry => false,
    }
}

/// The wait before an archive that failed is tried again.
pub const ARCHIVE_AGAIN: Span = Span::minutes(60);

/// When a stopped sandbox is archived. What is ephemeral is not, nor what has failed because its host cannot archive;
/// after any other failure, a while later.
fn archive_due(sandbox: &Sandbox) -> Option<Timestamp> {
    let due = sandbox.stopped_since?.after(sandbox.blueprint.auto_archive.0.into());
    match &sandbox.fault {
        _ if sandbox.is_ephemeral() => None,
        Some(Fault::Unsupported { .. }) => None,
        Some(_) => Some(due.max(sandbox.since.after(ARCHIVE_AGAIN))),
        None => Some(due),
    }
}

/// The event that `alarm` calls for at `now`, if it is due.
#[must_use]
pub fn decide(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    alarm: Alarm,
    used: Timestamp,
    now: Timestamp,
) -> Option<Proposal> {
    let armed = duties(sandbox.state).alarms.contains(&alarm) && !blocked(fleet, sandbox, alarm);
    if !armed || due(terms, sandbox, alarm, used)? > now {
        return None;
    }
    if alarm == Alarm::Deadline && sandbox.capturing().is_some() {
        let after = now.since(sandbox.work?.began);
        let end = Err(Fault::TimedOut { task: TaskKind::Capture, after });
        return snapshots::captured(fleet, sandbox, Actor::Engine, Cause::Timer(alarm), end);
    }
    let event = match alarm {
        Alarm::Deadline => expired(fleet, terms, sandbox, now)?,
        Alarm::AutoStop => {
            let last_activity = sandbox.last_activity.max(used);
            stop::begin(terms, StopReason::Idle { last_activity }, terms.grace, now)
        }
        Alarm::Backup => backup::begin(terms, now),
        Alarm::AutoArchive => archive::begin(terms, ArchiveReason::Expired, now),
        Alarm::AutoDelete => delete::begin(sandbox, DeleteReason::Expired),
        // A retry is an order sent again, not an event.
        Alarm::Retry => return None,
    };
    Some(Proposal::own(sandbox, Cause::Timer(alarm), event))
}

fn expired(fleet: &Fleet, terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Option<SandboxEvent> {
    let owed = duties(sandbox.state).task?;
    let fault = if sandbox.host.is_some() {
        Fault::TimedOut { task: owed.task, after: now.since(sandbox.work?.began) }
    } else {
        place(fleet, &Needs::now(sandbox)).fault()
    };
    if owed.task == TaskKind::SaveMemory {
        // Its host may have ended it already, so it cannot be taken to run. What is left is let rest.
        return Some(SandboxEvent::Failed { fault });
    }
    Some(report::failed(terms, sandbox, owed, fault, now))
}
