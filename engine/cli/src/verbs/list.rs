//! `hourglass get` and `hourglass list`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Deserialize;

use super::{pair, show};
use crate::paint;
use crate::remote::{Format, Remote, Sandbox, query};

/// How many sandboxes are asked for at a time.
const PAGE: usize = 200;

#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    /// Its id or name.
    sandbox: String,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only those in this state, such as started. May be given several times.
    #[arg(long = "state")]
    states: Vec<String>,
    /// Only those with this label. May be given several times; all must be there.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// Only those whose name begins like this.
    #[arg(long, value_name = "PREFIX")]
    name: Option<String>,
    /// By what they are sorted: name, createdAt or lastActivityAt, among others.
    #[arg(long)]
    sort: Option<String>,
    /// asc or desc.
    #[arg(long)]
    order: Option<String>,
    /// At most this many.
    #[arg(long)]
    limit: Option<usize>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Sandbox>,
    next_cursor: Option<String>,
}

pub(crate) fn get(arguments: &Get) -> anyhow::Result<ExitCode> {
    let sandbox = Sandbox::find(&arguments.remote.open()?, &arguments.sandbox)?;
    if arguments.format.json {
        paint::say(&sandbox.whole);
    } else {
        sandbox.describe();
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn list(arguments: &List) -> anyhow::Result<ExitCode> {
    let api = arguments.remote.open()?;
    let most = arguments.limit.unwrap_or(usize::MAX);
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let limit = PAGE.min(most - found.len());
        let page: Page = api.get(&path(arguments, limit, cursor.as_deref())?)?;
        found.extend(page.items);
        cursor = page.next_cursor.filter(|cursor| !cursor.is_empty());
        if cursor.is_none() || found.len() >= most {
            break;
        }
    }
    show(arguments.format, &found);
    Ok(ExitCode::SUCCESS)
}

fn path(arguments: &List, limit: usize, cursor: Option<&str>) -> anyhow::Result<String> {
    let limit = limit.to_string();
    let labels = match arguments.labels.as_slice() {
        [] => None,
        pairs => Some(serde_json::to_string(&pairs.iter().cloned().collect::<BTreeMap<_, _>>())?),
    };
    let single = [
        ("limit", Some(limit.as_str())),
        ("cursor", cursor),
        ("labels", labels.as_deref()),
        ("name", arguments.name.as_deref()),
        ("sort", arguments.sort.as_deref()),
        ("order", arguments.order.as_deref()),
    ];
    let single = single.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let states = arguments.states.iter().map(|state| ("states", state.as_str()));
    Ok(format!("/sandbox{}", query(single.chain(states))))
}
