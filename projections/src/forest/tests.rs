//! Kin, by the forest and by whoever reads all births.

use std::collections::{BTreeMap, BTreeSet};

use hourglass_events::arbitrary::{blueprint, history, offers};
use hourglass_events::{
    Actor, Blueprint, Cause, CorrelationId, DeleteReason, Digest, Event, HostId, Name, OrderNumber,
    OrganizationId, Record, RecordId, Sandbox, SandboxEvent, SandboxId, Seq, State, Subject, Timestamp,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::{Branch, Forest, drawing};
use crate::{Keep, Projection};

fn fed(keep: Keep, records: &[Record]) -> Forest {
    let mut forest = Forest::new(keep);
    records.iter().for_each(|record| forest.apply(record).unwrap());
    forest
}

/// The sandboxes after all of `records`, and the parent of each that was there when it was born.
fn folded(records: &[Record]) -> (BTreeMap<SandboxId, Sandbox>, BTreeMap<SandboxId, SandboxId>) {
    let mut folded = BTreeMap::<SandboxId, Sandbox>::new();
    let mut parents = BTreeMap::new();
    for record in records {
        let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) else { continue };
        if let Some(sandbox) = folded.get_mut(&id) {
            sandbox.evolve(&record.stamp(), event).unwrap();
            continue;
        }
        let sandbox = Sandbox::born(id, &record.stamp(), event).unwrap();
        let living =
            |parent: &SandboxId| folded.get(parent).is_some_and(|parent| parent.state != State::Deleted);
        let known = |parent: &SandboxId| {
            living(parent) || parents.contains_key(parent) || parents.values().any(|other| other == parent)
        };
        if let Some(parent) = sandbox.blueprint.forked_from.filter(known) {
            parents.insert(id, parent);
        }
        folded.insert(id, sandbox);
    }
    (folded, parents)
}

