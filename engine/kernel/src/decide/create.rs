//! Create: a sandbox from a snapshot, or from an image that is built for it. A snapshot's class and resources are the
//! sandbox's; they are not custom sizes, so the organization's maxima do not bound them. With an image it is otherwise.

use hourglass_events::lifecycle::others::SnapshotState;
use hourglass_events::{
    Able, AutoArchive, AutoDelete, AutoStop, Base, Blueprint, Capability, Class, Create, GpuTypes, Material,
    Name, Operation, OrganizationId, Refusal, Resources, SandboxEvent, SnapshotContent, SnapshotId,
    SnapshotRefusal, SnapshotUse, Timestamp,
};

use super::{able, link, quota, snapshot};
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
    let Some(image) = &create.image else { return from_snapshot(fleet, terms, organization, create, now) };
    if create.snapshot.is_some() {
        return Err(SnapshotRefusal::AndImage.into());
    }
    if let Some(target) = &create.linked {
        return Err(SnapshotRefusal::LinkedImage(target.to_string().chars().take(80).collect()).into());
    }
    let recipe = image.recipe.clone().checked().map_err(Refusal::from)?;
    let class = create.class.unwrap_or(Class::Container);
    snapshot::made_of(&recipe, class)?;
    if class != Class::Container {
        let (of, able) = (Material::Dockerfile, Able::BuildContainers);
        return Err(SnapshotRefusal::NotMadeOf { class, of, able }.into());
    }
    let resources = image.size.of(Resources::DEFAULT);
    resources.within(&fleet.most(organization, class, resources.gpu))?;
    let content = SnapshotContent {
        name: recipe.image().digest,
        class,
        resources,
        gpu_types: GpuTypes::default(),
        image: recipe.image(),
    };
    let nobodys = SnapshotId::from_u128(0);
    let base = Base::Build(Box::new(recipe));
    let blueprint = Blueprint { base, ..blueprint(terms, create, nobodys, &content)? };
    free(fleet, terms, organization, create, &blueprint)?;
    let placement = place(fleet, &Needs::of(&blueprint).and(Capability::Build));
    let blueprint = Some(Box::new(blueprint));
    Ok(match placement.host {
        Some(_) => SandboxEvent::BuildBegan { blueprint, placement, deadline: now.after(terms.build) },
        None => SandboxEvent::BuildQueued { blueprint },
    })
}

fn from_snapshot(
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
    // What is laid aside is brought back by being used.
    if !matches!(snapshot.state, SnapshotState::Active | SnapshotState::Inactive) {
        return Err(snapshot::state(snapshot, SnapshotUse::Create));
    }
    let link = |target| link::decide(fleet, organization, target, &snapshot.content, create);
    let linked = create.linked.as_ref().map(link).transpose()?;
    let mut blueprint = blueprint(terms, create, snapshot.id, &snapshot.content)?;
    blueprint.base = Base::Snapshot(snapshot.heat);
    if let Some(parent) = linked {
        (blueprint.linked, blueprint.region) = (Some(parent.id), parent.blueprint.region.clone());
    }
    free(fleet, terms, organization, create, &blueprint)?;
    Ok(SandboxEvent::PullBegan {
        placement: match linked {
            Some(parent) => link::placed(fleet, parent, &blueprint)?,
            None => place(fleet, &Needs::of(&blueprint)),
        },
        blueprint: Box::new(blueprint),
        deadline: now.after(terms.pull),
    })
}

/// Whether there is a place, an id and a name for it.
fn free(
    fleet: &Fleet,
    terms: &Terms,
    organization: OrganizationId,
    create: &Create,
    blueprint: &Blueprint,
) -> Result<(), Refusal> {
    region(fleet, terms, &blueprint.region)?;
    if fleet.is_taken(create.id) {
        return Err(Refusal::IdTaken(create.id));
    }
    if let Some((holder, state)) = fleet.name_holder(organization, &blueprint.name) {
        return Err(Refusal::NameTaken { name: blueprint.name.to_string(), holder, state });
    }
    let (needs, operation) = match blueprint.base {
        Base::Snapshot(_) => (Needs::of(blueprint), Operation::Create),
        Base::Build(_) => (Needs::of(blueprint).and(Capability::Build), Operation::Build),
    };
    able::creatable(fleet, &needs, operation)?;
    quota::check(fleet, organization, &blueprint.region, blueprint.resources)
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

fn blueprint(
    terms: &Terms,
    create: &Create,
    snapshot: SnapshotId,
    content: &SnapshotContent,
) -> Result<Blueprint, Refusal> {
    let auto_delete = create.auto_delete.unwrap_or(AutoDelete::DEFAULT);
    if content.resources.gpu > 0 && auto_delete != AutoDelete::AtOnce {
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
        ..Blueprint::new(name, snapshot, content)
    })
}
