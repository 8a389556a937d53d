//! Exactly once, in order.

use hourglass_events::Seq;

use super::{Cursor, OutOfStep};

#[test]
fn the_first_record_is_number_1() {
    let start = Cursor::default();
    assert_eq!(start.after(Seq(1)), Ok(Cursor::at(Seq(1))));
    assert_eq!(start.after(Seq(0)), Err(OutOfStep::Repeat { found: Seq(0), applied: Seq(0) }));
    assert_eq!(start.after(Seq(2)), Err(OutOfStep::Gap { found: Seq(2), applied: Seq(0) }));
}

#[test]
fn a_repeat_and_a_gap_are_told_apart() {
    let cursor = Cursor::at(Seq(7));
    for found in [Seq(1), Seq(6), Seq(7)] {
        assert_eq!(cursor.after(found), Err(OutOfStep::Repeat { found, applied: Seq(7) }));
    }
    for found in [Seq(9), Seq(u64::MAX)] {
        assert_eq!(cursor.after(found), Err(OutOfStep::Gap { found, applied: Seq(7) }));
    }
    assert_eq!(cursor.after(Seq(8)).map(Cursor::applied), Ok(Seq(8)));
}

#[test]
fn nothing_follows_the_last_sequence() {
    let last = Cursor::at(Seq(u64::MAX));
    assert!(matches!(last.after(Seq(u64::MAX)), Err(OutOfStep::Repeat { .. })));
    assert!(Cursor::at(Seq(u64::MAX - 1)).after(Seq(u64::MAX)).is_ok());
}

#[test]
fn errors_say_what_came_after_what() {
    let text = |found| Cursor::at(Seq(7)).after(Seq(found)).unwrap_err().to_string();
    assert_eq!(text(7), "record 7 was fed again after record 7");
    assert_eq!(text(9), "record 9 was fed after record 7: what lies between is missing");
}
