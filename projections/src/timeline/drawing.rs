//! A story as a drawing: a row for each state, a bar for each stay, along one axis of time.

use std::collections::BTreeMap;

use hourglass_events::{Span, State, Timestamp};

use super::{Stay, Story};
use crate::drawing::{Anchor, Clock, FAINT, INK, RULE, Svg, colour, marks, scaled};

/// The most stays that are drawn; of more, the latest.
pub const STAYS_MOST: usize = 5_000;

const LEFT: u32 = 150;
const WIDTH: u32 = 760;
const RIGHT: u32 = 110;
const TOP: u32 = 58;
const ROW: u32 = 26;
const BAR: u32 = 16;
/// However short a stay was, it is to be seen.
const BAR_LEAST: u32 = 3;

/// `story` up to `until`.
#[must_use]
pub fn svg(story: &Story, until: Timestamp, clock: Clock<'_>) -> String {
    let stays: Vec<_> = story.stays(until).collect();
    let stays = &stays[stays.len().saturating_sub(STAYS_MOST)..];
    let rows = rows(stays);
    let height = u32::try_from(rows.len()).unwrap_or(u32::MAX) * ROW;
    let mut svg = Svg::new(LEFT + WIDTH + RIGHT, TOP + height + 40);
    let begin = stays.first().map_or(until, |stay| stay.step.at);
    let day = clock(begin, Span::minutes(24 * 60));
    svg.heading([16, 26], &format!("{} · {} · from {day}", story.name, story.sandbox));
    let last = stays.last().map_or(until, |stay| stay.step.at.after(stay.length));
    let whole = last.since(begin).0;
    let place = |at: Timestamp| LEFT + scaled(at.since(begin).0.into(), whole.into(), WIDTH);
    axis(&mut svg, begin, last, height, &place, clock);
    for (state, (row, total)) in &rows {
        let middle = TOP + row * ROW + ROW / 2 + 4;
        svg.text([LEFT - 10, middle], Anchor::End, INK, state.title());
        svg.text([LEFT + WIDTH + 12, middle], Anchor::Start, FAINT, &Span(*total).to_string());
    }
    for stay in stays {
        let Some((row, _)) = rows.get(&stay.step.state) else { continue };
        let x = place(stay.step.at);
        let width = place(stay.step.at.after(stay.length)).saturating_sub(x).max(BAR_LEAST);
        let y = TOP + row * ROW + (ROW - BAR) / 2;
        svg.bar([x, y, width, BAR], colour(stay.step.state), &said(stay));
    }
    svg.finish()
}

fn axis(
    svg: &mut Svg,
    begin: Timestamp,
    last: Timestamp,
    height: u32,
    place: &impl Fn(Timestamp) -> u32,
    clock: Clock<'_>,
) {
    svg.line([LEFT, TOP + height, LEFT + WIDTH, TOP + height], FAINT);
    let (step, marks) = marks(begin, last);
    for at in marks {
        let x = place(at);
        svg.line([x, TOP - 8, x, TOP + height], RULE);
        svg.text([x, TOP + height + 20], Anchor::Middle, FAINT, &clock(at, step));
    }
}

/// The states of these stays in the order they were first come into, each with its row and the time spent in it.
fn rows(stays: &[Stay<'_>]) -> BTreeMap<State, (u32, u64)> {
    let mut rows = BTreeMap::new();
    for stay in stays {
        let next = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let (_, total) = rows.entry(stay.step.state).or_insert((next, 0_u64));
        *total = total.saturating_add(stay.length.0);
    }
    rows
}

fn said(stay: &Stay<'_>) -> String {
    let step = stay.step;
    format!(
        "{} for {}: {} (record {}), {}, {}",
        step.state,
        stay.length,
        step.event.kind(),
        step.seq,
        step.cause,
        step.actor
    )
}
