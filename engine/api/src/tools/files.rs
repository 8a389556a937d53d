//! Files, without their contents: what there is, where, and whose.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hourglass_agent::files::REPLACED_FILES_MOST;

use super::{agent, failed};
use crate::body::Body;
use crate::caller::Caller;
use crate::document::parameter::Parameter;
use crate::parameters::Parameters;
use crate::problem::{Area, Problem};
use crate::shared::Shared;
use crate::wire::tools::file::{Found, Info, Match, Replace, Replaced};

/// The deepest a listing goes.
const DEPTH_MOST: u32 = 100;

/// The parameter of everything that is about one file.
pub(crate) fn path() -> Parameter {
    Parameter::text(
        "path",
        "The file or directory; what does not begin with / leads from the work directory.",
    )
}

pub(crate) fn depth() -> Parameter {
    Parameter::whole("depth", 1, Some(DEPTH_MOST.into()), "How many levels deep; 1 unless given.")
}

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
) -> Result<Json<Vec<Info>>, Problem> {
    let path = parameters.one("path").filter(|path| !path.is_empty()).unwrap_or_else(|| ".".to_owned());
    let some = |text: &str| text.parse().ok().filter(|depth| (1..=DEPTH_MOST).contains(depth));
    let depth = parameters.read("depth", "a whole number, 1 to 100", some)?.unwrap_or(1);
    parameters.end()?;
    let agent = agent(&shared, &caller, &sandbox).await?;
    let infos = agent.list(&path, depth).await.map_err(failed(Area::Files))?;
    Ok(Json(infos.into_iter().map(Info::from).collect()))
}

pub(crate) async fn info(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
) -> Result<Json<Info>, Problem> {
    let path = parameters.needed("path")?;
    parameters.end()?;
    let agent = agent(&shared, &caller, &sandbox).await?;
    Ok(Json(agent.info(&path).await.map_err(failed(Area::Files))?.into()))
}

pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
) -> Result<StatusCode, Problem> {
    let path = parameters.needed("path")?;
    let recursive = parameters.read("recursive", "true or false", |text| text.parse().ok())?;
    parameters.end()?;
    let agent = agent(&shared, &caller, &sandbox).await?;
    agent.delete(&path, recursive.unwrap_or(false)).await.map_err(failed(Area::Files))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn make_folder(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
) -> Result<StatusCode, Problem> {
    let path = parameters.needed("path")?;
    let mode = mode(&mut parameters)?;
    parameters.end()?;
    let agent = agent(&shared, &caller, &sandbox).await?;
    agent.make_folder(&path, mode).await.map_err(failed(Area::Files))?;
    Ok(StatusCode::CREATED)
}

pub(crate) async fn rename(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
) -> Result<StatusCode, Problem> {
    let (from, to) = (parameters.needed("source")?, parameters.needed("destination")?);
    parameters.end()?;
    let agent = agent(&shared, &caller, &sandbox).await?;
    agent.rename(&from, &to).await.map_err(failed(Area::Files))?;
    Ok(StatusCode::OK)
}

pub(crate) async fn set_permissions(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
) -> Result<StatusCode, Problem> {
    let path = parameters.needed("path")?;
    let mode = mode(&mut parameters)?;
    let mut named = |name| parameters.one(name).filter(|name| !name.is_empty());
    let (owner, group) = (named("owner"), named("group"));
    parameters.end()?;
    let agent = agent(&shared, &caller, &sandbox).await?;
    agent.set_permissions(&path, mode, owner, group).await.map_err(failed(Area::Files))?;
    Ok(StatusCode::OK)
}

pub(crate) async fn find(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
) -> Result<Json<Vec<Match>>, Problem> {
    let (path, text) = (parameters.needed("path")?, parameters.needed("pattern")?);
    parameters.end()?;
    let agent = agent(&shared, &caller, &sandbox).await?;
    let matches = agent.find(&path, &text).await.map_err(failed(Area::Files))?;
    Ok(Json(matches.into_iter().map(Match::from).collect()))
}

pub(crate) async fn search(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
) -> Result<Json<Found>, Problem> {
    let (path, pattern) = (parameters.needed("path")?, parameters.needed("pattern")?);
    parameters.end()?;
    let agent = agent(&shared, &caller, &sandbox).await?;
    Ok(Json(Found { files: agent.search(&path, &pattern).await.map_err(failed(Area::Files))? }))
}

pub(crate) async fn replace(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    Body(Replace { files, pattern, new_value }): Body<Replace>,
) -> Result<Json<Vec<Replaced>>, Problem> {
    if pattern.is_empty() {
        return Err(Problem::Empty("pattern"));
    }
    if files.len() > REPLACED_FILES_MOST {
        return Err(Problem::TooManyFiles { found: files.len(), most: REPLACED_FILES_MOST });
    }
    let agent = agent(&shared, &caller, &sandbox).await?;
    let replaced = agent.replace(files, &pattern, &new_value).await.map_err(failed(Area::Files))?;
    Ok(Json(replaced.into_iter().map(Replaced::from).collect()))
}

/// Permissions as people write them.
fn mode(parameters: &mut Parameters) -> Result<Option<u32>, Problem> {
    let octal = |text: &str| {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let octal = !digits.is_empty() && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        u32::from_str_radix(digits, 8).ok().filter(|mode| octal && *mode <= 0o7777)
    };
    parameters.read("mode", "permissions in octal, such as 755", octal)
}
