//! What drawings are made of.

use hourglass_events::{Span, Timestamp};

use super::{Anchor, LABEL_MOST, Svg, label, marks, scaled};

#[test]
fn a_drawing_holds_any_text_as_text() {
    let mut svg = Svg::new(100, 50);
    svg.text([1, 2], Anchor::Start, "#000", "<b>&\"\u{1}</b>");
    svg.bar([0, 0, 1, 1], "#000", "</title>");
    let text = svg.finish();
    assert!(text.contains(">&lt;b&gt;&amp;&quot;?&lt;/b&gt;<"), "{text}");
    assert!(text.contains("<title>&lt;/title&gt;</title>"), "{text}");
}

#[test]
fn a_long_label_is_cut_and_says_so() {
    assert_eq!(label("short"), "short");
    let long = label(&"ä".repeat(LABEL_MOST + 1));
    assert_eq!(long.chars().count(), LABEL_MOST);
    assert!(long.ends_with('…'));
}

#[test]
fn lengths_are_drawn_to_scale_and_within_the_drawing() {
    assert_eq!(scaled(1, 2, 100), 50);
    assert_eq!(scaled(3, 2, 100), 100);
    assert_eq!(scaled(0, 0, 100), 0);
}

#[test]
fn an_axis_has_few_marks_at_even_moments() {
    for length in [0, 1, 999, 5_000_000, 3_600_000_000, 90 * 86_400_000_000, u64::MAX / 2] {
        let begin = Timestamp(1_700_000_000_123_456);
        let (step, at) = marks(begin, begin.after(Span(length)));
        assert!(at.len() <= 8, "{length}");
        assert!(at.iter().all(|at| at.0.is_multiple_of(step.0) && *at >= begin), "{length}");
    }
    let (step, at) = marks(Timestamp(0), Timestamp(3_600_000_000));
    assert_eq!((step, at.len()), (Span::minutes(15), 5));
}
