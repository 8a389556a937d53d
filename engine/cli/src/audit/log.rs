//! `hourglass log`: the records, one a line.

use hourglass_events::{Record, Seq};
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
    /// Only records of this sandbox, snapshot, host or organization.
    #[arg(long, value_name = "ID")]
    of: Option<String>,
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut log = arguments.which.open()?;
    let wanted = |record: &Record| {
        record.seq >= Seq(arguments.from)
            && arguments.of.as_ref().is_none_or(|id| record.subject.to_string().ends_with(id.as_str()))
    };
    log.records(|_, record, _, digest| {
        if !wanted(&record) {
            return;
        }
        if arguments.json {
            paint::say(view(&record, &digest.to_string()));
        } else {
            paint::say(paint::record(&record));
        }
    })
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
