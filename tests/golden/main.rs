//! Golden logs: `schema-N.jsonl` beside this file is a log that takes every edge of every table, exported by the build
//! that wrote schema N, and `schema-N.states` what it was folded into. Every later build reads them alike.
//!
//! Until its first tag schema 0 may change, and `renew` writes its log anew. From then on a golden log is never touched
//! again: a change that breaks one breaks the logs that people have.

#![allow(clippy::unwrap_used, reason = "tests")]

mod walk;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hourglass_engine::log::segments::{Options, SegmentLog};
use hourglass_engine::log::{EventLog as _, Outcome};
use hourglass_events::lifecycle::others::{HOST, HostState, ORGANIZATION, SHARD, SNAPSHOT, SnapshotState};
use hourglass_events::record::SCHEMA;
use hourglass_events::{Digest, Event, Record, Sandbox, ShardEvent, ShardNumber, State, Subject, codec};
use hourglass_kernel::{Entry, Fleet, Mark};
use hourglass_tests::hourglass::run;
use serde_json::Value;

/// Records of one group of the log that is exported.
const GROUP: usize = 128;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The golden log of a schema.
fn golden(schema: u32) -> PathBuf {
    folder().join(format!("schema-{schema}.jsonl"))
}

/// The records of an export.
fn records(path: &Path) -> Vec<(Record, Digest)> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let raw = lines.filter_map(|line| Some(STANDARD.decode(line.get("raw")?.as_str()?).unwrap()));
    raw.map(|bytes| (codec::decode(&bytes).unwrap(), Digest::of(&bytes))).collect()
}

/// What everybody means by a sandbox, whatever a build keeps besides.
fn shown(sandbox: &Sandbox) -> String {
    let Sandbox { id, version, state, origin, blueprint, host, intent, exit, fault, .. } = sandbox;
    let (since, last) = (sandbox.since.0, sandbox.last_activity.0);
    let seen = serde_json::json!({
        "id": id, "version": version, "state": state, "origin": origin, "since": since, "last activity": last,
        "name": blueprint.name.to_string(), "class": blueprint.class, "resources": blueprint.resources,
        "labels": blueprint.labels.iter().collect::<Vec<_>>(), "auto-stop": blueprint.auto_stop,
        "auto-archive": blueprint.auto_archive, "auto-delete": blueprint.auto_delete, "network": blueprint.network,
        "public": blueprint.public, "host": host, "intent": intent, "exit": exit, "fault": fault,
    });
    format!("{seen}\n")
}

/// Fold a golden log, and show every sandbox as it was last seen, those that are gone too.
fn states(path: &Path) -> String {
    let mut fleet = Fleet::new(ShardNumber(0), 1);
    let mut seen = std::collections::BTreeMap::new();
    for (record, digest) in records(path) {
        fleet.apply(&record, digest).unwrap();
        if let Subject::Sandbox(id) = record.subject {
            let gone =
                || format!("{{\"id\":\"{id}\",\"state\":\"Deleted\",\"version\":{}}}\n", record.version);
            seen.insert(id, fleet.sandbox(id).map_or_else(gone, |sandbox| shown(sandbox)));
        }
    }
    seen.into_values().collect()
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_golden_log_takes_every_edge_of_every_table() {
    let mut fleet = Fleet::new(ShardNumber(0), 1);
    let (mut taken, mut hosts, mut snapshots) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut kinds = BTreeSet::new();
    for (record, digest) in records(&golden(SCHEMA)) {
        match (record.subject, &record.event) {
            (Subject::Sandbox(id), Event::Sandbox(event)) => {
                let place = fleet.sandbox(id).map_or((State::Unknown, None), |it| (it.state, it.origin));
                taken.insert((place, event.kind()));
            }
            (Subject::Host(id), Event::Host(event)) => {
                let from = fleet.hosts().get(id).map_or(HostState::Unknown, |host| host.state);
                hosts.insert((from, event.kind()));
            }
            (Subject::Snapshot(id), Event::Snapshot(event)) => {
                let from = fleet.snapshot_by_id(id).map_or(SnapshotState::Unknown, |it| it.state);
                snapshots.insert((from, event.kind()));
            }
            (_, event) => {
                kinds.insert(event.name());
            }
        }
        fleet.apply(&record, digest).unwrap();
    }
    let untaken: Vec<_> = walk::edges().difference(&taken).copied().collect();
    assert!(untaken.is_empty(), "run tests/golden/renew: nothing takes {untaken:?}");
    let all = HOST.iter().flat_map(|row| row.from.iter().map(|from| (*from, row.on)));
    assert_eq!(all.collect::<BTreeSet<_>>(), hosts, "run tests/golden/renew");
    let all = SNAPSHOT.iter().flat_map(|row| row.from.iter().map(|from| (*from, row.on)));
    assert_eq!(all.collect::<BTreeSet<_>>(), snapshots, "run tests/golden/renew");
    let others = SHARD.iter().map(|row| row.on.name()).chain(ORGANIZATION.iter().map(|row| row.on.name()));
    assert_eq!(others.collect::<BTreeSet<_>>(), kinds, "run tests/golden/renew");
    println!("{} edges of sandboxes from {} records", taken.len(), fleet.seq());
}

#[test]
fn every_golden_log_is_read_as_it_was_written() {
    let nowhere = tempfile::tempdir().unwrap();
    for schema in 0..=SCHEMA {
        let path = golden(schema);
        let output = run(&["verify", path.to_str().unwrap()], nowhere.path());
        assert!(output.status.success(), "{}", told(&output));
        let kept = fs::read_to_string(path.with_extension("states")).unwrap();
        let found = states(&path);
        for (kept, found) in kept.lines().zip(found.lines()) {
            assert_eq!(kept, found, "a sandbox of {} is folded otherwise", path.display());
        }
        assert_eq!(kept.lines().count(), found.lines().count());
    }
}

/// Writes the golden log of the present schema anew. `renew` beside this file runs it, and says when it must not.
#[tokio::test]
#[ignore = "it is how the log came to be: see tests/golden/renew"]
async fn the_golden_log_of_the_present_schema_is_written_anew() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("log/shard-0");
    let (log, _) = SegmentLog::open(&log, Options::new(0)).unwrap();
    let mut mark = Mark::START;
    for group in groups(&walk::walk()) {
        let opens = matches!(group[0].record.event, Event::Shard(ShardEvent::Opened { .. }));
        let bytes = group.iter().map(|entry| entry.bytes.as_slice()).collect();
        let (next, frame) = mark.frame(opens, 1, bytes, group.last().unwrap().digest);
        assert_eq!(log.append(next.slot, frame).await, Outcome::Durable);
        mark = next;
    }
    drop(log);
    let path = golden(SCHEMA);
    let _ = fs::remove_file(&path);
    let output = run(&["export", path.to_str().unwrap()], data.path());
    assert!(output.status.success(), "{}", told(&output));
    fs::write(path.with_extension("states"), states(&path)).unwrap();
}

/// An epoch begins a group of its own.
fn groups(entries: &[Entry]) -> Vec<&[Entry]> {
    let opens = |entry: &Entry| matches!(entry.record.event, Event::Shard(ShardEvent::Opened { .. }));
    let epochs = entries.chunk_by(|_, next| !opens(next));
    epochs.flat_map(|epoch| epoch.chunks(GROUP)).collect()
}
