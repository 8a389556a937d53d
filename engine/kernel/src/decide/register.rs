//! What an operator sets up: snapshots that can be created from, an organization's limits, which hosts take in sandboxes.

use hourglass_events::{
    Allowance, Event, HostEvent, HostId, OrganizationEvent, OrganizationId, Refusal, SnapshotContent,
    SnapshotEvent, SnapshotId, Subject, Text,
};

use hourglass_events::lifecycle::others::{SCHEDULE, next};

use super::TEXT_MOST;
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

/// Refuse regions that could not be recorded or shown.
pub(super) fn check(allowance: &Allowance) -> Result<(), Refusal> {
    let (found, most) = (allowance.regions.len(), Allowance::REGIONS_MOST);
    if found > most {
        return Err(Refusal::TooManyRegions { found, most });
    }
    allowance.regions.keys().try_for_each(|region| Text::Region.check(region, TEXT_MOST))
}

pub(super) fn limits(
    fleet: &Fleet,
    organization: OrganizationId,
    allowance: &Allowance,
) -> (Subject, Option<Event>) {
    let changed = fleet.allowance(organization) != Some(allowance);
    let event = changed.then(|| {
        Event::Organization(OrganizationEvent::LimitsSet { allowance: Box::new(allowance.clone()) })
    });
    (Subject::Organization(organization), event)
}

/// What an operator wants of a host from here on.
pub(super) fn schedule(
    fleet: &Fleet,
    id: HostId,
    event: HostEvent,
) -> Result<(Subject, Option<Event>), Refusal> {
    let host = fleet.hosts().get(id).ok_or(Refusal::NoSuchHost(id))?;
    let changes = next(SCHEDULE, host.schedule, event.kind()).is_some();
    Ok((Subject::Host(id), changes.then_some(Event::Host(event))))
}
