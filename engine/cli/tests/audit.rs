//! `hourglass verify`, `log` and `replay` on a log that an engine left: what they say, and that they only look.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use common::{Data, SEGMENT, groups_end};
use hourglass_engine::Store;
use hourglass_engine::log::segments::{Options, SegmentLog};
use hourglass_events::{Digest, ShardNumber};

#[test]
fn looking_at_a_log_leaves_every_byte_as_it_was() {
    let data = Data::new("looking");
    for torn in [false, true] {
        if torn {
            data.tear();
        }
        let before = data.contents();
        for command in ["verify", "log", "replay"] {
            let output = data.hourglass(command, &[]);
            assert!(output.status.success(), "{output:?}");
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!(told.contains("unfinished frame"), torn, "{command}: {told}");
            assert!(data.contents() == before, "{command} changed something");
        }
    }
    data.live();
    let mended = data.said("verify", &[]);
    assert!(mended.contains("intact"), "{mended}");
}

/// What `up` on a pretended machine says beside what it is asked for, until it serves.
fn asides_of_up(data: &Data) -> String {
    let mut up = Command::new(env!("CARGO_BIN_EXE_hourglass"));
    up.args(["up", "--driver", "scripted", "--listen", "localhost:0", "--data"]).arg(&data.0);
    let mut up = up.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(up.stdout.take().unwrap()).lines();
    let served = lines.map_while(Result::ok).any(|line| line.contains("Ctrl-C ends it"));
    up.kill().unwrap();
    let output = up.wait_with_output().unwrap();
    let asides = String::from_utf8(output.stderr).unwrap();
    assert!(served, "{asides}");
    asides
}

#[test]
fn what_starting_mends_is_said_to_who_starts() {
    let data = Data::new("mended");
    assert_eq!(asides_of_up(&data), "");
    data.tear();
    let checkpoint = data.0.join("checkpoints/shard-0");
    fs::write(&checkpoint, "no checkpoint").unwrap();
    let asides = asides_of_up(&data);
    assert!(asides.contains("note: shard 0: 00000000000000000001.segment was left with"), "{asides}");
    assert!(asides.contains(" bytes of an unfinished frame for slot "), "{asides}");
    assert!(asides.contains(&format!("note: shard 0: the checkpoint {} is not used", checkpoint.display())));
    let ledger = data.0.join("host/ledger");
    fs::remove_dir_all(&ledger).unwrap();
    fs::create_dir_all(&ledger).unwrap();
    fs::write(ledger.join("conf"), "no ledger").unwrap();
    let asides = asides_of_up(&data);
    assert!(asides.contains("note: the host's ledger was damaged; it was moved to "), "{asides}");
}

#[test]
fn a_host_id_that_is_none_is_not_replaced_by_another() {
    let data = Data::new("identified");
    let path = data.0.join("host/id");
    fs::create_dir_all(data.0.join("host")).unwrap();
    fs::write(&path, "nobody").unwrap();
    let refusal = data.refusal("up", &["--driver", "scripted", "--listen", "localhost:0"]);
    assert!(refusal.contains("holds \"nobody\" and no host id; write into it"), "{refusal}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "nobody");
}

#[test]
fn log_shows_what_is_called_exactly_as_asked() {
    let data = Data::new("called");
    let views = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let told = data.said("log", &[&["--json"], arguments].concat());
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let born = views(&[]).into_iter().find(|view| view["event"] == "PullBegan").unwrap();
    let id = born["subject"].as_str().unwrap().strip_prefix("sandbox ").unwrap();
    let name = born["body"]["blueprint"]["name"].as_str().unwrap();
    let of = views(&["--of", id]);
    assert!(!of.is_empty() && of.iter().all(|view| view["subject"] == born["subject"]), "{of:?}");
    assert_eq!(views(&["--of", name]), of);
    let last = id.chars().next_back().unwrap().to_string() + "x";
    for other in [&id[1..], &id[..35], last.as_str(), ""] {
        let refusal = data.refusal("log", &["--of", other]);
        assert!(refusal.contains(&format!("nothing in this log is called {other}")), "{refusal}");
    }
}

#[test]
fn the_replay_of_an_empty_log_has_no_line_for_programs() {
    let data = Data::empty("empty");
    let path = Store::log_directory(&data.0, ShardNumber(0));
    drop(SegmentLog::open(&path, Options::new(0)).unwrap());
    assert_eq!(data.said("replay", &["--json"]), "");
    assert_eq!(data.said("replay", &[]), "the log is empty\n");
}

#[test]
fn verify_compares_the_states_that_the_log_noted_and_names_the_first_that_differs() {
    let data = Data::new("noted");
    let told = data.said("verify", &[]);
    let same = told.lines().find(|line| line.contains("noted states are the same")).unwrap();
    assert!(!same.contains(" 0 noted"), "{told}");
    let ends = groups_end(&data);
    let (early, late) = (ends[1], ends[2]);
    data.note(late, Digest::of(b"not this state"));
    data.note(early, Digest::of(b"not this state either"));
    let refusal = data.refusal("verify", &[]);
    let expected = format!("the state at record {early} is not what it was");
    assert!(refusal.contains(&expected), "{refusal}");
    data.said("log", &[]);
}

#[test]
fn verify_misses_what_the_checkpoint_stands_on() {
    let data = Data::new("standing");
    let early = data.contents();
    assert!(data.said("verify", &[]).contains("which the checkpoint stands on"));
    data.live();
    let segment = data.0.join(SEGMENT);
    fs::write(&segment, &early[&segment]).unwrap();
    let refusal = data.refusal("verify", &[]);
    assert!(refusal.contains("checkpoint") && refusal.contains("missing"), "{refusal}");
}

#[test]
fn replay_stops_right_after_the_record_it_is_told() {
    let data = Data::new("until");
    let log = data.said("log", &["--json"]);
    let records: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ends = groups_end(&data);
    assert!(ends.len() < records.len(), "every group has one record only, so that nothing stops within one");
    let mut sandboxes = 0;
    for (seq, record) in (1..).zip(&records) {
        assert_eq!(record["seq"], seq);
        let body = record["event"].as_str().unwrap();
        if record["subject"].as_str().unwrap().starts_with("sandbox") && record["version"] == 1 {
            sandboxes += 1;
        }
        let told = data.said("replay", &["--until", &seq.to_string()]);
        assert!(told.contains(&format!("state at record {seq} ")), "{body}: {told}");
        assert!(told.contains(&format!("{sandboxes} sandboxes, ")), "{body}: {told}");
    }
    assert_eq!(sandboxes, 4);
    let last = records.len();
    let all = data.said("replay", &[]);
    assert_eq!(data.said("replay", &["--until", &last.to_string()]), all);
    let refusal = data.refusal("replay", &["--until", &(last + 1).to_string()]);
    assert!(refusal.contains(&format!("the log ends with record {last}")), "{refusal}");
    data.refusal("replay", &["--until", "0"]);
}
