//! The API of an `up`, here or elsewhere, for the verbs that ask it something.
//!
//! Blocking, one request at a time; what streams is read as it comes.

mod address;
mod failure;
mod sandbox;

use std::io::Read;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body, SendBody};

use crate::Data;
pub(crate) use address::{query, segment};
pub(crate) use failure::{EXIT_CODES, Failure};
pub(crate) use sandbox::{Sandbox, table};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take that is not the work of a sandbox.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often a request that changes nothing is repeated when it is turned away for now.
const REPEATS: usize = 3;
/// The longest wait before such a repeat.
const WAIT_MOST: u64 = 10;
/// The most bytes of an answer that is read as a whole.
const ANSWER_MOST: u64 = 64 * 1024 * 1024;

/// Which API is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Remote {
    /// Where the API is, as in http://localhost:3000/api. Unless given, where the `up` of the data directory is.
    #[arg(long, env = "HOURGLASS_API_URL", value_name = "URL")]
    api: Option<String>,
    /// The key to it. Unless given, that of the data directory's `up`.
    #[arg(long, env = "HOURGLASS_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: Option<String>,
    #[command(flatten)]
    data: Data,
}

/// How an answer is shown.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Format {
    /// JSON as the API gave it, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Remote {
    /// The API that is meant.
    pub(crate) fn open(&self) -> anyhow::Result<Api> {
        let (base, key) = address::find(&self.data.data, self.api.as_deref(), self.api_key.as_deref())?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("hourglass/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Api { agent: config.into(), base, key })
    }
}

/// One API and the key to it.
#[derive(Clone)]
pub(crate) struct Api {
    agent: Agent,
    pub(crate) base: String,
    pub(crate) key: String,
}

/// One request.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// Below the API's address, with its query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'a str, String)>,
    /// How long the answer may take, to its end.
    pub(crate) patience: Option<Duration>,
    /// How long nothing may come of an answer that has begun.
    pub(crate) silence: Option<Duration>,
}

impl Ask<'_> {
    pub(crate) const fn new(method: Method, path: String) -> Self {
        Self { method, path, headers: Vec::new(), patience: Some(PATIENCE), silence: None }
    }
}

impl Api {
    /// Read `path`, again if it is turned away for now.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let mut repeats = 0..REPEATS;
        loop {
            match self.send(Ask::new(Method::GET, path.to_owned()), None) {
                Err(Failure::Later { wait, .. }) if repeats.next().is_some() => {
                    std::thread::sleep(Duration::from_secs(wait.min(WAIT_MOST)));
                }
                answered => return self.whole(answered?),
            }
        }
    }

    /// Ask for a change, with a body or without.
    pub(crate) fn ask<T: DeserializeOwned>(&self, ask: Ask<'_>, body: Option<&Value>) -> Result<T, Failure> {
        let answered = self.send(ask, body.map(|body| Content::Json(body.to_string())))?;
        self.whole(answered)
    }

    /// The same without looking at the answer.
    pub(crate) fn tell(&self, ask: Ask<'_>, body: Option<&Value>) -> Result<(), Failure> {
        self.send(ask, body.map(|body| Content::Json(body.to_string()))).map(drop)
    }

    /// Send `content` and give what is answered as it comes.
    pub(crate) fn send(&self, ask: Ask<'_>, content: Option<Content>) -> Result<Response<Body>, Failure> {
        let Ask { method, path, headers, patience, silence } = ask;
        let url = format!("{}{path}", self.base);
        let mut request = Request::builder()
            .method(method)
            .uri(&url)
            .header("Authorization", format!("Bearer {}", self.key))
            .header("X-Daytona-Source", "hourglass");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let body = match content {
            None => SendBody::none(),
            Some(Content::Json(text)) => {
                request = request.header("Content-Type", "application/json");
                SendBody::from_owned_reader(std::io::Cursor::new(text))
            }
            Some(Content::Streamed { kind, bytes }) => {
                request = request.header("Content-Type", kind);
                SendBody::from_owned_reader(bytes)
            }
        };
        let request = request.body(body).map_err(|error| Failure::address(&url, &error))?;
        let request =
            self.agent.configure_request(request).timeout_global(patience).timeout_per_read(silence).build();
        let answer = self.agent.run(request).map_err(|error| Failure::unreachable(&self.base, error))?;
        if answer.status().is_success() { Ok(answer) } else { Err(Failure::answered(&self.base, answer)) }
    }

    fn whole<T: DeserializeOwned>(&self, mut answer: Response<Body>) -> Result<T, Failure> {
        let bytes = answer.body_mut().with_config().limit(ANSWER_MOST).read_to_vec();
        let bytes = bytes.map_err(|error| Failure::unreachable(&self.base, error))?;
        serde_json::from_slice(&bytes).map_err(|_| Failure::strange(&self.base))
    }
}

/// What is sent along.
pub(crate) enum Content {
    Json(String),
    /// Of this type, piece by piece.
    Streamed {
        kind: String,
        bytes: Box<dyn Read + Send + Sync>,
    },
}
