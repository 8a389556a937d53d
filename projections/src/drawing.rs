//! SVG as text: the few shapes that drawings of read models are made of.
//!
//! It measures no fonts: whoever draws leaves room. Times are put into words by whoever asks for a drawing, who knows
//! for whom it is.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use hourglass_events::{Span, State, Timestamp};

/// The most characters of a label; the rest is in what appears beneath the pointer.
pub(crate) const LABEL_MOST: usize = 28;
/// The ink of text, and of what is beside the point.
pub(crate) const INK: &str = "#1f2933";
pub(crate) const FAINT: &str = "#7b8794";
/// The lines behind bars.
pub(crate) const RULE: &str = "#e4e7eb";

/// Puts a moment into words, for an axis whose marks are this far apart.
pub type Clock<'a> = &'a dyn Fn(Timestamp, Span) -> String;

/// A drawing under way. Its measures are pixels.
#[derive(Debug)]
pub(crate) struct Svg {
    width: u32,
    height: u32,
    body: String,
}

/// Where a text hangs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    /// It begins here.
    Start,
    /// It is centred here.
    Middle,
    /// It ends here.
    End,
}

impl Svg {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { width, height, body: String::new() }
    }

    /// A filled box, and what is said of it beneath the pointer.
    pub(crate) fn bar(&mut self, [x, y, width, height]: [u32; 4], fill: &str, said: &str) {
        let said = escaped(said);
        let _ = writeln!(
            self.body,
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="2" fill="{fill}"><title>{said}</title></rect>"#
        );
    }

    pub(crate) fn line(&mut self, [x1, y1, x2, y2]: [u32; 4], stroke: &str) {
        let _ = writeln!(
            self.body,
            r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" stroke-width="1"/>"#
        );
    }

    pub(crate) fn text(&mut self, [x, y]: [u32; 2], anchor: Anchor, fill: &str, text: &str) {
        self.written([x, y], anchor, fill, 12, text);
    }

    pub(crate) fn heading(&mut self, [x, y]: [u32; 2], text: &str) {
        self.written([x, y], Anchor::Start, INK, 15, text);
    }

    fn written(&mut self, [x, y]: [u32; 2], anchor: Anchor, fill: &str, size: u32, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        let _ = writeln!(
            self.body,
            r#"<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{fill}">{text}</text>"#
        );
    }

    /// The whole document.
    pub(crate) fn finish(self) -> String {
        let Self { width, height, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
        )
    }
}

/// `text` as XML has it. What XML cannot hold at all is shown as a question mark.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

/// `text`, or as much of it as a label holds.
pub(crate) fn label(text: &str) -> String {
    if text.chars().count() <= LABEL_MOST {
        return text.to_owned();
    }
    text.chars().take(LABEL_MOST - 1).chain(['…']).collect()
}

/// `width` times `part` of `whole`.
pub(crate) fn scaled(part: u128, whole: u128, width: u32) -> u32 {
    let pixels = part.saturating_mul(width.into()) / whole.max(1);
    u32::try_from(pixels).unwrap_or(u32::MAX).min(width)
}

/// What a state looks like.
pub(crate) const fn colour(state: State) -> &'static str {
    match state {
        State::Started => "#2f9e62",
        State::Stopped => "#829ab1",
        State::Paused => "#9f7aea",
        State::Archived => "#b8a58f",
        State::Error | State::BuildFailed => "#d64545",
        State::Deleting | State::Deleted => "#52606d",
        State::Unknown
        | State::PendingBuild
        | State::BuildingSnapshot
        | State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Stopping
        | State::Pausing
        | State::Resuming
        | State::Archiving
        | State::Restoring
        | State::Resizing
        | State::Snapshotting
        | State::Forking => "#e9a23b",
    }
}

/// How far apart the marks of an axis may be, in milliseconds.
const STEPS: [u64; 25] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    15_000,
    30_000,
    60_000,
    300_000,
    900_000,
    1_800_000,
    3_600_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    604_800_000,
    2_592_000_000,
];
/// The most marks an axis has.
const MARKS_MOST: u64 = 8;

/// The marks of an axis from `begin` to `end`: at even moments, at most eight.
pub(crate) fn marks(begin: Timestamp, end: Timestamp) -> (Span, Vec<Timestamp>) {
    let length = end.since(begin).0;
    let fits = |step: &&u64| length / (*step * 1_000) < MARKS_MOST;
    let millis = STEPS.iter().find(fits).copied();
    // Longer than any step provides for: as many as there may be, however odd.
    let step = millis.map_or(length / MARKS_MOST + 1, |millis| millis * 1_000);
    let first = begin.0.div_ceil(step).saturating_mul(step);
    let most = usize::try_from(MARKS_MOST).unwrap_or_default();
    let marks =
        (0..).map_while(|n: u64| first.checked_add(n.checked_mul(step)?)).take_while(|at| *at <= end.0);
    (Span(step), marks.take(most).map(Timestamp).collect())
}
