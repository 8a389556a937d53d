//! How fast one core folds records, and decodes them.

use std::hint::black_box;

use anyhow::Context as _;
use hourglass_events::{Event, Record, Sandbox, Subject, codec};
use hourglass_kernel::Entry;

use super::table::{Aim, Rounds, Row, Unit};
use super::workload::Workload;
use super::{Load, timed_on_core};

/// Measure. All on this one thread.
pub(super) fn measure(load: &Load) -> anyhow::Result<Vec<Row>> {
    let mut workload = Workload::new(load.sandboxes)?;
    // The first record is the shard's own.
    workload.entry();
    let entries: Vec<Entry> = (0..load.folded).map(|_| workload.entry()).collect();
    let bytes = entries.iter().map(|entry| entry.bytes.len()).sum::<usize>() / entries.len();
    let (mut evolve, mut decode, mut both, mut encode) =
        (Rounds::default(), Rounds::default(), Rounds::default(), Rounds::default());
    for round in 0..=load.rounds {
        let folding = timed_on_core(|| fold(load.sandboxes, entries.iter().map(|entry| Ok(&entry.record))))?;
        let decoding = timed_on_core(|| {
            entries.iter().try_for_each(|entry| read(entry).map(|record| drop(black_box(record))))
        })?;
        let decoded = timed_on_core(|| fold(load.sandboxes, entries.iter().map(read)))?;
        let encoding = timed_on_core(|| {
            entries.iter().for_each(|entry| drop(black_box(codec::encode(&entry.record))));
            Ok(())
        })?;
        // The first one warms up.
        if round > 0 {
            let rate = |seconds: f64| entries.len() as f64 / seconds;
            evolve.push(rate(folding));
            decode.push(rate(decoding));
            both.push(rate(decoded));
            encode.push(rate(encoding));
        }
    }
    let row = |what: &str, rounds| Row::new(what, Unit::PerSecond, rounds);
    Ok(vec![
        row(&format!("fold (evolve), {bytes} B a record"), evolve).aim(Aim::Figure(5e6)),
        row("decode", decode),
        row("decode + fold", both).aim(Aim::Figure(2e6)),
        row("encode", encode),
    ])
}

fn read(entry: &Entry) -> anyhow::Result<Record> {
    Ok(codec::decode(&entry.bytes)?)
}

fn fold<R: std::borrow::Borrow<Record>>(
    sandboxes: usize,
    records: impl Iterator<Item = anyhow::Result<R>>,
) -> anyhow::Result<()> {
    let mut fleet: Vec<Option<Sandbox>> = vec![None; sandboxes];
    for record in records {
        let record = record?;
        let record = record.borrow();
        let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) else {
            anyhow::bail!("only sandboxes are in this log")
        };
        let place = usize::try_from(id.0.as_u128()).ok().and_then(|place| fleet.get_mut(place));
        match place.context("no such sandbox is in this log")? {
            Some(sandbox) => sandbox.evolve(&record.stamp(), event)?,
            unborn => *unborn = Some(Sandbox::born(id, &record.stamp(), event)?),
        }
    }
    black_box(fleet);
    Ok(())
}
