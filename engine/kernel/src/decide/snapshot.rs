//! Snapshots: taken of a sandbox, made of an image, laid aside, brought back, removed.
//!
//! A snapshot is removed only when no sandbox made of it is left that is not being deleted: what a sandbox was made of is
//! fetched again when it is brought back, from an error as from an archive.

use hourglass_events::lifecycle::others::SnapshotState;
use hourglass_events::{
    Able, Advice, Capability, Class, Errand, Event, GpuTypes, Heat, Material, NewSnapshot, Operation,
    OrganizationId, Recipe, Refusal, Resources, Sandbox, SandboxEvent, SandboxId, Snapshot, SnapshotContent,
    SnapshotEvent, SnapshotId, SnapshotRefusal, SnapshotUse, Source, State, Subject, TakeSnapshot, Timestamp,
};

use super::able::{able, creatable};
use super::{Verdict, link, wrong};
use crate::fleet::{Fleet, GENERAL};
use crate::owe::snapshots::{host_for, is_fetching, needs};
use crate::terms::Terms;

/// How many of the sandboxes that use a snapshot are named when it cannot be removed.
const NAMED_MOST: usize = 5;
/// The most characters of a snapshot's name.
const NAME_MOST: usize = 255;

/// A snapshot of `sandbox`. A container gives its disk whether it runs or not; a virtual machine gives its disk where
/// nothing writes to it, and its memory where that is.
pub(super) fn take(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    asked: &TakeSnapshot,
    now: Timestamp,
) -> Verdict {
    let operation = match asked.heat {
        Heat::Cold => Operation::TakeSnapshot,
        Heat::Hot => Operation::TakeHotSnapshot,
    };
    name(&asked.name)?;
    let class = sandbox.blueprint.class;
    if asked.heat == Heat::Hot && !class.is_vm() {
        return Err(Refusal::NotForClass { operation, class, able: Able::Machines });
    }
    link::unlinked(sandbox, operation)?;
    let refuse = |advice| Err(wrong(operation, sandbox.state, advice));
    match (sandbox.state, asked.heat) {
        (State::Started, Heat::Hot) => {}
        (State::Stopped, Heat::Cold) if sandbox.host.is_some() => {}
        (State::Started, Heat::Cold) if class == Class::Container => {}
        (State::Started | State::Paused, Heat::Cold) => return refuse(Advice::StopFirst),
        (State::Snapshotting, _) if is_taking(sandbox, asked) => return Ok(None),
        (State::Stopped | State::Paused | State::Archived, _) => return refuse(Advice::StartFirst),
        (State::Error, _) => return refuse(Advice::RecoverOrDelete),
        (State::BuildFailed, _) => return refuse(Advice::RebuildOrDelete),
        (State::Unknown | State::Deleting | State::Deleted, _) => return refuse(Advice::BeingDeleted),
        (
            State::PendingBuild
            | State::BuildingSnapshot
            | State::PullingSnapshot
            | State::Creating
            | State::Starting
            | State::Stopping
            | State::Pausing
            | State::Resuming
            | State::Archiving
            | State::Restoring
            | State::Resizing
            | State::Snapshotting
            | State::Forking,
            _,
        ) => return Err(Refusal::Busy { operation, state: sandbox.state }),
    }
    able(fleet, sandbox, Capability::Snapshot, operation)?;
    free(fleet, terms, sandbox.organization, asked.id, &asked.name)?;
    Ok(Some(SandboxEvent::SnapshotBegan {
        snapshot: asked.id,
        name: asked.name.clone(),
        heat: asked.heat,
        deadline: now.after(terms.capture),
    }))
}

fn is_taking(sandbox: &Sandbox, asked: &TakeSnapshot) -> bool {
    match sandbox.errand.as_deref() {
        Some(Errand::Capture { snapshot: _, name, heat }) => (name, heat) == (&asked.name, &asked.heat),
        Some(
            Errand::Resize(_) | Errand::Restore(_) | Errand::Fork { .. } | Errand::Born(_) | Errand::Backup,
        )
        | None => false,
    }
}

/// A snapshot of an image that is fetched or built. Only containers are built, and Windows is published by nobody.
pub(super) fn create(
    fleet: &Fleet,
    terms: &Terms,
    organization: OrganizationId,
    asked: &NewSnapshot,
    now: Timestamp,
) -> Result<(Subject, Option<Event>), Refusal> {
    name(&asked.name)?;
    let recipe = asked.recipe.clone().checked().map_err(Refusal::from)?;
    made_of(&recipe, asked.class)?;
    if let Some(asked) = &asked.region {
        super::create::region(fleet, terms, asked)?;
    }
    let resources = asked.size.of(Resources::DEFAULT);
    resources.within(&fleet.most(organization, asked.class, 0))?;
    creatable(fleet, &needs(terms, Some(asked.class)), Operation::Build)?;
    free(fleet, terms, organization, asked.id, &asked.name)?;
    let content = SnapshotContent {
        name: asked.name.clone(),
        class: asked.class,
        resources,
        gpu_types: GpuTypes::default(),
        image: Snapshot::image(asked.id),
    };
    let host = host_for(fleet, terms, Some(asked.class));
    let deadline = now.after(terms.build);
    let event = match &recipe {
        Recipe::Reference(_) => SnapshotEvent::PullBegan { content, recipe, host, deadline },
        Recipe::Dockerfile { .. } => SnapshotEvent::BuildBegan { content, recipe, host, deadline },
    };
    Ok((Subject::Snapshot(asked.id), Some(Event::Snapshot(event))))
}

