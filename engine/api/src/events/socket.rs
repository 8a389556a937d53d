//! One event socket: handshake, pushes, and asking whether the client is still there.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use hourglass_events::OrganizationId;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, interval_at, timeout};
use uuid::Uuid;

use super::frame;
use crate::auth::{Credentials, Unauthenticated};
use crate::shared::Shared;

/// How long a client may take to say who it is, to answer a ping, or to take a packet.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a socket is told when the server goes down.
const AWAY: &str = "the server is going down";

/// Serves a socket until either end has enough.
pub(super) async fn serve(
    mut socket: WebSocket,
    shared: Shared,
    named: Option<OrganizationId>,
    place: OwnedSemaphorePermit,
) {
    let served = async {
        let organization = greet(&mut socket, &shared, named).await?;
        push(&mut socket, &shared, organization).await
    };
    let frame = tokio::select! {
        _ = served => None,
        () = shared.gate.closing() => Some(CloseFrame { code: close_code::AWAY, reason: AWAY.into() }),
    };
    // It may be closed already, or its client gone.
    let _ = timeout(PATIENCE, socket.send(Message::Close(frame))).await;
    drop(place);
}

/// The handshake. Whoever is not known is told so and let go.
async fn greet(
    socket: &mut WebSocket,
    shared: &Shared,
    named: Option<OrganizationId>,
) -> Option<OrganizationId> {
    let sid = Uuid::new_v4().simple().to_string();
    say(socket, frame::open(&sid, shared.settings.ping, PATIENCE)).await?;
    let packet = timeout(PATIENCE, hear(socket)).await.ok()??;
    let principal = match frame::token(&packet) {
        Some(token) => {
            let credentials = Credentials { token: &token, organization: named };
            shared.authentication.authenticate(credentials).await
        }
        None => Err(Unauthenticated::Unknown),
    };
    match principal {
        Ok(principal) => Some(principal.organization),
        Err(error) => {
            say(socket, frame::refused(&error.to_string())).await?;
            None
        }
    }
}

async fn push(socket: &mut WebSocket, shared: &Shared, organization: OrganizationId) -> Option<()> {
    // Listening begins before the client is told that it has.
    let mut changes = shared.hub.listen(organization);
    let sid = Uuid::new_v4().simple().to_string();
    say(socket, frame::connected(&sid)).await?;
    let mut pings = interval_at(Instant::now() + shared.settings.ping, shared.settings.ping);
    let mut answered = true;
    loop {
        tokio::select! {
            change = changes.recv() => {
                // A socket that has fallen behind is closed by this, and so is one whose shard cannot be followed.
                let change = change.ok()?;
                if change.organization == organization {
                    say(socket, change.packet).await?;
                }
            }
            packet = hear(socket) => match packet?.as_str() {
                frame::PONG => answered = true,
                frame::PING => say(socket, frame::PONG.to_owned()).await?,
                frame::CLOSE | frame::DISCONNECT => return None,
                // Clients have nothing else to say that would be understood.
                _ => {}
            },
            _ = pings.tick() => {
                if !answered {
                    return None;
                }
                answered = false;
                say(socket, frame::PING.to_owned()).await?;
            }
        }
    }
}

async fn say(socket: &mut WebSocket, packet: impl Into<Utf8Bytes>) -> Option<()> {
    timeout(PATIENCE, socket.send(Message::Text(packet.into()))).await.ok()?.ok()
}

/// The next packet; none once the socket is closed.
async fn hear(socket: &mut WebSocket) -> Option<Utf8Bytes> {
    loop {
        match socket.recv().await?.ok()? {
            Message::Text(packet) => return Some(packet),
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => return None,
        }
    }
}