fn line(parents: &BTreeMap<SandboxId, SandboxId>, id: SandboxId) -> Vec<SandboxId> {
    std::iter::successors(parents.get(&id).copied(), |id| parents.get(id).copied()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_forest_is_who_was_born_of_whom(offers in offers(6, 150)) {
        let records = history(&offers);
        let forest = fed(Keep::Everyone, &records);
        let (folded, parents) = folded(&records);
        for (id, sandbox) in &folded {
            let ancestors: Vec<_> = forest.ancestors(*id).map(|member| member.sandbox).collect();
            prop_assert_eq!(&ancestors, &line(&parents, *id));
            let descent: BTreeSet<_> = forest.descent(*id).iter().skip(1).map(|branch| branch.member.sandbox).collect();
            let expected: BTreeSet<_> =
                folded.keys().filter(|other| line(&parents, **other).contains(id)).copied().collect();
            prop_assert_eq!(descent, expected);
            if let Some(member) = forest.get(*id) {
                prop_assert_eq!((member.state, member.created), (sandbox.state, sandbox.created));
            }
        }
        for root in forest.roots() {
            prop_assert!(!parents.contains_key(&root.sandbox));
        }
    }

    #[test]
    fn who_keeps_the_living_keeps_them_and_their_ancestors(offers in offers(6, 150)) {
        let records = history(&offers);
        let (all, living) = (fed(Keep::Everyone, &records), fed(Keep::Living, &records));
        let lives = |branch: &Branch<'_>| branch.member.state != State::Deleted;
        let kept = all.members().filter(|member| all.descent(member.sandbox).iter().any(lives));
        prop_assert!(living.members().eq(kept));
        for member in living.members() {
            prop_assert!(living.ancestors(member.sandbox).eq(all.ancestors(member.sandbox)));
        }
    }

    #[test]
    fn a_forest_fed_in_two_parts_is_the_same(offers in offers(6, 100), at in any::<prop::sample::Index>()) {
        let records = history(&offers);
        let mut half = fed(Keep::Everyone, &records[..at.index(records.len() + 1)]);
        let kept = half.clone();
        for record in &records[at.index(records.len() + 1)..] {
            half.apply(record).unwrap();
        }
        prop_assert_eq!(half, fed(Keep::Everyone, &records));
        prop_assert_eq!(kept, fed(Keep::Everyone, &records[..at.index(records.len() + 1)]));
    }

    #[test]
    fn any_forest_can_be_drawn(offers in offers(6, 120)) {
        let forest = fed(Keep::Everyone, &history(&offers));
        let roots: Vec<_> = forest.roots().iter().map(|root| root.sandbox).collect();
        let clock = |at: Timestamp, _| at.0.to_string();
        let lines: usize = roots.iter().map(|root| drawing::text(&forest, *root, None, &clock).len()).sum();
        prop_assert_eq!(lines, forest.len());
        let dot = drawing::dot(&forest, &roots, &clock);
        prop_assert_eq!(dot.matches("label = ").count(), forest.len());
        prop_assert_eq!(dot.matches("->").count(), forest.len() - roots.len());
        let svg = drawing::svg(&forest, &roots, None, &clock);
        prop_assert!(svg.ends_with("</svg>\n"));
    }
}

/// A record of `id`: what is drawn is told apart by its name.
fn record(seq: u64, id: u128, version: u64, event: SandboxEvent) -> Record {
    Record {
        seq: Seq(seq),
        id: RecordId::from_u128(seq.into()),
        at: Timestamp(1_700_000_000_000_000 + seq),
        subject: Subject::Sandbox(SandboxId::from_u128(id)),
        organization: OrganizationId::from_u128(1),
        version,
        actor: Actor::Engine,
        cause: Cause::Duty,
        correlation: CorrelationId::from_u128(1),
        prev: Digest::NONE,
        schema: 0,
        event: Event::Sandbox(event),
    }
}

fn born(seq: u64, id: u128, name: &str, of: Option<u128>) -> Record {
    let any = blueprint().new_tree(&mut TestRunner::deterministic()).unwrap().current();
    let name = Name::new(name).unwrap();
    let blueprint = Box::new(Blueprint { name, forked_from: of.map(SandboxId::from_u128), ..any });
    let event = SandboxEvent::Born { blueprint, host: HostId::from_u128(1), fork: OrderNumber(1) };
    record(seq, id, 1, event)
}

/// A web server, two forks of it, and a fork of the first, which is gone.
fn family() -> Vec<Record> {
    let asked = SandboxEvent::DeleteBegan { reason: DeleteReason::Asked };
    vec![
        born(1, 0xa, "web", None),
        born(2, 0xb, "trial", Some(0xa)),
        born(3, 0xc, "trial of \"it\"", Some(0xb)),
        born(4, 0xd, "other", Some(0xa)),
        record(5, 0xc, 2, asked),
        record(6, 0xc, 3, SandboxEvent::Removed),
        born(7, 0xe, "alone", None),
    ]
}

#[test]
fn lineage_survives_deletion() {
    let forest = fed(Keep::Everyone, &family());
    let names =
        |members: Vec<&super::Member>| members.iter().map(|member| member.name.clone()).collect::<Vec<_>>();
    let gone = SandboxId::from_u128(0xc);
    assert_eq!(forest.get(gone).unwrap().state, State::Deleted);
    assert_eq!(names(forest.ancestors(gone).collect()), ["trial", "web"]);
    assert_eq!(forest.root(gone).unwrap().name, "web");
    assert_eq!(names(forest.children(SandboxId::from_u128(0xa))), ["trial", "other"]);
    assert!(forest.get(SandboxId::from_u128(0xe)).is_none(), "who has no kin is not in the forest");
    let living = fed(Keep::Living, &family());
    assert!(living.get(gone).is_none());
    assert_eq!(living.len(), 3);
}

#[test]
fn a_tree_is_drawn_as_text_with_states_and_creation_times() {
    let forest = fed(Keep::Everyone, &family());
    let marked = SandboxId::from_u128(0xb);
    let lines = drawing::text(&forest, SandboxId::from_u128(0xa), Some(marked), &|at, _| {
        format!("at {}", at.0 % 1_000_000)
    });
    let id = |id| SandboxId::from_u128(id).to_string();
    assert_eq!(
        lines,
        [
            format!("web                    Creating         created at 1  {}", id(0xa)),
            format!("├── trial              Creating         created at 2  {}  ←", id(0xb)),
            format!("│   └── trial of \"it\"  Deleted          created at 3  {}", id(0xc)),
            format!("└── other              Creating         created at 4  {}", id(0xd)),
        ]
    );
    let dot = drawing::dot(&forest, &[SandboxId::from_u128(0xa)], &|at, _| at.0.to_string());
    assert!(dot.contains(r#"label = "trial of \"it\"\nDeleted"#), "{dot}");
}

#[test]
fn nobody_is_their_own_ancestor_whatever_a_log_says() {
    let removed = |seq, version| record(seq, 0xa, version, SandboxEvent::Removed);
    let asked = SandboxEvent::DeleteBegan { reason: DeleteReason::Asked };
    let records = [
        born(1, 0xa, "self", Some(0xa)),
        born(2, 0xb, "fork", Some(0xa)),
        record(3, 0xa, 2, asked),
        removed(4, 3),
        born(5, 0xa, "again", Some(0xb)),
    ];
    let forest = fed(Keep::Everyone, &records);
    assert_eq!(forest.ancestors(SandboxId::from_u128(0xb)).count(), 1);
    assert_eq!(forest.descent(SandboxId::from_u128(0xa)).len(), 2);
}
