//! `hourglass replay`: the state a log leads to.

use hourglass_events::{Digest, Sandbox};
use serde_json::json;

use super::Which;
use crate::paint;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Stop after the group that holds this record.
    #[arg(long, value_name = "SEQ")]
    until: Option<u64>,
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut log = arguments.which.open()?;
    let mut then = None;
    log.fold(|replay| {
        let reached = arguments.until.is_none_or(|until| replay.fleet().seq().0 <= until);
        if reached || then.is_none() {
            then = Some(replay.fleet().clone());
        }
    })?;
    let Some(fleet) = then else {
        paint::say("the log is empty");
        return Ok(());
    };
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
