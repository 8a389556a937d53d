//! What a command of a session writes: so far, or as it comes.
//!
//! As it comes it is pushed over a WebSocket, each piece behind three bytes that say which stream it is of; without a
//! WebSocket it is a body of plain text that ends with the command.

use std::io;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::ws::WebSocket;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hourglass_agent::Output;
use hourglass_agent::client::Listening;
use hourglass_engine::Tunnel;

use super::socket::{Ending, MESSAGE_MOST, Mouth, halves};
use super::{agent, failed};
use crate::caller::Caller;
use crate::parameters::Parameters;
use crate::problem::{Area, Problem};
use crate::shared::Shared;
use crate::wire::tools::session::Logs;

const STDOUT: [u8; 3] = [1; 3];
const STDERR: [u8; 3] = [2; 3];

pub(crate) async fn logs(
    State(shared): State<Shared>,
    caller: Caller,
    Path((sandbox, session, command)): Path<(String, String, String)>,
    mut parameters: Parameters,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let follow = parameters.read("follow", "true or false", |text| text.parse().ok())?.unwrap_or(false);
    parameters.end()?;
    let agent = agent(&shared, &caller, &sandbox).await?;
    if !follow {
        let logs = agent.logs(&session, &command).await.map_err(failed(Area::Processes))?;
        return Ok(Json(Logs::from(&logs)).into_response());
    }
    let listening = agent.follow(&session, &command).await.map_err(failed(Area::Processes))?;
    let Ok(upgrade) = upgrade else { return Ok(plain(listening)) };
    let place = shared.gate.connect()?;
    let upgrade = upgrade.max_message_size(MESSAGE_MOST).max_frame_size(MESSAGE_MOST);
    Ok(upgrade.on_upgrade(async move |socket| {
        push(socket, listening, &shared).await;
        drop(place);
    }))
}

/// Pushes until the command has ended, or the client or the server goes.
async fn push(socket: WebSocket, mut listening: Listening<Tunnel>, shared: &Shared) {
    let (mut mouth, mut ears) = halves(socket, shared.settings.ping);
    let told = async {
        match tell(&mut mouth, &mut listening).await {
            Ok(()) => Ending::normal(""),
            Err(ending) => ending,
        }
    };
    // Clients have nothing to say; that they are gone is heard here.
    let heard = async { while ears.hear().await.is_some() {} };
    let ending = tokio::select! {
        ending = told => ending,
        () = heard => Ending::Gone,
        () = shared.gate.closing() => Ending::Away,
    };
    mouth.end(ending, ears).await;
}

async fn tell(mouth: &mut Mouth, listening: &mut Listening<Tunnel>) -> Result<(), Ending> {
    loop {
        let said = tokio::select! {
            said = listening.next() => said.map_err(|error| Ending::failed(error.to_string()))?,
            () = mouth.ping_due() => {
                mouth.ping().await?;
                continue;
            }
        };
        match said {
            Some(Output::Stdout(bytes)) => mouth.bytes([&STDOUT, bytes.0.as_slice()].concat()).await?,
            Some(Output::Stderr(bytes)) => mouth.bytes([&STDERR, bytes.0.as_slice()].concat()).await?,
            Some(Output::Missed(_)) => {}
            Some(Output::Ended(_)) | None => return Ok(()),
        }
    }
}

fn plain(listening: Listening<Tunnel>) -> Response {
    let pieces = stream::unfold(listening, async |mut listening| {
        loop {
            match listening.next().await {
                Ok(Some(Output::Stdout(bytes) | Output::Stderr(bytes))) => {
                    return Some((Ok(Bytes::from(bytes.0)), listening));
                }
                Ok(Some(Output::Missed(_))) => {}
                Ok(Some(Output::Ended(_)) | None) => return None,
                Err(error) => return Some((Err(io::Error::other(error)), listening)),
            }
        }
    });
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], Body::from_stream(pieces)).into_response()
}
