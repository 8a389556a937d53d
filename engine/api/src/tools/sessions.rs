//! Sessions: shells that go on between commands.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::{agent, failed};
use crate::body::Body;
use crate::caller::Caller;
use crate::problem::{Area, Problem};
use crate::shared::Shared;
use crate::wire::tools::session::{Command, Create, Execute, Executed, Input, Session};

pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    Body(Create { session_id }): Body<Create>,
) -> Result<StatusCode, Problem> {
    let agent = agent(&shared, &caller, &sandbox).await?;
    agent.create_session(&session_id).await.map_err(failed(Area::Processes))?;
    Ok(StatusCode::CREATED)
}

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
) -> Result<Json<Vec<Session>>, Problem> {
    let sessions =
        agent(&shared, &caller, &sandbox).await?.sessions().await.map_err(failed(Area::Processes))?;
    Ok(Json(sessions.into_iter().map(Session::from).collect()))
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    caller: Caller,
    Path((sandbox, session)): Path<(String, String)>,
) -> Result<Json<Session>, Problem> {
    let agent = agent(&shared, &caller, &sandbox).await?;
    Ok(Json(agent.session(&session).await.map_err(failed(Area::Processes))?.into()))
}

pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path((sandbox, session)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let agent = agent(&shared, &caller, &sandbox).await?;
    agent.delete_session(&session).await.map_err(failed(Area::Processes))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn execute(
    State(shared): State<Shared>,
    caller: Caller,
    Path((sandbox, session)): Path<(String, String)>,
    Body(asked): Body<Execute>,
) -> Result<(StatusCode, Json<Executed>), Problem> {
    if asked.command.trim().is_empty() {
        return Err(Problem::Empty("command"));
    }
    let waits = asked.waits();
    let agent = agent(&shared, &caller, &sandbox).await?;
    let executed = agent.execute(&session, &asked.command, waits).await.map_err(failed(Area::Processes))?;
    Ok(match waits {
        true => (StatusCode::OK, Json(Executed::ended(executed))),
        false => (StatusCode::ACCEPTED, Json(Executed::begun(executed))),
    })
}

pub(crate) async fn command(
    State(shared): State<Shared>,
    caller: Caller,
    Path((sandbox, session, command)): Path<(String, String, String)>,
) -> Result<Json<Command>, Problem> {
    let agent = agent(&shared, &caller, &sandbox).await?;
    Ok(Json(agent.command(&session, &command).await.map_err(failed(Area::Processes))?.into()))
}

pub(crate) async fn input(
    State(shared): State<Shared>,
    caller: Caller,
    Path((sandbox, session, command)): Path<(String, String, String)>,
    Body(Input { data }): Body<Input>,
) -> Result<StatusCode, Problem> {
    let agent = agent(&shared, &caller, &sandbox).await?;
    agent.input(&session, &command, data.as_bytes()).await.map_err(failed(Area::Input))?;
    Ok(StatusCode::NO_CONTENT)
}
