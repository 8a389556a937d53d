//! Who is on a network, by the projection and by whoever reads all births.

use std::collections::BTreeMap;

use hourglass_events::arbitrary::{history, offers};
use hourglass_events::{Event, Record, Sandbox, SandboxId, State, Subject};
use proptest::prelude::*;

use super::Links;
use crate::Projection;

fn fed(records: &[Record]) -> Links {
    let mut links = Links::new();
    records.iter().for_each(|record| links.apply(record).unwrap());
    links
}

/// The sandboxes after all of `records` that are not deleted.
fn living(records: &[Record]) -> BTreeMap<SandboxId, Sandbox> {
    let mut folded = BTreeMap::<SandboxId, Sandbox>::new();
    for record in records {
        let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) else { continue };
        match folded.get_mut(&id) {
            Some(sandbox) => sandbox.evolve(&record.stamp(), event).unwrap(),
            None => drop(folded.insert(id, Sandbox::born(id, &record.stamp(), event).unwrap())),
        }
    }
    folded.retain(|_, sandbox| sandbox.state != State::Deleted);
    folded
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_network_is_a_parent_and_everyone_linked_to_it(offers in offers(6, 150)) {
        let records = history(&offers);
        let links = fed(&records);
        let living = living(&records);
        for network in links.networks() {
            let parent = network.parent.sandbox;
            let expected: Vec<_> = living
                .values()
                .filter(|sandbox| sandbox.blueprint.linked == Some(parent))
                .map(|sandbox| sandbox.id)
                .collect();
            let found: Vec<_> = network.children.iter().map(|member| member.sandbox).collect();
            prop_assert_eq!(found, expected);
            for member in network.children.iter().chain([&network.parent]) {
                let sandbox = &living[&member.sandbox];
                prop_assert_eq!(member.state, sandbox.state);
                let aliases = [sandbox.blueprint.name.to_string(), sandbox.id.to_string()];
                prop_assert_eq!(&member.aliases, &aliases);
            }
        }
        for sandbox in living.values() {
            let parent = sandbox.blueprint.linked.filter(|parent| living.contains_key(parent));
            if let Some(parent) = parent {
                let network = links.of(sandbox.id).unwrap();
                prop_assert_eq!(network.parent.sandbox, parent);
                prop_assert!(network.children.iter().any(|member| member.sandbox == sandbox.id));
            }
        }
    }

    #[test]
    fn links_fed_in_two_parts_are_the_same(offers in offers(6, 100), at in any::<prop::sample::Index>()) {
        let records = history(&offers);
        let place = at.index(records.len() + 1);
        let mut half = fed(&records[..place]);
        for record in &records[place..] {
            half.apply(record).unwrap();
        }
        prop_assert_eq!(half, fed(&records));
    }
}
