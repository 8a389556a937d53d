//! Operations that a sandbox sets out on and comes back from: pause, resize and archive.
//!
//! One that fails leaves the sandbox as it was, which clients take for success. So the answer waits for the end, and
//! tells of a failure.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use hourglass_events::event::Intent;
use hourglass_events::lifecycle::others::SnapshotState;
use hourglass_events::{
    Command, Heat, Refusal, Resize, Sandbox as Known, SnapshotId, State as Life, TakeSnapshot as Taken,
    Target,
};
use uuid::Uuid;

use crate::body::Body;
use crate::caller::Caller;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::shared::{Inner, Shared};
use crate::wire::create::ResizeSandbox;
use crate::wire::sandbox::Sandbox;
use crate::wire::snapshot::TakeSnapshot;

pub(crate) async fn pause(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Sandbox>, Problem> {
    let over = |sandbox: &Known| sandbox.state != Life::Pausing && sandbox.intent != Some(Intent::Pause);
    let hold = shared.settings.hold_work;
    let sandbox = carry_out(&shared, &caller, Command::Pause(Target::Text(id)), hold, over).await?;
    told(&sandbox, sandbox.state == Life::Paused)?;
    Ok(Json(shared.show(&sandbox).await))
}

pub(crate) async fn resize(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<ResizeSandbox>,
) -> Result<Json<Sandbox>, Problem> {
    let ResizeSandbox { cpu, memory, disk } = asked;
    let resize = Resize { cpu, memory_gib: memory, disk_gib: disk };
    let over = |sandbox: &Known| sandbox.state != Life::Resizing;
    let hold = shared.settings.hold_work;
    let sandbox = carry_out(&shared, &caller, Command::Resize(Target::Text(id), resize), hold, over).await?;
    let have = sandbox.blueprint.resources;
    told(&sandbox, resize.of(have) == have)?;
    Ok(Json(shared.show(&sandbox).await))
}

/// Moving a disk takes long and clients do not wait for it: only what fails soon is told here, as on a host that has
/// nowhere to move it to.
pub(crate) async fn archive(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Json<Sandbox>, Problem> {
    parameters.end()?;
    let over = |sandbox: &Known| sandbox.state != Life::Archiving;
    let hold = shared.settings.hold;
    let sandbox = carry_out(&shared, &caller, Command::Archive(Target::Text(id)), hold, over).await?;
    told(&sandbox, sandbox.state == Life::Archived)?;
    Ok(Json(shared.show(&sandbox).await))
}

/// As with an archive, only what fails soon is told here.
pub(crate) async fn backup(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Json<Sandbox>, Problem> {
    parameters.end()?;
    let over = |sandbox: &Known| !sandbox.is_backing_up();
    let hold = shared.settings.hold;
    let sandbox = carry_out(&shared, &caller, Command::BackUp(Target::Text(id)), hold, over).await?;
    match sandbox.unsaved.as_ref().filter(|_| !sandbox.is_backing_up()) {
        Some(unsaved) => Err(Problem::Failed { fault: unsaved.fault.clone() }),
        None => Ok(Json(shared.show(&sandbox).await)),
    }
}

pub(crate) async fn snapshot(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<TakeSnapshot>,
) -> Result<Json<Sandbox>, Problem> {
    let heat = if asked.include_memory == Some(true) { Heat::Hot } else { Heat::Cold };
    let new = Taken { id: SnapshotId(Uuid::now_v7()), name: asked.name.clone(), heat };
    let over = |sandbox: &Known| sandbox.state != Life::Snapshotting;
    let hold = shared.settings.hold_work;
    let command = Command::TakeSnapshot(Target::Text(id), new);
    let sandbox = carry_out(&shared, &caller, command, hold, over).await?;
    let fleet = shared.engine.view_of(caller.organization()).fleet();
    let made = fleet.own_snapshot(caller.organization(), &asked.name);
    told(&sandbox, made.is_some_and(|made| made.state == SnapshotState::Active))?;
    Ok(Json(shared.show(&sandbox).await))
}

/// The sandbox once the operation is over, or as it is when the time for that is.
pub(super) async fn carry_out(
    shared: &Inner,
    caller: &Caller,
    command: Command,
    hold: Duration,
    over: impl Fn(&Known) -> bool,
) -> Result<Arc<Known>, Problem> {
    let begun = super::follow(shared, caller, caller.ask(command).await?, None).await?;
    match shared.engine.wait_until(begun.id, hold, over).await {
        Ok(sandbox) => Ok(Arc::new(sandbox)),
        // It goes on, or the sandbox is gone: what is known of it says which.
        Err(_) => shared
            .newest(caller.organization(), begun.id)
            .ok_or_else(|| Refusal::NoSuchSandbox(begun.id.to_string()).into()),
    }
}

/// Says that an operation failed whose sandbox is at rest and not where it was to be. An error can be seen by itself.
pub(super) fn told(sandbox: &Known, done: bool) -> Result<(), Problem> {
    let rests = sandbox.state.is_in(&[Life::Started, Life::Stopped]);
    match sandbox.fault.as_ref().filter(|_| rests && !done) {
        Some(fault) => Err(Problem::Failed { fault: fault.clone() }),
        None => Ok(()),
    }
}
