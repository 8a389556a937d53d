//! Contents of single files, in and out.

use std::io;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Multipart, Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hourglass_agent::client::Upload;
use hourglass_engine::Tunnel;

use super::{agent, failed};
use crate::caller::Caller;
use crate::form;
use crate::parameters::Parameters;
use crate::problem::{Area, Problem};
use crate::shared::{Inner, Shared};
use crate::wire::tools::file::Uploaded;

/// The bytes of a file. One that breaks off is cut short without its last chunk, so that it is not taken for whole.
pub(crate) async fn download(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let path = parameters.needed("path")?;
    parameters.end()?;
    let agent = agent(&shared, &caller, &sandbox).await?;
    let download = agent.read(&path).await.map_err(failed(Area::Files))?;
    let disposition = format!("attachment; {}", form::file_name(&download.info.name));
    let pieces = stream::unfold(download, async |mut download| match download.next().await {
        Ok(Some(bytes)) => Some((Ok(Bytes::from(bytes)), download)),
        Ok(None) => None,
        Err(error) => Some((Err(io::Error::other(error)), download)),
    });
    let headers = [(CONTENT_TYPE, "application/octet-stream".to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// A form with the file in a part of it.
pub(crate) async fn upload(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Json<Uploaded>, Problem> {
    let path = parameters.needed("path")?;
    parameters.end()?;
    let mut form = form.map_err(|_| Problem::NoForm)?;
    while let Some(mut field) = form::next(&mut form, &shared).await? {
        if field.name() == Some("file") {
            write(&shared, &caller, &sandbox, &path, &mut field).await?;
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            return Ok(Json(Uploaded { name, path, r#type: "file" }));
        }
    }
    Err(Problem::MissingPart { name: "file" })
}

/// Writes a part of a form to `path`, piece by piece. The number of its bytes.
pub(super) async fn write(
    shared: &Inner,
    caller: &Caller,
    sandbox: &str,
    path: &str,
    field: &mut axum::extract::multipart::Field<'_>,
) -> Result<u64, Problem> {
    let agent = agent(shared, caller, sandbox).await?;
    let mut upload: Upload<Tunnel> = agent.write(path, None, true).await.map_err(failed(Area::Files))?;
    while let Some(bytes) = form::chunk(field, shared).await? {
        upload.write(&bytes).await.map_err(failed(Area::Files))?;
    }
    upload.finish().await.map_err(failed(Area::Files))
}
