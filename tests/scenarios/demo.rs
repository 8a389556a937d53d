//! The `hourglass` command end to end: the demo on both drivers, and what it says when something is wrong.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::Arc;
use std::time::Duration;

use hourglass_engine::Store;
use hourglass_engine::log::segments::{Options, SegmentLog};
use hourglass_events::{OrganizationId, ShardNumber, State};
use hourglass_hostd::Scripted;
use hourglass_kernel::Slot;
use hourglass_tests::hourglass::{Ordinary, complained, hourglass, printed, run};
use hourglass_tests::system::SNAPSHOT;
use hourglass_tests::{Census, Ground, Need, System, may_run};

/// What a demo tells, in this order: headings, events with their causes, and what is seen inside the sandbox.
const STORY: &[&str] = &[
    "1 · create",
    "PullBegan request · demo",
    "SnapshotReady report on order",
    "Booted report on order",
    "2 · run commands in it",
    "│ written before the stop",
    "3 · its limits, seen from inside",
    "│ 100000 100000",
    "│ 1073741824",
    "4 · leave it alone",
    "StopBegan idle since auto-stop timer · engine",
    "Exited report on order",
    "5 · start it again",
    "BootBegan request · demo",
    "Booted report on order",
    "│ written before the stop",
    "6 · delete it",
    "DeleteBegan asked request · demo",
    "Removed report on order",
    "7 · verify the chain, replay from zero, compare",
    "replay equals the live state byte for byte",
];

/// What a demo begins with that finds another one's sandbox.
const CLEARING: &[&str] = &["An earlier demo was cut short and left 1; removing", "DeleteBegan", "Removed"];

#[test]
fn demos_end_well_without_root_on_containers_again_and_after_a_death() {
    std::thread::scope(|scope| {
        // Each waits a minute for its sandbox to be idle, so they do it together.
        scope.spawn(an_ordinary_user_sees_it_scripted_and_again);
        if may_run("demos on containers", Need::Native) {
            scope.spawn(root_sees_it_on_containers_and_again);
            scope.spawn(a_demo_killed_halfway_is_cleared_away_by_the_next);
        }
    });
}

fn an_ordinary_user_sees_it_scripted_and_again() {
    let ordinary = Ordinary::new();
    let data = ordinary.directory().join("data");
    for _ in 0..2 {
        tells(&ordinary.run(&["demo", "--driver", "scripted"], &data), STORY);
    }
    assert!(printed(&ordinary.run(&["verify"], &data)).contains("intact"));
}

fn root_sees_it_on_containers_and_again() {
    let ground = Ground::with_debian();
    for _ in 0..2 {
        let output = run(&["demo", "--yes"], ground.data());
        tells(&output, STORY);
        tells(&output, &["$ python3", "│ Python"]);
        let left = Census::of(ground.data());
        assert!(left.is_quiet() && left.disks == 0, "left over: {left:?}");
    }
    assert!(printed(&run(&["verify"], ground.data())).contains("intact"));
}

fn a_demo_killed_halfway_is_cleared_away_by_the_next() {
    let ground = Ground::with_debian();
    let mut first = hourglass(&["demo", "--yes"], ground.data()).spawn().unwrap();
    read_until(&mut first, "4 · leave it alone");
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(Census::of(ground.data()).processes > 0, "its sandbox runs on");

    let output = run(&["demo", "--yes"], ground.data());
    tells(&output, &[CLEARING, STORY].concat());
    let left = Census::of(ground.data());
    assert!(left.is_quiet() && left.disks == 0, "left over: {left:?}");
}

#[test]
fn containers_without_root_are_refused_with_a_way_out() {
    if !may_run("containers_without_root_are_refused_with_a_way_out", Need::Root) {
        return;
    }
    let ordinary = Ordinary::new();
    let output = ordinary.run(&["demo"], &ordinary.directory().join("data"));
    fails(&output, &["native containers need root", "user 65534", "sudo", "scripted"]);
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    if !may_run("a_data_directory_that_cannot_be_written_is_named", Need::Root) {
        return;
    }
    let (ordinary, theirs) = (Ordinary::new(), tempfile::tempdir().unwrap());
    let data = theirs.path().join("data");
    let output = ordinary.run(&["demo", "--driver", "scripted"], &data);
    fails(&output, &[data.to_str().unwrap(), "--data", "Permission denied"]);
}

