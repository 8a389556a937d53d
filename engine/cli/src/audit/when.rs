//! A moment of the past, as people write it: the number of a record, or a time.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use hourglass_events::{Record, Seq, Timestamp};

use crate::paint;

/// The moment right after a record, or at the end of a time as exact as it was written: `14:05` ends with its minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Right after this record.
    Seq(Seq),
    /// Right after everything that was decided by `until`.
    Time {
        /// Where the time that was written begins.
        from: Timestamp,
        /// Its last microsecond.
        until: Timestamp,
    },
}

/// What is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no moment; write the number of a record (the first is 1), or a time such as 2026-07-01T14:05:10Z, \
     \"2026-07-01 14:05\" or 2026-07-01, in UTC unless it says otherwise"
)]
pub(crate) struct NoMoment(String);

impl When {
    /// Whether `record` had happened by then.
    pub(crate) fn has(self, record: &Record) -> bool {
        match self {
            Self::Seq(last) => record.seq <= last,
            Self::Time { until, .. } => record.at <= until,
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seq(seq) => write!(f, "record {seq}"),
            Self::Time { from, .. } => f.write_str(&paint::time(*from)),
        }
    }
}

const SECOND: u64 = 1_000_000;

impl FromStr for When {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let wrong = || NoMoment(text.chars().take(80).collect());
        if let Ok(seq) = text.parse() {
            return if seq == 0 { Err(wrong()) } else { Ok(Self::Seq(Seq(seq))) };
        }
        let (micros, length) = time(text).ok_or_else(wrong)?;
        let from = u64::try_from(micros).map_err(|_| wrong())?;
        Ok(Self::Time { from: Timestamp(from), until: Timestamp(from + length - 1) })
    }
}

/// Where the time in `text` begins, in microseconds, and how long it lasts as it is written.
fn time(text: &str) -> Option<(i64, u64)> {
    let naive = |format| Some(NaiveDateTime::parse_from_str(text, format).ok()?.and_utc().timestamp_micros());
    let exact = || {
        let fraction = text.split_once('.').map(|(_, rest)| rest);
        let digits = fraction.map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        (0..digits.min(6)).fold(SECOND, |length, _| length / 10)
    };
    if let Ok(found) = DateTime::parse_from_rfc3339(text) {
        return Some((found.timestamp_micros(), exact()));
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
        if let Some(found) = naive(format) {
            return Some((found, exact()));
        }
    }
    for format in ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Some(found) = naive(format) {
            return Some((found, 60 * SECOND));
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(chrono::NaiveTime::MIN);
    Some((day.and_utc().timestamp_micros(), 24 * 3_600 * SECOND))
}

#[cfg(test)]
mod tests;
