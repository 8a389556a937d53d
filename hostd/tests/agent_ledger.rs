//! What the ledger on disk keeps, and what it does when it is damaged, held or lost.
#![cfg(feature = "host")]
#![allow(clippy::unwrap_used, reason = "a test's harness")]

use std::fs;
use std::path::{Path, PathBuf};

use hourglass_events::{
    ExitCause, Fault, Finding, Incarnation, OrderNumber, Report, SandboxId, ShardNumber, TaskKind, Timestamp,
};
use hourglass_hostd::activity::{Moment, Use};
use hourglass_hostd::ledger::{
    Boot, Ended, Entry, Ledger, LedgerError, Memory, MemoryLedger, Settled, SledLedger, Write,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_000_000_000);

fn report(serial: u64) -> Report {
    Report {
        serial,
        shard: ShardNumber(3),
        sandbox: SandboxId::from_u128(1),
        number: OrderNumber(5),
        finding: Finding::Failed(Fault::NoSpace { doing: "make the disk".into() }),
    }
}

fn entry(newest: u64) -> Entry {
    Entry {
        shard: Some(ShardNumber(3)),
        newest: OrderNumber(newest),
        settled: Some(Settled {
            number: OrderNumber(newest),
            task: TaskKind::Stop,
            finding: Finding::Done(Some(ExitCause::Entrypoint { code: 3 })),
            serial: newest + 100,
        }),
        boot: Some(Boot { number: OrderNumber(5), announced: true }),
        ended: Some(Ended { number: OrderNumber(4), cause: ExitCause::OutOfMemory }),
    }
}

/// Any write, over few enough keys that they meet.
fn write() -> impl Strategy<Value = Write> {
    let sandbox = (0_u128..4).prop_map(SandboxId::from_u128);
    prop_oneof![
        (sandbox.clone(), 0_u64..9).prop_map(|(sandbox, newest)| Write::Sandbox(sandbox, entry(newest))),
        sandbox.clone().prop_map(Write::Forget),
        (0_u64..4).prop_map(|serial| Write::Report(report(serial))),
        (0_u64..4).prop_map(Write::Drop),
        (sandbox.clone(), 0_u64..9).prop_map(|(sandbox, last)| {
            Write::Use(sandbox, Use { number: OrderNumber(5), last: Moment(last), in_flight: 1 })
        }),
        sandbox.prop_map(Write::Unused),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_on_disk_is_what_was_written(writes in prop::collection::vec(write(), 0..60)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        let mut expected = MemoryLedger::default();
        expected.begin(NOW).unwrap();
        let mut ledger = SledLedger::open(&path).unwrap();
        ledger.begin(NOW).unwrap();
        for batch in writes.chunks(7) {
            ledger.write(batch).unwrap();
            expected.write(batch).unwrap();
        }
        drop(ledger);
        let found = SledLedger::open(&path).unwrap().begin(NOW).unwrap();
        prop_assert_eq!(found, expected.begin(NOW).unwrap());
    }
}

#[test]
fn incarnations_grow_also_when_the_ledger_is_lost_or_the_clock_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger");
    let begin = |wall| SledLedger::open(&path).unwrap().begin(wall).unwrap().incarnation;
    assert_eq!(begin(NOW), Incarnation(1_000));
    assert_eq!(begin(NOW), Incarnation(1_001));
    assert_eq!(begin(Timestamp(0)), Incarnation(1_002));
    fs::remove_dir_all(&path).unwrap();
    assert_eq!(begin(Timestamp(1_003_000_000)), Incarnation(1_003));
}

#[test]
fn a_ledger_in_use_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger");
    let held = SledLedger::open(&path).unwrap();
    let second = SledLedger::open(&path).map(drop);
    assert_eq!(second, Err(LedgerError::InUse { path: path.clone() }));
    assert_eq!(aside(dir.path()), Vec::<PathBuf>::new());
    drop(held);
}

#[test]
fn a_damaged_ledger_is_moved_aside_and_built_anew() {
    for damage in [Damage::Garbage, Damage::Value, Damage::Layout] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        let mut ledger = SledLedger::open(&path).unwrap();
        ledger.begin(NOW).unwrap();
        ledger.write(&[Write::Report(report(1)), Write::Sandbox(SandboxId::from_u128(1), entry(5))]).unwrap();
        drop(ledger);
        inflict(damage, &path);
        let mut ledger = SledLedger::open(&path).unwrap();
        let memory = ledger.begin(NOW).unwrap();
        assert_eq!(memory, Memory { incarnation: Incarnation(1_000), ..Memory::default() }, "{damage:?}");
        let moved: Vec<PathBuf> = ledger.moved_aside().into_iter().map(Path::to_owned).collect();
        assert_eq!((moved.len(), &moved), (1, &aside(dir.path())), "{damage:?}");
    }
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Garbage,
    Value,
    Layout,
}

fn inflict(damage: Damage, path: &Path) {
    match damage {
        Damage::Garbage => {
            for file in ["conf", "db"] {
                fs::write(path.join(file), [0xa5; 4096]).unwrap();
            }
        }
        Damage::Value => {
            let db = sled::open(path).unwrap();
            db.insert([b"r".as_slice(), &[0; 8]].concat(), b"not a report").unwrap();
        }
        Damage::Layout => {
            sled::open(path).unwrap().insert("layout", &[0, 0, 0, 99]).unwrap();
        }
    }
}

fn aside(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().contains("damaged")).collect()
}
