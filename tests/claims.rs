//! `CLAIMS.md` beside this file says which test shows each rule of the reference document, and each failure of other
//! control planes that must not happen here. Every one must have a test, and every test that is named must exist.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many claims there are of each kind, so that none goes unnoticed.
const RULES: u32 = 72;
const FAILURES: u32 = 42;

/// One row: what is claimed, and the tests that show it.
struct Row {
    number: String,
    claim: String,
    tests: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The rows of the tables: `| D7 | what is claimed | `a_test`, `another` |`.
fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("tests/CLAIMS.md")).unwrap();
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let numbered = |line: &&str| line.starts_with("| D") || line.starts_with("| N");
    text.lines()
        .filter(numbered)
        .map(|line| {
            let cells: Vec<String> = cells(line);
            let [number, claim, tests] = cells.try_into().unwrap_or_else(|_| panic!("three cells: {line}"));
            let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            Row { number, claim, tests }
        })
        .collect()
}

/// Every test function of the project, by name.
fn tests() -> BTreeSet<String> {
    let listed = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z", "*.rs"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(listed.status.success(), "git lists no files: {}", String::from_utf8_lossy(&listed.stderr));
    let mut found = BTreeSet::new();
    for path in String::from_utf8(listed.stdout).unwrap().split('\0').filter(|path| !path.is_empty()) {
        let text = fs::read_to_string(root().join(path)).unwrap_or_default();
        let mut marked = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                marked = true;
            } else if let Some(rest) = line.split_once("fn ").map(|(_, rest)| rest).filter(|_| marked) {
                found.extend(rest.split(['(', '<']).next().map(str::to_owned));
                marked = false;
            }
        }
    }
    found
}

#[test]
fn every_claim_is_shown_by_tests_that_exist() {
    let known = tests();
    let mut missing = Vec::new();
    for Row { number, claim, tests } in rows() {
        if tests.is_empty() {
            missing.push(format!("{number} ({claim}) names no test"));
        }
        let unknown = tests.iter().filter(|test| !known.contains(*test));
        missing.extend(unknown.map(|test| format!("{number} ({claim}) names {test}, which is no test")));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn claims_are_numbered_without_a_gap() {
    let mut next = BTreeMap::from([('D', 1_u32), ('N', 1)]);
    for Row { number, claim, .. } in rows() {
        let family = number.chars().next().unwrap();
        let expected = next.get_mut(&family).unwrap();
        assert_eq!(number, format!("{family}{expected}"), "the number of {claim:?}");
        *expected += 1;
    }
    let found = (next[&'D'] - 1, next[&'N'] - 1);
    assert_eq!(found, (RULES, FAILURES), "who takes a claim away says so here");
    println!("{RULES} rules of the document, {FAILURES} failures that must not happen");
}
