//! Contents of many files at once, as forms: each file is a part.
//!
//! A file that cannot be read or written does not keep the others from it.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::{Body as Stream, Bytes};
use axum::extract::{Multipart, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{agent, failed, transfer};
use crate::body::Body;
use crate::caller::Caller;
use crate::form;
use crate::problem::{Area, Problem};
use crate::shared::{Inner, Shared};
use crate::wire::problem::Envelope;
use crate::wire::tools::file::{Download, UploadedAll, Written};

/// The most files of one request.
pub(crate) const FILES_MOST: usize = 1_000;
/// The longest path in a form.
const PATH_MOST: usize = 4_096;
/// How many pieces may wait for whoever reads them.
const PIECES: usize = 4;

pub(crate) async fn download(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    Body(Download { paths }): Body<Download>,
) -> Result<Response, Problem> {
    if paths.len() > FILES_MOST {
        return Err(Problem::TooManyFiles { found: paths.len(), most: FILES_MOST });
    }
    // Whether it runs is found out before the answer begins.
    drop(agent(&shared, &caller, &sandbox).await?);
    let boundary = Uuid::new_v4().simple().to_string();
    let (to, mut from) = mpsc::channel(PIECES);
    let content_type = format!("multipart/form-data; boundary={boundary}");
    tokio::spawn(async move {
        for path in &paths {
            if send(&shared, &caller, &sandbox, path, &boundary, &to).await.is_none() {
                return;
            }
        }
        let _ = to.send(Ok(Bytes::from(format!("--{boundary}--\r\n")))).await;
    });
    let pieces = stream::poll_fn(move |context| from.poll_recv(context));
    Ok(([(CONTENT_TYPE, content_type)], Stream::from_stream(pieces)).into_response())
}

type Piece = Result<Bytes, std::io::Error>;

/// Sends one file, or why it cannot be read. None once nobody listens, or when a file broke off.
async fn send(
    shared: &Inner,
    caller: &Caller,
    sandbox: &str,
    path: &str,
    boundary: &str,
    to: &mpsc::Sender<Piece>,
) -> Option<()> {
    let opened = async {
        let agent = agent(shared, caller, sandbox).await?;
        agent.read(path).await.map_err(failed(Area::Files))
    };
    let mut download = match opened.await {
        Ok(download) => download,
        Err(problem) => return refuse(shared, path, boundary, &problem, to).await,
    };
    let head = form::head(boundary, "file", path, "application/octet-stream");
    to.send(Ok(Bytes::from(head))).await.ok()?;
    loop {
        match download.next().await {
            Ok(Some(bytes)) => to.send(Ok(Bytes::from(bytes))).await.ok()?,
            Ok(None) => return to.send(Ok(Bytes::from_static(b"\r\n"))).await.ok(),
            Err(error) => {
                let _ = to.send(Err(std::io::Error::other(error))).await;
                return None;
            }
        }
    }
}

async fn refuse(
    shared: &Inner,
    path: &str,
    boundary: &str,
    problem: &Problem,
    to: &mpsc::Sender<Piece>,
) -> Option<()> {
    let envelope = Envelope::of(problem, path, shared.engine.clock().now());
    let head = form::head(boundary, "error", path, "application/json");
    let body = serde_json::to_string(&envelope).unwrap_or_default();
    to.send(Ok(Bytes::from(format!("{head}{body}\r\n")))).await.ok()
}

pub(crate) async fn upload(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Json<UploadedAll>, Problem> {
    let mut form = form.map_err(|_| Problem::NoForm)?;
    drop(agent(&shared, &caller, &sandbox).await?);
    let (mut paths, mut files, mut errors) = (BTreeMap::new(), Vec::new(), Vec::new());
    while let Some(mut field) = form::next(&mut form, &shared).await? {
        let Some((index, part)) = field.name().and_then(part) else { continue };
        if paths.len() > FILES_MOST || files.len() + errors.len() >= FILES_MOST {
            return Err(Problem::TooManyFiles { found: FILES_MOST + 1, most: FILES_MOST });
        }
        match part {
            Part::Path => {
                paths.insert(index, form::text(&mut field, &shared, PATH_MOST).await?);
            }
            Part::File => {
                let Some(path) = paths.remove(&index) else {
                    errors.push(format!("files[{index}].path must stand before files[{index}].file"));
                    continue;
                };
                match transfer::write(&shared, &caller, &sandbox, &path, &mut field).await {
                    Ok(bytes) => files.push(Written { path, bytes }),
                    Err(problem) if problem.is_inside() => errors.push(format!("{path}: {problem}")),
                    Err(problem) => return Err(problem),
                }
            }
        }
    }
    errors.extend(paths.into_values().map(|path| format!("{path}: its file is missing")));
    match errors.is_empty() {
        true => Ok(Json(UploadedAll { files })),
        false => Err(Problem::NotUploaded { errors }),
    }
}

/// Which half of a file a part of the form is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    File,
}

/// `files[3].path` is the path of the third file, and `files[3].file` the file.
fn part(name: &str) -> Option<(u32, Part)> {
    let (index, part) = name.strip_prefix("files[")?.split_once("].")?;
    let part = match part {
        "path" => Part::Path,
        "file" => Part::File,
        _ => return None,
    };
    Some((index.parse().ok()?, part))
}
