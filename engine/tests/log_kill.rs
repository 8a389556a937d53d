//! A writer that is killed has lost no frame that it said was durable.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use hourglass_engine::log::files::Directory;
use hourglass_engine::log::files::simulated::Dice;
use hourglass_engine::log::segments::{Options, Segments};
use hourglass_engine::log::{Outcome, Slot};

/// Says to this test's own binary that it is the child, and where to write.
const CHILD: &str = "HOURGLASS_TEST_LOG_WRITER";

fn options() -> Options {
    Options { segment_bytes: 256 << 10, reserve_bytes: 0, ..Options::new(0) }
}

/// The frame for a slot is the same in every life, so that one which was never acknowledged can be checked as well.
fn frame(slot: Slot) -> Vec<u8> {
    let mut dice = Dice::new(slot.0);
    let size = dice.index(6_000);
    (0..size).map(|_| dice.roll().to_le_bytes()[0]).collect()
}

/// Append until killed, saying each slot that is durable.
fn write_until_killed(path: &Path) {
    let (mut log, _) = Segments::open(&Directory::open(path).unwrap(), options()).unwrap();
    let mut out = std::io::stdout().lock();
    loop {
        let slot = log.end();
        assert_eq!(log.append(slot, &frame(slot)), Outcome::Durable);
        writeln!(out, "durable {slot}").unwrap();
        out.flush().unwrap();
        if slot.0.is_multiple_of(7) {
            assert_eq!(log.mark(), Outcome::Durable);
        }
    }
}

fn spawn(path: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_killed_writer_has_lost_nothing_it_acknowledged", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kill the child when it has acknowledged so many frames; the last slot that it acknowledged before it died.
fn kill_after(child: &mut Child, acknowledgements: u64) -> Option<Slot> {
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut slots = said.filter_map(|line| Some(Slot(line.ok()?.split_once("durable ")?.1.parse().ok()?)));
    for _ in 0..acknowledgements {
        slots.next().expect("the child writes until it is killed");
    }
    child.kill().unwrap();
    let last = slots.last();
    child.wait().unwrap();
    last
}

#[test]
fn a_killed_writer_has_lost_nothing_it_acknowledged() {
    if let Some(path) = env::var_os(CHILD) {
        return write_until_killed(Path::new(&path));
    }
    let directory = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(1);
    let mut end = Slot::FIRST;
    for round in 0..100 {
        let mut child = spawn(directory.path());
        let acknowledgements = dice.below(40);
        let heard = kill_after(&mut child, acknowledgements);
        let acknowledged = Slot(end.0 + acknowledgements).max(heard.map_or(end, Slot::next));

        let files = Directory::open(directory.path()).unwrap();
        let (log, _) = Segments::open(&files, options()).unwrap();
        let found = log.end();
        assert!(
            found == acknowledged || found == acknowledged.next(),
            "round {round}: {acknowledged}, {found}"
        );
        let mut scan = log.reader().scan(Slot::FIRST);
        for slot in (1..found.0).map(Slot) {
            let scanned = scan.next_frame().unwrap().unwrap();
            assert_eq!((scanned.slot, scanned.frame), (slot, &frame(slot)[..]), "round {round}");
        }
        end = found;
    }
    assert!(end.0 > 1_000, "the children wrote only {end} frames");
}
