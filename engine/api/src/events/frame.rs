//! The packets of the event socket: a digit of the transport, a digit of the protocol above it, and JSON.

use std::time::Duration;

use hourglass_events::{Sandbox, State, Values};
use serde::{Deserialize, Serialize};

use super::PAYLOAD_MOST;
use crate::settings::Settings;
use crate::wire;

/// Asks whether the other end is there.
pub(super) const PING: &str = "2";
/// Says so.
pub(super) const PONG: &str = "3";
/// The transport is closed.
pub(super) const CLOSE: &str = "1";
/// The client leaves.
pub(super) const DISCONNECT: &str = "41";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Open<'a> {
    sid: &'a str,
    upgrades: [&'a str; 0],
    ping_interval: u128,
    ping_timeout: u128,
    max_payload: usize,
}

#[derive(Serialize)]
struct Connected<'a> {
    sid: &'a str,
}

#[derive(Serialize)]
struct Refused<'a> {
    message: &'a str,
}

#[derive(Deserialize)]
struct Connect {
    token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    sandbox: wire::sandbox::Sandbox,
    old_state: &'static str,
    new_state: &'static str,
}

/// The server's first packet.
pub(super) fn open(sid: &str, interval: Duration, timeout: Duration) -> String {
    let open = Open {
        sid,
        upgrades: [],
        ping_interval: interval.as_millis(),
        ping_timeout: timeout.as_millis(),
        max_payload: PAYLOAD_MOST,
    };
    packet("0", &open)
}

/// The token in a client's connect packet.
pub(super) fn token(text: &str) -> Option<String> {
    let Connect { token } = serde_json::from_str(text.strip_prefix("40")?).ok()?;
    Some(token)
}

/// The answer to a connect packet.
pub(super) fn connected(sid: &str) -> String {
    packet("40", &Connected { sid })
}

/// The answer to a connect packet of somebody unknown.
pub(super) fn refused(message: &str) -> String {
    packet("44", &Refused { message })
}

/// Says that `sandbox` came from `old` to where it is.
pub(super) fn changed(sandbox: &Sandbox, old: State, values: &Values, settings: &Settings) -> String {
    let changed = Changed {
        sandbox: wire::sandbox::Sandbox::of(sandbox, values, settings),
        old_state: wire::state::name(old),
        new_state: wire::state::name(sandbox.state),
    };
    packet("42", &("sandbox.state.updated", changed))
}

/// Says that `sandbox` came to be, whole: clients replace what they know of it.
pub(super) fn created(sandbox: &Sandbox, values: &Values, settings: &Settings) -> String {
    packet("42", &("sandbox.created", wire::sandbox::Sandbox::of(sandbox, values, settings)))
}

fn packet(kind: &str, body: &impl Serialize) -> String {
    // Texts and numbers always have a JSON form.
    format!("{kind}{}", serde_json::to_string(body).unwrap_or_default())
}
