//! The verbs of `hourglass` that ask an API, on a running `up`: what they do, print and end with.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Output, Stdio};

use hourglass_tests::hourglass::{complained, hourglass, printed, run, run_bare};
use hourglass_tests::{Ground, Up};
use serde_json::Value;

fn up(ground: &Ground) -> Up {
    Up::start(ground.data(), &["--driver", "scripted"])
}

/// Run a verb that goes well, and give what it printed.
fn said(arguments: &[&str], data: &Path) -> String {
    let output = run(arguments, data);
    assert!(output.status.success(), "{arguments:?}: {}", complained(&output));
    printed(&output)
}

/// The same as JSON, one value a line.
fn json(arguments: &[&str], data: &Path) -> Vec<Value> {
    let said = said(&[arguments, &["--json"]].concat(), data);
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// It failed with this code, and said all of `parts`.
fn fails(output: &Output, code: i32, parts: &[&str]) {
    let said = complained(output);
    assert_eq!(output.status.code(), Some(code), "{}{said}", printed(output));
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing:\n{said}");
    }
}

#[test]
fn a_sandbox_lives_its_life_by_verbs_alone() {
    let ground = Ground::new();
    let (_up, data) = (up(&ground), ground.data());
    let created = said(&["create", "--name", "first", "--label", "team=a", "--auto-stop", "7"], data);
    assert!(created.contains("first") && created.contains("started"), "{created}");
    let got = said(&["get", "first"], data);
    for part in
        ["1 vCPU, 1 GiB, 3 GiB disk", "stop after 7 min, archive after 7 days, delete never", "team=a"]
    {
        assert!(got.contains(part), "{part:?} is missing:\n{got}");
    }
    assert_eq!(json(&["stop", "first"], data)[0]["state"], "stopped");
    assert_eq!(json(&["start", "first"], data)[0]["state"], "started");
    assert_eq!(json(&["stop", "--force", "first"], data)[0]["state"], "stopped");
    assert_eq!(json(&["wait", "first", "--for", "stopped"], data)[0]["state"], "stopped");
    assert_eq!(json(&["delete", "first"], data)[0]["state"], "destroyed");
    fails(&run(&["get", "first"], data), 3, &["first"]);
}

