//! `hourglass log`: the records, one a line.

use std::collections::BTreeSet;

use anyhow::bail;
use hourglass_events::{Seq, Subject};
use serde_json::Value;

use super::past::Moment;
use super::{Which, view};
use crate::paint;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Begin with this record.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Only records of this sandbox, by its id or name, or of the snapshot, host or organization with this id.
    #[arg(long, value_name = "ID|NAME")]
    of: Option<String>,
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut called = Called { asked: arguments.of.as_deref(), found: BTreeSet::new() };
    arguments.which.past()?.each(|moment| {
        let record = moment.record;
        if !called.has(&moment) || record.seq < Seq(arguments.from) {
            return Ok(());
        }
        if arguments.json {
            paint::say(Value::Object(view::of(record, moment.digest)));
        } else {
            paint::say(paint::record(record));
        }
        Ok(())
    })?;
    match called.asked {
        Some(asked) if called.found.is_empty() => bail!("nothing in this log is called {asked}"),
        Some(_) | None => Ok(()),
    }
}

/// What is called as was asked.
struct Called<'a> {
    /// An id or a sandbox's name; without it, everything.
    asked: Option<&'a str>,
    /// More than one may have had the name, one after the other.
    found: BTreeSet<Subject>,
}

impl Called<'_> {
    /// Whether this is of it. Records must be shown from the first on, since a sandbox is named in its first.
    fn has(&mut self, Moment { record, fleet, .. }: &Moment<'_>) -> bool {
        let Some(asked) = self.asked else { return true };
        let named = |id| fleet.sandbox(id).is_some_and(|sandbox| sandbox.blueprint.name.as_str() == asked);
        let id = match record.subject {
            Subject::Sandbox(id) if record.version == 1 && named(id) => asked.to_owned(),
            Subject::Shard(number) => number.to_string(),
            Subject::Organization(id) => id.to_string(),
            Subject::Host(id) => id.to_string(),
            Subject::Snapshot(id) => id.to_string(),
            Subject::Sandbox(id) => id.to_string(),
        };
        if id == asked {
            self.found.insert(record.subject);
        }
        self.found.contains(&record.subject)
    }
}
