//! Keys at their bounds, and what makes two requests the same.

use super::{Command, Create, IdempotencyKey, StopMode, Target};
use crate::id::SandboxId;
use crate::refusal::Refusal;
use crate::spec::Name;

#[test]
fn a_key_has_1_to_255_bytes() {
    assert_eq!(IdempotencyKey::new(""), Err(Refusal::BadKey { found: 0 }));
    assert!(IdempotencyKey::new(&"k".repeat(255)).is_ok());
    assert_eq!(IdempotencyKey::new(&"k".repeat(256)), Err(Refusal::BadKey { found: 256 }));
    assert_eq!(IdempotencyKey::new(&"ü".repeat(128)), Err(Refusal::BadKey { found: 256 }));
}

#[test]
fn a_repeated_create_has_the_fingerprint_of_the_first() {
    let create = |id, name| {
        let name = Some(Name::new(name).unwrap());
        Command::Create(Create { name, ..Create::new(SandboxId::from_u128(id)) }).fingerprint()
    };
    assert_eq!(create(1, "a"), create(2, "a"));
    assert_ne!(create(1, "a"), create(1, "b"));
}

#[test]
fn requests_for_different_things_have_different_fingerprints() {
    let target = |id| Target::from(SandboxId::from_u128(id));
    let commands = [
        Command::Start(target(1)),
        Command::Start(target(2)),
        Command::Delete(target(1)),
        Command::Stop(target(1), StopMode::Force),
        Command::Stop(target(1), StopMode::Graceful(None)),
        Command::RefreshActivity(target(1)),
    ];
    for (place, one) in commands.iter().enumerate() {
        for other in &commands[place + 1..] {
            assert_ne!(one.fingerprint(), other.fingerprint(), "{one:?} and {other:?}");
        }
    }
}
