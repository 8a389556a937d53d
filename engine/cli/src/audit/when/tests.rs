//! Moments as people write them.

use hourglass_events::{Seq, Timestamp};

use super::When;

/// 2026-07-01T14:05:10Z.
const TEN_PAST: u64 = 1_782_914_710_000_000;

fn length(text: &str) -> (u64, u64) {
    match text.parse::<When>().unwrap() {
        When::Time { from, until } => (from.0, until.0 - from.0 + 1),
        When::Seq(seq) => panic!("{text} was taken for record {seq}"),
    }
}

#[test]
fn a_time_lasts_as_long_as_it_is_written() {
    assert_eq!(length("2026-07-01T14:05:10Z"), (TEN_PAST, 1_000_000));
    assert_eq!(length("2026-07-01T14:05:10.000Z"), (TEN_PAST, 1_000));
    assert_eq!(length("2026-07-01 14:05:10.000000"), (TEN_PAST, 1));
    assert_eq!(length("2026-07-01T16:05:10+02:00"), (TEN_PAST, 1_000_000));
    assert_eq!(length("2026-07-01 14:05:10"), (TEN_PAST, 1_000_000));
    assert_eq!(length("2026-07-01 14:05"), (TEN_PAST - 10_000_000, 60_000_000));
    assert_eq!(length("2026-07-01").1, 86_400_000_000);
}

#[test]
fn a_number_is_a_record() {
    assert_eq!("7".parse(), Ok(When::Seq(Seq(7))));
}

#[test]
fn what_is_no_moment_is_refused_with_what_is_one() {
    for text in ["", "0", "-1", "yesterday", "14:05", "2026-13-01", "1960-01-01", "99999999999999999999"] {
        let refusal = text.parse::<When>().unwrap_err().to_string();
        assert!(refusal.contains("2026-07-01T14:05:10Z"), "{text}: {refusal}");
    }
}

#[test]
fn a_time_as_it_was_printed_has_the_record_it_was_printed_of() {
    let printed = crate::paint::time(Timestamp(TEN_PAST + 123_456));
    let (from, length) = length(&printed);
    assert!((from..from + length).contains(&(TEN_PAST + 123_456)), "{printed}");
}
