//! The table a bench prints: what was measured, beside what in the same run, and whether that is enough.

use std::fmt;

use serde_json::{Value, json};

use crate::paint;

/// What was measured once a round.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rounds(Vec<f64>);

impl Rounds {
    /// Take in another round.
    pub(super) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The middle one; of an even number the lower of the two.
    pub(super) fn median(&self) -> f64 {
        self.share(50)
    }

    fn least(&self) -> f64 {
        self.share(0)
    }

    fn most(&self) -> f64 {
        self.share(100)
    }

    /// The value that `percent` of all are not above.
    pub(super) fn share(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get(last * percent / 100).copied().unwrap_or(f64::NAN)
    }

    /// Each round of these beside the same round of `others`: neighbours on the machine disturb both alike.
    fn over(&self, others: &Self) -> f64 {
        Self(self.0.iter().zip(&others.0).map(|(own, other)| own / other).collect()).median()
    }
}

impl FromIterator<f64> for Rounds {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// So many a second: more is better.
    PerSecond,
    /// Seconds: fewer are better.
    Seconds,
    /// Bytes: fewer are better.
    Bytes,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::PerSecond if value >= 1e6 => format!("{:.2} M/s", value / 1e6),
            Self::PerSecond if value >= 1e4 => format!("{:.0} k/s", value / 1e3),
            Self::PerSecond if value >= 1e3 => format!("{:.2} k/s", value / 1e3),
            Self::PerSecond => format!("{value:.0} /s"),
            Self::Seconds if value >= 1.0 => format!("{value:.2} s"),
            Self::Seconds if value >= 1e-2 => format!("{:.1} ms", value * 1e3),
            Self::Seconds if value >= 1e-3 => format!("{:.2} ms", value * 1e3),
            Self::Seconds => format!("{:.0} µs", value * 1e6),
            Self::Bytes => format!("{value:.0} B"),
        }
    }
}

/// What a figure ought to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Aim {
    /// As much a second, or as few seconds.
    Figure(f64),
    /// As much of the baseline.
    Ratio(f64),
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    what: String,
    unit: Unit,
    found: Result<Rounds, String>,
    baseline: Option<(&'static str, Rounds)>,
    aim: Option<Aim>,
}

impl Row {
    pub(super) fn new(what: impl Into<String>, unit: Unit, rounds: Rounds) -> Self {
        Self { what: what.into(), unit, found: Ok(rounds), baseline: None, aim: None }
    }

    /// What could not be measured, and why.
    pub(super) fn skipped(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), unit: Unit::PerSecond, found: Err(why.into()), baseline: None, aim: None }
    }

    /// Measured in the same run, round by round.
    pub(super) fn beside(mut self, name: &'static str, rounds: &Rounds) -> Self {
        self.baseline = Some((name, rounds.clone()));
        self
    }

    pub(super) const fn aim(mut self, aim: Aim) -> Self {
        self.aim = Some(aim);
        self
    }

    fn ratio(&self) -> Option<f64> {
        let (Ok(found), Some((_, baseline))) = (&self.found, &self.baseline) else { return None };
        Some(found.over(baseline))
    }

    /// Whether the aim is met, if there is one and something to hold against it.
    fn met(&self) -> Option<bool> {
        let found = self.found.as_ref().ok()?.median();
        Some(match (self.aim?, self.unit) {
            (Aim::Figure(aim), Unit::PerSecond) => found >= aim,
            (Aim::Figure(aim), Unit::Seconds | Unit::Bytes) => found <= aim,
            (Aim::Ratio(aim), _) => self.ratio()? >= aim,
        })
    }

    fn aimed(&self) -> String {
        match (self.aim, self.unit) {
            (None, _) => String::new(),
            (Some(Aim::Figure(aim)), Unit::PerSecond) => format!("≥ {}", self.unit.show(aim)),
            (Some(Aim::Figure(aim)), Unit::Seconds | Unit::Bytes) => format!("≤ {}", self.unit.show(aim)),
            (Some(Aim::Ratio(aim)), _) => format!("≥ {:.0} %", aim * 100.0),
        }
    }

    /// The same for programs; times in seconds, sizes in bytes.
    pub(super) fn json(&self) -> Value {
        let figure = self.found.as_ref().ok().map(|found| {
            json!({ "median": found.median(), "min": found.least(), "max": found.most(), "rounds": found.0 })
        });
        let baseline = self.baseline.as_ref();
        json!({
            "what": self.what,
            "unit": match self.unit { Unit::PerSecond => "1/s", Unit::Seconds => "s", Unit::Bytes => "B" },
            "figure": figure,
            "skipped": self.found.as_ref().err(),
            "baseline": baseline.map(|(name, found)| json!({ "what": name, "median": found.median() })),
            "ratio": self.ratio(),
            "aim": self.aim.map(|_| self.aimed()),
            "met": self.met(),
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = match &self.found {
            Ok(found) => found,
            Err(why) => return write!(f, "{:<WHAT$}  skipped: {why}", self.what),
        };
        let show = |value| self.unit.show(value);
        let span = format!("{} – {}", show(found.least()), show(found.most()));
        let beside = self.baseline.as_ref();
        let beside =
            beside.map(|(name, other)| format!("{name} {}", show(other.median()))).unwrap_or_default();
        let ratio = self.ratio().map(|ratio| format!("{:.0} %", ratio * 100.0)).unwrap_or_default();
        let verdict = self.met().map_or("", |met| if met { "met" } else { "short" });
        let line = line([&self.what, &show(found.median()), &span, &beside, &ratio, &self.aimed(), verdict]);
        f.write_str(&line)
    }
}

const WHAT: usize = 40;

fn line([what, figure, span, beside, ratio, aim, verdict]: [&str; 7]) -> String {
    format!("{what:<WHAT$} {figure:>10}  {span:<23}  {beside:<26} {ratio:>6}  {aim:<12} {verdict}")
        .trim_end()
        .to_owned()
}

/// Print the columns' names.
pub(super) fn header() {
    paint::heading(line(["what", "median", "min – max", "beside, in the same run", "ratio", "aim", ""]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_compares_round_with_round() {
        let slow_machine_first = Row::new("log", Unit::PerSecond, [50.0, 100.0, 100.0].into_iter().collect())
            .beside("bare", &[100.0, 200.0, 125.0].into_iter().collect())
            .aim(Aim::Ratio(0.8));
        assert_eq!(slow_machine_first.ratio(), Some(0.5));
        assert_eq!(slow_machine_first.met(), Some(false));
    }

    #[test]
    fn fewer_seconds_are_better() {
        let row =
            |seconds| Row::new("boot", Unit::Seconds, [seconds].into_iter().collect()).aim(Aim::Figure(0.06));
        assert_eq!(row(0.05).met(), Some(true));
        assert_eq!(row(0.07).met(), Some(false));
    }

    #[test]
    fn what_was_skipped_says_why_and_meets_nothing() {
        let row = Row::skipped("sled", "build with --features peers");
        assert!(row.to_string().ends_with("skipped: build with --features peers"));
        assert_eq!(row.met(), None);
        assert_eq!(row.json()["skipped"], "build with --features peers");
    }
}
