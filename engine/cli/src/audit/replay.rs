//! `hourglass replay`: the state a log leads to, or led to at any moment of the past, and what changed between two.

mod diff;
mod hosts;

use hourglass_events::{Digest, Sandbox, SandboxId};
use hourglass_kernel::Fleet;
use hourglass_projections::{Capacity, Projection as _};
use serde_json::json;

use super::cast::Cast;
use super::past::is_empty;
use super::when::When;
use super::{Which, fields};
use crate::paint;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Stop right after this record (the first is 1), or at the end of this time, in UTC unless it says otherwise.
    #[arg(long, value_name = "SEQ|TIME")]
    until: Option<When>,
    /// Only this sandbox, with everything that is known of it.
    #[arg(long, value_name = "ID|NAME")]
    of: Option<String>,
    /// What changed between two moments, each the number of a record or a time.
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"], conflicts_with = "until")]
    diff: Option<Vec<When>>,
    /// In place of sandboxes, hosts: what they have, what of it is promised, and what is left.
    #[arg(long, conflicts_with_all = ["of", "diff"])]
    hosts: bool,
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.hosts {
        let mut capacity = Capacity::new();
        arguments.which.past()?.until(arguments.until, |moment| Ok(capacity.apply(moment.record)?))?;
        hosts::tell(&capacity, arguments.json);
        return Ok(());
    }
    match arguments.diff.as_deref() {
        Some([from, to]) => {
            let (before, after) = (fold(arguments, Some(*from))?, fold(arguments, Some(*to))?);
            diff::tell(&before, &after, only(arguments)?, arguments.json)
        }
        Some(_) | None => show(arguments, &fold(arguments, arguments.until)?),
    }
}

fn fold(arguments: &Arguments, until: Option<When>) -> anyhow::Result<Fleet> {
    let mut past = arguments.which.past()?;
    past.until(until, |_| Ok(()))?;
    Ok(past.fleet().clone())
}

/// The sandbox that alone is asked for, who need not be there at the moment asked about.
fn only(arguments: &Arguments) -> anyhow::Result<Option<SandboxId>> {
    let Some(text) = &arguments.of else { return Ok(None) };
    cast(arguments)?.find(text).map(Some).map_err(Into::into)
}

fn cast(arguments: &Arguments) -> anyhow::Result<Cast> {
    let mut cast = Cast::default();
    arguments.which.past()?.each(|moment| {
        cast.take_in(&moment);
        Ok(())
    })?;
    Ok(cast)
}

fn show(arguments: &Arguments, fleet: &Fleet) -> anyhow::Result<()> {
    if let Some(text) = &arguments.of {
        let cast = cast(arguments)?;
        return one(fleet, &cast, cast.find(text)?, arguments.json);
    }
    if is_empty(fleet) {
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

fn one(fleet: &Fleet, cast: &Cast, id: SandboxId, json: bool) -> anyhow::Result<()> {
    let Some(sandbox) = fleet.sandbox(id) else {
        let why = cast.of(id).map_or_else(String::new, |known| known.absence(fleet.seq()));
        anyhow::bail!("sandbox {id} is not there right after record {}: it {why}", fleet.seq());
    };
    if json {
        paint::say(json!(**sandbox));
        return Ok(());
    }
    paint::say(format!(
        "{} ({id}) right after record {} ({})",
        sandbox.blueprint.name,
        fleet.seq(),
        paint::time(fleet.at())
    ));
    for (path, value) in fields::of(&**sandbox) {
        paint::say(format!("  {path:<30} {}", fields::said(&path, &value)));
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
