//! Gives every problem its body. Applied around all routes, because only here the path is known.

use axum::Json;
use axum::extract::{OriginalUri, Request, State};
use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
use crate::shared::Shared;
use crate::wire;

pub(crate) async fn put_on(
    State(shared): State<Shared>,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        // All that axum refuses by itself is a path with bytes that are no text.
        None if response.status().is_client_error() => Problem::BadPath,
        None => return response,
    };
    let answer = problem.answer();
    tracing::debug!(status = answer.status.as_u16(), code = answer.code, path = uri.path(), %problem, "refused");
    let now = shared.engine.clock().now();
    let body = wire::problem::Envelope::of(&problem, uri.path(), now);
    let mut enveloped = (answer.status, Json(body)).into_response();
    if let Some(allowed) = response.headers_mut().remove(ALLOW) {
        enveloped.headers_mut().insert(ALLOW, allowed);
    }
    if let Some(seconds) = answer.retry {
        enveloped.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    enveloped
}
