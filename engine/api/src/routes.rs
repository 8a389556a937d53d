//! Every path of the API.

mod later;
mod sandboxes;
mod snapshots;
mod table;
mod tools;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Router, middleware};

use crate::operation::{Content, Kind, Operation, Verb};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::{document, envelope, events, feed, health, wire};
use table::Table;

pub(crate) fn all(shared: &Shared) -> Router {
    let table = Table::new(shared);
    let table = sandboxes::add(table);
    let table = snapshots::add(table);
    let table = later::add(table);
    let table = tools::add(table);
    let table = feed(table);
    let table = open(table);
    let (router, operations) = table.end();
    let document = axum::body::Bytes::from(document::of(&shared.settings, &operations).to_string());
    router
        .route(
            "/openapi.json",
            get(async || ([(CONTENT_TYPE, "application/json")], document).into_response()),
        )
        .fallback(later::elsewhere)
        .method_not_allowed_fallback(async || Problem::WrongMethod)
        .layer(axum::extract::DefaultBodyLimit::max(shared.settings.body))
        .layer(middleware::from_fn_with_state(Shared::clone(shared), envelope::put_on))
        .with_state(Shared::clone(shared))
}

/// What the contract has not.
fn feed(table: Table) -> Table {
    let lines = Content { media: feed::LINES, ..Content::json::<wire::record::Line>() };
    let read = Operation::new(Kind::Socket, Verb::Get, "/events", "Read what happened, one record a line")
        .query(feed::parameters())
        .answers(200, lines)
        .refuses(&[404]);
    table.on(read, feed::read)
}

/// What asks for no key, or finds out by itself who asks.
fn open(table: Table) -> Table {
    let health = Operation::open(Verb::Get, "/health", "Whether the process lives")
        .answers(200, Content::json::<health::Health>());
    let ready = Operation::open(Verb::Get, "/ready", "Whether the engine decides")
        .answers(200, Content::json::<health::Health>())
        .refuses(&[503]);
    // The contract's name for it.
    let known = Operation { path: "/health/ready".to_owned(), ..ready.clone() };
    let socket = Operation::open(
        Verb::Get,
        "/socket.io/",
        "Changes of state as they happen: Socket.IO over a WebSocket, the key in its first packet",
    )
    .query(events::parameters())
    .answers(101, None)
    .refuses(&[400, 414, 431, 503]);
    table
        .on(health, health::health)
        .on(ready, health::ready)
        .on(known, health::ready)
        .on(socket, events::connect)
}
