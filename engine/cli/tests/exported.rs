//! Exports: they answer as their logs do, are proved offline, and damage in one is named.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use std::fs;

use common::Data;
use common::lived::{exported, lived, views};

#[test]
fn every_audit_says_the_same_of_a_log_and_of_its_export() {
    let data = lived();
    let path = exported(&data, "same");
    let path = path.to_str().unwrap();
    for (command, arguments) in [
        ("log", &["--json"][..]),
        ("replay", &["--json"]),
        ("replay", &["--until", "6"]),
        ("replay", &["--diff", "2", "9"]),
        ("why", &["web"]),
        ("timeline", &["gone"]),
        ("usage", &["--by", "hour"]),
        ("tree", &[]),
        ("diverge", &[]),
        ("export", &["-"]),
    ] {
        let expected = data.said(command, arguments);
        let found = data.said(command, &[arguments, &["--export", path]].concat());
        assert_eq!(found, expected, "{command} {arguments:?}");
    }
}

#[test]
fn an_export_is_verified_offline_and_against_a_head_noted_earlier() {
    let data = lived();
    let path = exported(&data, "offline");
    let path = path.to_str().unwrap();
    let told = data.said("verify", &[path]);
    assert!(told.contains("intact") && told.contains(" noted states are the same"), "{told}");
    let records = views(&data);
    for record in [&records[3], records.last().unwrap()] {
        data.said("verify", &[path, "--head", record["digest"].as_str().unwrap()]);
    }
    let other = "0".repeat(64);
    let refusal = data.refusal("verify", &[path, "--head", &other]);
    assert!(refusal.contains("no record has the digest that was noted"), "{refusal}");
    assert!(data.refusal("verify", &[path, "--head", "abc"]).contains("64 hexadecimal digits"));
    let again = data.refusal("export", &[path]);
    assert!(again.contains("cannot be made"), "an export is not written over: {again}");
}

#[test]
fn a_damaged_line_of_an_export_is_named() {
    let data = lived();
    let whole = fs::read_to_string(exported(&data, "whole")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let last = lines.len();
    let with = |edit: &dyn Fn(&mut Vec<String>)| {
        let mut lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        edit(&mut lines);
        let path = data.0.join("damaged");
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let refusal = data.refusal("verify", &[path.to_str().unwrap()]);
        fs::remove_file(path).unwrap();
        refusal
    };
    let says = |refusal: String, parts: &[&str]| {
        assert!(parts.iter().all(|part| refusal.contains(part)), "{parts:?} in {refusal}");
    };
    says(
        with(&|lines| lines[4] = lines[4].replace("\"actor\":\"", "\"actor\":\"not ")),
        &["line 5 says", "actor"],
    );
    says(
        with(&|lines| lines[4] = lines[4].replacen('{', "{\"more\":1,", 1)),
        &["line 5 says something", "more"],
    );
    says(
        with(&|lines| lines[4] = lines[4].replace("\"raw\":\"", "\"raw\":\"?")),
        &["line 5 is damaged", "base64"],
    );
    says(with(&|lines| lines[4] = lines[4].replace("\"raw\":\"", "\"raw\":\"AAAA")), &["line 5"]);
    says(with(&|lines| lines[4].truncate(40)), &["line 5 is damaged"]);
    says(with(&|lines| drop(lines.remove(4))), &["line 5", "was expected"]);
    says(with(&|lines| lines.swap(3, 4)), &["line 4", "was expected"]);
    says(with(&|lines| drop(lines.pop())), &["was cut off"]);
    says(with(&|lines| lines.truncate(last - 3)), &["was cut off"]);
    says(with(&|lines| drop(lines.remove(last - 2))), &[&format!("line {}", last - 1), "lines are missing"]);
    says(with(&|lines| lines.push("{}".to_owned())), &[&format!("line {}", last + 1)]);
    says(with(&|lines| drop(lines.remove(0))), &["is no export"]);
    says(with(&|lines| lines[0] = lines[0].replace("\"version\":1", "\"version\":2")), &["version 2"]);
    says(with(&|lines| lines[0] = lines[0].replace("\"shard\":0", "\"shard\":1")), &["line 2", "shard"]);
}

#[test]
fn a_line_of_no_end_is_refused_before_it_fills_the_memory() {
    let data = lived();
    let path = data.0.join("endless");
    let first = fs::read_to_string(exported(&data, "first")).unwrap().lines().next().unwrap().to_owned();
    fs::write(&path, first + "\n" + &"x".repeat(5 << 20)).unwrap();
    let refusal = data.refusal("verify", &[path.to_str().unwrap()]);
    assert!(refusal.contains("line 2 is longer than"), "{refusal}");
}

#[test]
fn diverge_finds_the_earliest_state_that_differs() {
    let data = Data::new("diverging");
    assert!(data.said("diverge", &[]).contains("noted states are the same"));
    let ends = common::groups_end(&data);
    let (early, late) = (ends[1], ends[2]);
    data.note(late, hourglass_events::Digest::of(b"not this state"));
    data.note(early, hourglass_events::Digest::of(b"not this state either"));
    let path = data.0.join("export");
    let path = path.to_str().unwrap();
    data.said("export", &[path]);
    for arguments in [&[][..], &[path]] {
        let output = data.hourglass("diverge", arguments);
        assert!(!output.status.success());
        let (told, refused) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(refused.contains(&format!("the state at record {early} is not what it was")), "{refused}");
        assert!(told.contains(&format!("at record {early}")), "{told}");
        let last = told.lines().last().unwrap().trim_start();
        assert!(last.starts_with(&format!("{early} ")), "the records in between are shown: {told}");
    }
}
