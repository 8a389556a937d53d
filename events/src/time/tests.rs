//! Arithmetic at its ends, and spans as people read them.

use super::{Minutes, Span, Timestamp};

#[test]
fn moments_saturate_at_both_ends() {
    let last = Timestamp(u64::MAX);
    assert_eq!(last.after(Span::seconds(1)), last);
    assert_eq!(Timestamp(1).before(Span::seconds(1)), Timestamp(0));
    assert_eq!(Timestamp(1).since(Timestamp(2)), Span::ZERO);
    assert_eq!(Span::from(Minutes(u32::MAX)), Span::minutes(u32::MAX.into()));
    assert_eq!(Span::minutes(u64::MAX), Span(u64::MAX));
}

#[test]
fn doubling_stops_at_the_most() {
    let doubled = |times| Span::seconds(1).doubled(times, Span::minutes(5));
    assert_eq!([0, 1, 5].map(doubled), [Span::seconds(1), Span::seconds(2), Span::seconds(32)]);
    assert_eq!([9, 63, 64, u32::MAX].map(doubled), [Span::minutes(5); 4]);
    assert_eq!(Span::ZERO.doubled(u32::MAX, Span::minutes(5)), Span::ZERO);
}

#[test]
fn spans_are_read_in_the_largest_unit_that_says_nearly_all() {
    let text = |span: Span| span.to_string();
    assert_eq!(text(Span(999)), "999 µs");
    assert_eq!(text(Span::millis(20)), "20 ms");
    assert_eq!(text(Span::seconds(10)), "10 s");
    assert_eq!(text(Span::seconds(90)), "90 s");
    assert_eq!(text(Span::millis(1_500)), "1500 ms");
    assert_eq!(text(Span::millis(90_500)), "90 s");
    assert_eq!(text(Span::minutes(5)), "5 min");
    assert_eq!(text(Span::seconds(90 * 60 + 1)), "90 min");
    assert_eq!(text(Span::ZERO), "0 µs");
}
