//! Damage to a log's files is an error that names it, or does no harm. An acknowledged frame never goes in silence once
//! anything vouches for it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use hourglass_engine::log::files::Files;
use hourglass_engine::log::files::simulated::{Cut, Dice, SimulatedDisk};
use hourglass_engine::log::segments::{Check, Flaw, Notice, OpenError, Options, Segments, Witness};
use hourglass_engine::log::{Outcome, ReadError, Slot};

/// Where the frames of a file begin.
const DATA: usize = 12_288;
const FIRST: &str = "00000000000000000001.segment";

fn options() -> Options {
    Options { segment_bytes: 14 << 10, frame_bytes: 2_000, reserve_bytes: 0, ..Options::new(3) }
}

fn open(disk: &SimulatedDisk) -> Result<(Segments<SimulatedDisk>, Vec<Notice>), OpenError> {
    Segments::open(disk, options())
}

fn refusal(disk: &SimulatedDisk) -> OpenError {
    open(disk).map(|(log, notices)| (log.end(), notices)).unwrap_err()
}

fn frame(number: u64) -> Vec<u8> {
    format!("frame {number} ").into_bytes().repeat(70)
}

fn append(log: &mut Segments<SimulatedDisk>, slots: std::ops::RangeInclusive<u64>) {
    for number in slots {
        assert_eq!(log.append(Slot(number), &frame(number)), Outcome::Durable);
    }
}

/// A log of eight frames in three files, marked or not.
fn eight(marked: bool) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let (mut log, _) = open(&disk).unwrap();
    append(&mut log, 1..=8);
    if marked {
        assert_eq!(log.mark(), Outcome::Durable);
    }
    drop(log);
    disk
}

fn segments(disk: &SimulatedDisk) -> Vec<String> {
    disk.list().unwrap().into_iter().filter(|name| name.ends_with(".segment")).collect()
}

/// What a reader gets: the frames before the first error, and that error.
fn readable(log: &Segments<SimulatedDisk>) -> (u64, Option<ReadError>) {
    let mut scan = log.reader().scan(Slot::FIRST);
    let mut read = 0;
    loop {
        match scan.next_frame() {
            Ok(Some(found)) => {
                read += 1;
                assert_eq!((found.slot, found.frame), (Slot(read), &frame(read)[..]), "silently wrong bytes");
            }
            Ok(None) => return (read, None),
            Err(error) => return (read, Some(error)),
        }
    }
}

/// Flip every byte, and in the bytes that say something every bit.
fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    bytes.iter().enumerate().flat_map(|(at, &byte)| {
        let bits = if byte == 0 { at % 8..at % 8 + 1 } else { 0..8 };
        bits.map(move |bit| (at, u8::try_from(bit).unwrap()))
    })
}

#[test]
fn no_flipped_bit_goes_unnoticed_where_a_mark_vouches_for_the_last_frame() {
    let whole = eight(true);
    let names = segments(&whole);
    assert_eq!(names.len(), 3);
    let (mut refused, mut stopped, mut harmless) = (0, 0, 0);
    for name in names.iter().map(String::as_str).chain(["identity"]) {
        for (at, bit) in flips(&whole.bytes(name)) {
            let disk = whole.image();
            disk.flip(name, at, bit);
            match open(&disk).map(|(log, _)| readable(&log)) {
                Err(_) => refused += 1,
                Ok((_, Some(ReadError::Damaged { .. }))) => stopped += 1,
                Ok((8, None)) => harmless += 1,
                Ok(lost) => panic!("bit {bit} of byte {at} of {name}: {lost:?}"),
            }
        }
    }
    assert!(refused > 1_000 && stopped > 1_000 && harmless > 1_000, "{refused} {stopped} {harmless}");
}

#[test]
fn a_flipped_bit_costs_no_more_than_the_last_frame_where_nothing_vouches_for_it() {
    let whole = eight(false);
    let name = segments(&whole).pop().unwrap();
    let mut cut = 0;
    for (at, bit) in flips(&whole.bytes(&name)) {
        let disk = whole.image();
        disk.flip(&name, at, bit);
        let Ok((log, notices)) = open(&disk) else { continue };
        match (readable(&log), &notices[..]) {
            ((8, None), _) => {}
            ((7, None), [Notice::TornTailCut { slot: Slot(8), .. }]) => cut += 1,
            lost => panic!("bit {bit} of byte {at}: {lost:?}"),
        }
    }
    assert!(cut > 1_000);
}

