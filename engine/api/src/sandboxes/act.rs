//! Start, stop, recover and delete.

use axum::Json;
use axum::extract::{Path, State};
use hourglass_events::{Command, State as Life, StopMode, Target};

use super::ask;
use crate::caller::Caller;
use crate::capability::Capability;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::wire::sandbox::Sandbox;

/// Bringing a sandbox back from far away takes longer than a client should be kept without an answer.
const FAR_AWAY: &[Life] = &[Life::Archived, Life::Archiving, Life::Restoring];

pub(crate) async fn start(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Json<Sandbox>, Problem> {
    parameters.end()?;
    let hold = caller.find(&id).is_ok_and(|sandbox| !sandbox.state.is_in(FAR_AWAY)).then_some(Life::Started);
    let sandbox = ask(&shared, &caller, Command::Start(Target::Text(id)), hold).await?;
    Ok(Json(shared.show(&sandbox).await))
}

pub(crate) async fn stop(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    mut parameters: Parameters,
) -> Result<Json<Sandbox>, Problem> {
    let force = parameters.read("force", "true or false", |text| text.parse().ok())?;
    parameters.end()?;
    let mode = if force == Some(true) { StopMode::Force } else { StopMode::Graceful(None) };
    let sandbox = ask(&shared, &caller, Command::Stop(Target::Text(id), mode), Some(Life::Stopped)).await?;
    Ok(Json(shared.show(&sandbox).await))
}

/// What is recovered runs again; that it be left stopped cannot be asked for.
pub(crate) async fn recover(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    mut parameters: Parameters,
) -> Result<Json<Sandbox>, Problem> {
    let stays = parameters.read("skipStart", "true or false", |text| text.parse().ok())?;
    parameters.end()?;
    caller.find(&id)?;
    if stays == Some(true) {
        return Err(Problem::Unsupported(Capability::SkipStart));
    }
    let sandbox = ask(&shared, &caller, Command::Recover(Target::Text(id)), Some(Life::Started)).await?;
    Ok(Json(shared.show(&sandbox).await))
}

/// Answered at once: most clients do not wait for it, and those that do are told by their event socket.
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    mut parameters: Parameters,
) -> Result<Json<Sandbox>, Problem> {
    // Older clients send it; a sandbox is deleted whatever it is doing.
    let _ = parameters.one("force");
    parameters.end()?;
    let sandbox = ask(&shared, &caller, Command::Delete(Target::Text(id)), None).await?;
    Ok(Json(shared.show(&sandbox).await))
}