#[test]
fn labels_and_intervals_are_set_one_by_one() {
    let ground = Ground::new();
    let (_up, data) = (up(&ground), ground.data());
    said(&["create", "--name", "it", "--label", "team=a", "--label", "stage=dev"], data);
    let labels =
        |arguments: &[&str]| json(&[&["label", "it"], arguments].concat(), data)[0]["labels"].to_string();
    assert_eq!(labels(&["stage=prod", "--remove", "team"]), r#"{"stage":"prod"}"#);
    assert_eq!(labels(&["a=b", "--replace"]), r#"{"a":"b"}"#);
    let intervals = json(&["interval", "it", "--stop", "0", "--delete", "-1", "--archive", "60"], data);
    let interval = |name: &str| intervals[0][name].as_i64().unwrap();
    assert_eq!(["autoStopInterval", "autoArchiveInterval", "autoDeleteInterval"].map(interval), [0, 60, -1]);
    let told = said(&["events", "it"], data);
    assert!(told.contains("after 60 min") && told.contains("never"), "{told}");
    fails(&run(&["interval", "it", "--stop", "-5"], data), 1, &["-5"]);
    fails(&run(&["interval", "it"], data), 2, &["--stop"]);
}

#[test]
fn lists_are_filtered_sorted_and_cut() {
    let ground = Ground::new();
    let (_up, data) = (up(&ground), ground.data());
    for name in ["b", "a", "c"] {
        said(&["create", "--name", name, "--label", &format!("name={name}")], data);
    }
    said(&["stop", "b"], data);
    let names = |arguments: &[&str]| {
        let list = json(&[&["list"], arguments].concat(), data);
        list.iter().map(|sandbox| sandbox["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().concat()
    };
    assert_eq!(names(&["--sort", "name", "--order", "asc"]), "abc");
    assert_eq!(names(&["--sort", "name", "--order", "asc", "--limit", "2"]), "ab");
    assert_eq!(names(&["--state", "stopped"]), "b");
    assert_eq!(names(&["--label", "name=c"]), "c");
    assert_eq!(names(&["--name", "d"]), "");
    let table = said(&["list", "--sort", "name", "--order", "asc"], data);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(
        lines[0].starts_with("NAME") && lines[1].starts_with("a ") && lines[2].contains("stopped"),
        "{table}"
    );
}

#[test]
fn a_name_with_strange_characters_is_asked_for_as_it_is() {
    let ground = Ground::new();
    let (_up, data) = (up(&ground), ground.data());
    let name = "a b/c?d#e%f&g=ü";
    said(&["create", "--name", name], data);
    assert_eq!(json(&["get", name], data)[0]["name"], name);
    assert_eq!(json(&["delete", name], data)[0]["state"], "destroyed");
}

#[test]
fn what_is_asked_again_with_its_key_is_not_done_twice() {
    let ground = Ground::new();
    let (up, data) = (up(&ground), ground.data());
    let create = ["create", "--idempotency-key", "once"];
    let id = |data| json(&create, data)[0]["id"].clone();
    let first = id(data);
    let up = up.again(&["--driver", "scripted"]);
    assert_eq!(id(data), first);
    assert_eq!(up.ask("GET", "/sandbox", None).body["items"].as_array().unwrap().len(), 1);
}

#[test]
fn failures_are_told_apart_by_exit_code() {
    let ground = Ground::new();
    let data = ground.data();
    fails(&run(&["list"], data), 1, &["no `hourglass up`", "--data", "HOURGLASS_API_URL"]);
    let mut up = up(&ground);
    let api = up.api();
    said(&["create", "--name", "taken"], data);
    fails(&run(&["create", "--name", "taken"], data), 1, &["taken by sandbox"]);
    fails(&run(&["create", "--snapshot", "none"], data), 1, &["none"]);
    fails(&run(&["create", "--label", "nonsense"], data), 2, &["KEY=VALUE"]);
    fails(&run(&["delete", "taken", "absent", "missing"], data), 3, &["absent", "missing"]);
    said(&["create", "--name", "it"], data);
    fails(
        &run(&["wait", "it", "--for", "stopped", "--timeout", "0"], data),
        124,
        &["it is started after 0 s"],
    );
    fails(&run(&["list", "--api", &api, "--api-key", "wrong"], data), 1, &["key is not known"]);
    fails(&run(&["list", "--api", "http://localhost:1/api"], data), 1, &["a key to", "--api-key"]);
    fails(&run(&["list", "--api", &up.url, "--api-key", "any"], data), 1, &["is not this API", "/api"]);
    up.kill();
    fails(&run(&["list"], data), 4, &["does not answer", "hourglass up"]);
}

#[test]
fn the_key_of_one_data_directory_opens_no_other_place() {
    let (ground, other) = (Ground::new(), Ground::new());
    let (up, _theirs) = (up(&ground), up(&other));
    let there = ["list", "--api", &up.api()];
    fails(&run(&there, other.data()), 1, &["a key to"]);
    said(&[&there[..], &["--api-key", &up.key]].concat(), other.data());
}

#[test]
fn every_shell_gets_its_completions() {
    let ground = Ground::new();
    for shell in ["bash", "zsh", "fish"] {
        let output = run_bare(&["completions", shell], ground.data());
        assert!(output.status.success() && printed(&output).contains("hourglass"), "{shell}");
    }
}

#[test]
fn events_are_told_from_any_position_and_as_they_happen() {
    let ground = Ground::new();
    let (up, data) = (up(&ground), ground.data());
    said(&["create", "--name", "first"], data);
    let past = said(&["events"], data);
    for part in ["PullBegan", "Booted", "first", "request · local", "1 vCPU"] {
        assert!(past.contains(part), "{part:?} is missing:\n{past}");
    }
    let last = json(&["events", "first"], data).pop().unwrap();
    assert_eq!((&last["event"], &last["kind"]), (&"Booted".into(), &"sandbox".into()));
    let from = last["seq"].to_string();
    assert_eq!(json(&["events", "--from", &from], data), [last]);

    let mut following = hourglass(&["events", "--follow", "--from", &from], data).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = |part: &str| {
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    };
    next("Booted");
    said(&["stop", "first"], data);
    next("StopBegan");
    next("Exited");
    let place = up.url.strip_prefix("http://").unwrap().to_owned();
    drop(up);
    let _again = Up::start_at(&place, data, &["--driver", "scripted"]);
    said(&["delete", "first"], data);
    next("DeleteBegan");
    next("Removed");
    following.kill().unwrap();
    following.wait().unwrap();
}

#[test]
fn commands_run_in_a_sandbox_and_end_as_they_end() {
    let ground = Ground::new();
    let (_up, data) = (up(&ground), ground.data());
    said(&["create", "--name", "it"], data);
    let exec = |arguments: &[&str]| run_bare(&[&["exec"], arguments].concat(), data);
    assert_eq!(printed(&exec(&["it", "echo one two"])), "one two\n");
    assert_eq!(printed(&exec(&["it", "--", "echo", "a  b"])), "a  b\n");
    fails(&exec(&["it", "exit 7"]), 7, &[]);
    let json: Value = serde_json::from_str(&printed(&exec(&["--json", "it", "exit 3"]))).unwrap();
    assert_eq!(json["exitCode"], 3);
    fails(&exec(&["nobody", "true"]), 125, &["nobody"]);
    said(&["stop", "it"], data);
    fails(&exec(&["it", "true"]), 125, &["it"]);
}

#[test]
fn files_go_in_and_come_out_unchanged() {
    let ground = Ground::new();
    let (_up, data) = (up(&ground), ground.data());
    said(&["create", "--name", "it"], data);
    let here = tempfile::tempdir().unwrap();
    let path = |name: &str| here.path().join(name).to_str().unwrap().to_owned();
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(path("big.bin"), &bytes).unwrap();
    said(&["cp", &path("big.bin"), "it:/tmp/"], data);
    said(&["cp", "it:/tmp/big.bin", &path("back.bin")], data);
    assert!(fs::read(path("back.bin")).unwrap() == bytes);
    assert!(run(&["cp", "it:/tmp/big.bin", "-"], data).stdout == bytes);
    fails(&run(&["cp", "it:/tmp/nothing", &path("none")], data), 3, &["/tmp/nothing"]);
    assert!(!here.path().join("none").exists() && !here.path().join("none.part").exists());
    fails(&run(&["cp", &path("absent"), "it:/tmp/x"], data), 1, &["absent", "cannot be read"]);
    fails(&run(&["cp", "a", "b"], data), 1, &["SANDBOX:PATH"]);
    fails(&run(&["cp", "it:/a", "it:/b"], data), 1, &["through a pipe"]);
}

#[test]
fn directories_go_in_and_come_out_with_all_that_is_in_them() {
    let ground = Ground::new();
    let (_up, data) = (up(&ground), ground.data());
    said(&["create", "--name", "it"], data);
    let here = tempfile::tempdir().unwrap();
    let path = |name: &str| here.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir_all(path("tree/deep/er")).unwrap();
    fs::create_dir(path("tree/empty")).unwrap();
    for (name, text) in [("tree/a", "a"), ("tree/deep/b c", "bc"), ("tree/deep/er/ü", ""), ("tree/run", "#!")]
    {
        fs::write(path(name), text).unwrap();
    }
    fs::set_permissions(path("tree/run"), fs::Permissions::from_mode(0o750)).unwrap();
    symlink("a", path("tree/link")).unwrap();
    symlink("..", path("tree/circle")).unwrap();
    let sent = run(&["cp", &path("tree"), "it:/tmp/"], data);
    assert!(sent.status.success() && complained(&sent).contains("tree/circle"), "{}", complained(&sent));
    said(&["cp", "it:/tmp/tree", &path("back")], data);
    let mut found = Vec::new();
    for name in ["a", "deep/b c", "deep/er/ü", "run", "link"] {
        found.push(fs::read_to_string(path(&format!("back/{name}"))).unwrap());
    }
    assert_eq!(found, ["a", "bc", "", "#!", "a"]);
    assert!(here.path().join("back/empty").is_dir() && !here.path().join("back/circle").exists());
    assert_eq!(fs::metadata(path("back/run")).unwrap().permissions().mode() & 0o777, 0o750);
    // Into a directory that is there, under its own name.
    said(&["cp", "it:/tmp/tree/deep/", &path("back")], data);
    assert_eq!(fs::read_to_string(path("back/deep/b c")).unwrap(), "bc");
    fails(&run(&["cp", "it:/tmp/none", &path("none")], data), 3, &["/tmp/none"]);
}

#[test]
fn a_shell_takes_what_is_typed_and_ends_as_it_ends() {
    let ground = Ground::new();
    let (_up, data) = (up(&ground), ground.data());
    said(&["create", "--name", "it"], data);
    let mut shell = hourglass(&["shell", "it"], data);
    let mut shell = shell.stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(b"echo typed by somebody\nexit 7\n").unwrap();
    let output = shell.wait_with_output().unwrap();
    fails(&output, 7, &[]);
    assert!(printed(&output).contains("typed by somebody"), "{}", printed(&output));
    fails(&run(&["shell", "nobody"], data), 125, &["nobody"]);
}
