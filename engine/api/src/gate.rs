//! How much is in hand at once, and the way to an end of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::operation::Kind;
use crate::problem::Problem;
use crate::settings::Settings;

#[derive(Debug)]
pub(crate) struct Gate {
    requests: Arc<Semaphore>,
    tools: Arc<Semaphore>,
    sockets: Arc<Semaphore>,
    most_requests: u32,
    most_tools: u32,
    most_sockets: u32,
    closing: watch::Sender<bool>,
}

impl Gate {
    pub(crate) fn new(settings: &Settings) -> Self {
        let permits = |most: u32| Arc::new(Semaphore::new(most as usize));
        Self {
            requests: permits(settings.requests),
            tools: permits(settings.tools),
            sockets: permits(settings.sockets),
            most_requests: settings.requests,
            most_tools: settings.tools,
            most_sockets: settings.sockets,
            closing: watch::Sender::new(false),
        }
    }

    /// A place for one request, which it keeps until it is answered whole.
    pub(crate) fn enter(&self, kind: Kind) -> Result<OwnedSemaphorePermit, Problem> {
        if self.is_closing() {
            return Err(Problem::Closing);
        }
        let (places, what, most) = match kind {
            Kind::Create | Kind::Change | Kind::Read | Kind::Socket => {
                (&self.requests, "requests", self.most_requests)
            }
            Kind::Tool => (&self.tools, kind.plural(), self.most_tools),
        };
        Arc::clone(places).try_acquire_owned().map_err(|_| Problem::Busy { what, most })
    }

    /// A place for one socket, which it keeps until it is closed.
    pub(crate) fn connect(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let place = Arc::clone(&self.sockets).try_acquire_owned();
        place.map_err(|_| Problem::Busy { what: "sockets", most: self.most_sockets })
    }

    pub(crate) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Resolves once nothing more is to be begun.
    pub(crate) async fn closing(&self) {
        // The sender is this gate's own, so waiting only ends with the value.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Lets nobody in any more and waits until everybody is out, at most this long. Whether everybody is.
    pub(crate) async fn drain(&self, patience: Duration) -> bool {
        self.closing.send_replace(true);
        let out = async {
            let _ = self.requests.acquire_many(self.most_requests).await;
            let _ = self.tools.acquire_many(self.most_tools).await;
            let _ = self.sockets.acquire_many(self.most_sockets).await;
        };
        tokio::time::timeout(patience, out).await.is_ok()
    }
}

/// `response`, which keeps `place` until its body is sent or nobody reads it any more.
pub(crate) fn keep(place: OwnedSemaphorePermit, response: Response) -> Response {
    response.map(|body| Body::new(Placed { body, _place: place }))
}

struct Placed {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl http_body::Body for Placed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
