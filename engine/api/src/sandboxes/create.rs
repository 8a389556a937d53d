//! Creating a sandbox from a snapshot.

use axum::Json;
use axum::extract::State;
use hourglass_events::{
    AutoArchive, AutoDelete, AutoStop, Class, Create, FromImage, Limits, Name, Resize, Resources, SandboxId,
    State as Life, Target,
};
use uuid::Uuid;

use super::follow;
use crate::body::Body;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::shared::{Inner, Shared};
use crate::wire::create::CreateSandbox;
use crate::wire::sandbox::Sandbox;
use crate::wire::{language, network};

pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    Body(mut asked): Body<CreateSandbox>,
) -> Result<Json<Sandbox>, Problem> {
    check(&shared, &caller, &asked)?;
    let built = asked.build_info.is_some();
    if !built {
        asked.snapshot = asked.snapshot.or_else(|| shared.settings.snapshot.clone());
    }
    let values = asked.env.take().unwrap_or_default().values()?;
    let accepted = caller.create(create_of(asked)?, values).await?;
    // Nobody waits for a build, which may take an hour.
    let hold = (!built).then_some(Life::Started);
    let sandbox = follow(&shared, &caller, accepted, hold).await?;
    Ok(Json(shared.show(&sandbox).await))
}

/// What the engine need not be asked about: wrong numbers first, then what cannot go together, what is not
/// done, and what is not here.
fn check(shared: &Inner, caller: &Caller, asked: &CreateSandbox) -> Result<(), Problem> {
    sizes(shared, caller, asked)?;
    if asked.build_info.is_some() && asked.snapshot.is_some() {
        return Err(Problem::Together("buildInfo and snapshot"));
    }
    if asked.build_info.is_some() && asked.linked_sandbox.is_some() {
        return Err(Problem::Together("buildInfo and linkedSandbox"));
    }
    if let Some(capability) = asked.unsupported() {
        return Err(Problem::Unsupported(capability));
    }
    if asked.build_info.is_some() {
        return Ok(());
    }
    let sizes = [("cpu", asked.cpu), ("memory", asked.memory), ("disk", asked.disk), ("gpu", asked.gpu)];
    match sizes.into_iter().find(|(_, size)| size.is_some()) {
        Some((field, _)) => Err(Problem::Inherited(field)),
        None => Ok(()),
    }
}

/// A size that no sandbox may have is wrong wherever it is asked for.
fn sizes(shared: &Inner, caller: &Caller, asked: &CreateSandbox) -> Result<(), Problem> {
    let fleet = shared.engine.view_of(caller.organization()).fleet();
    let limits = match asked.gpu {
        // Of GPUs there is another word than of too many: none can be had yet.
        Some(gpu) if gpu > 0 => Limits { gpu, ..Limits::GPU },
        Some(_) | None => fleet.most(caller.organization(), Class::Container, 0),
    };
    let Resources { cpu, memory_gib, disk_gib, gpu } = Resources::DEFAULT;
    let resources = Resources {
        cpu: asked.cpu.unwrap_or(cpu),
        memory_gib: asked.memory.unwrap_or(memory_gib),
        // An organization may be limited to less disk than what is usual, which is nothing the client asked for.
        disk_gib: asked.disk.unwrap_or(disk_gib.min(limits.disk_gib)),
        gpu: asked.gpu.unwrap_or(gpu),
    };
    resources.within(&limits)?;
    Ok(())
}

fn create_of(asked: CreateSandbox) -> Result<Create, Problem> {
    Ok(Create {
        name: asked.name.map(Name::try_from).transpose()?,
        snapshot: asked.snapshot,
        image: asked.build_info.map(|build| {
            let size = Resize { cpu: asked.cpu, memory_gib: asked.memory, disk_gib: asked.disk };
            Box::new(FromImage { recipe: build.recipe(), size })
        }),
        class: None,
        region: asked.target,
        user: asked.user,
        labels: language::labels(asked.labels.unwrap_or_default())?,
        auto_stop: asked.auto_stop_interval.map(AutoStop::decode).transpose()?,
        auto_archive: asked.auto_archive_interval.map(AutoArchive::decode).transpose()?,
        auto_delete: asked.auto_delete_interval.map(AutoDelete::decode).transpose()?,
        network: network::policy(asked.network_block_all, asked.network_allow_list, asked.domain_allow_list)?,
        public: asked.public.unwrap_or(false),
        linked: asked.linked_sandbox.map(Target::Text),
        ..Create::new(SandboxId(Uuid::now_v7()))
    })
}
