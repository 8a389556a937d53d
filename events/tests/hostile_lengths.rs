//! Lengths that lie. Alone in its program, because it counts what the program allocates.

use std::alloc::System;

use cap::Cap;
use hourglass_events::codec::{Group, decode};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What a decoder may take for a few hostile bytes: one cautious preallocation, and no more.
const MOST: usize = 2 << 20;

/// How much more was held at once while `run` ran.
fn peak(run: impl FnOnce()) -> usize {
    let (before, most_before) = (ALLOCATOR.allocated(), ALLOCATOR.max_allocated());
    run();
    let most = ALLOCATOR.max_allocated();
    if most > most_before { most - before } else { 0 }
}

#[test]
fn a_length_that_lies_allocates_little() {
    // Strings, byte strings, arrays and maps of up to 4 GiB, in each place of an envelope or a group.
    let liars: &[&[u8]] =
        &[b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"];
    let uuid: &[u8] = b"\xc4\x10................";
    let digest: &[u8] = b"\xc4\x20................................";
    let sandbox = [b"\x81\xa7Sandbox", uuid].concat();
    let envelope: &[&[u8]] =
        &[b"\x01", uuid, b"\x01", &sandbox, uuid, b"\x01", b"\xa6Engine", b"\xa4Duty", uuid, digest, b"\x00"];
    let group: &[&[u8]] = &[b"\x01", b"\x01", uuid, digest];
    for (head, fields) in [(b"\x9c", envelope), (b"\x95", group)] {
        for place in 0..=fields.len() {
            for liar in liars {
                let bytes = [&head[..], &fields[..place].concat(), liar, b"........"].concat();
                let taken = peak(|| assert!(decode(&bytes).is_err() && Group::decode(&bytes).is_err()));
                assert!(taken <= MOST, "{taken} bytes were allocated for {bytes:02x?}");
            }
        }
    }
    for liar in liars {
        // Labels and lists inside an event, where nothing else would bound them.
        let body = [b"\x81\xaeLabelsReplaced\x81\xa6labels".as_slice(), liar].concat();
        let length = u8::try_from(body.len()).unwrap();
        let bytes = [b"\x9c".as_slice(), &envelope.concat(), &[0xc4, length], &body].concat();
        let taken = peak(|| assert!(decode(&bytes).is_err()));
        assert!(taken <= MOST, "{taken} bytes were allocated for {bytes:02x?}");
    }
    // And were something taken, it would be seen.
    let taken = peak(|| drop(std::hint::black_box(vec![1_u8; 64 << 20])));
    assert!(taken >= 64 << 20, "{taken}");
}
