//! Moments and spans in microseconds. There is no clock here: `now` is always an argument.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// A length of time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

/// A whole number of minutes, the unit of every interval a user sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minutes(pub u32);

impl Timestamp {
    /// The moment `span` after this one, or the last moment there is.
    #[must_use]
    pub const fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The moment `span` before this one, or the epoch.
    #[must_use]
    pub const fn before(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long ago `earlier` was; nothing when it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of this many milliseconds.
    #[must_use]
    pub const fn millis(count: u64) -> Self {
        Self(count.saturating_mul(1_000))
    }

    /// A span of this many seconds.
    #[must_use]
    pub const fn seconds(count: u64) -> Self {
        Self(count.saturating_mul(1_000_000))
    }

    /// A span of this many minutes.
    #[must_use]
    pub const fn minutes(count: u64) -> Self {
        Self(count.saturating_mul(60_000_000))
    }

    /// This span doubled `times` times, at most `most`.
    #[must_use]
    pub fn doubled(self, times: u32, most: Self) -> Self {
        let factor = 1_u64.checked_shl(times).unwrap_or(u64::MAX);
        Self(self.0.saturating_mul(factor)).min(most)
    }
}

impl From<Minutes> for Span {
    fn from(minutes: Minutes) -> Self {
        Self::minutes(u64::from(minutes.0))
    }
}

/// In the largest unit that says all of it, or nearly all: what is lost is less than a tenth.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(micros) = *self;
        for (unit, size) in [("min", 60_000_000), ("s", 1_000_000), ("ms", 1_000)] {
            if micros >= 10 * size || (micros >= size && micros.is_multiple_of(size)) {
                return write!(f, "{} {unit}", micros / size);
            }
        }
        write!(f, "{micros} µs")
    }
}

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} min", self.0)
    }
}

#[cfg(test)]
mod tests;