#[test]
fn a_truncated_file_is_named_at_every_length() {
    let whole = eight(true);
    for name in segments(&whole) {
        let bytes = whole.bytes(&name);
        for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            let disk = whole.image();
            disk.set_bytes(&name, bytes[..length].to_vec());
            let refused = refusal(&disk);
            let truncated = matches!(&refused, OpenError::Truncated { file, .. } if *file == name);
            let headless = matches!(&refused, OpenError::Header { file, .. } if *file == name);
            assert!(if length < 64 { headless } else { truncated }, "{length} bytes: {refused}");
        }
    }
}

#[test]
fn zeros_over_an_acknowledged_tail_are_damage() {
    let disk = eight(true);
    let name = segments(&disk).pop().unwrap();
    let mut bytes = disk.bytes(&name);
    let written = bytes.iter().rposition(|&byte| byte != 0).unwrap();
    bytes[DATA..=written].fill(0);
    disk.set_bytes(&name, bytes);
    let OpenError::Damaged(damage) = refusal(&disk) else { panic!() };
    assert_eq!((damage.slot, &damage.file, damage.flaw), (Slot(7), &name, Flaw::Blank));
}

#[test]
fn the_first_bad_slot_is_named_and_those_before_it_can_be_read() {
    let disk = eight(true);
    disk.flip(FIRST, DATA + 32 + 10, 3);
    let (log, _) = open(&disk).unwrap();
    let (read, error) = readable(&log);
    assert_eq!(read, 0);
    let Some(ReadError::Damaged { slot, what }) = error else { panic!("{error:?}") };
    assert_eq!(slot, Slot(1));
    assert!(what.contains(FIRST) && what.contains("do not match its check value"), "{what}");
    assert_eq!(log.reader().read(Slot(4)).unwrap(), Some(frame(4)), "the next file can still be read");
}

#[test]
fn a_frame_that_a_later_one_vouches_for_is_damaged_rather_than_torn() {
    let disk = eight(false);
    let name = segments(&disk).pop().unwrap();
    disk.flip(&name, DATA + 5, 0);
    let OpenError::Damaged(damage) = refusal(&disk) else { panic!() };
    assert_eq!((damage.slot, damage.offset, damage.flaw), (Slot(7), DATA as u64, Flaw::Check));
}

#[test]
fn bytes_where_no_torn_frame_reaches_are_damage() {
    let disk = SimulatedDisk::new();
    let large = Options { segment_bytes: 1 << 20, ..options() };
    drop(Segments::open(&disk, large.clone()).unwrap());
    disk.flip(FIRST, (1 << 20) - 1, 0);
    let refused = Segments::open(&disk, large).map(|_| ()).unwrap_err();
    let OpenError::Damaged(damage) = refused else { panic!("{refused}") };
    assert_eq!(damage.flaw, Flaw::Stray { until: 1 << 20 });
}

#[test]
fn swapped_files_are_named() {
    let disk = eight(true);
    let names = segments(&disk);
    disk.swap(&names[0], &names[1]);
    let OpenError::Swapped { file, slot, found } = refusal(&disk) else { panic!() };
    assert_eq!((file, slot, found), (names[0].clone(), Slot(1), Slot(4)));
}

#[test]
fn a_missing_file_is_named_wherever_it_was() {
    let whole = eight(true);
    for (name, slot) in segments(&whole).iter().zip([1, 4, 7]) {
        let disk = whole.image();
        disk.lose(name);
        let OpenError::Missing { file, slot: found } = refusal(&disk) else { panic!() };
        assert_eq!((&file, found), (name, Slot(slot)));
    }
    let empty = whole.image();
    segments(&whole).iter().for_each(|name| empty.lose(name));
    assert!(matches!(refusal(&empty), OpenError::Missing { slot: Slot::FIRST, .. }));
}

#[test]
fn a_missing_identity_is_written_again() {
    let disk = eight(true);
    disk.lose("identity");
    assert_eq!(open(&disk).unwrap().1, [Notice::IdentityRewritten]);
    assert_eq!(open(&disk).unwrap().1, []);
}

