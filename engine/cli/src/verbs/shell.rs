//! `hourglass shell`: a terminal in a sandbox, on this one.

mod raw;

use std::process::ExitCode;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Bytes, Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use ureq::http::Method;
use uuid::Uuid;

use super::{COULD_NOT, tool};
use crate::paint;
use crate::remote::{Api, Ask, Remote, Sandbox, query};
use raw::Raw;

/// The word by which a client says that it wants to be told how the shell ended.
const EXIT_CONTROL: &str = "X-Daytona-Pty-Exit-Control";
/// What Ctrl-D sends: nothing more is typed.
const END_OF_INPUT: &[u8] = &[4];

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id or name.
    sandbox: String,
    /// Where the shell begins, unless in the work directory.
    #[arg(long, value_name = "DIR")]
    cwd: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let code = open(arguments).unwrap_or_else(|error| {
        paint::problem(&error);
        COULD_NOT
    });
    code.into()
}

fn open(arguments: &Arguments) -> anyhow::Result<u8> {
    let api = arguments.remote.open()?;
    // Asked for first, because a refused socket says less of why.
    let sandbox = Sandbox::find(&api, &arguments.sandbox)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(async {
        let pty = format!("shell-{}", Uuid::new_v4().simple());
        let socket = connect(&api, &sandbox.view.id, &pty, arguments.cwd.as_deref()).await?;
        let raw = Raw::begin();
        let ended = Session { api, sandbox: sandbox.view.id, pty }.relay(socket).await;
        drop(raw);
        ended
    });
    // Whoever still reads what is typed waits for a key that is not for it.
    runtime.shutdown_background();
    ended
}

async fn connect(api: &Api, sandbox: &str, pty: &str, cwd: Option<&str>) -> anyhow::Result<Socket> {
    let (cols, rows) = raw::size();
    let (cols, rows) = (cols.to_string(), rows.to_string());
    let asked = [("id", Some(pty)), ("cols", Some(&cols)), ("rows", Some(&rows)), ("cwd", cwd)];
    let asked = asked.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let path = tool(sandbox, &format!("process/pty/create-connect{}", query(asked)));
    let base = api.base.replacen("http", "ws", 1);
    let mut request = format!("{base}{path}").into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("Authorization", HeaderValue::from_str(&format!("Bearer {}", api.key))?);
    headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_static(EXIT_CONTROL));
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(SocketError::Http(answer)) => {
            let told: Option<Value> =
                answer.body().as_deref().and_then(|body| serde_json::from_slice(body).ok());
            let message = told.as_ref().and_then(|told| told["message"].as_str());
            anyhow::bail!(message.map_or_else(|| format!("refused with {}", answer.status()), str::to_owned))
        }
        Err(error) => Err(error).context("the terminal could not be opened"),
    }
}

/// One terminal in a sandbox.
struct Session {
    api: Api,
    sandbox: String,
    pty: String,
}

impl Session {
    /// Carry what is typed there and what is shown here, until the shell ends. How it ended.
    async fn relay(&self, socket: Socket) -> anyhow::Result<u8> {
        let (mut keys, mut screen) = socket.split();
        let (mut typed, mut shown) = (tokio::io::stdin(), tokio::io::stdout());
        let mut resized = signal(SignalKind::window_change())?;
        let mut buffer = vec![0; 16 * 1024];
        let mut input = Input::Open;
        let mut code = None;
        loop {
            tokio::select! {
                read = typed.read(&mut buffer), if input == Input::Open => {
                    let read = read?;
                    let bytes = if read == 0 { END_OF_INPUT } else { &buffer[..read] };
                    if read == 0 {
                        input = Input::Ended;
                    }
                    let sent = keys.send(Message::Binary(Bytes::copy_from_slice(bytes))).await;
                    sent.or_else(|error| passed_over(code, error).map(|_| ()))?;
                }
                message = screen.next() => match message.transpose().or_else(|error| passed_over(code, error))? {
                    Some(Message::Binary(bytes)) => {
                        shown.write_all(&bytes).await?;
                        shown.flush().await?;
                    }
                    Some(Message::Text(text)) => code = exit_code(&text).or(code),
                    Some(Message::Close(frame)) => {
                        let reason = frame.map(|frame| frame.reason.to_string()).unwrap_or_default();
                        code = code.or_else(|| exit_code(&reason));
                        break;
                    }
                    // The library answers pings by itself.
                    Some(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                    None => break,
                },
                _ = resized.recv() => self.resize(),
            }
        }
        code.context("the connection broke off; the shell may go on without anybody")
    }

    /// Tell the terminal there the size of this one. Nothing depends on when that is done, or whether.
    fn resize(&self) {
        let (cols, rows) = raw::size();
        let path = tool(&self.sandbox, &format!("process/pty/{}/resize", self.pty));
        let api = self.api.clone();
        tokio::task::spawn_blocking(move || {
            let told = api.tell(Ask::new(Method::POST, path), Some(&json!({ "cols": cols, "rows": rows })));
            if let Err(error) = told {
                tracing::debug!(%error, "the terminal was not resized");
            }
        });
    }
}

/// Nothing, for a connection that breaks off when all is said.
fn passed_over(code: Option<u8>, error: SocketError) -> Result<Option<Message>, SocketError> {
    code.map(|_| None).ok_or(error)
}

/// Whether more may be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
}

/// How the shell ended, if `text` says so.
fn exit_code(text: &str) -> Option<u8> {
    let told: Value = serde_json::from_str(text).ok()?;
    u8::try_from(told.get("exitCode")?.as_u64()?).ok()
}
