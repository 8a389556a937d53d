//! Anything as a flat list of fields, as people read and compare it.

use std::collections::BTreeMap;

use hourglass_events::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::paint;

/// Fields that are moments.
const MOMENTS: &[&str] = &[
    "created",
    "since",
    "updated",
    "last_activity",
    "stopped_since",
    "at",
    "began",
    "deadline",
    "retry_at",
    "until",
];
/// Fields that change with every record and say nothing but that.
const BOOKKEEPING: &[&str] = &["version", "seq", "correlation", "updated"];

/// Each field of `value` by its path, with what it holds.
pub(super) fn of(value: &impl Serialize) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    // What cannot be shown as JSON at all has no fields to show.
    flatten("", serde_json::to_value(value).unwrap_or_default(), &mut fields);
    fields
}

fn flatten(path: &str, value: Value, fields: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, value) in map {
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                flatten(&path, value, fields);
            }
        }
        value @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            fields.insert(path.to_owned(), value);
        }
    }
}

/// A field that differs, with what it held and holds; nothing where it is not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Differing {
    pub(super) before: Value,
    pub(super) after: Value,
}

/// The fields in which `after` differs from `before`.
pub(super) fn difference(before: &impl Serialize, after: &impl Serialize) -> BTreeMap<String, Differing> {
    let (mut before, mut after) = (of(before), of(after));
    let paths: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    let mut differing = BTreeMap::new();
    for path in paths {
        let (before, after) =
            (before.remove(&path).unwrap_or_default(), after.remove(&path).unwrap_or_default());
        if before != after {
            differing.insert(path, Differing { before, after });
        }
    }
    differing
}

/// Whether a field says nothing but that there was a record.
pub(super) fn is_bookkeeping(path: &str) -> bool {
    BOOKKEEPING.contains(&path)
}

/// What a field holds, for people.
pub(super) fn said(path: &str, value: &Value) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    match value {
        Value::Null => "—".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if MOMENTS.contains(&name) => {
            number.as_u64().map_or_else(|| number.to_string(), |at| paint::time(Timestamp(at)))
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
