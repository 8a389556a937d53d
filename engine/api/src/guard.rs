//! What a request passes before its handler: limits on its size, a place, and a time by which it is answered.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::Instant;

use crate::body;
use crate::gate;
use crate::operation::Kind;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::telemetry;

/// The guard of one route: what everybody shares, and what kind of request it takes.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) shared: Shared,
    pub(crate) kind: Kind,
    /// What it is measured under.
    pub(crate) method: &'static str,
    pub(crate) path: Arc<str>,
}

pub(crate) async fn stand(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let response = pass(guard.shared, guard.kind, request, next).await;
    telemetry::answered(guard.method, &guard.path, response.status(), begun.elapsed());
    response
}

async fn pass(shared: Shared, kind: Kind, mut request: Request, next: Next) -> Response {
    if let Err(problem) = measure(&shared, &request) {
        return problem.into_response();
    }
    let place = match shared.gate.enter(kind) {
        Ok(place) => place,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(kind);
    let answered = async {
        match body::taken_in(request, &shared).await {
            Ok(request) => next.run(request).await,
            Err(problem) => problem.into_response(),
        }
    };
    let response = match kind {
        // How long a tool takes is its own affair, and a socket's answer is only its beginning.
        Kind::Tool | Kind::Socket => answered.await,
        Kind::Create | Kind::Change | Kind::Read => {
            match tokio::time::timeout(shared.settings.patience, answered).await {
                Ok(response) => response,
                Err(_) => Problem::TimedOut { after: shared.settings.patience }.into_response(),
            }
        }
    };
    // The envelope replaces the body of a problem, and it is short. What goes on for as long as somebody listens has a
    // place of another kind.
    if response.extensions().get::<Problem>().is_some() || kind == Kind::Socket {
        return response;
    }
    gate::keep(place, response)
}

fn measure(shared: &Shared, request: &Request) -> Result<(), Problem> {
    let settings = &shared.settings;
    let address = request.uri().path_and_query().map_or(0, |text| text.as_str().len());
    if address > settings.url {
        return Err(Problem::UrlTooLong { found: address, most: settings.url });
    }
    let found = headers(request.headers());
    if found > settings.headers {
        return Err(Problem::HeadersTooLong { found, most: settings.headers });
    }
    Ok(())
}

fn headers(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}
