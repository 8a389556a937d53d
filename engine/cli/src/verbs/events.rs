//! `hourglass events`: what happened, and what happens, on a terminal.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::ExitCode;
use std::time::Duration;

use hourglass_events::{SandboxEvent, Seq};
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::paint;
use crate::remote::{Api, Ask, Failure, Format, Remote, Sandbox, query};

/// The wait before a feed that broke off is asked for again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a feed may be silent; a server that is there says so more often.
const SILENCE: Duration = Duration::from_secs(90);
/// The most bytes of a line.
const LINE_MOST: u64 = 1024 * 1024;
/// The header that names the position a feed begins with.
const POSITION: &str = "hourglass-position";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only what happened to this sandbox, by id or name.
    sandbox: Option<String>,
    /// Go on with what happens, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Begin with the record at this position. Unless given, the first; with --follow, the next there will be.
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

/// What of a record is looked at here.
#[derive(Deserialize)]
struct Line {
    seq: u64,
    at: String,
    kind: String,
    subject: String,
    event: String,
    body: Value,
    actor: String,
    cause: String,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let api = arguments.remote.open()?;
    let mut reader =
        Reader { api: &api, json: arguments.format.json, next: arguments.from, names: BTreeMap::new() };
    let mut told = false;
    loop {
        match reader.read(arguments) {
            Ok(()) if !arguments.follow => return Ok(ExitCode::SUCCESS),
            // A feed that is followed ends only because the server does.
            Ok(()) => told = false,
            Err(Failure::Unreachable { .. } | Failure::Later { .. })
                if arguments.follow && reader.next.is_some() => {}
            Err(failure) => return Err(failure.into()),
        }
        if !told {
            // What happens meanwhile is told later, since the position is known.
            paint::aside("the feed broke off; waiting for the server to come back");
            told = true;
        }
        std::thread::sleep(AGAIN);
    }
}

struct Reader<'a> {
    api: &'a Api,
    json: bool,
    /// The position to go on from, as soon as it is known.
    next: Option<u64>,
    /// What sandboxes are called.
    names: BTreeMap<String, String>,
}

impl Reader<'_> {
    /// Print a feed until it ends.
    fn read(&mut self, arguments: &Arguments) -> Result<(), Failure> {
        let from = self.next.map(|next| next.to_string());
        let asked = [
            ("from", from.as_deref()),
            ("sandbox", arguments.sandbox.as_deref()),
            ("follow", arguments.follow.then_some("true")),
        ];
        let asked = asked.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut ask = Ask::new(Method::GET, format!("/events{}", query(asked)));
        ask.patience = None;
        ask.silence = Some(SILENCE);
        let answer = self.api.send(ask, None)?;
        let position = answer.headers().get(POSITION).and_then(|value| value.to_str().ok()?.parse().ok());
        self.next = position.or(self.next);
        let mut lines = BufReader::new(answer.into_body().into_reader());
        let mut text = String::new();
        loop {
            text.clear();
            let read = lines.by_ref().take(LINE_MOST).read_line(&mut text);
            if read.map_err(|error| Failure::unreachable(&self.api.base, ureq::Error::Io(error)))? == 0 {
                return Ok(());
            }
            // An empty line only says that the server is there.
            let text = text.trim_end();
            if !text.is_empty() {
                let line: Line = serde_json::from_str(text).map_err(|_| Failure::strange(&self.api.base))?;
                self.next = Some(line.seq + 1);
                if self.json { paint::say(text) } else { paint::say(self.paint(&line)) }
            }
        }
    }

    fn paint(&mut self, line: &Line) -> String {
        let event =
            if line.body.is_null() { json!(line.event) } else { json!({ line.event.as_str(): line.body }) };
        // An event of a newer server is told by its name alone.
        let gist = serde_json::from_value::<SandboxEvent>(event)
            .map(|event| paint::gist(&event))
            .unwrap_or_default();
        let whose =
            if line.kind == "sandbox" { self.name(line) } else { format!("{} {}", line.kind, line.subject) };
        let at = line.at.get(11..23).unwrap_or_default();
        let why = format!("{} · {}", line.cause, line.actor);
        paint::line(Seq(line.seq), at, &format!("{:<17}", line.event), &format!("{whose:<24} {gist}"), &why)
    }

    /// What a sandbox is called, as long as anybody knows.
    fn name(&mut self, line: &Line) -> String {
        let id = &line.subject;
        if let Some(name) = self.names.get(id) {
            return name.clone();
        }
        let told = line.body["blueprint"]["name"].as_str().map(str::to_owned);
        let name =
            told.or_else(|| Some(Sandbox::find(self.api, id).ok()?.view.name)).unwrap_or_else(|| id.clone());
        self.names.insert(id.clone(), name.clone());
        name
    }
}
