//! States as the contract names them.

use hourglass_events::event::Intent;
use hourglass_events::lifecycle::others::SnapshotState;
use hourglass_events::{Recipe, Sandbox, Snapshot, Source, State};
use schemars::{Schema, SchemaGenerator, json_schema};

/// The contract's word for `state`.
pub(crate) const fn name(state: State) -> &'static str {
    match state {
        State::Unknown => "unknown",
        State::PendingBuild => "pending_build",
        State::BuildingSnapshot => "building_snapshot",
        State::BuildFailed => "build_failed",
        State::PullingSnapshot => "pulling_snapshot",
        State::Creating => "creating",
        State::Starting => "starting",
        State::Started => "started",
        State::Stopping => "stopping",
        State::Stopped => "stopped",
        State::Pausing => "pausing",
        State::Paused => "paused",
        State::Resuming => "resuming",
        State::Archiving => "archiving",
        State::Archived => "archived",
        State::Restoring => "restoring",
        State::Resizing => "resizing",
        State::Snapshotting => "snapshotting",
        State::Forking => "forking",
        State::Deleting => "destroying",
        State::Deleted => "destroyed",
        State::Error => "error",
    }
}

/// The state that the contract calls `name`.
pub(crate) fn named(text: &str) -> Option<State> {
    State::ALL.iter().copied().find(|state| name(*state) == text)
}

/// Every state's name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    State::ALL.iter().copied().map(name)
}

/// What a state is, to machines.
pub(crate) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": names().collect::<Vec<_>>() })
}

/// What a desired state is, to machines.
pub(crate) fn desired_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["started", "stopped", "paused", "archived", "resized", "destroyed"] })
}

/// What a snapshot's state is, to machines.
pub(crate) fn snapshot_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["pending", "active"] })
}

/// Where a sandbox is on its way to. None where it rests because something failed.
pub(crate) fn desired(sandbox: &Sandbox) -> Option<&'static str> {
    match sandbox.intent {
        Some(Intent::Start) => return Some("started"),
        Some(Intent::Archive) => return Some("archived"),
        Some(Intent::Pause) => return Some("paused"),
        Some(Intent::Stop { .. }) => return Some("stopped"),
        None => {}
    }
    desired_in(sandbox.state).or_else(|| sandbox.origin.and_then(desired_in))
}

const fn desired_in(state: State) -> Option<&'static str> {
    match state {
        State::PendingBuild
        | State::BuildingSnapshot
        | State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Started
        | State::Resuming
        | State::Restoring => Some("started"),
        State::Stopping | State::Stopped => Some("stopped"),
        State::Pausing | State::Paused => Some("paused"),
        State::Archiving | State::Archived => Some("archived"),
        State::Resizing => Some("resized"),
        State::Deleting | State::Deleted => Some("destroyed"),
        State::Unknown | State::BuildFailed | State::Error | State::Snapshotting | State::Forking => None,
    }
}

/// The contract's word for how far the copy of a sandbox's disk is.
pub(crate) fn backup(sandbox: &Sandbox) -> &'static str {
    if sandbox.state == State::Archiving || sandbox.is_backing_up() {
        "InProgress"
    } else if sandbox.unsaved.is_some() {
        "Error"
    } else if sandbox.backup.is_some() {
        "Completed"
    } else {
        "None"
    }
}

/// The contract's word for a snapshot's state.
pub(crate) fn snapshot(snapshot: &Snapshot) -> &'static str {
    match snapshot.state {
        SnapshotState::Unknown => "pending",
        SnapshotState::Pulling => "pulling",
        SnapshotState::Building => "building",
        SnapshotState::Capturing => "snapshotting",
        SnapshotState::Inactive => "inactive",
        SnapshotState::Error => match &snapshot.source {
            Source::Recipe(recipe) if matches!(**recipe, Recipe::Dockerfile { .. }) => "build_failed",
            Source::Recipe(_) | Source::Given | Source::Sandbox(_) => "error",
        },
        SnapshotState::Removing | SnapshotState::Removed => "removing",
        SnapshotState::Active => "active",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_one_word_and_each_word_one_state() {
        for state in State::ALL {
            assert_eq!(named(name(*state)), Some(*state));
        }
        assert_eq!(named("Started"), None);
    }
}
