//! What an operator sets up: snapshots that can be created from, and an organization's limits.

use hourglass_events::{
    Event, Limits, OrganizationEvent, OrganizationId, Refusal, SnapshotContent, SnapshotEvent, SnapshotId,
    Subject,
};

use crate::fleet::Fleet;

pub(super) fn snapshot(
    fleet: &Fleet,
    organization: OrganizationId,
    id: SnapshotId,
    content: &SnapshotContent,
) -> Result<(Subject, Option<Event>), Refusal> {
    match fleet.own_snapshot(organization, &content.name) {
        Some(found) if found.content == *content => Ok((Subject::Snapshot(found.id), None)),
        Some(_) => Err(Refusal::SnapshotTaken(content.name.clone())),
        None if fleet.snapshot_by_id(id).is_some() => Err(Refusal::SnapshotIdTaken(id)),
        None => {
            let event = SnapshotEvent::Registered { content: content.clone() };
            Ok((Subject::Snapshot(id), Some(Event::Snapshot(event))))
        }
    }
}

pub(super) fn limits(
    fleet: &Fleet,
    organization: OrganizationId,
    limits: Limits,
) -> (Subject, Option<Event>) {
    let changed = fleet.limits(organization) != Some(limits);
    let event = changed.then_some(Event::Organization(OrganizationEvent::LimitsSet { limits }));
    (Subject::Organization(organization), event)
}
