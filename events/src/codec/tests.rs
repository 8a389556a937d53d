//! The wire: what goes out comes back, what is not understood is said, and nothing panics.

mod golden;
mod hostile;

use proptest::prelude::*;

use super::{
    DecodeError, GROUP_BYTES_MOST, GROUP_RECORDS_MOST, Group, GroupView, RECORD_BYTES_MOST, decode, encode,
    subject,
};
use crate::arbitrary::{digest, record};
use crate::record::Digest;

fn group(records: Vec<Vec<u8>>) -> Group {
    Group { epoch: 3, number: 7, nonce: 11, previous: Digest::of(b"before"), records }
}

fn malformed(frame: &[u8]) -> String {
    match Group::decode(frame) {
        Err(DecodeError::Malformed { what: "a group", why }) => why,
        other => panic!("answered {other:?}"),
    }
}

#[test]
fn a_group_has_1_to_512_records() {
    assert_eq!(malformed(&group(vec![]).encode()), "it has 0 records of 0 bytes");
    let most = group(vec![vec![1]; GROUP_RECORDS_MOST]);
    assert_eq!(Group::decode(&most.encode()), Ok(most));
    let more = group(vec![vec![1]; GROUP_RECORDS_MOST + 1]);
    assert_eq!(malformed(&more.encode()), "it has 513 records of 513 bytes");
}

#[test]
fn a_group_has_at_most_256_kib_of_records() {
    let half = vec![1; GROUP_BYTES_MOST / 2];
    let most = group(vec![half.clone(), half.clone()]);
    assert!(Group::decode(&most.encode()) == Ok(most));
    let more = group(vec![half.clone(), half, vec![1]]);
    assert_eq!(malformed(&more.encode()), "it has 3 records of 262145 bytes");
}

#[test]
fn the_largest_record_fits_a_group_of_its_own() {
    const { assert!(RECORD_BYTES_MOST <= GROUP_BYTES_MOST) };
    let largest = group(vec![vec![1; RECORD_BYTES_MOST]]);
    assert!(Group::decode(&largest.encode()) == Ok(largest));
}

#[test]
fn what_follows_a_group_is_refused() {
    let mut frame = group(vec![vec![1]]).encode();
    frame.push(0);
    assert_eq!(malformed(&frame), "more bytes follow its end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn records_come_back(record in record()) {
        let bytes = encode(&record);
        let back = decode(&bytes);
        prop_assert_eq!(back.as_ref(), Ok(&record));
        prop_assert_eq!(subject(&bytes), Ok(record.subject));
        prop_assert_eq!(encode(&record), bytes);
    }

    #[test]
    fn groups_come_back(
        numbers in any::<[u64; 2]>(),
        nonce in any::<u128>(),
        previous in digest(),
        records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..20),
    ) {
        let [epoch, number] = numbers;
        let group = Group { epoch, number, nonce, previous, records };
        let frame = group.encode();
        let view = GroupView::decode(&frame).unwrap();
        prop_assert!(view.records.iter().zip(&group.records).all(|(seen, sent)| seen == sent));
        prop_assert_eq!(Group::decode(&frame), Ok(group));
    }
}
