//! The command explains itself. Being a test of the command, this also has cargo build it for the scenarios in `tests`.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::Command;

fn said(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_hourglass")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_says_what_it_does() {
    let all = said(&["--help"]);
    let audits =
        ["log", "verify", "replay", "why", "tree", "timeline", "usage", "export", "diverge", "bench"];
    let verbs = ["create", "get", "list", "start", "stop", "delete", "label", "interval", "wait"];
    let inside = ["exec", "shell", "cp", "events"];
    for command in ["demo", "up"].iter().chain(&audits).chain(&verbs).chain(&inside) {
        assert!(all.contains(*command), "{command} is not in:\n{all}");
        let own = said(&[*command, "--help"]);
        assert!(own.contains("--data"), "{command} does not say where its data is:\n{own}");
    }
}

#[test]
fn keys_and_exit_codes_are_explained() {
    let all = said(&["--help"]);
    for part in ["key", "completions", "Exit codes", "124", "125"] {
        assert!(all.contains(part), "{part} is not in:\n{all}");
    }
    for what in ["create", "list", "revoke"] {
        assert!(said(&["key", what, "--help"]).contains("--data"), "{what}");
    }
}

#[test]
fn the_version_is_the_workspaces() {
    assert_eq!(said(&["--version"]).trim(), format!("hourglass {}", env!("CARGO_PKG_VERSION")));
}
