//! A record as programs read it.

use hourglass_events::{Digest, Event, Record};
use serde_json::{Map, Value, json};

use crate::paint;

/// The version of this view, to be raised with every change to it.
pub(super) const VERSION: u32 = 1;

/// A record as JSON.
pub(super) fn of(record: &Record, digest: Digest) -> Map<String, Value> {
    let view = json!({
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
        "body": body(&record.event),
        "digest": digest.to_string(),
    });
    match view {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

fn body(event: &Event) -> Value {
    let body = match event {
        Event::Shard(event) => serde_json::to_value(event),
        Event::Organization(event) => serde_json::to_value(event),
        Event::Host(event) => serde_json::to_value(event),
        Event::Snapshot(event) => serde_json::to_value(event),
        Event::Sandbox(event) => serde_json::to_value(event),
    };
    // An event is its kind, or one field named after its kind; the kind stands beside it already.
    let Ok(Value::Object(map)) = body else { return Value::Null };
    map.into_values().next().unwrap_or_default()
}
