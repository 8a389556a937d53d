//! `hourglass log`: the records, one a line.

use std::collections::BTreeSet;

use anyhow::bail;
use hourglass_events::{Event, Record, SandboxEvent, Seq, Subject};
use serde_json::json;

use super::Which;
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
    let mut log = arguments.which.open()?;
    let mut called = Called { asked: arguments.of.as_deref(), found: BTreeSet::new() };
    log.records(|_, record, _, digest| {
        if !called.has(&record) || record.seq < Seq(arguments.from) {
            return;
        }
        if arguments.json {
            paint::say(view(&record, &digest.to_string()));
        } else {
            paint::say(paint::record(&record));
        }
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
    /// Whether `record` is of it. Records must be shown from the first on, since a sandbox is named in its first.
    fn has(&mut self, record: &Record) -> bool {
        let Some(asked) = self.asked else { return true };
        let id = match record.subject {
            Subject::Shard(number) => number.to_string(),
            Subject::Organization(id) => id.to_string(),
            Subject::Host(id) => id.to_string(),
            Subject::Snapshot(id) => id.to_string(),
            Subject::Sandbox(id) => id.to_string(),
        };
        if id == asked || is_born(&record.event, asked) {
            self.found.insert(record.subject);
        }
        self.found.contains(&record.subject)
    }
}

/// Whether a sandbox of this name comes into being by `event`.
fn is_born(event: &Event, name: &str) -> bool {
    matches!(event, Event::Sandbox(SandboxEvent::PullBegan { blueprint, .. }) if blueprint.name.as_str() == name)
}

/// A record as JSON.
fn view(record: &Record, digest: &str) -> serde_json::Value {
    json!({
        "seq": record.seq,
        "id": record.id,
        "at": paint::time(record.at),
        "subject": record.subject.to_string(),
        "organization": record.organization,
        "version": record.version,
        "actor": record.actor.to_string(),
        "cause": record.cause.to_string(),
        "correlation": record.correlation,
        "event": record.event.name(),
        "body": body(record),
        "digest": digest,
    })
}

fn body(record: &Record) -> serde_json::Value {
    use hourglass_events::Event;
    let body = match &record.event {
        Event::Shard(event) => serde_json::to_value(event),
        Event::Organization(event) => serde_json::to_value(event),
        Event::Host(event) => serde_json::to_value(event),
        Event::Snapshot(event) => serde_json::to_value(event),
        Event::Sandbox(event) => serde_json::to_value(event),
    };
    // An event is its kind, or one field named after its kind; the kind stands beside it already.
    let Ok(serde_json::Value::Object(map)) = body else { return serde_json::Value::Null };
    map.into_values().next().unwrap_or_default()
}
