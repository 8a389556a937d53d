//! Style as a test: what a reader should never meet, found before one does.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most lines of a file.
const FILE_MOST: usize = 400;
/// The most lines of a function.
const FUNCTION_MOST: usize = 70;

/// Longer files, and why. A file that has become shorter must leave this list.
const LONG: &[(&str, &str)] = &[
    ("engine/tests/log_damage.rs", "one case after the other, as a table"),
    ("hostd/tests/agent_any_order.rs", "a naive engine and a naive machine, which belong side by side"),
    ("hostd/tests/agent_stories.rs", "stories, one after the other"),
    ("simulations/src/sim_host.rs", "to be cut: the machine apart from the host that drives it"),
];

/// Longer functions, and why.
const LONG_FUNCTIONS: &[(&str, &str)] =
    &[("events/src/sandbox/take_in.rs", "take_in is one arm for each event, which no cut makes clearer")];

/// Tests that sleep, and why that is no hope for the best.
const SLEEPING: &[(&str, &str)] = &[
    ("engine/tests/shell/storage.rs", "time is virtual there"),
    ("hostd/tests/agent_host.rs", "time is virtual there"),
    ("hostd/tests/agent_tunnels.rs", "time is virtual there"),
    ("hostd/tests/native_common/mod.rs", "between two looks for what is awaited with a deadline"),
    ("tests/src/up.rs", "between two looks for what is awaited with a deadline"),
];

/// What may lie at the top: what DESIGN names, and the usual.
const TOP: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "engine",
    "events",
    "hostd",
    "projections",
    "simulations",
    "tests",
];