#[test]
fn files_of_another_log_are_refused() {
    let other = SimulatedDisk::new();
    other.nonce();
    let (mut log, _) = open(&other).unwrap();
    append(&mut log, 1..=8);
    let disk = eight(true);
    let name = segments(&disk).pop().unwrap();
    disk.set_bytes(&name, other.bytes(&name));
    assert!(matches!(refusal(&disk), OpenError::Foreign { file, .. } if file == name));

    for options in [Options { shard: 4, ..options() }, Options { generation: 1, ..options() }] {
        let refused = Segments::open(&eight(true), options).map(|_| ()).unwrap_err();
        assert!(matches!(refused, OpenError::Foreign { shard: 3, generation: 0, .. }), "{refused}");
    }
}

#[test]
fn an_older_copy_of_a_file_is_refused() {
    let disk = SimulatedDisk::new();
    let (mut log, _) = open(&disk).unwrap();
    append(&mut log, 1..=2);
    let older = disk.bytes(FIRST);
    append(&mut log, 3..=8);
    let witness = log.witness();
    drop(log);
    let OpenError::Damaged(damage) = ({
        let disk = disk.image();
        disk.set_bytes(FIRST, older.clone());
        refusal(&disk)
    }) else {
        panic!()
    };
    assert_eq!((damage.slot, damage.file, damage.flaw), (Slot(3), FIRST.to_owned(), Flaw::Blank));

    let alone = SimulatedDisk::new();
    alone.set_bytes(FIRST, older);
    alone.set_bytes("identity", disk.bytes("identity"));
    let refused = Segments::open(&alone, Options { witness, ..options() }).map(|_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::WitnessAhead { witness: Slot(8), end: Slot(3) }), "{refused}");
}

#[test]
fn a_witness_must_agree_with_the_log() {
    let disk = eight(true);
    let (log, _) = open(&disk).unwrap();
    let checks: Vec<_> = (1..=8).map(|slot| log.reader().check(Slot(slot)).unwrap().unwrap()).collect();
    drop(log);
    let with = |slot, check| {
        let witness = Some(Witness { slot: Slot(slot), check });
        Segments::open(&disk, Options { witness, ..options() }).map(|_| ())
    };
    for (slot, &check) in (1..).zip(&checks) {
        with(slot, check).unwrap();
        let refused = with(slot, Check(check.0 ^ 1)).unwrap_err();
        assert!(matches!(refused, OpenError::WitnessDiffers { .. }), "{refused}");
    }
    let refused = with(9, checks[7]).unwrap_err();
    assert!(matches!(refused, OpenError::WitnessAhead { witness: Slot(9), end: Slot(9) }), "{refused}");
    assert!(refused.to_string().contains("acknowledged records are missing"), "{refused}");
}

#[test]
fn a_file_of_another_format_version_is_refused_by_its_number() {
    let disk = eight(true);
    let mut bytes = disk.bytes(FIRST);
    bytes[8] = 9;
    let check = crc32c::crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&check.to_le_bytes());
    disk.set_bytes(FIRST, bytes);
    assert!(matches!(refusal(&disk), OpenError::Version { found: 9, .. }));
}

#[test]
fn a_torn_mark_leaves_the_one_before() {
    for seed in 0..2_000 {
        let disk = SimulatedDisk::new();
        let (mut log, _) = open(&disk).unwrap();
        append(&mut log, 1..=1);
        assert_eq!(log.mark(), Outcome::Durable);
        append(&mut log, 2..=2);
        disk.cut_after(1);
        assert_eq!(log.mark(), Outcome::Broken);
        disk.power_cycle(&mut Cut::Scatter(Dice::new(seed)));
        let mut bytes = disk.bytes(FIRST);
        bytes[DATA..].fill(0);
        disk.set_bytes(FIRST, bytes);
        let OpenError::Damaged(damage) = refusal(&disk) else { panic!() };
        assert_eq!((damage.slot, damage.flaw), (Slot(1), Flaw::Blank));
    }
}

#[test]
fn under_load_marks_go_along_with_the_frames() {
    let disk = SimulatedDisk::new();
    let large = Options { segment_bytes: 1 << 20, ..options() };
    let (mut log, _) = Segments::open(&disk, large.clone()).unwrap();
    append(&mut log, 1..=300);
    drop(log);
    let mut bytes = disk.bytes(FIRST);
    bytes[DATA..].fill(0);
    disk.set_bytes(FIRST, bytes);
    let refused = Segments::open(&disk, large).map(|_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged(_)), "{refused}");
}

