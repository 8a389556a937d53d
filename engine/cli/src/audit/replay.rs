//! `hourglass replay`: the state a log leads to.

use hourglass_events::{Digest, Sandbox, Seq};
use serde_json::json;

use super::Which;
use crate::paint;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Stop right after this record; the first is 1.
    #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
    until: Option<u64>,
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut log = arguments.which.open()?;
    let fleet = if let Some(until) = arguments.until {
        log.fold_until(Seq(until))?
    } else {
        log.fold(|_| {})?;
        log.replay().fleet().clone()
    };
    if fleet.seq() == Seq(0) {
        if !arguments.json {
            paint::say("the log is empty");
        }
        return Ok(());
    }
    if !arguments.json {
        let hash = Digest::of(&fleet.to_bytes());
        paint::say(format!("state at record {} ({}), digest {hash}", fleet.seq(), paint::time(fleet.at())));
        paint::say(format!("{:<36}  {:<20} {:<16} {:<24} resources", "sandbox", "name", "state", "since"));
    }
    for sandbox in fleet.sandboxes() {
        if arguments.json {
            paint::say(json!(**sandbox));
        } else {
            paint::say(row(sandbox));
        }
    }
    if !arguments.json {
        paint::say(format!("{} sandboxes, {} snapshots", fleet.len(), fleet.snapshots().count()));
    }
    Ok(())
}

fn row(sandbox: &Sandbox) -> String {
    let resources = sandbox.blueprint.resources;
    format!(
        "{:<36}  {:<20} {:<16} {:<24} {} vCPU, {} GiB, {} GiB disk",
        sandbox.id,
        sandbox.blueprint.name.as_str(),
        sandbox.state.title(),
        paint::time(sandbox.since),
        resources.cpu,
        resources.memory_gib,
        resources.disk_gib
    )
}
