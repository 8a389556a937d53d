//! `hourglass label` and `hourglass interval`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::json;
use ureq::http::Method;

use super::pair;
use crate::paint;
use crate::remote::{Api, Ask, Format, Remote, Sandbox, segment};

#[derive(Debug, clap::Args)]
pub(crate) struct Label {
    /// Its id or name.
    sandbox: String,
    /// Labels to set. Those it has stay, unless --replace is given.
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// A label to take away. May be given several times.
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,
    /// Take all other labels away.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Interval {
    /// Its id or name.
    sandbox: String,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Given {
    /// Stop it when it was not used for this many minutes; 0 for never.
    #[arg(long, value_name = "MINUTES", allow_hyphen_values = true)]
    stop: Option<i64>,
    /// Archive it when it was stopped for this many minutes; 0 for the most there is.
    #[arg(long, value_name = "MINUTES", allow_hyphen_values = true)]
    archive: Option<i64>,
    /// Delete it when it was stopped for this many minutes; 0 for at once, -1 for never.
    #[arg(long, value_name = "MINUTES", allow_hyphen_values = true)]
    delete: Option<i64>,
}

pub(crate) fn label(arguments: &Label) -> anyhow::Result<ExitCode> {
    let api = arguments.remote.open()?;
    let found = Sandbox::find(&api, &arguments.sandbox)?;
    let mut labels = if arguments.replace { BTreeMap::new() } else { found.view.labels.clone() };
    labels.extend(arguments.labels.iter().cloned());
    labels.retain(|key, _| !arguments.remove.contains(key));
    let path = format!("/sandbox/{}/labels", segment(&found.view.id));
    api.tell(Ask::new(Method::PUT, path), Some(&json!({ "labels": labels })))?;
    show(&api, &found.view.id, arguments.format)
}

pub(crate) fn interval(arguments: &Interval) -> anyhow::Result<ExitCode> {
    let api = arguments.remote.open()?;
    let found = Sandbox::find(&api, &arguments.sandbox)?;
    let Given { stop, archive, delete } = arguments.given;
    for (kind, minutes) in [("autostop", stop), ("autoarchive", archive), ("autodelete", delete)] {
        if let Some(minutes) = minutes {
            let path = format!("/sandbox/{}/{kind}/{minutes}", segment(&found.view.id));
            api.tell(Ask::new(Method::POST, path), None)?;
        }
    }
    show(&api, &found.view.id, arguments.format)
}

/// Show it as it is after the change.
fn show(api: &Api, id: &str, format: Format) -> anyhow::Result<ExitCode> {
    let sandbox = Sandbox::find(api, id)?;
    if format.json {
        paint::say(&sandbox.whole);
    } else {
        sandbox.describe();
    }
    Ok(ExitCode::SUCCESS)
}
