//! Forks: making one, and who descends from whom.
//!
//! A sandbox is not deleted before its forks, so the line of a live one is whole. What was deleted is shown for as long as
//! it can be read at all, which is a day.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use hourglass_events::{Fault, Fork, Name, Sandbox as Known, SandboxId, State as Life, Target};
use uuid::Uuid;

use super::follow;
use crate::body::Body;
use crate::caller::Caller;
use crate::document::parameter::Parameter;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::shared::{Inner, Shared};
use crate::wire::create::ForkSandbox;
use crate::wire::sandbox::Sandbox;

/// The most ancestors or forks that are shown at once.
const SHOWN_MOST: usize = 100;

/// What can be asked of the list of forks.
pub(crate) fn parameters() -> [Parameter; 1] {
    [Parameter::flag("includeDestroyed", "Show also those that were deleted within a day.")]
}

/// The answer is the fork. One that could not be made is told as the failure it was: the fork itself only knows that its
/// parent went on without it.
pub(crate) async fn fork(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body<ForkSandbox>,
) -> Result<Json<Sandbox>, Problem> {
    let Body(ForkSandbox { name }) = body;
    let name = name.map(Name::try_from).transpose()?;
    let fork = Fork { id: SandboxId(Uuid::now_v7()), name };
    let accepted = caller.fork(Target::Text(id), fork).await?;
    let child = follow(&shared, &caller, accepted, Some(Life::Started)).await?;
    if let (Life::Error, Some(Fault::NotForked { parent })) = (child.state, &child.fault) {
        let parent = shared.newest(caller.organization(), *parent);
        let fault = parent.and_then(|parent| parent.fault.clone()).or_else(|| child.fault.clone());
        return fault.map_or(Err(Problem::NotReady), |fault| Err(Problem::Failed { fault }));
    }
    Ok(Json(shared.show(&child).await))
}

pub(crate) async fn forks(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    mut parameters: Parameters,
) -> Result<Json<Vec<Sandbox>>, Problem> {
    let deleted = parameters.read("includeDestroyed", "true or false", |text| text.parse().ok())?;
    parameters.end()?;
    let parent = caller.find(&id)?.id;
    let view = shared.engine.view_of(caller.organization());
    let found: Vec<_> = if deleted == Some(true) {
        let all = |known: &&Arc<Known>| known.blueprint.forked_from == Some(parent);
        view.roster(|roster| roster.iter().filter(all).take(SHOWN_MOST).cloned().collect())
    } else {
        let fleet = view.fleet();
        let forks = fleet.kin().forks(parent).filter_map(|fork| fleet.sandbox(fork).cloned());
        forks.take(SHOWN_MOST).collect()
    };
    show(&shared, found).await
}

pub(crate) async fn parent(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Json<Sandbox>, Problem> {
    parameters.end()?;
    let sandbox = caller.find(&id)?;
    let parent = above(&shared, &caller, &sandbox).ok_or(Problem::NoParent { id: sandbox.id })?;
    Ok(Json(shared.show(&parent).await))
}

/// Nearest first.
pub(crate) async fn ancestors(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Json<Vec<Sandbox>>, Problem> {
    parameters.end()?;
    let sandbox = caller.find(&id)?;
    let next = |sandbox: &Arc<Known>| above(&shared, &caller, sandbox);
    let found = std::iter::successors(next(&sandbox), next).take(SHOWN_MOST).collect();
    show(&shared, found).await
}

fn above(shared: &Inner, caller: &Caller, sandbox: &Known) -> Option<Arc<Known>> {
    shared.newest(caller.organization(), sandbox.blueprint.forked_from?)
}

async fn show(shared: &Inner, found: Vec<Arc<Known>>) -> Result<Json<Vec<Sandbox>>, Problem> {
    let mut shown = Vec::with_capacity(found.len());
    for sandbox in found {
        shown.push(shared.show(&sandbox).await);
    }
    Ok(Json(shown))
}
