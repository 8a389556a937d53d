//! `hourglass verify`, `log` and `replay` on a log that an engine left: what they say, and that they only look.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use hourglass_engine::log::EventLog as _;
use hourglass_engine::log::segments::{Inspection, Options, SegmentLog};
use hourglass_engine::{Engine, Settings, Store};
use hourglass_events::{Class, Digest, Image, OrganizationId, Resources, Seq, ShardNumber, SnapshotContent};
use hourglass_kernel::{Input, Output as Wanted, Replay, ShardConfig};

const SEGMENT: &str = "log/shard-0/00000000000000000001.segment";

/// A data directory that is removed in the end.
struct Data(PathBuf);

impl Drop for Data {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Data {
    /// One in which an engine has run.
    fn new(name: &str) -> Self {
        let data =
            Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id())));
        data.live();
        data
    }

    /// The life of one engine: a snapshot, and four sandboxes that wait for a host. It notes a digest of its state
    /// after every checkpoint, and makes one after every group.
    fn live(&self) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let settings = Settings { checkpoint_records: 1, ..Settings::default() };
            let engine = Engine::builder(Store::embedded(&self.0)).settings(settings).start().await.unwrap();
            engine.register_snapshot(snapshot()).await.unwrap();
            let client = engine.client(OrganizationId::from_u128(1), "test");
            let create = || client.create(|_| {});
            // While the first is on its way to the disk the others gather in one group.
            tokio::try_join!(create(), create(), create(), create()).unwrap();
            engine.shutdown().await;
        });
    }

    fn hourglass(&self, command: &str, arguments: &[&str]) -> Output {
        let mut hourglass = Command::new(env!("CARGO_BIN_EXE_hourglass"));
        hourglass.arg(command).arg("--data").arg(&self.0).args(arguments).output().unwrap()
    }

    fn said(&self, command: &str, arguments: &[&str]) -> String {
        let output = self.hourglass(command, arguments);
        assert!(output.status.success(), "{command} {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn refusal(&self, command: &str, arguments: &[&str]) -> String {
        let output = self.hourglass(command, arguments);
        assert!(!output.status.success(), "{command} {arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Every file, with its bytes.
    fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.0.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    files.insert(path, bytes);
                }
            }
        }
        files
    }

    /// Let another writer take over that notes this as the digest of the state at record `through`.
    fn note(&self, through: u64, hash: Digest) {
        let (log, _) = SegmentLog::open(&self.0.join("log/shard-0"), Options::new(0)).unwrap();
        let (reader, mut replay) = (log.reader(), Replay::new(ShardNumber(0), 1));
        let mut scan = reader.scan(replay.next_slot());
        while let Some(scanned) = scan.next_frame().unwrap() {
            replay.fold(scanned.frame, |_, _, _| {}).unwrap();
        }
        let now = replay.fleet().at();
        let mut shard = replay.open(ShardConfig::new(7), now).unwrap();
        let mut inputs = vec![Input::StateHashed { through: Seq(through), hash }];
        loop {
            while let Some(output) = shard.poll() {
                if let Wanted::Append { slot, frame } = output {
                    let append = log.append(slot, frame);
                    let outcome = tokio::runtime::Runtime::new().unwrap().block_on(append);
                    inputs.push(Input::Appended { slot, outcome });
                }
            }
            let Some(input) = inputs.pop() else { break };
            shard.handle(now, input);
        }
    }

    /// Leave part of a frame behind the last one, as a power cut does.
    fn tear(&self) {
        let segment = self.0.join(SEGMENT);
        let used = fs::read(&segment).unwrap().iter().rposition(|&byte| byte != 0).unwrap() as u64;
        let file = fs::OpenOptions::new().write(true).open(segment).unwrap();
        file.write_all_at(&[0xee; 200], (used / 8 + 8) * 8).unwrap();
    }
}

fn snapshot() -> SnapshotContent {
    SnapshotContent {
        name: "default".to_owned(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: Image { digest: "tiny".to_owned() },
    }
}

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
    let data = Data(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("empty-{}", std::process::id())));
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

/// The last record of each group.
fn groups_end(data: &Data) -> Vec<u64> {
    let path = Store::log_directory(&data.0, ShardNumber(0));
    let inspection = Inspection::open(&path, &Options::new(0)).unwrap();
    let mut replay = Replay::new(ShardNumber(0), 1);
    let mut ends = Vec::new();
    let reader = inspection.reader();
    let mut scan = reader.scan(replay.next_slot());
    while let Some(scanned) = scan.next_frame().unwrap() {
        replay.fold(scanned.frame, |_, _, _| {}).unwrap();
        ends.push(replay.fleet().seq().0);
    }
    ends
}
