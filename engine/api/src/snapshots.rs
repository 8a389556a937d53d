//! Reading snapshots: an organization's own and everybody's.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use hourglass_events::Snapshot;
use hourglass_kernel::fleet::GENERAL;

use crate::caller::Caller;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::shared::{Inner, Shared};
use crate::wire::snapshot;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MOST: usize = 200;

pub(crate) async fn get(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<snapshot::Snapshot>, Problem> {
    Ok(Json(snapshot::Snapshot::of(&*find(&shared, &caller, &id)?)))
}

/// The snapshot with this name or id, if the caller may use it.
pub(crate) fn find(shared: &Inner, caller: &Caller, text: &str) -> Result<Arc<Snapshot>, Problem> {
    let organization = caller.organization();
    let fleet = shared.engine.view_of(organization).fleet();
    fleet.snapshot(organization, text).cloned().ok_or_else(|| Problem::NoSuchSnapshot(text.to_owned()))
}

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<snapshot::Page>, Problem> {
    let positive = |text: &str| text.parse().ok().filter(|number: &usize| *number > 0);
    let page = parameters.read("page", "a whole number from 1 on", positive)?.unwrap_or(1);
    let few = |text: &str| positive(text).filter(|limit| *limit <= LIMIT_MOST);
    let limit = parameters.read("limit", "a whole number, 1 to 200", few)?.unwrap_or(LIMIT_DEFAULT);
    for name in ["name", "sort", "order", "sourceSandboxId"] {
        if parameters.one(name).is_some() {
            return Err(Problem::UnsupportedFilter { name });
        }
    }
    parameters.end()?;
    let organization = caller.organization();
    let mut all = shared.engine.view_of(organization).snapshots();
    all.retain(|snapshot| snapshot.organization == organization || snapshot.organization == GENERAL);
    all.sort_by(|one, other| (&one.content.name, one.id).cmp(&(&other.content.name, other.id)));
    let total = all.len();
    let items = all.iter().skip((page - 1).saturating_mul(limit)).take(limit);
    let items = items.map(|snapshot| snapshot::Snapshot::of(snapshot)).collect();
    Ok(Json(snapshot::Page { items, total, page, total_pages: total.div_ceil(limit) }))
}