#[test]
fn a_frame_within_a_torn_frame_does_not_count() {
    // What a client puts into a payload may be a frame of another log, even with a slot that would fit here.
    let other = SimulatedDisk::new();
    other.nonce();
    let (mut theirs, _) = open(&other).unwrap();
    append(&mut theirs, 1..=3);
    let bytes = other.bytes(FIRST);
    let written = bytes.iter().rposition(|&byte| byte != 0).unwrap();
    let look_alike = &bytes[DATA..=written];

    let disk = SimulatedDisk::new();
    let (mut log, _) = open(&disk).unwrap();
    assert_eq!(log.append(Slot(1), look_alike), Outcome::Durable);
    drop(log);
    disk.flip(FIRST, DATA + 4, 0);
    let (log, notices) = open(&disk).unwrap();
    assert!(matches!(&notices[..], [Notice::TornTailCut { slot: Slot(1), .. }]), "{notices:?}");
    assert_eq!(log.end(), Slot(1));
}

/// Two histories of one log: the second has other bytes in every slot, of the same lengths.
fn two_histories() -> (SimulatedDisk, SimulatedDisk) {
    let disk = SimulatedDisk::new();
    drop(open(&disk).unwrap());
    let other = disk.image();
    for (disk, change) in [(&disk, 0), (&other, 1)] {
        let (mut log, _) = open(disk).unwrap();
        for number in 1..=8 {
            let mut frame = frame(number);
            frame[0] ^= change;
            assert_eq!(log.append(Slot(number), &frame), Outcome::Durable);
        }
        log.mark();
    }
    (disk, other)
}

/// Give a part of a file the bytes that it has in another history.
fn transplant(to: &SimulatedDisk, from: &SimulatedDisk, name: &str, part: std::ops::Range<usize>) {
    let mut bytes = to.bytes(name);
    bytes[part.clone()].copy_from_slice(&from.bytes(name)[part]);
    to.set_bytes(name, bytes);
}

#[test]
fn a_sound_frame_of_another_history_breaks_the_chain() {
    let (disk, other) = two_histories();
    let size = 32 + frame(1).len();
    transplant(&disk, &other, FIRST, DATA + size..DATA + 2 * size);
    let (log, _) = open(&disk).unwrap();
    let Err(ReadError::Damaged { slot: Slot(2), what }) = log.reader().read(Slot(2)) else { panic!() };
    assert!(what.contains("follows one with the check value"), "{what}");

    let (disk, other) = two_histories();
    let last = segments(&disk).pop().unwrap();
    transplant(&disk, &other, &last, DATA + size..DATA + 2 * size);
    let OpenError::Damaged(damage) = refusal(&disk) else { panic!() };
    assert!(matches!(damage.flaw, Flaw::Chain { .. }), "{damage}");
    assert_eq!(damage.slot, Slot(8));
}

#[test]
fn a_file_with_the_frames_of_another_history_is_refused() {
    let (disk, other) = two_histories();
    disk.set_bytes(FIRST, other.bytes(FIRST));
    assert!(matches!(refusal(&disk), OpenError::Discontinued { slot: Slot(4), .. }));

    // The front of the file, with its seal, is right, but not what it vouches for.
    let (disk, other) = two_histories();
    let end = disk.bytes(FIRST).len();
    transplant(&disk, &other, FIRST, DATA..end);
    let (log, _) = open(&disk).unwrap();
    let mut scan = log.reader().scan(Slot(2));
    assert!(scan.next_frame().is_ok() && scan.next_frame().is_ok());
    let Err(ReadError::Damaged { slot: Slot(4), .. }) = scan.next_frame() else { panic!() };

    // So it is with the last file when it has one frame, which the header leaves to the mark.
    let disk = SimulatedDisk::new();
    drop(open(&disk).unwrap());
    let other = disk.image();
    for (disk, text) in [(&disk, b"one"), (&other, b"two")] {
        let (mut log, _) = open(disk).unwrap();
        assert_eq!(log.append(Slot(1), text), Outcome::Durable);
        log.mark();
    }
    transplant(&disk, &other, FIRST, DATA..DATA + 64);
    let OpenError::Damaged(damage) = refusal(&disk) else { panic!() };
    assert!(matches!(damage.flaw, Flaw::Mark { .. }), "{damage}");
}
