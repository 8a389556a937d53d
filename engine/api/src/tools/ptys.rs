//! Terminals: making, listing, sizing and ending them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hourglass_agent::ptys as words;

use super::{agent, failed};
use crate::body::Body;
use crate::caller::Caller;
use crate::problem::{Area, Problem};
use crate::shared::Shared;
use crate::wire::tools::Done;
use crate::wire::tools::pty::{Create, Created, Pty, Ptys, Size};

pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    Body(asked): Body<Create>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    let agent = agent(&shared, &caller, &sandbox).await?;
    let pty = agent.create_pty(asked.into()).await.map_err(failed(Area::Processes))?;
    Ok((StatusCode::CREATED, Json(Created { session_id: pty.id })))
}

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
) -> Result<Json<Ptys>, Problem> {
    let ptys = agent(&shared, &caller, &sandbox).await?.ptys().await.map_err(failed(Area::Processes))?;
    Ok(Json(Ptys { sessions: ptys.into_iter().map(Pty::from).collect() }))
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    caller: Caller,
    Path((sandbox, pty)): Path<(String, String)>,
) -> Result<Json<Pty>, Problem> {
    let agent = agent(&shared, &caller, &sandbox).await?;
    Ok(Json(agent.pty(&pty).await.map_err(failed(Area::Processes))?.into()))
}

pub(crate) async fn resize(
    State(shared): State<Shared>,
    caller: Caller,
    Path((sandbox, pty)): Path<(String, String)>,
    Body(Size { cols, rows }): Body<Size>,
) -> Result<Json<Pty>, Problem> {
    let agent = agent(&shared, &caller, &sandbox).await?;
    let size = words::Size { cols, rows };
    Ok(Json(agent.resize_pty(&pty, size).await.map_err(failed(Area::Processes))?.into()))
}

pub(crate) async fn kill(
    State(shared): State<Shared>,
    caller: Caller,
    Path((sandbox, pty)): Path<(String, String)>,
) -> Result<Json<Done>, Problem> {
    let agent = agent(&shared, &caller, &sandbox).await?;
    agent.kill_pty(&pty).await.map_err(failed(Area::Processes))?;
    Ok(Json(Done { message: "the terminal and all that ran in it have ended" }))
}
