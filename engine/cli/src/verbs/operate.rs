//! `hourglass start`, `stop` and `delete`.

use std::process::ExitCode;

use ureq::http::Method;

use super::{Patience, show};
use crate::paint;
use crate::remote::{Api, Ask, Failure, Format, Remote, Sandbox, segment};

#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Stop {
    /// Kill what runs in it, at once.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Their ids or names.
    #[arg(required = true)]
    sandboxes: Vec<String>,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn start(arguments: &Start) -> anyhow::Result<ExitCode> {
    each(&arguments.common, &Method::POST, "/start", &["started"])
}

pub(crate) fn stop(arguments: &Stop) -> anyhow::Result<ExitCode> {
    let tail = format!("/stop?force={}", arguments.force);
    // An ephemeral one does not stay stopped.
    each(&arguments.common, &Method::POST, &tail, &["stopped", "destroying", "destroyed"])
}

pub(crate) fn delete(arguments: &Delete) -> anyhow::Result<ExitCode> {
    each(&arguments.common, &Method::DELETE, "", &["destroyed"])
}

/// Ask for all before waiting for any, and tell of each that fails. Ends as the first that failed.
fn each(common: &Common, method: &Method, tail: &str, states: &[&str]) -> anyhow::Result<ExitCode> {
    let api = common.remote.open()?;
    let ask = |name: &String| {
        let path = format!("/sandbox/{}{tail}", segment(name));
        api.ask::<Sandbox>(Ask::new(method.clone(), path), None)
    };
    let accepted: Vec<Result<Sandbox, Failure>> = common.sandboxes.iter().map(ask).collect();
    let mut failed = None;
    let mut done = Vec::new();
    for result in accepted {
        match finish(&api, common.patience, result, states) {
            Ok(sandbox) => done.push(sandbox),
            Err(error) => {
                if let Some(earlier) = failed.replace(error) {
                    paint::problem(&earlier);
                }
            }
        }
    }
    if !done.is_empty() {
        show(common.format, &done);
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

fn finish(
    api: &Api,
    patience: Patience,
    result: Result<Sandbox, Failure>,
    states: &[&str],
) -> anyhow::Result<Sandbox> {
    patience.see_through(api, result?, states)
}
