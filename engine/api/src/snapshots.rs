//! Snapshots: an organization's own and everybody's.

pub(crate) mod change;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use hourglass_events::{Snapshot, SnapshotId, Source};
use hourglass_kernel::fleet::GENERAL;

use crate::caller::Caller;
use crate::document::parameter::Parameter;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::shared::{Inner, Shared};
use crate::wire::{snapshot, state};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MOST: usize = 200;

/// What a list of snapshots is sorted by. Equal ones follow by name.
#[derive(Debug, Clone, Copy)]
enum Sort {
    Name,
    State,
    /// Ids are minted in order.
    Created,
}

impl Sort {
    fn key(self, snapshot: &Snapshot) -> (String, String, SnapshotId) {
        let first = match self {
            Self::Name => String::new(),
            Self::State => state::snapshot(snapshot).to_owned(),
            Self::Created => snapshot.id.to_string(),
        };
        (first, snapshot.content.name.clone(), snapshot.id)
    }
}

fn sort(parameters: &mut Parameters) -> Result<Sort, Problem> {
    let read = |text: &str| match text {
        // When one was used last is not known, so all are equal.
        "name" | "lastUsedAt" => Some(Sort::Name),
        "state" => Some(Sort::State),
        "createdAt" => Some(Sort::Created),
        _ => None,
    };
    Ok(parameters.read("sort", "name, state, lastUsedAt or createdAt", read)?.unwrap_or(Sort::Name))
}

/// What may be asked of a list.
pub(crate) fn parameters() -> Vec<Parameter> {
    vec![
        Parameter::whole("page", 1, None, "Which page; the first unless given."),
        Parameter::whole("limit", 1, Some(LIMIT_MOST as u64), "How many a page has; 100 unless given."),
        Parameter::text("name", "A part of the name, in any case."),
        Parameter::text("sourceSandboxId", "Made of this sandbox."),
        Parameter::one_of(
            "sort",
            &["name", "state", "lastUsedAt", "createdAt"],
            "What is sorted by; name unless given.",
        ),
        Parameter::one_of("order", &["asc", "desc"], "Which end comes first; asc unless given."),
    ]
}

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

fn is_made_of(snapshot: &Snapshot, sandbox: &str) -> bool {
    matches!(snapshot.source, Source::Sandbox(of) if of.to_string() == sandbox)
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
    let part = parameters.one("name").unwrap_or_default().to_lowercase();
    let made_of = parameters.one("sourceSandboxId");
    let sort = sort(&mut parameters)?;
    let backwards = parameters.read("order", "asc or desc", |text| match text {
        "asc" => Some(false),
        "desc" => Some(true),
        _ => None,
    })?;
    parameters.end()?;
    let organization = caller.organization();
    let mut all = shared.engine.view_of(organization).snapshots();
    all.retain(|snapshot| {
        (snapshot.organization == organization || snapshot.organization == GENERAL)
            && snapshot.content.name.to_lowercase().contains(&part)
            && made_of.as_deref().is_none_or(|of| is_made_of(snapshot, of))
    });
    all.sort_by_cached_key(|snapshot| sort.key(snapshot));
    if backwards == Some(true) {
        all.reverse();
    }
    let total = all.len();
    let items = all.iter().skip((page - 1).saturating_mul(limit)).take(limit);
    let items = items.map(|snapshot| snapshot::Snapshot::of(snapshot)).collect();
    Ok(Json(snapshot::Page { items, total, page, total_pages: total.div_ceil(limit) }))
}
