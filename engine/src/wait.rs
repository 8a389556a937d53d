//! Waiting for a sandbox to come into a state, record by record, so that a state it only passes through is not missed.

use std::sync::Arc;

use hourglass_events::{Event, Sandbox, SandboxId, State, Subject};

use crate::error::WaitError;
use crate::port::Port;
use crate::subscription::Lagged;

/// Wait until `id` is in `wanted` or comes into it.
pub(crate) async fn until(port: &Port, id: SandboxId, wanted: State) -> Result<(), WaitError> {
    match settled(port, id, |sandbox| verdict(sandbox, wanted).is_some()).await {
        Ok(sandbox) => verdict(&sandbox, wanted).unwrap_or(Ok(())),
        Err(WaitError::Gone(_)) if wanted == State::Deleted => Ok(()),
        Err(error) => Err(error),
    }
}

/// Wait until `id` is as `settled` wants it. It, as it was then.
pub(crate) async fn settled(
    port: &Port,
    id: SandboxId,
    settled: impl Fn(&Sandbox) -> bool,
) -> Result<Sandbox, WaitError> {
    loop {
        let fleet = port.common.view.fleet();
        let sandbox = fleet.sandbox(id).ok_or(WaitError::Gone(id))?;
        let mut sandbox = Arc::unwrap_or_clone(Arc::clone(sandbox));
        if settled(&sandbox) {
            return Ok(sandbox);
        }
        let mut records = port.subscribe(fleet.seq().next());
        loop {
            let entry = match records.next().await {
                Ok(entry) => entry,
                // Too slow: look again at where it is now.
                Err(Lagged::Behind { .. }) => break,
                Err(Lagged::Unreadable { .. } | Lagged::Ended { .. }) => return Err(WaitError::Closed),
            };
            let record = &entry.record;
            let Event::Sandbox(event) = &record.event else { continue };
            if record.subject != Subject::Sandbox(id) {
                continue;
            }
            // What the log holds was folded before it was published.
            sandbox.evolve(&record.stamp(), event).map_err(|_| WaitError::Closed)?;
            if settled(&sandbox) {
                return Ok(sandbox);
            }
        }
    }
}

/// Whether the wait is over, and how.
fn verdict(sandbox: &Sandbox, wanted: State) -> Option<Result<(), WaitError>> {
    if sandbox.state == wanted {
        return Some(Ok(()));
    }
    if wanted == State::Deleted {
        return None;
    }
    match sandbox.state {
        State::Error | State::BuildFailed => {
            Some(Err(WaitError::Failed { sandbox: sandbox.id, fault: sandbox.fault.clone() }))
        }
        State::Deleting | State::Deleted => Some(Err(WaitError::Gone(sandbox.id))),
        State::Unknown
        | State::PendingBuild
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
        | State::Restoring
        | State::Resizing
        | State::Snapshotting
        | State::Forking => None,
    }
}
