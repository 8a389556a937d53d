//! A full disk refuses new frames, loses none, and the log goes on once there is room.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use hourglass_engine::log::files::simulated::{Cut, Dice, SimulatedDisk};
use hourglass_engine::log::segments::{OpenError, Options, Segments};
use hourglass_engine::log::{Outcome, Slot};

type Log = Segments<SimulatedDisk>;

fn options() -> Options {
    Options { segment_bytes: 20 << 10, frame_bytes: 3_000, reserve_bytes: 5 << 10, ..Options::new(0) }
}

fn open(disk: &SimulatedDisk) -> Log {
    Segments::open(disk, options()).unwrap().0
}

fn frame(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(100)
}

fn check(log: &Log, frames: u64) {
    assert_eq!(log.end(), Slot(frames + 1));
    let mut scan = log.reader().scan(Slot::FIRST);
    for number in 1..=frames {
        assert_eq!(scan.next_frame().unwrap().unwrap().frame, frame(number));
    }
    assert_eq!(scan.next_frame().unwrap(), None);
}

/// Append until there is no room; how many frames the log then has.
fn fill(log: &mut Log) -> u64 {
    loop {
        let slot = log.end();
        match log.append(slot, &frame(slot.0)) {
            Outcome::Durable => {}
            Outcome::NoSpace => return slot.0 - 1,
            other @ (Outcome::Occupied | Outcome::Doubtful | Outcome::Broken) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_full_disk_refuses_loses_nothing_and_resumes() {
    let disk = SimulatedDisk::new();
    disk.set_capacity(Some(70 << 10));
    let mut log = open(&disk);
    let frames = fill(&mut log);
    assert!(frames > 20, "three files hold more than {frames}");
    assert!(disk.used() + options().reserve_bytes <= 70 << 10, "the reserve is left to others");
    for _ in 0..3 {
        assert_eq!(log.append(Slot(frames + 1), &frame(frames + 1)), Outcome::NoSpace);
    }
    check(&log, frames);
    assert_eq!(log.mark(), Outcome::Durable, "what is there can still be vouched for");

    disk.set_capacity(Some(100 << 10));
    assert_eq!(log.append(Slot(frames + 1), &frame(frames + 1)), Outcome::Durable);
    check(&log, frames + 1);
}

#[test]
fn a_log_on_a_full_disk_opens_and_survives_the_power() {
    let disk = SimulatedDisk::new();
    disk.set_capacity(Some(70 << 10));
    let mut log = open(&disk);
    let frames = fill(&mut log);
    drop(log);
    disk.set_capacity(Some(disk.used()));
    disk.power_cycle(&mut Cut::DropAll);
    let mut log = open(&disk);
    check(&log, frames);
    assert_eq!(log.append(Slot(frames + 1), &frame(frames + 1)), Outcome::NoSpace);
    disk.set_capacity(None);
    assert_eq!(log.append(Slot(frames + 1), &frame(frames + 1)), Outcome::Durable);
    check(&log, frames + 1);
}

#[test]
fn room_says_what_a_full_disk_still_takes() {
    let disk = SimulatedDisk::new();
    let mut log = open(&disk);
    while log.wants_spare().is_none() {
        let slot = log.end();
        assert_eq!(log.append(slot, &frame(slot.0)), Outcome::Durable);
    }
    let without = log.room();
    log.take_spare(log.wants_spare().unwrap().prepare().unwrap());
    assert!(log.room() > without);
    disk.set_capacity(Some(0));
    let room = log.room();
    let before = log.end().0;
    let frames = fill(&mut log) + 1 - before;
    assert!(frames * 832 <= room && room < (frames + 2) * 832, "{frames} frames of 832 bytes in {room}");
}

#[test]
fn no_room_for_a_first_segment_is_said_at_once() {
    let disk = SimulatedDisk::new();
    disk.set_capacity(Some(20 << 10));
    let refused = Segments::open(&disk, options()).map(|_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::NoSpace { needed: 25_600, .. }), "{refused}");
    disk.set_capacity(Some(30 << 10));
    open(&disk);
}

#[test]
fn a_write_that_ran_out_of_room_half_way_leaves_nothing_behind() {
    for seed in 0..400 {
        let mut dice = Dice::new(seed);
        let disk = SimulatedDisk::new();
        let mut log = open(&disk);
        assert_eq!(log.append(Slot(1), &frame(1)), Outcome::Durable);
        disk.fill_up_after(0, dice.roll());
        assert_eq!(log.append(Slot(2), &[7; 3_000]), Outcome::NoSpace);
        check(&log, 1);
        // The caller keeps its frame and sends it again, but nothing depends on that: a shorter one does as well.
        if dice.once_in(2) {
            assert_eq!(log.append(Slot(2), &frame(2)), Outcome::Durable);
            check(&log, 2);
        }
        let frames = log.end().0 - 1;
        disk.power_cycle(&mut Cut::from_seed(dice.roll()));
        let (mut log, notices) = Segments::open(&disk, options()).unwrap();
        assert!(frames == 1 || notices.is_empty(), "{notices:?}");
        check(&log, frames);
        assert_eq!(log.append(Slot(frames + 1), &frame(frames + 1)), Outcome::Durable);
    }
}

#[test]
fn no_room_found_by_a_sync_stops_the_log_like_any_failed_sync() {
    for failing in 0..60 {
        let disk = SimulatedDisk::new();
        let mut log = open(&disk);
        disk.fill_up_at_sync_after(failing, failing);
        let frames = loop {
            let slot = log.end();
            match log.append(slot, &frame(slot.0)) {
                Outcome::Durable => {}
                Outcome::Broken => break slot.0 - 1,
                other @ (Outcome::Occupied | Outcome::Doubtful | Outcome::NoSpace) => panic!("{other:?}"),
            }
        };
        let steps = disk.steps();
        assert_eq!(log.append(Slot(frames + 1), &frame(frames + 1)), Outcome::Broken);
        assert_eq!(log.mark(), Outcome::Broken);
        assert_eq!(disk.steps(), steps, "a file whose sync failed was touched again");
        drop(log);
        let log = open(&disk);
        let found = log.end().0 - 1;
        assert!(found == frames || found == frames + 1, "{found} frames of {frames}, and one in doubt");
        check(&log, found);
    }
}

#[test]
fn a_mark_counts_only_once_its_sync_succeeded() {
    let disk = SimulatedDisk::new();
    let mut log = open(&disk);
    assert_eq!(log.append(Slot(1), &frame(1)), Outcome::Durable);
    disk.fill_up_at_sync_after(0, 0);
    assert_eq!(log.mark(), Outcome::Broken);
    assert_eq!(log.mark(), Outcome::Broken, "the mark never reached the medium");
}

#[test]
fn a_mark_that_found_no_room_is_written_again_with_the_frame_it_goes_along_with() {
    let roomy = Options { segment_bytes: 1 << 20, ..options() };
    let disk = SimulatedDisk::new();
    let mut log = Segments::open(&disk, roomy.clone()).unwrap().0;
    for number in 1..=128 {
        assert_eq!(log.append(Slot(number), &frame(number)), Outcome::Durable);
    }
    // Once for the mark, once for the frame after it.
    for writes in 0..2 {
        disk.fill_up_after(writes, 1);
        assert_eq!(log.append(Slot(129), &frame(129)), Outcome::NoSpace);
    }
    assert_eq!(log.append(Slot(129), &frame(129)), Outcome::Durable);
    drop(log);
    disk.power_cycle(&mut Cut::DropAll);
    let name = "00000000000000000001.segment";
    // Frame 128 ends before frame 129, which is lost with it: only the mark knows that there was one.
    let mut bytes = disk.bytes(name);
    bytes[12_288 + 127 * 832..].fill(0);
    disk.set_bytes(name, bytes);
    let refused = Segments::open(&disk, roomy).map(|_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged(_)), "{refused}");
}
