//! The event socket: changes of state are pushed to whoever of an organization listens, once they are durable.
//!
//! It is Socket.IO over a WebSocket, as the public SDK speaks it; there is no long-polling, and nothing is subscribed
//! to: a socket gets all changes of its organization from its connect packet on. What happened before is read by asking.
//! A socket that is too slow is closed rather than waited for.

mod frame;
mod hub;
mod socket;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{State, WebSocketUpgrade};
use axum::response::Response;

use crate::caller::organization as organization_named;
use crate::document::parameter::Parameter;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::shared::Shared;
pub(crate) use hub::Hub;

/// The most bytes a client may send at once; it has little to say.
pub(crate) const PAYLOAD_MOST: usize = 64 * 1024;

/// What a client says when it connects.
pub(crate) fn parameters() -> Vec<Parameter> {
    vec![
        Parameter::one_of("EIO", &["4"], "The version of the transport.").required(),
        Parameter::one_of("transport", &["websocket"], "The transport.").required(),
        Parameter::text("organizationId", "The organization a signed token is used for."),
    ]
}

/// Upgrades to an event socket. Who asks is told by its first packet, not by a header.
pub(crate) async fn connect(
    State(shared): State<Shared>,
    mut parameters: Parameters,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let fits = parameters.one("EIO").as_deref() == Some("4")
        && parameters.one("transport").as_deref() == Some("websocket");
    let organization = parameters.one("organizationId").filter(|text| !text.is_empty());
    let organization = organization.as_deref().map(organization_named).transpose()?;
    // What else clients say about themselves changes nothing.
    let upgrade = upgrade.ok().filter(|_| fits).ok_or(Problem::NotWebSocket)?;
    let upgrade = upgrade.max_message_size(PAYLOAD_MOST).max_frame_size(PAYLOAD_MOST);
    let place = shared.gate.connect()?;
    Ok(upgrade.on_upgrade(move |socket| socket::serve(socket, shared, organization, place)))
}
