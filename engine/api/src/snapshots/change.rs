//! Making, laying aside, bringing back and removing snapshots.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hourglass_events::{Class, Command, NewSnapshot, Recipe, Refusal, Resize, Snapshot, SnapshotId, Subject};
use hourglass_kernel::Accepted;
use uuid::Uuid;

use crate::body::Body;
use crate::caller::Caller;
use crate::capability::Capability;
use crate::problem::Problem;
use crate::shared::{Inner, Shared};
use crate::wire::snapshot::{self, CreateSnapshot};

pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    Body(asked): Body<CreateSnapshot>,
) -> Result<Json<snapshot::Snapshot>, Problem> {
    if asked.image_name.is_some() && asked.build_info.is_some() {
        return Err(Problem::Together("imageName and buildInfo"));
    }
    if let Some(capability) = asked.unsupported() {
        return Err(Problem::Unsupported(capability));
    }
    let class = asked.sandbox_class.map_or(Class::Container, Into::into);
    let recipe = match asked.build_info {
        Some(build) => build.recipe(),
        None => Recipe::Reference(asked.image_name.unwrap_or_default()),
    };
    let size = Resize { cpu: asked.cpu, memory_gib: asked.memory, disk_gib: asked.disk };
    let id = SnapshotId(Uuid::now_v7());
    let new = NewSnapshot { id, name: asked.name, class, recipe, size, region: asked.region_id };
    let accepted = caller.ask(Command::CreateSnapshot(Box::new(new))).await?;
    Ok(Json(snapshot::Snapshot::of(&*known(&shared, &caller, &accepted)?)))
}

pub(crate) async fn activate(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<snapshot::Snapshot>, Problem> {
    super::find(&shared, &caller, &id)?;
    let accepted = caller.ask(Command::ActivateSnapshot(id)).await?;
    Ok(Json(snapshot::Snapshot::of(&*known(&shared, &caller, &accepted)?)))
}

pub(crate) async fn deactivate(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    super::find(&shared, &caller, &id)?;
    caller.ask(Command::DeactivateSnapshot(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    super::find(&shared, &caller, &id)?;
    caller.ask(Command::RemoveSnapshot(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was asked for can be unsupported for want of a word of the contract for it.
impl CreateSnapshot {
    fn unsupported(&self) -> Option<Capability> {
        let gpu = self.gpu.is_some_and(|gpu| gpu > 0)
            || self.gpu_type.as_ref().is_some_and(|kinds| !kinds.is_empty());
        if gpu {
            return Some(Capability::Gpu);
        }
        let entrypoint = self.entrypoint.as_ref().is_some_and(|words| !words.is_empty());
        entrypoint.then_some(Capability::Entrypoint)
    }
}

/// The snapshot that was accepted to be made or changed.
fn known(shared: &Inner, caller: &Caller, accepted: &Accepted) -> Result<Arc<Snapshot>, Problem> {
    let fleet = shared.engine.view_of(caller.organization()).fleet();
    let id = if let Subject::Snapshot(id) = accepted.subject { Some(id) } else { None };
    let found = id.and_then(|id| fleet.snapshot_by_id(id).cloned());
    found.ok_or_else(|| Refusal::NoSuchSnapshot(accepted.subject.to_string()).into())
}
