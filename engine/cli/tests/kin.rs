//! What a log says of forks and of linked sandboxes: who came from whom, and who went with whom.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use std::fs;
use std::sync::Arc;

use common::Data;
use common::lived::{PATIENCE, Shared, number, of_kind, start, views};
use hourglass_events::{
    Class, Command, Fork, Name, OrganizationId, SandboxId, SnapshotContent, State, Target,
};

/// A log of a machine that was forked, a fork of the fork, which is deleted, and of a server that took a helper that was
/// linked with it along when it was deleted.
fn family() -> Arc<Data> {
    static FAMILY: Shared = Shared::new();
    FAMILY.get("family", live)
}

fn name(text: &str) -> Option<Name> {
    Some(Name::new(text).unwrap())
}

async fn live(data: &Data) {
    let (engine, host, _) = start(data).await;
    let machine = SnapshotContent { name: "machine".to_owned(), class: Class::LinuxVm, ..common::snapshot() };
    engine.register_snapshot(machine).await.unwrap();
    let client = engine.client(OrganizationId::from_u128(1), "ann");
    let reach = async |id: SandboxId, state| engine.wait_for(id, state, PATIENCE).await.unwrap();
    let fork = async |parent: SandboxId, id: u128, text: &str| {
        let id = SandboxId::from_u128(id);
        let fork = Fork { id, name: name(text) };
        client.ask(Command::Fork(parent.into(), fork)).await.unwrap();
        reach(id, State::Started).await;
        reach(parent, State::Started).await;
        id
    };
    let root = client.create(|create| {
        (create.name, create.snapshot) = (name("root"), Some("machine".to_owned()));
    });
    let root = root.await.unwrap().id;
    reach(root, State::Started).await;
    let trial = fork(root, 0xf1, "trial").await;
    let gone = fork(trial, 0xf2, "gone").await;
    client.delete(gone).await.unwrap();
    reach(gone, State::Deleted).await;
    let server = client.create(|create| create.name = name("server")).await.unwrap().id;
    reach(server, State::Started).await;
    let helper = client.create(|create| {
        create.name = name("helper");
        create.linked = Some(Target::Id(server));
        create.auto_delete = Some(hourglass_events::AutoDelete::AtOnce);
    });
    let helper = helper.await.unwrap().id;
    reach(helper, State::Started).await;
    client.delete(server).await.unwrap();
    reach(server, State::Deleted).await;
    reach(helper, State::Deleted).await;
    host.shutdown().await;
    engine.shutdown().await;
}

#[test]
fn a_tree_shows_each_fork_with_its_state_below_its_parent_and_survives_deletion() {
    let data = family();
    let told = data.said("tree", &["gone"]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    for (line, (stem, state)) in
        lines.iter().zip([("root ", "Started"), ("└── trial ", "Started"), ("    └── gone", "Deleted")])
    {
        assert!(line.starts_with(stem) && line.contains(state) && line.contains(" created 2"), "{told}");
    }
    assert!(lines[2].ends_with('←'), "{told}");
    assert_eq!(data.said("tree", &["root"]).replace("  ←", ""), told.replace("  ←", ""));
}

#[test]
fn a_tree_is_drawn_for_graphviz_and_as_svg() {
    let data = family();
    let dot = data.said("tree", &["--dot"]);
    assert_eq!((dot.matches("label = ").count(), dot.matches(" -> ").count()), (3, 2), "{dot}");
    let path = data.0.join("tree.svg");
    data.said("tree", &["--svg", path.to_str().unwrap()]);
    let svg = fs::read_to_string(&path).unwrap();
    assert!(["root", "trial", "gone"].iter().all(|name| svg.contains(&format!(">{name}</text>"))), "{svg}");
}

#[test]
fn a_link_network_is_shown_with_the_names_its_members_answer_to() {
    let data = family();
    let records = views(&data);
    // The first that was deleted was a fork.
    let server = of_kind(&records, "DeleteBegan")[1];
    let before = (server["seq"].as_u64().unwrap() - 1).to_string();
    let told = data.said("tree", &["helper", "--until", &before]);
    assert!(told.contains("link network of server"), "{told}");
    for (whose, name) in [("parent", "server"), ("child", "helper")] {
        let line = told.lines().find(|line| line.trim_start().starts_with(whose)).unwrap();
        assert!(line.contains(name) && line.contains("Started"), "{told}");
    }
    assert!(!data.said("tree", &[]).contains("link network"), "its members are gone");
}

#[test]
fn why_follows_a_cascade_to_whoever_deleted_the_parent() {
    let data = family();
    let told = data.said("why", &["helper"]);
    let chain: Vec<&str> = told.split("because\n").nth(1).unwrap().lines().collect();
    let cascade = chain.iter().position(|line| line.contains("cascade from")).unwrap();
    assert!(chain[cascade].contains("DeleteBegan"), "{told}");
    assert!(chain[cascade + 1].contains("DeleteBegan") || chain[cascade + 1].contains("Removed"), "{told}");
    let asked = chain.iter().find(|line| line.contains("request · ann")).unwrap();
    assert!(asked.contains("DeleteBegan") && asked.contains("(of "), "{told}");
}

#[test]
fn why_follows_the_birth_of_a_fork_to_whoever_asked_for_it() {
    let data = family();
    let records = views(&data);
    let booted = of_kind(&records, "Booted");
    let subject = format!("sandbox {}", SandboxId::from_u128(0xf1));
    let booted = booted.into_iter().find(|record| record["subject"] == subject.as_str()).unwrap();
    let told = data.said("why", &["trial", "--until", &number(booted)]);
    let chain: Vec<&str> =
        told.split("because\n").nth(1).unwrap().split("next\n").next().unwrap().lines().collect();
    let last = chain.last().unwrap();
    assert!(last.contains("ForkBegan") && last.contains("request · ann"), "{told}");
    let reserved = of_kind(&records, "Born")[0];
    let told = data.said("why", &["trial", "--until", &number(reserved)]);
    assert!(told.contains("boots once order "), "{told}");
}

#[test]
fn every_audit_reads_a_log_with_kin() {
    let data = family();
    for (command, arguments) in [
        ("verify", &[][..]),
        ("diverge", &[]),
        ("usage", &[]),
        ("timeline", &["helper"]),
        ("replay", &["--diff", "1", "9"]),
    ] {
        data.said(command, arguments);
    }
    let usage = data.said("usage", &["--csv"]);
    assert!(
        ["root", "trial", "gone", "server", "helper"].iter().all(|name| usage.contains(&format!(",{name},")))
    );
}
