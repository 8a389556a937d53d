//! Lists of sandboxes: filtered, sorted, a page at a time.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use hourglass_events::State as Life;
use hourglass_projections::roster::{Direction, Filter, Query, Sort};

use crate::caller::Caller;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::wire::item::Item;
use crate::wire::sandbox::Page;
use crate::wire::state;

/// Parameters of the contract that the roster cannot filter by yet.
const LATER: &[&str] = &[
    "includeErroredDeleted",
    "includeWarm",
    "snapshots",
    "regionIds",
    "sandboxClasses",
    "minCpu",
    "maxCpu",
    "minGpu",
    "maxGpu",
    "minMemoryGiB",
    "maxMemoryGiB",
    "minDiskGiB",
    "maxDiskGiB",
    "isPublic",
    "isRecoverable",
    "createdAtAfter",
    "createdAtBefore",
    "lastEventAfter",
    "lastEventBefore",
    "autoDestroyAtAfter",
    "autoDestroyAtBefore",
];

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page>, Problem> {
    let query = query(&caller, &mut parameters)?;
    for name in LATER.iter().copied() {
        if parameters.one(name).is_some() {
            return Err(Problem::UnsupportedFilter { name });
        }
    }
    parameters.end()?;
    let page = shared.engine.view_of(caller.organization()).roster(|roster| roster.list(&query))?;
    let items = page.sandboxes.iter().map(|sandbox| Item::of(sandbox, &shared.settings)).collect();
    Ok(Json(Page { items, next_cursor: page.next }))
}

fn query(caller: &Caller, parameters: &mut Parameters) -> Result<Query, Problem> {
    let filter = Filter {
        states: states(parameters)?,
        labels: parameters
            .read("labels", "a JSON object of texts", |text| {
                serde_json::from_str::<BTreeMap<String, String>>(text).ok()
            })?
            .unwrap_or_default(),
        name_prefix: parameters.one("name"),
        id_prefix: parameters.one("id"),
    };
    let limit = parameters.read("limit", "a whole number, 1 to 200", |text| text.parse().ok())?;
    Ok(Query {
        organization: caller.organization(),
        filter,
        sort: sort(parameters)?,
        direction: direction(parameters)?,
        limit,
        cursor: parameters.one("cursor").filter(|cursor| !cursor.is_empty()),
    })
}

fn states(parameters: &mut Parameters) -> Result<Option<BTreeSet<Life>>, Problem> {
    let names = parameters.all("states");
    // Some clients join what others repeat.
    let names = names.iter().flat_map(|names| names.split(',')).filter(|name| !name.is_empty());
    let states = names.map(|name| {
        state::named(name).ok_or_else(|| Problem::BadParameter {
            name: "states",
            found: name.to_owned(),
            allowed: "a state as sandboxes have it, such as started or stopped",
        })
    });
    let states = states.collect::<Result<BTreeSet<_>, _>>()?;
    Ok((!states.is_empty()).then_some(states))
}

fn sort(parameters: &mut Parameters) -> Result<Sort, Problem> {
    match parameters.one("sort").as_deref() {
        None | Some("lastActivityAt") => Ok(Sort::LastActivity),
        Some("createdAt") => Ok(Sort::Created),
        Some("name") => Ok(Sort::Name),
        Some("cpu") => Err(Problem::UnsupportedFilter { name: "sort=cpu" }),
        Some("memoryGib") => Err(Problem::UnsupportedFilter { name: "sort=memoryGib" }),
        Some("diskGib") => Err(Problem::UnsupportedFilter { name: "sort=diskGib" }),
        Some(found) => Err(Problem::BadParameter {
            name: "sort",
            found: found.to_owned(),
            allowed: "name, createdAt or lastActivityAt",
        }),
    }
}

fn direction(parameters: &mut Parameters) -> Result<Direction, Problem> {
    let read = |text: &str| match text {
        "asc" => Some(Direction::Ascending),
        "desc" => Some(Direction::Descending),
        _ => None,
    };
    Ok(parameters.read("order", "asc or desc", read)?.unwrap_or(Direction::Descending))
}
