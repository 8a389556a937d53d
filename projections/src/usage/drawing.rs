//! Usage as a drawing: a row for whatever it is of, a column of bars for each meter, each phase in its colour.

use super::meter::{Meter, Phase, Tally};
use crate::drawing::{Anchor, FAINT, INK, RULE, Svg, label, scaled};

/// The most rows that are drawn.
pub const ROWS_MOST: usize = 200;

const LEFT: u32 = 216;
const COLUMN: u32 = 176;
const BARS: u32 = 96;
const TOP: u32 = 84;
const ROW: u32 = 20;
const BAR: u32 = 12;

/// The meters that are drawn. Time alone says little.
const DRAWN: [Meter; 4] = [Meter::Cpu, Meter::Memory, Meter::Disk, Meter::Gpu];

/// `rows`, of which the first [`ROWS_MOST`] are drawn, under `title`.
#[must_use]
pub fn svg(title: &str, rows: &[(String, Tally)]) -> String {
    let drawn = &rows[..rows.len().min(ROWS_MOST)];
    let count = u32::try_from(drawn.len()).unwrap_or(u32::MAX);
    let columns = u32::try_from(DRAWN.len()).unwrap_or(u32::MAX);
    let mut svg = Svg::new(LEFT + columns * COLUMN + 16, TOP + count * ROW + 36);
    svg.heading([16, 26], title);
    legend(&mut svg);
    for (column, meter) in (0..).zip(DRAWN) {
        let x = LEFT + column * COLUMN;
        svg.text([x, TOP - 10], Anchor::Start, INK, meter.title());
        svg.line([x, TOP - 4, x, TOP + count * ROW], RULE);
        let most = drawn.iter().map(|(_, tally)| whole(tally, meter)).max().unwrap_or(0);
        for (row, (name, tally)) in (0..).zip(drawn) {
            bars(&mut svg, [x, TOP + row * ROW], (meter, most), name, tally);
        }
    }
    for (row, (name, _)) in (0..).zip(drawn) {
        svg.text([LEFT - 10, TOP + row * ROW + 14], Anchor::End, INK, &label(name));
    }
    let left = rows.len() - drawn.len();
    if left > 0 {
        svg.text([16, TOP + count * ROW + 22], Anchor::Start, FAINT, &format!("and {left} more"));
    }
    svg.finish()
}

fn legend(svg: &mut Svg) {
    for (place, phase) in (0..).zip(Phase::ALL) {
        let x = 16 + place * 92;
        svg.bar([x, 42, BAR, BAR], colour(phase), phase.title());
        svg.text([x + 18, 52], Anchor::Start, FAINT, phase.title());
    }
}

fn bars(svg: &mut Svg, [x, y]: [u32; 2], (meter, most): (Meter, u128), name: &str, tally: &Tally) {
    let mut before = 0;
    for phase in Phase::ALL {
        let sum = tally.micros(phase, meter);
        if sum == 0 {
            continue;
        }
        let (begin, end) = (scaled(before, most, BARS), scaled(before + sum, most, BARS));
        let said = format!("{name}: {} {}, {}", figure(sum), meter.title(), phase.title());
        svg.bar([x + begin, y + 4, (end - begin).max(1), BAR], colour(phase), &said);
        before += sum;
    }
    if before > 0 {
        svg.text([x + scaled(before, most, BARS) + 6, y + 14], Anchor::Start, FAINT, &figure(before));
    }
}

fn whole(tally: &Tally, meter: Meter) -> u128 {
    Phase::ALL.into_iter().map(|phase| tally.micros(phase, meter)).sum()
}

/// Microseconds as seconds, as short as they can be read off a drawing.
fn figure(micros: u128) -> String {
    let seconds = micros / 1_000_000;
    match seconds {
        0..10 => format!("{}.{:02}", seconds, micros / 10_000 % 100),
        10..100_000 => seconds.to_string(),
        100_000..100_000_000 => format!("{} k", seconds / 1_000),
        _ => format!("{} M", seconds / 1_000_000),
    }
}

const fn colour(phase: Phase) -> &'static str {
    match phase {
        Phase::Running => "#2f9e62",
        Phase::Paused => "#9f7aea",
        Phase::Stopped => "#829ab1",
        Phase::Archived => "#b8a58f",
    }
}
