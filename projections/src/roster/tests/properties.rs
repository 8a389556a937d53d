//! Any history: a roster is what its records say, however they came to it.

use std::collections::BTreeSet;

use hourglass_events::arbitrary::{history, offers};
use hourglass_events::{OrganizationId, Record, SandboxId, State};
use proptest::prelude::*;

use super::{RETENTION, Roster};
use crate::{Direction, Filter, Projection, Query, Sort};

fn fed(records: &[Record]) -> Roster {
    let mut roster = Roster::new();
    records.iter().for_each(|record| roster.apply(record).unwrap());
    roster
}

/// Every page of a list, as ids.
fn pages(roster: &Roster, mut query: Query) -> Vec<SandboxId> {
    let mut ids = Vec::new();
    loop {
        let page = roster.list(&query).unwrap();
        ids.extend(page.sandboxes.iter().map(|sandbox| sandbox.id));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return ids,
        }
    }
}

fn orders() -> impl Strategy<Value = (Sort, Direction)> {
    (
        prop_oneof![
            Just(Sort::Created),
            Just(Sort::Name),
            Just(Sort::LastActivity),
            Just(Sort::Cpu),
            Just(Sort::Memory),
            Just(Sort::Disk),
        ],
        prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)],
    )
}

/// Which sandboxes are drawn to be offered events.
const SANDBOXES: u8 = 6;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_fold_from_zero_equals_one_with_checkpoints_between(
        offers in offers(SANDBOXES, 150), stops in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let records = history(&offers);
        let stops: BTreeSet<_> = stops.iter().map(|stop| stop.index(records.len() + 1)).collect();
        let mut live = Roster::new();
        let mut checkpoints = Vec::new();
        for (place, record) in records.iter().enumerate() {
            if stops.contains(&place) {
                checkpoints.push((place, live.clone()));
            }
            live.apply(record).unwrap();
        }
        prop_assert_eq!(&live, &fed(&records));
        for (place, mut checkpoint) in checkpoints {
            prop_assert_eq!(&checkpoint, &fed(&records[..place]), "a checkpoint saw what followed");
            let mut resumed = Roster::resume(checkpoint.applied(), checkpoint.iter().cloned());
            for record in &records[place..] {
                checkpoint.apply(record).unwrap();
                resumed.apply(record).unwrap();
            }
            prop_assert_eq!(&checkpoint, &live);
            prop_assert_eq!(&resumed, &live);
        }
    }

    #[test]
    fn pages_of_any_size_are_the_sorted_list(
        offers in offers(SANDBOXES, 150), (sort, direction) in orders(), limit in 1..4_usize, started in any::<bool>(),
    ) {
        let roster = fed(&history(&offers));
        let organization = OrganizationId::from_u128(1);
        let states = started.then(|| BTreeSet::from([State::Started, State::Stopped]));
        let filter = Filter { states, ..Filter::default() };
        let mut expected: Vec<_> = roster
            .iter()
            .filter(|sandbox| sandbox.organization == organization && sandbox.state != State::Deleted)
            .filter(|sandbox| !started || [State::Started, State::Stopped].contains(&sandbox.state))
            .map(|sandbox| {
                let name = sandbox.blueprint.name.as_str().to_lowercase();
                let resources = sandbox.blueprint.resources;
                let key = match sort {
                    Sort::Created => (sandbox.created.0, String::new()),
                    Sort::LastActivity => (sandbox.last_activity.0, String::new()),
                    Sort::Name => (0, name),
                    Sort::Cpu => (resources.cpu.into(), String::new()),
                    Sort::Memory => (resources.memory_gib.into(), String::new()),
                    Sort::Disk => (resources.disk_gib.into(), String::new()),
                };
                (key, sandbox.id)
            })
            .collect();
        expected.sort();
        if direction == Direction::Descending {
            expected.reverse();
        }
        let query = Query { filter, sort, direction, limit: Some(limit), ..Query::new(organization) };
        prop_assert_eq!(pages(&roster, query), expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
    }

    #[test]
    fn only_what_was_deleted_long_ago_is_forgotten(offers in offers(SANDBOXES, 150)) {
        let records = history(&offers);
        let roster = fed(&records);
        let Some(last) = records.last() else { return Ok(()) };
        let born: BTreeSet<_> = records.iter().map(|record| record.subject).collect();
        let kept: BTreeSet<_> =
            roster.iter().map(|sandbox| hourglass_events::Subject::Sandbox(sandbox.id)).collect();
        for gone in born.difference(&kept) {
            // What it left elsewhere may have gone after it was forgotten.
            let ends = ["Removed", "Buried"];
            let removed = |record: &&Record| record.subject == *gone && ends.contains(&record.event.name());
            let end = records.iter().find(removed).unwrap();
            prop_assert!(end.at.after(RETENTION) <= last.at);
        }
        for sandbox in roster.iter().filter(|sandbox| sandbox.state == State::Deleted) {
            prop_assert!(sandbox.updated.after(RETENTION) > last.at);
        }
    }

    #[test]
    fn any_cursor_is_answered(text in "[0-9a-f]{0,80}|\\PC{0,20}", (sort, direction) in orders()) {
        let roster = fed(&history(&[]));
        let query = Query { sort, direction, cursor: Some(text), ..Query::new(OrganizationId::from_u128(1)) };
        let _ = roster.list(&query);
    }
}
