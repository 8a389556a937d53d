//! Where what is in a sandbox.

use axum::Json;
use axum::extract::{Path, State};

use super::{agent, failed};
use crate::caller::Caller;
use crate::problem::{Area, Problem};
use crate::shared::Shared;
use crate::wire::tools::{Directory, Version};

pub(crate) async fn home(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
) -> Result<Json<Directory>, Problem> {
    let places = agent(&shared, &caller, &sandbox).await?.places().await.map_err(failed(Area::Files))?;
    Ok(Json(Directory { dir: places.home }))
}

pub(crate) async fn work(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
) -> Result<Json<Directory>, Problem> {
    let places = agent(&shared, &caller, &sandbox).await?.places().await.map_err(failed(Area::Files))?;
    Ok(Json(Directory { dir: places.work }))
}

/// The version of what serves the tools, which is this.
pub(crate) async fn version(caller: Caller, Path(sandbox): Path<String>) -> Result<Json<Version>, Problem> {
    caller.find(&sandbox)?;
    Ok(Json(Version { version: env!("CARGO_PKG_VERSION") }))
}
