//! A sandbox as the API tells of it, and how people read it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{Api, Failure, segment};
use crate::paint::{self, Tone};

/// The states that something has failed in.
const FAILED: &[&str] = &["error", "build_failed"];

/// What the API said of a sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Sandbox {
    pub(crate) view: View,
    /// All of it.
    pub(crate) whole: Value,
}

/// What of it is looked at here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    error_reason: Option<String>,
    #[serde(default)]
    snapshot: String,
    #[serde(default)]
    sandbox_class: String,
    user: String,
    cpu: u32,
    memory: u32,
    disk: u32,
    gpu: u32,
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default)]
    auto_stop_interval: i64,
    #[serde(default)]
    auto_archive_interval: i64,
    #[serde(default)]
    auto_delete_interval: i64,
    #[serde(default)]
    created_at: String,
    #[serde(default)]
    last_activity_at: String,
}

impl<'de> Deserialize<'de> for Sandbox {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let whole = Value::deserialize(deserializer)?;
        let view = View::deserialize(&whole).map_err(serde::de::Error::custom)?;
        Ok(Self { view, whole })
    }
}

impl Sandbox {
    /// The states in which nothing is under way. In the others something is about to change by itself.
    pub(crate) const SETTLED: &[&str] =
        &["started", "stopped", "paused", "archived", "error", "build_failed", "destroyed"];

    /// The one with this id or name.
    pub(crate) fn find(api: &Api, text: &str) -> Result<Self, Failure> {
        api.get(&format!("/sandbox/{}", segment(text)))
    }

    /// Why it failed, if it did.
    pub(crate) fn fault(&self) -> Option<String> {
        let View { name, state, error_reason, .. } = &self.view;
        let why = error_reason.as_deref().unwrap_or("no reason is given");
        FAILED.contains(&state.as_str()).then(|| format!("{name} is {state}: {why}"))
    }

    /// Show it on several lines.
    pub(crate) fn describe(&self) {
        let View { id, name, snapshot, sandbox_class, user, labels, .. } = &self.view;
        let mut lines = vec![
            ("name", name.clone()),
            ("id", id.clone()),
            ("state", self.state(0)),
            ("snapshot", format!("{snapshot} ({sandbox_class})")),
            ("size", self.size()),
            ("user", user.clone()),
            ("intervals", self.intervals()),
            ("created", self.view.created_at.clone()),
            ("last use", self.view.last_activity_at.clone()),
        ];
        if !labels.is_empty() {
            let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            lines.push(("labels", labels.join(" ")));
        }
        if let Some(why) = &self.view.error_reason {
            lines.push(("fault", why.clone()));
        }
        for (title, said) in lines {
            paint::say(format!("{} {said}", paint::toned(Tone::Faint, &format!("{title:<10}"))));
        }
    }

    fn state(&self, width: usize) -> String {
        let state = &self.view.state;
        let tone = match state.as_str() {
            "started" => Tone::Good,
            failed if FAILED.contains(&failed) => Tone::Bad,
            settled if Self::SETTLED.contains(&settled) => Tone::Faint,
            _ => Tone::Busy,
        };
        paint::toned(tone, &format!("{state:<width$}"))
    }

    fn size(&self) -> String {
        let View { cpu, memory, disk, gpu, .. } = self.view;
        let gpu = if gpu == 0 { String::new() } else { format!(", {gpu} GPU") };
        format!("{cpu} vCPU, {memory} GiB, {disk} GiB disk{gpu}")
    }

    fn intervals(&self) -> String {
        let minutes = |name: &str, interval: i64, special: &[(i64, &str)]| {
            let word = special.iter().find(|(value, _)| *value == interval);
            let after = || format!("{name} after {}", paint::minutes(interval));
            word.map_or_else(after, |(_, word)| format!("{name} {word}"))
        };
        let View { auto_stop_interval, auto_archive_interval, auto_delete_interval, .. } = self.view;
        [
            minutes("stop", auto_stop_interval, &[(0, "never")]),
            minutes("archive", auto_archive_interval, &[]),
            minutes("delete", auto_delete_interval, &[(-1, "never"), (0, "at once")]),
        ]
        .join(", ")
    }
}

/// Show sandboxes as a table.
pub(crate) fn table(sandboxes: &[Sandbox]) {
    let now = Utc::now();
    let width = sandboxes.iter().map(|sandbox| sandbox.view.name.chars().count()).max().unwrap_or(0).max(4);
    let head = format!("{:<width$}  {:<36}  {:<10}  {:>9}  SNAPSHOT", "NAME", "ID", "STATE", "LAST USE");
    paint::say(paint::toned(Tone::Faint, &head));
    for sandbox in sandboxes {
        let View { name, id, snapshot, last_activity_at, .. } = &sandbox.view;
        let (state, used) = (sandbox.state(10), ago(last_activity_at, now));
        paint::say(format!("{name:<width$}  {id:<36}  {state}  {used:>9}  {snapshot}"));
    }
}

/// How long ago something was, in its greatest unit.
fn ago(text: &str, now: DateTime<Utc>) -> String {
    let Ok(then) = DateTime::parse_from_rfc3339(text) else { return "-".to_owned() };
    let seconds = (now - then.with_timezone(&Utc)).num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn times_are_told_in_their_greatest_unit() {
        let now = DateTime::parse_from_rfc3339("2026-01-02T00:00:00Z").unwrap().with_timezone(&Utc);
        for (then, said) in [
            ("2026-01-01T23:59:59.900Z", "0 s"),
            ("2026-01-01T23:59:00Z", "1 min"),
            ("2026-01-01T22:00:01Z", "1 h"),
            ("2025-12-30T00:00:00Z", "3 d"),
            ("2026-01-03T00:00:00Z", "0 s"),
            ("never", "-"),
        ] {
            assert_eq!(ago(then, now), said, "{then}");
        }
    }
}
