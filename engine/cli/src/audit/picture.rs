//! Drawings on their way into files.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use hourglass_events::{Span, Timestamp};

use crate::paint;

/// Write `drawing` to `path`, in place of what is there.
pub(super) fn save(path: &Path, drawing: &str) -> anyhow::Result<()> {
    fs::write(path, drawing).with_context(|| format!("{} cannot be written", path.display()))?;
    paint::aside(format!("drawn into {}", path.display()));
    Ok(())
}

/// A moment on an axis with marks `step` apart, in UTC.
pub(super) fn clock(at: Timestamp, step: Span) -> String {
    let format = match step.0 {
        0..1_000_000 => "%H:%M:%S%.3f",
        1_000_000..60_000_000 => "%H:%M:%S",
        60_000_000..21_600_000_000 => "%H:%M",
        21_600_000_000..86_400_000_000 => "%b %d %H:%M",
        _ => "%Y-%m-%d",
    };
    let time = i64::try_from(at.0).ok().and_then(DateTime::<Utc>::from_timestamp_micros);
    time.map_or_else(|| at.0.to_string(), |time| time.format(format).to_string())
}
