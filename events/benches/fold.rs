//! How fast one core folds records and decodes them: `cargo bench -p hourglass-events`.
//!
//! Prints a table; it asserts nothing, because machines differ.

#![allow(clippy::print_stdout, reason = "a bench prints its table")]

use std::collections::BTreeMap;
use std::hint::black_box;

use hourglass_events::codec::{decode, encode};
use hourglass_events::{
    Actor, AutoArchive, AutoDelete, AutoStop, Blueprint, Cause, Class, CorrelationId, Digest, Event,
    ExitCause, HostId, Image, Labels, Name, OrderNumber, OrganizationId, Placement, Record, RecordId,
    Resources, Sandbox, SandboxEvent, SandboxId, Seq, SnapshotId, Span, StopReason, Subject, Timestamp,
};

const SANDBOXES: usize = 10_000;
/// Stop and start again, this often.
const ROUNDS: usize = 20;
const OWNER: OrganizationId = OrganizationId::from_u128(1);
const HOST: HostId = HostId::from_u128(2);

fn main() {
    let records = log();
    let bytes: Vec<_> = records.iter().map(encode).collect();
    let size = bytes.iter().map(Vec::len).sum::<usize>() / bytes.len();
    println!("{} records of {SANDBOXES} sandboxes, {size} bytes each", records.len());

    report("evolve", records.len(), || fold(records.iter()));
    report("decode", records.len(), || {
        bytes.iter().for_each(|bytes| {
            black_box(read(bytes));
        });
    });
    report("decode + evolve", records.len(), || fold(bytes.iter().map(|bytes| read(bytes))));
    report("encode", records.len(), || {
        records.iter().for_each(|record| {
            black_box(encode(record));
        });
    });
}

fn read(bytes: &[u8]) -> Record {
    decode(bytes).expect("the bench wrote it")
}

/// The best of five runs.
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a bench measures time")]
fn report(what: &str, count: usize, mut run: impl FnMut()) {
    let best = (0..5)
        .map(|_| {
            let began = std::time::Instant::now();
            run();
            began.elapsed()
        })
        .min()
        .expect("there are five");
    let nanos = best.as_nanos() as f64 / count as f64;
    println!("{what:>16} {nanos:8.1} ns {:8.2} M/s", 1_000.0 / nanos);
}

fn fold<R: std::borrow::Borrow<Record>>(records: impl Iterator<Item = R>) {
    let mut fleet: Vec<Option<Sandbox>> = vec![None; SANDBOXES];
    for record in records {
        let record = record.borrow();
        let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) else {
            unreachable!("only sandboxes are in this log")
        };
        let place = &mut fleet[usize::try_from(id.0.as_u128()).expect("ids are small")];
        match place {
            None => *place = Some(Sandbox::born(id, &record.stamp(), event).expect("a legal birth")),
            Some(sandbox) => sandbox.evolve(&record.stamp(), event).expect("a legal event"),
        }
    }
    black_box(fleet);
}

/// Births of all sandboxes, then rounds of stopping and starting, so that neighbours in the log are not neighbours in
/// memory.
fn log() -> Vec<Record> {
    let deadline = Timestamp(1);
    let stop = SandboxEvent::StopBegan {
        reason: StopReason::Idle { last_activity: Timestamp(1_700_000_000_000_000) },
        grace: Span::seconds(10),
        deadline,
    };
    let round = [
        stop,
        SandboxEvent::Exited { cause: ExitCause::Stopped },
        SandboxEvent::BootBegan { deadline },
        SandboxEvent::Booted,
    ];
    let births = [birth(), SandboxEvent::SnapshotReady { deadline }, SandboxEvent::Booted];
    let life: Vec<_> = births.iter().chain(round.iter().cycle().take(ROUNDS * round.len())).collect();
    let mut records = Vec::with_capacity(life.len() * SANDBOXES);
    for (version, event) in life.iter().enumerate() {
        for sandbox in 0..SANDBOXES {
            let seq = records.len() as u64 + 1;
            records.push(record(seq, version as u64 + 1, sandbox, (*event).clone()));
        }
    }
    records
}

fn birth() -> SandboxEvent {
    let labels = BTreeMap::from([("team".to_owned(), "search".to_owned())]);
    let blueprint = Box::new(Blueprint {
        name: Name::new("agent-4711").expect("a name"),
        class: Class::Container,
        snapshot: SnapshotId::from_u128(3),
        snapshot_name: "debian".to_owned(),
        image: Image { digest: "00112233445566778899aabbccddeeff".to_owned() },
        resources: Resources::DEFAULT,
        user: "root".to_owned(),
        labels: Labels::new(labels).expect("labels"),
        auto_stop: AutoStop::DEFAULT,
        auto_archive: AutoArchive::DEFAULT,
        auto_delete: AutoDelete::DEFAULT,
    });
    let placement = Placement { host: Some(HOST), hosts: 1, ready: 1, able: 1, roomy: 1 };
    SandboxEvent::PullBegan { blueprint, placement, deadline: Timestamp(1) }
}

fn record(seq: u64, version: u64, sandbox: usize, event: SandboxEvent) -> Record {
    Record {
        seq: Seq(seq),
        id: RecordId::from_u128(0x0196_0000_0000_7000_8000_0000_0000_0000 + u128::from(seq)),
        at: Timestamp(1_700_000_000_000_000 + seq),
        subject: Subject::Sandbox(SandboxId::from_u128(sandbox as u128)),
        organization: OWNER,
        version,
        actor: if seq.is_multiple_of(2) { Actor::Host(HOST) } else { Actor::Client("console".to_owned()) },
        cause: if seq.is_multiple_of(2) { Cause::Report(OrderNumber(seq / 2)) } else { Cause::Request(None) },
        correlation: CorrelationId::from_u128(u128::from(seq) * 7),
        prev: Digest::of(&seq.to_le_bytes()),
        schema: 0,
        event: Event::Sandbox(event),
    }
}
