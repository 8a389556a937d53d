//! The numbers users send, and what they mean.

use super::{AutoArchive, AutoDelete, AutoStop, LONGEST};
use crate::refusal::{Interval, Refusal};
use crate::time::Minutes;

fn bad(interval: Interval, found: i64, most: u32) -> Refusal {
    Refusal::BadInterval { interval, found, most }
}

#[test]
fn an_auto_stop_of_zero_is_never() {
    assert_eq!(AutoStop::decode(0), Ok(AutoStop::Never));
}

#[test]
fn an_auto_stop_of_minutes_is_kept() {
    assert_eq!(AutoStop::decode(1), Ok(AutoStop::After(Minutes(1))));
    assert_eq!(AutoStop::decode(LONGEST.into()), Ok(AutoStop::After(Minutes(LONGEST))));
    assert_eq!(AutoStop::decode(15), Ok(AutoStop::DEFAULT));
}

#[test]
fn a_negative_auto_stop_is_refused() {
    for found in [-1, -15, i64::MIN] {
        assert_eq!(AutoStop::decode(found), Err(bad(Interval::AutoStop, found, LONGEST)));
    }
}

#[test]
fn an_auto_stop_beyond_ten_years_is_refused() {
    for found in [i64::from(LONGEST) + 1, 1 << 32, i64::MAX] {
        assert_eq!(AutoStop::decode(found), Err(bad(Interval::AutoStop, found, LONGEST)));
    }
}

#[test]
fn an_auto_archive_of_zero_is_the_longest() {
    assert_eq!(AutoArchive::decode(0), Ok(AutoArchive(Minutes(43_200))));
}

#[test]
fn an_auto_archive_beyond_thirty_days_is_thirty_days() {
    for sent in [43_200, 43_201, i64::from(LONGEST) + 1, 1 << 32, i64::MAX] {
        assert_eq!(AutoArchive::decode(sent), Ok(AutoArchive::LONGEST), "{sent}");
    }
    assert_eq!(AutoArchive::decode(43_199), Ok(AutoArchive(Minutes(43_199))));
    assert_eq!(AutoArchive::decode(10_080), Ok(AutoArchive::DEFAULT));
}

#[test]
fn a_negative_auto_archive_is_refused() {
    for found in [-1, i64::MIN] {
        assert_eq!(AutoArchive::decode(found), Err(bad(Interval::AutoArchive, found, 43_200)));
    }
}

#[test]
fn an_auto_delete_of_minus_one_is_never_and_of_zero_at_once() {
    assert_eq!(AutoDelete::decode(-1), Ok(AutoDelete::Never));
    assert_eq!(AutoDelete::decode(0), Ok(AutoDelete::AtOnce));
    assert_eq!(AutoDelete::decode(60), Ok(AutoDelete::After(Minutes(60))));
    assert_eq!(AutoDelete::DEFAULT, AutoDelete::Never);
}

#[test]
fn another_negative_auto_delete_is_refused() {
    for found in [-2, i64::MIN, i64::from(LONGEST) + 1, i64::MAX] {
        assert_eq!(AutoDelete::decode(found), Err(bad(Interval::AutoDelete, found, LONGEST)));
    }
}
