//! Bytes that no build of this schema writes.

use proptest::prelude::*;
use proptest::sample::Index;
use rmp_serde::to_vec_named;
use serde::Serialize;

use super::group;
use crate::arbitrary::record;
use crate::codec::{DecodeError, Envelope, Group, decode, encode, subject};
use crate::event::{SandboxEvent, SandboxEventKind};
use crate::id::{CorrelationId, OrganizationId, RecordId, SandboxId, Seq};
use crate::record::{Actor, Cause, Digest, SCHEMA, Subject};
use crate::resources::{Limits, Resources};
use crate::time::{Span, Timestamp};

/// A record of a sandbox with any body under any schema.
fn framed(schema: u32, body: &[u8]) -> Vec<u8> {
    let envelope = Envelope(
        Seq(9),
        RecordId::from_u128(1),
        Timestamp(5),
        Subject::Sandbox(SandboxId::from_u128(2)),
        OrganizationId::from_u128(3),
        4,
        Actor::Engine,
        Cause::Duty,
        CorrelationId::from_u128(6),
        Digest::NONE,
        schema,
        body,
    );
    rmp_serde::to_vec(&envelope).unwrap()
}

fn answer(body: &impl Serialize) -> DecodeError {
    decode(&framed(SCHEMA, &to_vec_named(body).unwrap())).unwrap_err()
}

/// The kind and the reason of an [`DecodeError::UnknownContent`].
fn unknown_content(body: &impl Serialize) -> (String, String) {
    let answer = answer(body);
    let DecodeError::UnknownContent { seq: Seq(9), kind, why } = answer else {
        panic!("answered {answer:?}")
    };
    (kind, why)
}

#[test]
fn an_unknown_kind_is_named() {
    #[derive(Serialize)]
    enum Later {
        Teleported,
        Teleporting { to: u8 },
    }
    for (body, kind) in [(Later::Teleported, "Teleported"), (Later::Teleporting { to: 1 }, "Teleporting")] {
        assert_eq!(answer(&body), DecodeError::UnknownKind { seq: Seq(9), kind: kind.to_owned() });
    }
    assert_eq!(
        answer(&Later::Teleported).to_string(),
        "record 9 holds an event of the unknown kind \"Teleported\"; use the build that wrote it or a newer one"
    );
}

