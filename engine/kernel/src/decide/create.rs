//! Create: a sandbox from a snapshot. Class and resources are the snapshot's; they are not custom sizes, so the
//! organization's maxima do not bound them.

use hourglass_events::{
    AutoArchive, AutoDelete, AutoStop, Blueprint, Create, Name, OrganizationId, Refusal, SandboxEvent,
    Snapshot, Timestamp,
};

use super::{able, link, quota};
use crate::fleet::Fleet;
use crate::place::{Needs, place};
use crate::terms::Terms;

pub(super) fn decide(
    fleet: &Fleet,
    terms: &Terms,
    organization: OrganizationId,
    create: &Create,
    now: Timestamp,
) -> Result<SandboxEvent, Refusal> {
    let asked = create.snapshot.as_deref().unwrap_or(&terms.snapshot);
    let snapshot =
        fleet.snapshot(organization, asked).ok_or_else(|| Refusal::NoSuchSnapshot(asked.to_owned()))?;
    let found = snapshot.content.class;
    if let Some(asked) = create.class.filter(|class| *class != found) {
        return Err(Refusal::WrongClass { found, asked });
    }
    let link = |target| link::decide(fleet, organization, target, &snapshot.content, create);
    let linked = create.linked.as_ref().map(link).transpose()?;
    let mut blueprint = blueprint(terms, create, snapshot)?;
    if let Some(parent) = linked {
        (blueprint.linked, blueprint.region) = (Some(parent.id), parent.blueprint.region.clone());
    }
    region(fleet, terms, &blueprint.region)?;
    if fleet.is_taken(create.id) {
        return Err(Refusal::IdTaken(create.id));
    }
    if let Some((holder, state)) = fleet.name_holder(organization, &blueprint.name) {
        return Err(Refusal::NameTaken { name: blueprint.name.to_string(), holder, state });
    }
    able::creatable(fleet, &blueprint)?;
    quota::check(fleet, organization, &blueprint.region, blueprint.resources)?;
    Ok(SandboxEvent::PullBegan {
        placement: match linked {
            Some(parent) => link::placed(fleet, parent, &blueprint)?,
            None => place(fleet, &Needs::of(&blueprint)),
        },
        blueprint: Box::new(blueprint),
        deadline: now.after(terms.pull),
    })
}

/// A region has to have had a host, unless nobody asked for it: who is put there by default waits for one.
pub(crate) fn region(fleet: &Fleet, terms: &Terms, asked: &str) -> Result<(), Refusal> {
    let known = fleet.hosts().regions();
    if asked == terms.region || known.contains(asked) {
        return Ok(());
    }
    let known = known.into_iter().map(str::to_owned).collect();
    Err(Refusal::NoSuchRegion { found: asked.to_owned(), known })
}

fn blueprint(terms: &Terms, create: &Create, snapshot: &Snapshot) -> Result<Blueprint, Refusal> {
    let auto_delete = create.auto_delete.unwrap_or(AutoDelete::DEFAULT);
    if snapshot.content.resources.gpu > 0 && auto_delete != AutoDelete::AtOnce {
        return Err(Refusal::MustStayEphemeral);
    }
    let name = match &create.name {
        Some(name) => name.clone(),
        None => Name::new(&create.id.to_string())?,
    };
    Ok(Blueprint {
        region: create.region.clone().unwrap_or_else(|| terms.region.clone()),
        user: create.user.clone().unwrap_or_else(|| terms.user.clone()),
        labels: create.labels.clone(),
        auto_stop: create.auto_stop.unwrap_or(AutoStop::DEFAULT),
        auto_archive: create.auto_archive.unwrap_or(AutoArchive::DEFAULT),
        auto_delete,
        network: create.network.clone(),
        public: create.public,
        environment: create.environment.clone(),
        ..Blueprint::new(name, snapshot.id, &snapshot.content)
    })
}
