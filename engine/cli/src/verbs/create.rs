//! `hourglass create`.

use std::process::ExitCode;

use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::{Patience, pair, show};
use crate::remote::{Ask, Format, Remote, Sandbox};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What it is called. Without a name its id is its name.
    #[arg(long)]
    name: Option<String>,
    /// The snapshot it is made from, unless the server's own.
    #[arg(long)]
    snapshot: Option<String>,
    /// Who commands run as in it.
    #[arg(long)]
    user: Option<String>,
    /// The region it is in.
    #[arg(long, value_name = "REGION")]
    target: Option<String>,
    /// A label. May be given several times.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// An environment variable of all its commands. May be given several times.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// Stop it when it was not used for this many minutes; 0 for never.
    #[arg(long, value_name = "MINUTES")]
    auto_stop: Option<i64>,
    /// Archive it when it was stopped for this many minutes; 0 for the most there is.
    #[arg(long, value_name = "MINUTES")]
    auto_archive: Option<i64>,
    /// Delete it when it was stopped for this many minutes; 0 for at once, -1 for never.
    #[arg(long, value_name = "MINUTES", allow_hyphen_values = true)]
    auto_delete: Option<i64>,
    /// Delete it as soon as it stops.
    #[arg(long, conflicts_with = "auto_delete")]
    ephemeral: bool,
    /// The sandbox it is linked to.
    #[arg(long, value_name = "SANDBOX")]
    linked: Option<String>,
    /// A key of your own: sent again within a day with the same key, the request makes no second sandbox.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let api = arguments.remote.open()?;
    let mut ask = Ask::new(Method::POST, "/sandbox".to_owned());
    if let Some(key) = &arguments.idempotency_key {
        ask.headers.push(("Idempotency-Key", key.clone()));
    }
    let created: Sandbox = api.ask(ask, Some(&body(arguments)))?;
    // One that was made by an earlier request with the same key may have gone on since.
    let created = arguments.patience.see_through(&api, created, Sandbox::SETTLED)?;
    show(arguments.format, &[created]);
    Ok(ExitCode::SUCCESS)
}

/// What differs from the server's defaults.
fn body(arguments: &Arguments) -> Value {
    let map = |pairs: &[(String, String)]| {
        let map: Map<_, _> = pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        (!map.is_empty()).then_some(Value::Object(map))
    };
    let fields = [
        ("name", arguments.name.as_ref().map(|name| json!(name))),
        ("snapshot", arguments.snapshot.as_ref().map(|snapshot| json!(snapshot))),
        ("user", arguments.user.as_ref().map(|user| json!(user))),
        ("target", arguments.target.as_ref().map(|target| json!(target))),
        ("labels", map(&arguments.labels)),
        ("env", map(&arguments.env)),
        ("autoStopInterval", arguments.auto_stop.map(|minutes| json!(minutes))),
        ("autoArchiveInterval", arguments.auto_archive.map(|minutes| json!(minutes))),
        (
            "autoDeleteInterval",
            arguments.auto_delete.or(arguments.ephemeral.then_some(0)).map(|minutes| json!(minutes)),
        ),
        ("linkedSandbox", arguments.linked.as_ref().map(|linked| json!(linked))),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect())
}