/// Whose addresses may be in files: documents that people follow, this machine itself, and names that stand for none.
const HOSTS: &[&str] = &[
    "keepachangelog.com",
    "mirror.example",
    "packages.example",
    "www.apache.org",
    "www.w3.org",
    "localhost",
    "127.0.0.1",
    "m",
    "a",
];

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Whether it is a test and nothing else.
    fn is_test(&self) -> bool {
        let path = &self.path;
        path.contains("/tests/") || path.starts_with("tests/") || path.ends_with("/tests.rs")
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{}", self.path, line + 1)
    }

    fn lines_with(&self, bad: impl Fn(&str) -> bool) -> Vec<String> {
        let lines = self.text.lines().enumerate().filter(|(_, line)| bad(line));
        lines.map(|(number, line)| format!("{}: {}", self.place(number), line.trim())).collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file that git knows and that is text.
fn tracked() -> Vec<Source> {
    // Run by somebody else than who checked the files out, git would refuse to look.
    let listed = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(listed.status.success(), "git lists no files: {}", String::from_utf8_lossy(&listed.stderr));
    let paths = String::from_utf8(listed.stdout).unwrap();
    let read = |path: &str| {
        Some(Source { path: path.to_owned(), text: fs::read_to_string(root().join(path)).ok()? })
    };
    paths.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect()
}

fn rust() -> Vec<Source> {
    tracked().into_iter().filter(|file| file.path.ends_with(".rs")).collect()
}

fn none(what: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let silent = rust().into_iter().filter(|file| !file.text.starts_with("//!") && !file.text.is_empty());
    none("these begin without a line of //!", silent.map(|file| file.path));
}

#[test]
fn no_file_is_empty() {
    let empty = tracked().into_iter().filter(|file| file.text.trim().is_empty());
    none("there is nothing in", empty.map(|file| file.path));
}

#[test]
fn no_file_is_too_long() {
    let length = |file: &Source| file.text.lines().count();
    let long: Vec<Source> = rust().into_iter().filter(|file| length(file) > FILE_MOST).collect();
    let excused = |path: &str| LONG.iter().any(|(known, _)| *known == path);
    let found = long.iter().filter(|file| !excused(&file.path));
    none("these are too long", found.map(|file| format!("{}: {} lines", file.path, length(file))));
    let long: BTreeSet<&str> = long.iter().map(|file| file.path.as_str()).collect();
    let short = LONG.iter().filter(|(path, _)| !long.contains(path)).map(|(path, _)| (*path).to_owned());
    none("these need no excuse any more", short);
}

#[test]
fn no_function_is_too_long() {
    let mut long = Vec::new();
    for file in rust() {
        if LONG_FUNCTIONS.iter().any(|(path, _)| *path == file.path) {
            continue;
        }
        let lines: Vec<&str> = file.text.lines().collect();
        for (begin, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
            // rustfmt ends a function at the column it began in.
            let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
            // One of a trait may have no body, and end where its signature does.
            let bodiless = format!("{}) ", &line[..line.len() - line.trim_start().len()]);
            let ends = |line: &&&str| **line == end || line.starts_with(&bodiless) && line.ends_with(';');
            let one_line = line.ends_with(['}', ';']);
            let length =
                if one_line { 1 } else { lines[begin..].iter().take_while(|line| !ends(line)).count() + 1 };
            if length > FUNCTION_MOST {
                long.push(format!("{}: {length} lines", file.place(begin)));
            }
        }
    }
    none("these functions are too long", long);
}

/// Whether a function begins on this line.
fn begins_function(line: &str) -> bool {
    let words = line.split_whitespace().take_while(|word| !word.contains('(') || word.starts_with("pub("));
    let before: Vec<&str> = words.collect();
    let known = |word: &&str| matches!(*word, "pub" | "const" | "async" | "fn") || word.starts_with("pub(");
    before.contains(&"fn") && before.iter().take_while(|word| **word != "fn").all(known)
}

#[test]
fn modules_are_files_named_after_them() {
    // What several test programs share can have no other name, or cargo takes it for one of them.
    let found =
        rust().into_iter().filter(|file| file.path.ends_with("/mod.rs") && !file.path.contains("/tests/"));
    none("these should be named after their module", found.map(|file| file.path));
}

#[test]
fn nothing_is_put_off() {
    let marks = ["FIX", "TO"].map(|begin| begin.to_owned() + if begin == "TO" { "DO" } else { "ME" });
    let found = rust()
        .into_iter()
        .flat_map(|file| file.lines_with(|line| marks.iter().any(|mark| line.contains(mark))));
    none("do it, or write an issue", found);
}

#[test]
fn tests_are_named_as_claims() {
    let prefix = ["fn te", "st_"].concat();
    let found = rust().into_iter().flat_map(|file| file.lines_with(|line| line.contains(&prefix)));
    none("say what is claimed", found);
}

#[test]
fn no_test_sleeps_and_hopes() {
    let word = ["sleep", "("].concat();
    let found = rust()
        .into_iter()
        .filter(|file| file.is_test() && !SLEEPING.iter().any(|(path, _)| *path == file.path));
    let found = found.flat_map(|file| file.lines_with(|line| line.contains(&word)));
    none("wait for what is meant, with a deadline", found);
}

#[test]
fn no_line_ends_in_spaces() {
    let texts = tracked().into_iter().filter(|file| !file.path.starts_with("LICENSE"));
    let found = texts.flat_map(|file| file.lines_with(|line| line.ends_with([' ', '\t'])));
    none("spaces at the end of", found);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let places = ["/wo", "/ro"].iter().zip(["rk/", "ot/"]).map(|(begin, end)| (*begin).to_owned() + end);
    let places: Vec<String> = places.collect();
    let found = tracked()
        .into_iter()
        .flat_map(|file| file.lines_with(|line| places.iter().any(|place| line.contains(place))));
    none("places of one machine", found);
}

#[test]
fn no_file_names_a_host_to_fetch_from() {
    let scheme = ["htt", "p"].concat();
    let stranger = |line: &str| {
        let addresses =
            line.split(&scheme).skip(1).filter_map(|rest| rest.trim_start_matches('s').strip_prefix("://"));
        let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        addresses
            .map(|rest| rest.split(ends).next().unwrap_or_default())
            .any(|host| !host.is_empty() && !HOSTS.contains(&host))
    };
    // The lock names cargo's own registry, which each machine may replace.
    let texts = tracked().into_iter().filter(|file| file.path != "Cargo.lock");
    none("addresses", texts.flat_map(|file| file.lines_with(stranger)));
}

#[test]
fn the_top_holds_what_the_design_says_and_no_more() {
    let files = tracked();
    let top =
        files.iter().map(|file| file.path.split('/').next().unwrap().to_owned()).collect::<BTreeSet<_>>();
    let found = top.into_iter().filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str()));
    none("these do not belong at the top", found);
}
