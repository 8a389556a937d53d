//! Inspecting a log finds what opening it finds, and changes nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hourglass_engine::log::files::Files;
use hourglass_engine::log::files::simulated::{Cut, Dice, SimulatedDisk};
use hourglass_engine::log::segments::{
    Check, Inspection, Notice, OpenError, Options, SegmentLog, Segments, Witness,
};
use hourglass_engine::log::{Outcome, Slot};

fn options() -> Options {
    Options { segment_bytes: 14 << 10, frame_bytes: 2_000, reserve_bytes: 0, ..Options::new(3) }
}

fn frame(number: u64) -> Vec<u8> {
    format!("frame {number} ").into_bytes().repeat(70)
}

fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

/// A real directory with the files of a simulated one.
fn export(disk: &SimulatedDisk) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in disk.list().unwrap() {
        fs::write(directory.path().join(&name), disk.bytes(&name)).unwrap();
    }
    directory
}

/// A log whose writer's power went after `steps`; whether it had already done all it wanted.
fn cut_off(steps: u64, seed: u64) -> (SimulatedDisk, bool) {
    let disk = SimulatedDisk::new();
    disk.cut_after(steps);
    let written = Segments::open(&disk, options()).is_ok_and(|(mut log, _)| {
        (1..=8).all(|number| log.append(Slot(number), &frame(number)) == Outcome::Durable)
    });
    disk.power_cycle(&mut Cut::from_seed(seed));
    (disk, written)
}

#[test]
fn an_inspection_finds_what_an_opening_finds_wherever_the_power_went_and_changes_nothing() {
    let mut dice = Dice::new(7);
    let mut torn = 0;
    for steps in 0.. {
        let (disk, done) = cut_off(steps, dice.roll());
        let directory = export(&disk);
        let before = contents(directory.path());
        let inspected = Inspection::open(directory.path(), &options()).unwrap();
        let mut scan = inspected.reader().scan(Slot::FIRST);
        let mut read = 0;
        while let Some(scanned) = scan.next_frame().unwrap() {
            read += 1;
            assert_eq!((scanned.slot, scanned.frame), (Slot(read), &frame(read)[..]));
        }
        assert_eq!(contents(directory.path()), before, "inspecting changed something");
        let (log, notices) = Segments::open(&disk, options()).unwrap();
        assert_eq!((Slot(read + 1), inspected.notices()), (log.end(), &notices[..]));
        torn += u64::from(notices.iter().any(|notice| matches!(notice, Notice::TornTailCut { .. })));
        if done {
            break;
        }
    }
    assert!(torn > 3, "{torn} logs had a torn tail");
}

#[test]
fn an_inspection_refuses_what_an_opening_refuses() {
    let (disk, _) = cut_off(u64::MAX, 1);
    let name = "00000000000000000007.segment";
    disk.flip(name, 12_288 + 60, 3);
    let directory = export(&disk);
    let before = contents(directory.path());
    let refused = Inspection::open(directory.path(), &options()).unwrap_err().to_string();
    assert_eq!(refused, Segments::open(&disk, options()).map(|_| ()).unwrap_err().to_string());
    assert_eq!(contents(directory.path()), before);
}

#[test]
fn an_inspection_asks_the_witness() {
    let directory = export(&cut_off(u64::MAX, 1).0);
    let witness = Some(Witness { slot: Slot(9), check: Check(1) });
    let refused = Inspection::open(directory.path(), &Options { witness, ..options() }).unwrap_err();
    assert!(matches!(refused, OpenError::WitnessAhead { .. }), "{refused}");
}

#[test]
fn inspections_share_a_log_and_a_writer_shares_it_with_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (log, _) = SegmentLog::open(path, options()).unwrap();
    let refused = Inspection::open(path, &options()).unwrap_err();
    assert!(matches!(refused, OpenError::Held { .. }), "{refused}");
    drop(log);
    let both = [Inspection::open(path, &options()).unwrap(), Inspection::open(path, &options()).unwrap()];
    let refused = SegmentLog::open(path, options()).map(|_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::Held { .. }), "{refused}");
    drop(both);
    SegmentLog::open(path, options()).unwrap();
}

#[test]
fn a_directory_that_is_not_there_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    assert!(Inspection::open(&path, &options()).is_err());
    assert!(!path.exists());
}
