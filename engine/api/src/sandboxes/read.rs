//! Reading one sandbox.

use axum::Json;
use axum::extract::{Path, State};

use crate::caller::Caller;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::wire::item::toolbox_url as url;
use crate::wire::sandbox::{Address, Sandbox};

pub(crate) async fn get(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    mut parameters: Parameters,
) -> Result<Json<Sandbox>, Problem> {
    // Older clients ask for it; everything is said in either case.
    let _ = parameters.one("verbose");
    parameters.end()?;
    Ok(Json(shared.show(&*caller.find(&id)?).await))
}

pub(crate) async fn toolbox_url(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Address>, Problem> {
    caller.find(&id)?;
    Ok(Json(Address { url: url(&shared.settings) }))
}