#[test]
fn an_unknown_field_is_refused_at_any_depth() {
    #[derive(Serialize)]
    enum Intent {
        Stop { grace: Span, tenderly: bool },
    }
    #[derive(Serialize)]
    enum Fault {
        Missing { what: &'static str, since: u8 },
    }
    #[derive(Serialize)]
    enum Later {
        BootBegan { deadline: Timestamp, speed: u8 },
        Failed { fault: Fault },
        IntentQueued { intent: Intent },
    }
    let stop = Intent::Stop { grace: Span::ZERO, tenderly: true };
    let later = [
        (Later::BootBegan { deadline: Timestamp(1), speed: 2 }, "BootBegan", "speed"),
        (Later::Failed { fault: Fault::Missing { what: "disk", since: 1 } }, "Failed", "since"),
        (Later::IntentQueued { intent: stop }, "IntentQueued", "tenderly"),
    ];
    for (body, name, field) in later {
        let (kind, why) = unknown_content(&body);
        assert_eq!(kind, name);
        assert!(why.contains(field), "{why}");
    }
}

#[test]
fn resources_and_limits_have_no_other_fields() {
    #[derive(Serialize)]
    struct Later {
        cpu: u32,
        memory_gib: u32,
        disk_gib: u32,
        gpu: u32,
        npu: u32,
    }
    let bytes = to_vec_named(&Later { cpu: 1, memory_gib: 1, disk_gib: 1, gpu: 0, npu: 2 }).unwrap();
    assert!(rmp_serde::from_slice::<Resources>(&bytes).is_err());
    assert!(rmp_serde::from_slice::<Limits>(&bytes).is_err());
}

#[test]
fn a_missing_field_is_refused() {
    #[derive(Serialize)]
    enum Earlier {
        BootBegan {},
    }
    let (kind, why) = unknown_content(&Earlier::BootBegan {});
    assert_eq!(kind, "BootBegan");
    assert!(why.contains("deadline"), "{why}");
}

#[test]
fn a_missing_host_is_not_taken_for_none() {
    #[derive(Serialize)]
    struct Placement {
        hosts: u32,
        ready: u32,
        near: u32,
        able: u32,
        willing: u32,
        roomy: u32,
        queue: u32,
    }
    #[derive(Serialize)]
    enum Earlier {
        Placed { placement: Placement, deadline: Timestamp },
    }
    let placement = Placement { hosts: 1, ready: 1, near: 1, able: 1, willing: 1, roomy: 1, queue: 1 };
    let (_, why) = unknown_content(&Earlier::Placed { placement, deadline: Timestamp(1) });
    assert!(why.contains("host"), "{why}");
}

#[test]
fn an_unknown_fault_is_refused_rather_than_guessed() {
    #[derive(Serialize)]
    enum Fault {
        Struck { by: &'static str },
    }
    #[derive(Serialize)]
    enum Later {
        Failed { fault: Fault },
    }
    let (kind, why) = unknown_content(&Later::Failed { fault: Fault::Struck { by: "lightning" } });
    assert_eq!(kind, "Failed");
    assert!(why.contains("Struck"), "{why}");
}

#[test]
fn a_newer_schema_is_refused_before_its_body_is_read() {
    let error = decode(&framed(SCHEMA + 1, b"\xc1")).unwrap_err();
    assert_eq!(error, DecodeError::NewerSchema { seq: Seq(9), found: SCHEMA + 1, known: SCHEMA });
    assert_eq!(
        error.to_string(),
        "record 9 is written in schema 1; this build reads up to 0, use a newer one"
    );
}

#[test]
fn what_follows_a_record_or_its_event_is_refused() {
    let body = to_vec_named(&SandboxEvent::Booted).unwrap();
    let whole = framed(SCHEMA, &body);
    assert!(decode(&whole).is_ok());
    let trailed = DecodeError::Malformed { what: "a record", why: "more bytes follow its end".to_owned() };
    assert_eq!(decode(&[whole, vec![0xc0]].concat()), Err(trailed));
    let trailed = decode(&framed(SCHEMA, &[body, vec![0xc0]].concat()));
    assert!(matches!(trailed, Err(DecodeError::UnknownContent { kind, .. }) if kind == "Booted"));
}

#[test]
fn an_envelope_of_another_length_is_refused() {
    let mut bytes = framed(SCHEMA, &to_vec_named(&SandboxEvent::Booted).unwrap());
    assert_eq!(bytes[0], 0x9c, "an array of 12");
    bytes[0] = 0x9d;
    bytes.push(0xc0);
    assert!(matches!(decode(&bytes), Err(DecodeError::UnknownEnvelope { seq: Seq(9), .. })));
    assert!(matches!(subject(&bytes), Err(DecodeError::UnknownEnvelope { seq: Seq(9), .. })));
    // A shorter one has no event, and may as well be anything else.
    bytes.truncate(bytes.len() - 1);
    bytes[0] = 0x9b;
    assert!(matches!(decode(&bytes), Err(DecodeError::Malformed { what: "a record", .. })));
}

/// An envelope as a later build may write it: with causes, subjects and actors of its own, and more behind the event.
fn of_a_later_build(schema: u32) -> Vec<u8> {
    #[derive(Serialize)]
    enum Later {
        Moon { phase: u8 },
    }
    let later = Later::Moon { phase: 1 };
    let (organization, correlation) = (OrganizationId::from_u128(3), CorrelationId::from_u128(6));
    let front = (Seq(9), RecordId::from_u128(1), Timestamp(5), &later, organization, 4_u64, &later, &later);
    let back = (correlation, Digest::NONE, schema, serde_bytes::Bytes::new(b"\xc1"), "more");
    let (front, back) = (rmp_serde::to_vec(&front).unwrap(), rmp_serde::to_vec(&back).unwrap());
    // Both are arrays of fewer than 16, which have a head of one byte.
    [&[0x90 + 13], &front[1..], &back[1..]].concat()
}

#[test]
fn an_envelope_of_a_newer_schema_is_refused_as_such_whatever_else_is_in_it() {
    let newer = Err(DecodeError::NewerSchema { seq: Seq(9), found: SCHEMA + 1, known: SCHEMA });
    let bytes = of_a_later_build(SCHEMA + 1);
    assert_eq!(decode(&bytes).map(|_| ()), newer);
    assert_eq!(subject(&bytes).map(|_| ()), newer);
}

#[test]
fn an_envelope_of_another_build_is_told_from_damage() {
    let error = decode(&of_a_later_build(SCHEMA)).unwrap_err();
    assert!(matches!(error, DecodeError::UnknownEnvelope { seq: Seq(9), .. }), "{error:?}");
    assert!(error.to_string().ends_with("use the build that wrote it or a newer one"), "{error}");
}

#[test]
fn no_bytes_are_no_record_and_no_group() {
    assert!(matches!(decode(&[]), Err(DecodeError::Malformed { .. })));
    assert!(matches!(Group::decode(&[]), Err(DecodeError::Malformed { .. })));
}

#[test]
fn deep_nesting_is_refused() {
    let deep = [vec![0x91; 100_000], vec![0xc0]].concat();
    assert!(
        decode(&deep).is_err() && decode(&framed(SCHEMA, &deep)).is_err() && Group::decode(&deep).is_err()
    );
}

#[test]
fn every_kind_is_found_by_its_name() {
    for kind in SandboxEventKind::ALL {
        assert_eq!(SandboxEventKind::named(kind.name()), Some(*kind));
    }
    assert_eq!(SandboxEventKind::named("Teleported"), None);
}

/// One hurt to some bytes.
#[derive(Debug, Clone)]
enum Hurt {
    Flip(Index, u8),
    Cut(Index),
    Drop(Index),
    Insert(Index, u8),
    Repeat(Index, Index),
}

fn hurt() -> impl Strategy<Value = Hurt> {
    prop_oneof![
        (any::<Index>(), 1..=u8::MAX).prop_map(|(place, mask)| Hurt::Flip(place, mask)),
        any::<Index>().prop_map(Hurt::Cut),
        any::<Index>().prop_map(Hurt::Drop),
        (any::<Index>(), any::<u8>()).prop_map(|(place, byte)| Hurt::Insert(place, byte)),
        any::<[Index; 2]>().prop_map(|[from, to]| Hurt::Repeat(from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, hurt: &Hurt) {
    let Some(most) = bytes.len().checked_sub(1) else { return };
    let place = |index: &Index| index.index(most + 1);
    match hurt {
        Hurt::Flip(at, mask) => bytes[place(at)] ^= mask,
        Hurt::Cut(at) => bytes.truncate(place(at)),
        Hurt::Drop(at) => drop(bytes.remove(place(at))),
        Hurt::Insert(at, byte) => bytes.insert(place(at), *byte),
        Hurt::Repeat(one, other) => {
            let (from, to) = (place(one).min(place(other)), place(one).max(place(other)));
            bytes.extend_from_within(from..to);
        }
    }
}

/// Whatever was read from strange bytes can be written and read again.
fn check_answer(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(record) = decode(bytes) {
        prop_assert_eq!(decode(&encode(&record)), Ok(record));
    }
    if let Ok(group) = Group::decode(bytes) {
        prop_assert_eq!(Group::decode(&group.encode()), Ok(group));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn arbitrary_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check_answer(&bytes)?;
        check_answer(&framed(SCHEMA, &bytes))?;
    }

    #[test]
    fn hurt_records_are_answered(record in record(), hurts in prop::collection::vec(hurt(), 1..4)) {
        let mut bytes = encode(&record);
        hurts.iter().for_each(|hurt| apply(&mut bytes, hurt));
        check_answer(&bytes)?;
    }

    #[test]
    fn hurt_groups_are_answered(
        records in prop::collection::vec(record(), 1..4), hurts in prop::collection::vec(hurt(), 1..4),
    ) {
        let mut frame = group(records.iter().map(encode).collect()).encode();
        hurts.iter().for_each(|hurt| apply(&mut frame, hurt));
        check_answer(&frame)?;
    }

    #[test]
    fn a_cut_record_is_an_error(record in record(), at in any::<Index>()) {
        let bytes = encode(&record);
        prop_assert!(decode(&bytes[..at.index(bytes.len())]).is_err());
    }
}
