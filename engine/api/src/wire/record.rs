//! A record of the log, as the feed tells it.

use hourglass_events::{Event, Record, Subject};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::moment;

/// What happened, once.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    /// Its position.
    seq: u64,
    id: String,
    /// When it was decided.
    at: String,
    /// What kind of thing it happened to.
    kind: &'static str,
    /// The id of that.
    subject: String,
    /// The how-many-eth record of its subject this is.
    version: u64,
    /// What happened.
    event: &'static str,
    /// What the event says, if it says anything.
    body: Value,
    /// Who did it.
    actor: String,
    /// Why it happened.
    cause: String,
    /// What it shares with the records of the same cause.
    correlation: String,
}

/// `record` on a line of its own.
pub(crate) fn line(record: &Record) -> String {
    let (kind, subject) = match record.subject {
        Subject::Shard(number) => ("shard", number.to_string()),
        Subject::Organization(id) => ("organization", id.to_string()),
        Subject::Host(id) => ("host", id.to_string()),
        Subject::Snapshot(id) => ("snapshot", id.to_string()),
        Subject::Sandbox(id) => ("sandbox", id.to_string()),
    };
    let line = Line {
        seq: record.seq.0,
        id: record.id.0.to_string(),
        at: moment(record.at),
        kind,
        subject,
        version: record.version,
        event: record.event.name(),
        body: body(&record.event),
        actor: record.actor.to_string(),
        cause: record.cause.to_string(),
        correlation: record.correlation.0.to_string(),
    };
    // Texts, numbers and JSON always have a JSON form.
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

/// What an event says beside its name.
fn body(event: &Event) -> Value {
    let told = match event {
        Event::Shard(event) => serde_json::to_value(event),
        Event::Organization(event) => serde_json::to_value(event),
        Event::Host(event) => serde_json::to_value(event),
        Event::Snapshot(event) => serde_json::to_value(event),
        Event::Sandbox(event) => serde_json::to_value(event),
    };
    // An event is its name, or one field called so.
    let Ok(Value::Object(fields)) = told else { return Value::Null };
    fields.into_iter().next().map(|(_, body)| body).unwrap_or_default()
}
