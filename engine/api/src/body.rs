//! Bodies, read strictly: a field that is unknown or of another type is refused with its name.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use http_body::Body as _;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::shared::Shared;

/// A JSON body. The content type is not looked at.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Problem> {
        read(&whole(request, shared).await?).map(Self)
    }
}

/// A JSON body, or none.
#[derive(Debug)]
pub(crate) struct MaybeBody<T>(pub(crate) Option<T>);

impl<T: DeserializeOwned> FromRequest<Shared> for MaybeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Problem> {
        let bytes = whole(request, shared).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        read(&bytes).map(Some).map(Self)
    }
}

/// `request` with its body read, unless that is a form, whose parts are read as they come. A connection on which an answer
/// overtook a body is closed, and a client that had put it aside for its next request would find that lost.
pub(crate) async fn taken_in(request: Request, shared: &Shared) -> Result<Request, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if request.body().is_end_stream() || kind.is_some_and(|kind| kind.starts_with(b"multipart/")) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let bytes = whole(Request::from_parts(parts.clone(), body), shared).await?;
    Ok(Request::from_parts(parts, bytes.into()))
}

/// All of a body, which may not take longer to come than a request may.
async fn whole(request: Request, shared: &Shared) -> Result<Bytes, Problem> {
    let patience = shared.settings.patience;
    let come = tokio::time::timeout(patience, Bytes::from_request(request, shared)).await;
    come.map_err(|_| Problem::Stalled { after: patience })?.map_err(|rejection| {
        match rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            true => Problem::BodyTooLarge { most: shared.settings.body },
            false => Problem::BadBody { place: ".".to_owned(), found: "it ended early".to_owned() },
        }
    })
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| Problem::BadBody {
        place: error.path().to_string(),
        found: error.into_inner().to_string(),
    })?;
    match reader.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(Problem::BadBody { place: ".".to_owned(), found: error.to_string() }),
    }
}
