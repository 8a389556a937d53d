//! Trees of forks as text, as DOT and as SVG.

use hourglass_events::{SandboxId, State};
use petgraph::dot::{Config, Dot};
use petgraph::stable_graph::StableDiGraph;

use super::{Branch, Forest, Member};
use crate::drawing::{Anchor, Clock, FAINT, INK, Svg, colour, label};

/// The most sandboxes that are drawn as SVG; of more, the first.
pub const DRAWN_MOST: usize = 2_000;

/// A line for each sandbox of the tree below `root`, `marked` with an arrow.
#[must_use]
pub fn text(forest: &Forest, root: SandboxId, marked: Option<SandboxId>, clock: Clock<'_>) -> Vec<String> {
    let branches = forest.descent(root);
    // For each generation, whether a line goes on down to a younger one.
    let mut open = Vec::<bool>::new();
    let mut rows = Vec::with_capacity(branches.len());
    for Branch { member, depth, last } in branches {
        open.truncate(depth);
        let rails = open.iter().skip(1).map(|open| if *open { "│   " } else { "    " });
        let mut stem: String = rails.collect();
        if depth > 0 {
            stem += if last { "└── " } else { "├── " };
        }
        open.push(!last);
        rows.push((format!("{stem}{}", member.name), member));
    }
    let width = rows.iter().map(|(stem, _)| stem.chars().count()).max().unwrap_or(0);
    let line = |(stem, member): (String, &Member)| {
        let mark = if marked == Some(member.sandbox) { "  ←" } else { "" };
        let (state, created) =
            (member.state.title(), clock(member.created, hourglass_events::Span::millis(1)));
        format!("{stem:<width$}  {state:<16} created {created}  {}{mark}", member.sandbox)
    };
    rows.into_iter().map(line).collect()
}

/// The trees below `roots` as a graph for Graphviz.
#[must_use]
pub fn dot(forest: &Forest, roots: &[SandboxId], clock: Clock<'_>) -> String {
    let mut graph = StableDiGraph::<&Member, ()>::new();
    for root in roots {
        let mut line = Vec::new();
        for Branch { member, depth, .. } in forest.descent(*root) {
            let place = graph.add_node(member);
            line.truncate(depth);
            if let Some(parent) = line.last() {
                graph.add_edge(*parent, place, ());
            }
            line.push(place);
        }
    }
    let node = |_: &_, (_, member): (_, &&Member)| {
        let created = clock(member.created, hourglass_events::Span::millis(1));
        // Debug quotes and escapes as DOT does, but for characters that no name has.
        let words = format!("{}\n{}\ncreated {created}", member.name, member.state.title());
        format!(
            "id = \"{}\" label = {words:?} color = \"{}\" style = {} ",
            member.sandbox,
            colour(member.state),
            if member.state == State::Deleted { "dashed" } else { "solid" }
        )
    };
    let edge = |_: &_, _| String::new();
    let config = [Config::NodeNoLabel, Config::EdgeNoLabel];
    format!("{:?}", Dot::with_attr_getters(&graph, &config, &edge, &node))
}

const LEFT: u32 = 16;
const TOP: u32 = 46;
const ROW: u32 = 44;
const GENERATION: u32 = 56;
const BOX: [u32; 2] = [300, 34];
/// Deeper generations are drawn no further to the right.
const GENERATIONS_MOST: u32 = 30;

/// The trees below `roots`, each generation further to the right than its parents.
#[must_use]
pub fn svg(forest: &Forest, roots: &[SandboxId], marked: Option<SandboxId>, clock: Clock<'_>) -> String {
    let all: Vec<_> = roots.iter().flat_map(|root| forest.descent(*root)).collect();
    let drawn = &all[..all.len().min(DRAWN_MOST)];
    let column = |depth: usize| u32::try_from(depth).unwrap_or(u32::MAX).min(GENERATIONS_MOST);
    let widest = drawn.iter().map(|branch| column(branch.depth)).max().unwrap_or(0);
    let rows = u32::try_from(drawn.len()).unwrap_or(u32::MAX);
    let mut svg = Svg::new(LEFT * 2 + widest * GENERATION + BOX[0] + 40, TOP + rows * ROW + 30);
    svg.heading([LEFT, 26], "Forks");
    // Where the line down from the latest of each generation begins.
    let mut latest = Vec::<u32>::new();
    for (row, Branch { member, depth, .. }) in (0..).zip(drawn) {
        let (x, y) = (LEFT + column(*depth) * GENERATION, TOP + row * ROW);
        latest.truncate(*depth);
        if let Some(from) = latest.last() {
            let rail = LEFT + column(depth - 1) * GENERATION + 18;
            svg.line([rail, *from, rail, y + BOX[1] / 2], FAINT);
            svg.line([rail, y + BOX[1] / 2, x.max(rail), y + BOX[1] / 2], FAINT);
        }
        latest.push(y + BOX[1]);
        member_box(&mut svg, [x, y], member, marked == Some(member.sandbox), clock);
    }
    if all.len() > drawn.len() {
        let more = format!("and {} more", all.len() - drawn.len());
        svg.text([LEFT, TOP + rows * ROW + 18], Anchor::Start, FAINT, &more);
    }
    svg.finish()
}

fn member_box(svg: &mut Svg, [x, y]: [u32; 2], member: &Member, marked: bool, clock: Clock<'_>) {
    let created = clock(member.created, hourglass_events::Span::millis(1));
    let said = format!("{} ({}), {}, created {created}", member.name, member.sandbox, member.state);
    let frame = if marked { INK } else { "#cbd2d9" };
    svg.bar([x, y, BOX[0], BOX[1]], frame, &said);
    svg.bar([x + 1, y + 1, BOX[0] - 2, BOX[1] - 2], "#ffffff", &said);
    svg.bar([x + 1, y + 1, 6, BOX[1] - 2], colour(member.state), &said);
    svg.text([x + 16, y + 15], Anchor::Start, INK, &label(&member.name));
    svg.text(
        [x + 16, y + 29],
        Anchor::Start,
        FAINT,
        &format!("{} · created {created}", member.state.title()),
    );
}
