//! Recover: what failed is brought back, from the disk its host has if that may work now, or from its backup. It never
//! happens by itself, because it follows something a person has to do first, such as freeing storage.

use hourglass_events::{
    Advice, Capability, Errand, Fault, Operation, Placement, Refusal, RestoreSource, Sandbox, SandboxEvent,
    State, Timestamp,
};

use super::start::{self, Standing};
use super::{Verdict, link, quota, wrong};
use crate::fleet::Fleet;
use crate::place::{Needs, place};
use crate::terms::Terms;

pub(super) fn decide(fleet: &Fleet, terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Verdict {
    match sandbox.state {
        State::Error => {
            link::unlinked(sandbox, Operation::Recover)?;
            let source = source(fleet, sandbox)?;
            quota::run(fleet, sandbox)?;
            Ok(Some(begin(fleet, terms, sandbox, source, now)))
        }
        State::Restoring => Ok(None),
        State::BuildFailed => Err(wrong(Operation::Recover, sandbox.state, Advice::RebuildOrDelete)),
        State::Unknown | State::Deleting | State::Deleted => {
            Err(wrong(Operation::Recover, sandbox.state, Advice::BeingDeleted))
        }
        State::PendingBuild
        | State::BuildingSnapshot
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
        | State::Resizing
        | State::Snapshotting
        | State::Forking => Err(wrong(Operation::Recover, sandbox.state, Advice::NothingIsWrong)),
    }
}

/// What it can be brought back from: its disk, while nothing says that this is gone, out of reach or of no use.
fn source(fleet: &Fleet, sandbox: &Sandbox) -> Result<RestoreSource, Refusal> {
    let fault = sandbox.fault.as_ref();
    if let Standing::Lost(host) = start::standing(fleet, sandbox) {
        let backup = sandbox.backup.map(|backup| RestoreSource::Backup(backup.number));
        return backup.ok_or(Refusal::HostLost(host));
    }
    if fault.is_some_and(Fault::recoverable) && !was_restoring(sandbox) {
        return Ok(RestoreSource::Disk);
    }
    match sandbox.backup {
        Some(backup) => Ok(RestoreSource::Backup(backup.number)),
        None => Err(Refusal::NotRecoverable { found: fault.map_or_else(String::new, ToString::to_string) }),
    }
}

/// Whether there may be no whole disk, because what failed was to bring one back.
fn was_restoring(sandbox: &Sandbox) -> bool {
    match sandbox.errand.as_deref() {
        Some(Errand::Restore(RestoreSource::Backup(_))) => true,
        Some(
            Errand::Restore(RestoreSource::Disk)
            | Errand::Resize(_)
            | Errand::Fork { .. }
            | Errand::Born(_)
            | Errand::Capture { .. }
            | Errand::Backup,
        )
        | None => false,
    }
}

/// Whether a host was found for what begins with `event`.
pub(crate) const fn has_host(event: &SandboxEvent) -> bool {
    matches!(event, SandboxEvent::RestoreBegan { placement: Placement { host: Some(_), .. }, .. })
}

/// The event that begins to bring `sandbox` back: on the host it is on, unless that is lost or to become empty, or on
/// one that has room.
pub(crate) fn begin(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    source: RestoreSource,
    now: Timestamp,
) -> SandboxEvent {
    let needs = Needs::of(&sandbox.blueprint);
    let found = match source {
        RestoreSource::Disk => place(fleet, &needs),
        RestoreSource::Backup(_) => place(fleet, &needs.and(Capability::Archive)),
    };
    let stays = match (start::standing(fleet, sandbox), source) {
        (Standing::Here, _) | (Standing::Leaving, RestoreSource::Disk) => sandbox.host,
        (Standing::Leaving, RestoreSource::Backup(_)) => sandbox.host.filter(|_| found.host.is_none()),
        (Standing::Lost(_), _) => None,
    };
    let placement = Placement { host: stays.or(found.host), ..found };
    SandboxEvent::RestoreBegan { source, placement, deadline: now.after(terms.restore) }
}
