//! Using a terminal over a WebSocket: what it shows comes as bytes, and what is typed goes as bytes.
//!
//! Beside that the server says in texts that the terminal is connected and how it ended, and the latter once more in its
//! last frame, where clients look that do not ask for the text.

use std::collections::BTreeMap;

use axum::extract::ws::WebSocket;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hourglass_agent::client::{Attached, Error, Listening};
use hourglass_agent::{End, Output, ptys};
use hourglass_engine::Tunnel;
use serde_json::json;

use super::socket::{Ending, MESSAGE_MOST, Mouth, halves};
use super::{agent, failed};
use crate::caller::Caller;
use crate::document::parameter::Parameter;
use crate::parameters::Parameters;
use crate::problem::{Area, Problem};
use crate::shared::Shared;
use crate::wire::tools::pty::Create;

/// The word by which a client says that it understands a text about the end.
const EXIT_CONTROL: &str = "X-Daytona-Pty-Exit-Control";
/// What stands before the variables that a client sends as a word, to keep them out of addresses.
const VARIABLES: &str = "X-Daytona-Pty-Envs~";

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Uses a terminal that is there.
pub(crate) async fn connect(
    State(shared): State<Shared>,
    caller: Caller,
    Path((sandbox, pty)): Path<(String, String)>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| Problem::NotTerminalSocket)?;
    attach(shared, &caller, &sandbox, &pty, &headers, upgrade).await
}

/// What may be said of a terminal that is made and used at once.
pub(crate) fn parameters() -> Vec<Parameter> {
    vec![
        Parameter::text("id", "Its name; one is made up when it is left out."),
        Parameter::whole("cols", 1, Some(ptys::SIDE_MOST.into()), "Columns; 80 unless given."),
        Parameter::whole("rows", 1, Some(ptys::SIDE_MOST.into()), "Rows; 24 unless given."),
        Parameter::text("cwd", "Where its shell begins."),
    ]
}

/// Makes a terminal and uses it.
pub(crate) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    mut parameters: Parameters,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| Problem::NotTerminalSocket)?;
    let side = |text: &str| text.parse().ok().filter(|side| (1..=ptys::SIDE_MOST).contains(side));
    let asked = Create {
        id: parameters.one("id").filter(|id| !id.is_empty()),
        cols: parameters.read("cols", "a whole number, 1 to 1000", side)?,
        rows: parameters.read("rows", "a whole number, 1 to 1000", side)?,
        cwd: parameters.one("cwd"),
        envs: variables(&headers)?,
        lazy_start: None,
    };
    parameters.end()?;
    let made = agent(&shared, &caller, &sandbox).await?.create_pty(asked.into()).await;
    let pty = made.map_err(failed(Area::Processes))?.id;
    attach(shared, &caller, &sandbox, &pty, &headers, upgrade).await
}

async fn attach(
    shared: Shared,
    caller: &Caller,
    sandbox: &str,
    pty: &str,
    headers: &HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let place = shared.gate.connect()?;
    let attached = agent(&shared, caller, sandbox).await?.attach(pty).await;
    let attached = attached.map_err(failed(Area::Processes))?;
    let tells_exit = words(headers).any(|word| word == EXIT_CONTROL);
    let upgrade =
        upgrade.protocols([EXIT_CONTROL]).max_message_size(MESSAGE_MOST).max_frame_size(MESSAGE_MOST);
    Ok(upgrade.on_upgrade(async move |socket| {
        relay(socket, attached, &shared, tells_exit).await;
        drop(place);
    }))
}

/// Relays until the terminal has ended, or the client or the server goes. What is typed waits for whoever reads it, and
/// what is shown does not wait for that.
async fn relay(socket: WebSocket, attached: Attached<Tunnel>, shared: &Shared, tells_exit: bool) {
    let Attached { pty: _, mut keys, mut screen } = attached;
    let (mut mouth, mut ears) = halves(socket, shared.settings.ping);
    let shown = async {
        match show(&mut mouth, &mut screen, tells_exit).await {
            Ok(code) => Ending::normal(json!({ "exitCode": code }).to_string()),
            Err(ending) => ending,
        }
    };
    let typed = async {
        while let Some(typed) = ears.hear().await {
            // A terminal that has ended says so on its screen.
            let _ = keys.write(&typed).await;
        }
    };
    let ending = tokio::select! {
        ending = shown => ending,
        () = typed => Ending::Gone,
        () = shared.gate.closing() => Ending::Away,
    };
    mouth.end(ending, ears).await;
}

/// Shows what a terminal shows, to its end. How it ended.
async fn show(
    mouth: &mut Mouth,
    screen: &mut Listening<Tunnel>,
    tells_exit: bool,
) -> Result<Option<u8>, Ending> {
    mouth.text(json!({ "type": "control", "status": "connected" }).to_string()).await?;
    loop {
        let shown = tokio::select! {
            shown = screen.next() => shown.map_err(|error| Ending::failed(broken(&error)))?,
            () = mouth.ping_due() => {
                mouth.ping().await?;
                continue;
            }
        };
        match shown {
            Some(Output::Stdout(bytes) | Output::Stderr(bytes)) => mouth.bytes(bytes.0).await?,
            Some(Output::Missed(_)) => {}
            Some(Output::Ended(End { code, .. })) => {
                if tells_exit {
                    let exited = json!({ "type": "control", "status": "exited", "exitCode": code });
                    mouth.text(exited.to_string()).await?;
                }
                return Ok(Some(code));
            }
            None => return Ok(None),
        }
    }
}

fn broken(error: &Error) -> String {
    json!({ "error": error.to_string() }).to_string()
}

/// The words of a client's protocols.
fn words(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

fn variables(headers: &HeaderMap) -> Result<Option<BTreeMap<String, String>>, Problem> {
    let Some(encoded) = words(headers).find_map(|word| word.strip_prefix(VARIABLES)) else { return Ok(None) };
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(encoded).ok();
    let variables = decoded.and_then(|json| serde_json::from_slice(&json).ok());
    variables.map(Some).ok_or(Problem::BadVariables)
}
