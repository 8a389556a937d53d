//! `hourglass usage`: what sandboxes had, and for how long.

use std::cmp::Reverse;
use std::path::PathBuf;

use hourglass_events::{OrganizationId, Timestamp};
use hourglass_projections::usage::{Meter, Phase, Tally, drawing};
use hourglass_projections::{Keep, Projection as _, Usage};

use super::when::When;
use super::{Which, picture};
use crate::paint;

/// The most hours that are listed; of more, the first. A hundred years of them.
const HOURS_MOST: usize = 100 * 366 * 24;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// A line for each of these.
    #[arg(long, default_value = "sandbox")]
    by: By,
    /// Only what this organization's sandboxes had.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// Up to this record or the end of this time; to the last record without it.
    #[arg(long, value_name = "SEQ|TIME")]
    until: Option<When>,
    /// Comma-separated values, for programs and spreadsheets.
    #[arg(long)]
    csv: bool,
    /// Draw it into this file as well.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    Sandbox,
    Organization,
    Hour,
}

/// A line, before it is known how it is shown.
struct Row {
    /// What it is of, in as many words as there are headings.
    keys: Vec<String>,
    /// What it is of, on a drawing.
    label: String,
    tally: Tally,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut usage = Usage::new(Keep::Everyone);
    arguments.which.past()?.until(arguments.until, |moment| Ok(usage.apply(moment.record)?))?;
    let until = match arguments.until {
        Some(When::Time { until, .. }) => until,
        Some(When::Seq(_)) | None => usage.at(),
    };
    let rows = rows(arguments, &usage, until);
    if arguments.csv {
        csv(arguments.by, &rows);
    } else {
        table(arguments.by, &rows, until);
    }
    let Some(path) = &arguments.svg else { return Ok(()) };
    let title = format!("What was used by {}, up to {}", arguments.by.title(), paint::time(until));
    picture::save(path, &drawing::svg(&title, &drawn(arguments.by, rows)))
}

/// What a drawing begins with is what it shows if it cannot show all: the latest hours, and else whoever used most.
fn drawn(by: By, mut rows: Vec<Row>) -> Vec<(String, Tally)> {
    match by {
        By::Hour => rows.reverse(),
        By::Sandbox | By::Organization => rows.sort_by_key(|row| {
            let sum =
                |meter| Phase::ALL.into_iter().map(|phase| row.tally.micros(phase, meter)).sum::<u128>();
            Reverse((sum(Meter::Cpu), sum(Meter::Disk)))
        }),
    }
    rows.into_iter().map(|row| (row.label, row.tally)).collect()
}

impl By {
    const fn title(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Organization => "organization",
            Self::Hour => "hour",
        }
    }

    const fn headings(self) -> &'static [&'static str] {
        match self {
            Self::Sandbox => &["sandbox", "name", "organization"],
            Self::Organization => &["organization"],
            Self::Hour => &["hour"],
        }
    }
}

fn rows(arguments: &Arguments, usage: &Usage, until: Timestamp) -> Vec<Row> {
    let meant = |id| arguments.organization.is_none_or(|only| only == id);
    match arguments.by {
        By::Sandbox => usage
            .sandboxes(until)
            .filter(|used| meant(used.organization))
            .map(|used| Row {
                keys: vec![used.sandbox.to_string(), used.name.clone(), used.organization.to_string()],
                label: used.name,
                tally: used.tally,
            })
            .collect(),
        By::Organization => usage
            .organizations(until)
            .filter(|(id, _)| meant(*id))
            .map(|(id, tally)| Row { keys: vec![id.to_string()], label: short(&id.to_string()), tally })
            .collect(),
        By::Hour => {
            let row = |(begin, tally)| {
                let hour = paint::time(begin).get(..16).unwrap_or_default().replace('T', " ");
                Row { keys: vec![hour.clone()], label: hour, tally }
            };
            usage.hours(arguments.organization, until).take(HOURS_MOST).map(row).collect()
        }
    }
}

/// Enough of an id to tell it from others on a drawing: its end, since the first of them differ nowhere else.
fn short(id: &str) -> String {
    format!("…{}", &id[id.len().saturating_sub(12)..])
}

/// The meters as columns.
const COLUMNS: [Meter; 5] = Meter::ALL;

fn table(by: By, rows: &[Row], until: Timestamp) {
    paint::say(format!("up to {}, in seconds", paint::time(until)));
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row.keys[column].chars().count());
        cells.chain([by.headings()[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..by.headings().len()).map(width).collect();
    let keys = |keys: &[String]| {
        let cells = keys.iter().zip(&widths).map(|(key, width)| format!("{key:<width$}", width = *width));
        cells.collect::<Vec<_>>().join("  ")
    };
    let headings: Vec<String> = by.headings().iter().map(ToString::to_string).collect();
    let titles = COLUMNS.map(|meter| format!("{:>20}", meter.title())).concat();
    paint::say(format!("{}  {:<9}{titles}", keys(&headings), "phase"));
    for row in rows {
        for phase in phases(&row.tally) {
            let sums =
                COLUMNS.map(|meter| format!("{:>20}", seconds(row.tally.micros(phase, meter)))).concat();
            paint::say(format!("{}  {:<9}{sums}", keys(&row.keys), phase.title()));
        }
    }
    if rows.is_empty() {
        paint::say("nothing was used");
    }
}

fn csv(by: By, rows: &[Row]) {
    let titles = COLUMNS.map(|meter| meter.title().to_lowercase().replace('-', "_"));
    paint::say(format!("{},phase,{}", by.headings().join(","), titles.join(",")));
    for row in rows {
        for phase in phases(&row.tally) {
            let keys: Vec<_> = row.keys.iter().map(|key| quoted(key)).collect();
            let sums = COLUMNS.map(|meter| seconds(row.tally.micros(phase, meter)));
            paint::say(format!("{},{},{}", keys.join(","), phase.title(), sums.join(",")));
        }
    }
}

/// The phases in which there was anything, the time itself included.
fn phases(tally: &Tally) -> impl Iterator<Item = Phase> {
    Phase::ALL.into_iter().filter(|phase| tally.micros(*phase, Meter::Time) > 0)
}

/// Microseconds as seconds, exact.
fn seconds(micros: u128) -> String {
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:06}").trim_end_matches('0').to_owned() }
}

/// A value as one field, whatever is in it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
