//! What happens to a sandbox nobody uses. The numbers users send (-1, 0, minutes) are decoded here, once.

use serde::{Deserialize, Serialize};

use crate::refusal::{Interval, Refusal};
use crate::time::Minutes;

/// The longest interval anybody can mean: ten years.
const LONGEST: u32 = 10 * 365 * 24 * 60;

/// When a started sandbox stops: minutes since its last use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AutoStop {
    /// It runs until it is stopped.
    Never,
    /// After this long without use.
    After(Minutes),
}

impl AutoStop {
    /// What holds when nothing is set: 15 minutes.
    pub const DEFAULT: Self = Self::After(Minutes(15));

    /// `minutes` as sent: 0 is never, at most ten years, negative is refused.
    pub fn decode(minutes: i64) -> Result<Self, Refusal> {
        Ok(match whole(Interval::AutoStop, minutes, LONGEST)? {
            0 => Self::Never,
            minutes => Self::After(Minutes(minutes)),
        })
    }
}

/// When a stopped sandbox is archived: minutes since it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AutoArchive(pub Minutes);

impl AutoArchive {
    /// What holds when nothing is set: 7 days.
    pub const DEFAULT: Self = Self(Minutes(7 * 24 * 60));
    /// The longest there is: 30 days.
    pub const LONGEST: Self = Self(Minutes(30 * 24 * 60));

    /// `minutes` as sent: 0 and everything above 30 days are 30 days, negative is refused.
    pub fn decode(minutes: i64) -> Result<Self, Refusal> {
        let Minutes(most) = Self::LONGEST.0;
        match whole(Interval::AutoArchive, minutes.min(most.into()), most)? {
            0 => Ok(Self::LONGEST),
            minutes => Ok(Self(Minutes(minutes))),
        }
    }
}

/// When a stopped sandbox is deleted: minutes since it stopped; archived time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AutoDelete {
    /// It stays until it is deleted.
    Never,
    /// As soon as it stops: it is ephemeral.
    AtOnce,
    /// After this long stopped.
    After(Minutes),
}

impl AutoDelete {
    /// What holds when nothing is set: never.
    pub const DEFAULT: Self = Self::Never;

    /// `minutes` as sent: -1 is never, 0 is at once, at most ten years; other negatives are refused.
    pub fn decode(minutes: i64) -> Result<Self, Refusal> {
        if minutes == -1 {
            return Ok(Self::Never);
        }
        Ok(match whole(Interval::AutoDelete, minutes, LONGEST)? {
            0 => Self::AtOnce,
            minutes => Self::After(Minutes(minutes)),
        })
    }
}

/// `minutes` if it lies between nothing and `most`.
fn whole(interval: Interval, minutes: i64, most: u32) -> Result<u32, Refusal> {
    u32::try_from(minutes).ok().filter(|minutes| *minutes <= most).ok_or(Refusal::BadInterval {
        interval,
        found: minutes,
        most,
    })
}

#[cfg(test)]
mod tests;
