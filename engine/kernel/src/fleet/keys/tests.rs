//! Keys leave by record time and by number, oldest first.

use hourglass_events::{Actor, CorrelationId, Event, KeyUse, RecordId, SandboxEvent, SandboxId};

use super::*;

fn record(seq: u64, at: Timestamp, key: Option<String>) -> Record {
    let used = key.map(|key| KeyUse { key, fingerprint: Digest::NONE });
    Record {
        seq: Seq(seq),
        id: RecordId::from_u128(seq.into()),
        at,
        subject: Subject::Sandbox(SandboxId::from_u128(seq.into())),
        organization: OrganizationId::from_u128(1),
        version: 1,
        actor: Actor::Engine,
        cause: Cause::Request(used),
        correlation: CorrelationId::from_u128(1),
        prev: Digest::NONE,
        schema: 0,
        event: Event::Sandbox(SandboxEvent::Booted),
    }
}

fn get(keys: &Keys, key: &str) -> Option<Seq> {
    let key = IdempotencyKey::new(key).expect("a key");
    keys.get(OrganizationId::from_u128(1), &key).map(|used| used.seq)
}

#[test]
fn a_key_leaves_with_the_first_record_after_its_day() {
    let mut keys = Keys::default();
    keys.take_in(&record(1, Timestamp(5), Some("k".to_owned())));
    keys.take_in(&record(2, Timestamp(5).after(KEPT), None));
    assert_eq!(get(&keys, "k"), Some(Seq(1)));
    keys.take_in(&record(3, Timestamp(6).after(KEPT), None));
    assert_eq!(get(&keys, "k"), None);
    assert!(keys.is_empty() && keys.ages.is_empty());
}

#[test]
fn beyond_the_most_the_oldest_leave_early() {
    let mut keys = Keys::default();
    for seq in 1..=MOST as u64 + 2 {
        keys.take_in(&record(seq, Timestamp(seq), Some(format!("k{seq}"))));
    }
    assert_eq!((keys.len(), keys.ages.len()), (MOST, MOST));
    assert_eq!((get(&keys, "k2"), get(&keys, "k3")), (None, Some(Seq(3))));
    keys.take_in(&record(u64::MAX, Timestamp(u64::from(u32::MAX)), None));
    assert_eq!(keys.len(), MOST, "a record without a key takes no room");
}

#[test]
fn a_key_used_again_is_as_old_as_its_last_use() {
    let mut keys = Keys::default();
    keys.take_in(&record(1, Timestamp(1), Some("k".to_owned())));
    keys.take_in(&record(2, Timestamp(2), Some("k".to_owned())));
    assert_eq!((get(&keys, "k"), keys.len(), keys.ages.len()), (Some(Seq(2)), 1, 1));
}