#[test]
fn a_second_instance_on_the_same_data_is_turned_away() {
    let ground = Ground::new();
    let mut first = hourglass(&["demo", "--driver", "scripted"], ground.data()).spawn().unwrap();
    read_until(&mut first, "2 · run commands in it");
    for arguments in [&["demo", "--driver", "scripted"][..], &["verify"], &["log"], &["replay"]] {
        let output = run(arguments, ground.data());
        fails(&output, &["another instance holds the data directory", "stop it, or choose another"]);
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(printed(&run(&["verify"], ground.data())).contains("intact"), "the killed one holds nothing");
}

#[test]
fn where_there_is_no_log_the_audits_say_so_and_make_none() {
    let ground = Ground::new();
    for command in ["verify", "log", "replay"] {
        fails(&run(&[command], ground.data()), &["there is no log in", "hourglass demo", "--data"]);
    }
    assert_eq!(fs::read_dir(ground.data()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_the_first_slot_that_was_changed() {
    let ground = Ground::new();
    live(ground.data()).await;
    let (path, slots) = slots(ground.data());
    let whole = fs::read(&path).unwrap();
    for slot in [Slot::FIRST, Slot(slots.len() as u64 / 2), Slot(slots.len() as u64)] {
        let frame = &slots[usize::try_from(slot.0).unwrap() - 1];
        let at = whole.windows(frame.len()).position(|window| window == frame).unwrap() + frame.len() / 2;
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.write_all_at(&[whole[at] ^ 1], at as u64).unwrap();
        fails(&run(&["verify"], ground.data()), &[&format!("slot {slot}:"), "damaged", "restore the file"]);
        file.write_all_at(&[whole[at]], at as u64).unwrap();
    }
    assert!(printed(&run(&["verify"], ground.data())).contains("intact"), "put right, it is whole again");
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_misses_what_was_taken_off_the_end_when_told_the_head() {
    let (before, after) = (Ground::new(), Ground::new());
    live(before.data()).await;
    let verified = printed(&run(&["verify"], before.data()));
    let head = verified.lines().find_map(|line| line.trim().strip_prefix("head ")).unwrap().to_owned();
    assert!(run(&["verify", "--head", &head], before.data()).status.success());
    live(after.data()).await;
    fails(&run(&["verify", "--head", &head], after.data()), &["no record has the digest"]);
}

#[test]
fn a_full_disk_is_told_with_the_room_that_is_needed() {
    if !may_run("a_full_disk_is_told_with_the_room_that_is_needed", Need::Root) {
        return;
    }
    let small = Small::new();
    fails(&run(&["demo", "--driver", "scripted"], &small.data()), &["no room", "make room"]);
    if may_run("a full disk, on containers", Need::Native) {
        // The log is opened before the machine is touched, so it is the log that finds no room.
        fails(&run(&["demo", "--yes"], &small.data()), &["no room", "make room"]);
    }
}

/// A file system of a few pages.
struct Small(tempfile::TempDir);

impl Small {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "small"]).arg(dir.path());
        assert!(mount.status().unwrap().success());
        Self(dir)
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.0.path().display());
    }
}

/// The output went well and has `parts` in it, in order; a part is words on one line, in order.
fn tells(output: &Output, parts: &[&str]) {
    let text = printed(output);
    let all = format!("{text}\n{}", complained(output));
    assert!(output.status.success(), "{}:\n{all}", output.status);
    let mut lines = text.lines();
    for part in parts {
        assert!(lines.any(|line| holds(line, part)), "{part:?} is missing, or not in its place:\n{all}");
    }
}

/// Whether `line` has the words of `part`, in order.
fn holds(line: &str, part: &str) -> bool {
    let mut words = line.split_whitespace();
    part.split_whitespace().all(|wanted| {
        words.any(|word| word.trim_end_matches([':', ';']) == wanted.trim_end_matches([':', ';']))
    })
}

/// The command failed as it should, with all of `parts` in what it said of that, and without a panic.
fn fails(output: &Output, parts: &[&str]) {
    let said = complained(output);
    assert_eq!(output.status.code(), Some(1), "{}{said}", printed(output));
    assert!(said.starts_with("error: "), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing:\n{said}");
    }
}

/// Read what `child` prints up to a line with `part`.
fn read_until(child: &mut Child, part: &str) {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains(part)), "it never came to {part:?}");
}

/// Have a sandbox live on a script and leave a log.
async fn live(data: &Path) {
    let system = System::scripted(data, Arc::new(Scripted::new())).await.unwrap();
    let client = system.engine.client(OrganizationId::from_u128(1), "scenario");
    let patience = Duration::from_secs(30);
    let sandbox = client.create(|create| create.snapshot = Some(SNAPSHOT.to_owned())).await.unwrap();
    system.engine.wait_for(sandbox.id, State::Started, patience).await.unwrap();
    client.stop(sandbox.id).await.unwrap();
    system.engine.wait_for(sandbox.id, State::Stopped, patience).await.unwrap();
    client.delete(sandbox.id).await.unwrap();
    system.engine.wait_for(sandbox.id, State::Deleted, patience).await.unwrap();
    system.shutdown().await;
}

/// The one segment in `data`, and the frame of each slot.
fn slots(data: &Path) -> (PathBuf, Vec<Vec<u8>>) {
    let dir = Store::log_directory(data, ShardNumber(0));
    let (log, _notices) = SegmentLog::open(&dir, Options::new(0)).unwrap();
    let (reader, mut slots) = (log.reader(), Vec::new());
    let mut scan = reader.scan(Slot::FIRST);
    while let Some(scanned) = scan.next_frame().unwrap() {
        slots.push(scanned.frame.to_vec());
    }
    let segments = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    let largest = segments.max_by_key(|path| fs::metadata(path).unwrap().len());
    (largest.unwrap(), slots)
}
