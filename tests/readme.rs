//! What the README says that can be wrong: the diagram and the two commands.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use hourglass_events::lifecycle::mermaid;

/// Set, the diagram is written anew.
const UPDATE: &str = "UPDATE";
/// Where the diagram stands.
const BEGIN: &str = "<!-- lifecycle -->\n";
const END: &str = "<!-- /lifecycle -->";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("README.md is missing")
}

#[test]
fn the_diagram_is_the_table() {
    let text = readme();
    let (before, rest) = text.split_once(BEGIN).expect("README.md has no line <!-- lifecycle -->");
    let (found, after) = rest.split_once(END).expect("README.md has no line <!-- /lifecycle -->");
    let wanted = format!("```mermaid\n{}\n```\n", mermaid().trim_end());
    if found == wanted {
        return;
    }
    assert!(
        std::env::var_os(UPDATE).is_some(),
        "the table has changed; run `{UPDATE}=1 cargo test -p hourglass-tests --test readme`"
    );
    fs::write(root().join("README.md"), [before, BEGIN, &wanted, END, after].concat()).unwrap();
}

#[test]
fn two_commands_set_everything_up() {
    let text = readme();
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let commands: Vec<&str> = blocks.flat_map(str::lines).collect();
    assert_eq!(
        commands,
        ["cargo run --release -- demo", "./tests/all"],
        "README.md promises two commands, no more"
    );
}

#[test]
fn what_is_promised_to_be_there_is() {
    let mode = fs::metadata(root().join("tests/all")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "tests/all can be run by everybody");
    let text = readme();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
        assert!(root().join(link).exists(), "README.md links to {link}, which is not there");
    }
}