/// Whether something of `class` can be made of `recipe`.
pub(super) fn made_of(recipe: &Recipe, class: Class) -> Result<(), Refusal> {
    let refuse = |of, able| Err(SnapshotRefusal::NotMadeOf { class, of, able }.into());
    match (recipe, class) {
        (Recipe::Reference(_), Class::Container | Class::LinuxVm)
        | (Recipe::Dockerfile { .. }, Class::Container) => Ok(()),
        (Recipe::Reference(_), Class::Windows) => refuse(Material::Image, Able::SnapshotOfSandbox),
        (Recipe::Dockerfile { .. }, Class::LinuxVm | Class::Windows) => {
            refuse(Material::Dockerfile, Able::BuildContainers)
        }
    }
}

pub(super) fn activate(
    fleet: &Fleet,
    organization: OrganizationId,
    text: &str,
) -> Result<(Subject, Option<Event>), Refusal> {
    change(fleet, organization, text, |snapshot| {
        if snapshot.state == SnapshotState::Active {
            return Ok(None);
        }
        let fits = snapshot.state == SnapshotState::Inactive;
        fits.then_some(Some(SnapshotEvent::Activated)).ok_or_else(|| state(snapshot, SnapshotUse::Activate))
    })
}

/// What a sandbox is being made of is not laid aside.
pub(super) fn deactivate(
    fleet: &Fleet,
    organization: OrganizationId,
    text: &str,
) -> Result<(Subject, Option<Event>), Refusal> {
    change(fleet, organization, text, |snapshot| {
        if snapshot.state == SnapshotState::Inactive {
            return Ok(None);
        }
        if snapshot.state != SnapshotState::Active {
            return Err(state(snapshot, SnapshotUse::Deactivate));
        }
        let fetching = |id: &SandboxId| is_fetching(fleet, *id);
        let users: Vec<_> = fleet.known_snapshots().users(snapshot.id).filter(fetching).collect();
        if users.is_empty() { Ok(Some(SnapshotEvent::Deactivated)) } else { Err(in_use(snapshot, users)) }
    })
}

pub(super) fn remove(
    fleet: &Fleet,
    organization: OrganizationId,
    text: &str,
) -> Result<(Subject, Option<Event>), Refusal> {
    change(fleet, organization, text, |snapshot| {
        let mut users: Vec<_> = fleet.known_snapshots().users(snapshot.id).collect();
        if let Source::Sandbox(of) = snapshot.source
            && fleet.sandbox(of).and_then(|sandbox| sandbox.capturing()) == Some(snapshot.id)
        {
            users.push(of);
        }
        if snapshot.state == SnapshotState::Removing {
            return Ok(None);
        }
        if !users.is_empty() {
            return Err(in_use(snapshot, users));
        }
        // What is being taken has a sandbox it is taken of, until it is told that it has none any more.
        let taken = snapshot.state == SnapshotState::Capturing;
        if taken { Err(state(snapshot, SnapshotUse::Remove)) } else { Ok(Some(SnapshotEvent::RemoveBegan)) }
    })
}

fn change(
    fleet: &Fleet,
    organization: OrganizationId,
    text: &str,
    verdict: impl FnOnce(&Snapshot) -> Result<Option<SnapshotEvent>, Refusal>,
) -> Result<(Subject, Option<Event>), Refusal> {
    let found = fleet.snapshot(organization, text);
    let snapshot = found.ok_or_else(|| Refusal::NoSuchSnapshot(text.chars().take(80).collect()))?;
    if snapshot.organization == GENERAL && organization != GENERAL {
        return Err(SnapshotRefusal::General(snapshot.content.name.clone()).into());
    }
    let event = verdict(snapshot)?;
    Ok((Subject::Snapshot(snapshot.id), event.map(Event::Snapshot)))
}

/// The refusal of what cannot be asked of a snapshot where it is.
pub(super) fn state(snapshot: &Snapshot, operation: SnapshotUse) -> Refusal {
    let (name, state) = (snapshot.content.name.clone(), snapshot.state);
    SnapshotRefusal::State { name, state, operation }.into()
}

fn in_use(snapshot: &Snapshot, mut users: Vec<SandboxId>) -> Refusal {
    let count = users.len();
    users.truncate(NAMED_MOST);
    SnapshotRefusal::InUse { name: snapshot.content.name.clone(), count, users }.into()
}

/// Refuse what no snapshot can be called.
fn name(text: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    let part = |part: &str| !part.is_empty() && part.chars().all(plain);
    if text.len() <= NAME_MOST && text.split('/').all(part) {
        Ok(())
    } else {
        Err(SnapshotRefusal::BadName { found: text.chars().take(80).collect() }.into())
    }
}

/// Whether an organization may have one more snapshot, of this id and name.
fn free(
    fleet: &Fleet,
    terms: &Terms,
    organization: OrganizationId,
    id: SnapshotId,
    name: &str,
) -> Result<(), Refusal> {
    let known = fleet.known_snapshots();
    if let Some(holder) = known.holder(organization, name) {
        return Err(SnapshotRefusal::NameTaken { name: name.to_owned(), holder }.into());
    }
    if known.get(id).is_some() {
        return Err(Refusal::SnapshotIdTaken(id));
    }
    let own = fleet.allowance(organization).and_then(|allowance| allowance.snapshots);
    let most = own.map_or(terms.snapshots, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let found = known.count(organization);
    if found >= most {
        return Err(SnapshotRefusal::TooMany { found, most }.into());
    }
    Ok(())
}
