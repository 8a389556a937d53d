//! What can be changed of a sandbox at any time: labels, intervals, its last use.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hourglass_events::{
    AutoArchive, AutoDelete, AutoStop, Command, Sandbox as Known, Settings as Applied, State as Life, Target,
};

use super::ask;
use super::work::{carry_out, told};
use crate::body::{Body, MaybeBody};
use crate::caller::Caller;
use crate::capability::Capability;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::wire::create::{Activity, ReplaceLabels};
use crate::wire::language;
use crate::wire::network::NetworkSettings;
use crate::wire::sandbox::Sandbox;

pub(crate) async fn labels(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Body(ReplaceLabels { labels }): Body<ReplaceLabels>,
) -> Result<Json<Sandbox>, Problem> {
    let command = Command::ReplaceLabels(Target::Text(id), language::labels(labels)?);
    Ok(Json(shared.show(&*ask(&shared, &caller, command, None).await?).await))
}

pub(crate) async fn auto_stop(
    State(shared): State<Shared>,
    caller: Caller,
    Path((id, minutes)): Path<(String, String)>,
) -> Result<Json<Sandbox>, Problem> {
    let policy = AutoStop::decode(whole(minutes)?)?;
    let command = Command::SetAutoStop(Target::Text(id), policy);
    Ok(Json(shared.show(&*ask(&shared, &caller, command, None).await?).await))
}

pub(crate) async fn auto_archive(
    State(shared): State<Shared>,
    caller: Caller,
    Path((id, minutes)): Path<(String, String)>,
) -> Result<Json<Sandbox>, Problem> {
    let policy = AutoArchive::decode(whole(minutes)?)?;
    let command = Command::SetAutoArchive(Target::Text(id), policy);
    Ok(Json(shared.show(&*ask(&shared, &caller, command, None).await?).await))
}

pub(crate) async fn auto_delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path((id, minutes)): Path<(String, String)>,
) -> Result<Json<Sandbox>, Problem> {
    let policy = AutoDelete::decode(whole(minutes)?)?;
    let command = Command::SetAutoDelete(Target::Text(id), policy);
    Ok(Json(shared.show(&*ask(&shared, &caller, command, None).await?).await))
}

pub(crate) async fn auto_pause(
    State(shared): State<Shared>,
    caller: Caller,
    Path((id, minutes)): Path<(String, String)>,
) -> Result<Json<Sandbox>, Problem> {
    only_off(&shared, &caller, &id, minutes, Capability::AutoPause).await
}

pub(crate) async fn ttl(
    State(shared): State<Shared>,
    caller: Caller,
    Path((id, minutes)): Path<(String, String)>,
) -> Result<Json<Sandbox>, Problem> {
    only_off(&shared, &caller, &id, minutes, Capability::Ttl).await
}

/// Two clients that change different parts of it at once may undo each other: the last one wins.
pub(crate) async fn network(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Body(settings): Body<NetworkSettings>,
) -> Result<Json<Sandbox>, Problem> {
    let before = caller.find(&id)?;
    if settings.is_empty() {
        return Err(Problem::NothingToChange("networkBlockAll, networkAllowList or domainAllowList"));
    }
    let policy = settings.applied_to(&before.blueprint.network)?;
    let command = Command::SetNetwork(Target::Text(id), policy);
    // A rule that is not in force must not look as if it were: what runs is told of it first.
    let over = |sandbox: &Known| {
        sandbox.state != Life::Started
            || sandbox.settings == Applied::Applied
            || sandbox.fault != before.fault
    };
    let sandbox = carry_out(&shared, &caller, command, shared.settings.hold, over).await?;
    let runs_otherwise = sandbox.state == Life::Started && sandbox.settings != Applied::Applied;
    told(&sandbox, !runs_otherwise)?;
    Ok(Json(shared.show(&sandbox).await))
}

pub(crate) async fn public(
    State(shared): State<Shared>,
    caller: Caller,
    Path((id, public)): Path<(String, String)>,
) -> Result<Json<Sandbox>, Problem> {
    let wrong =
        |_| Problem::BadParameter { name: "isPublic", found: public.clone(), allowed: "true or false" };
    let public = public.parse().map_err(wrong)?;
    let command = Command::SetPublic(Target::Text(id), public);
    Ok(Json(shared.show(&*ask(&shared, &caller, command, None).await?).await))
}

pub(crate) async fn last_activity(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    MaybeBody(_): MaybeBody<Activity>,
) -> Result<(StatusCode, Json<Sandbox>), Problem> {
    let sandbox = ask(&shared, &caller, Command::RefreshActivity(Target::Text(id)), None).await?;
    Ok((StatusCode::CREATED, Json(shared.show(&sandbox).await)))
}

/// An interval that is off and can only be set to that.
async fn only_off(
    shared: &Shared,
    caller: &Caller,
    id: &str,
    minutes: String,
    capability: Capability,
) -> Result<Json<Sandbox>, Problem> {
    let sandbox = caller.find(id)?;
    match whole(minutes)? {
        0 => Ok(Json(shared.show(&sandbox).await)),
        _ => Err(Problem::Unsupported(capability)),
    }
}

fn whole(text: String) -> Result<i64, Problem> {
    text.parse().map_err(|_| Problem::BadParameter {
        name: "interval",
        found: text,
        allowed: "a whole number of minutes",
    })
}
