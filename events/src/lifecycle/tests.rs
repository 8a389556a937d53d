//! The tables against the document, against the design's sentences, and against each other.

use std::collections::BTreeSet;

use super::others::{
    HOST, HostState, ORGANIZATION, OrganizationState, SCHEDULE, SHARD, SNAPSHOT, Schedule, ShardState,
    SnapshotState, next,
};
use super::{ALIVE, KEEPING, LIFECYCLE, Row, Source, Step, WAITED_OUT, mermaid, step};
use crate::duty::duties;
use crate::event::{
    HostEventKind, OrganizationEventKind, SandboxEventKind as Kind, ShardEventKind, SnapshotEventKind,
};
use crate::state::State;

/// One arrow of the table: a row with a single start.
type Edge = (State, Kind, State, Option<State>);
type States = BTreeSet<State>;

fn edges(source: Source) -> Vec<Edge> {
    let rows = LIFECYCLE.iter().filter(|row| row.source == source);
    rows.flat_map(|row| row.from.iter().map(|from| (*from, row.on, row.to, row.was))).collect()
}

fn all_edges() -> Vec<Edge> {
    [edges(Source::Documented), edges(Source::Ours)].concat()
}

fn states(set: &[State]) -> States {
    set.iter().copied().collect()
}

/// Where an excursion to `state` can have set out from; nowhere for a state that is none.
fn origins(state: State) -> Vec<Option<State>> {
    if !state.is_in(State::EXCURSIONS) {
        return vec![None];
    }
    let into = all_edges().into_iter().filter(|(.., to, _)| *to == state);
    into.map(|(from, ..)| Some(from)).collect()
}

/// Every place a sandbox can come to from `start`, with where it set out from.
fn reachable(start: (State, Option<State>)) -> BTreeSet<(State, Option<State>)> {
    let mut seen = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some((from, was)) = open.pop() {
        for kind in Kind::ALL {
            let Step::To(to) = step(from, was, *kind) else { continue };
            let place = (to, to.is_in(State::EXCURSIONS).then_some(from));
            if seen.insert(place) {
                open.push(place);
            }
        }
    }
    seen
}

#[test]
fn the_documented_edges_are_the_documents() {
    let text = include_str!("../../tests/transitions.tsv");
    let document: Vec<_> = text.lines().skip(1).filter_map(|line| line.split_once('\t')).collect();
    let names: Vec<_> = edges(Source::Documented)
        .iter()
        .map(|(from, _, to, _)| (format!("{from:?}"), format!("{to:?}")))
        .collect();
    let table: BTreeSet<_> = names.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();

    assert_eq!(table, document.iter().copied().collect());
    assert_eq!((document.len(), names.len()), (38, 38), "an edge is written twice");
}

#[test]
fn our_edges_are_the_designs() {
    use State::{
        BuildFailed, BuildingSnapshot, Creating, Deleted, Deleting, Error, Paused, PendingBuild, Started,
        Stopped, Unknown,
    };
    let mut design = BTreeSet::from([
        (Unknown, Kind::BuildQueued, PendingBuild, None),
        (BuildFailed, Kind::BuildQueued, PendingBuild, None),
        (Unknown, Kind::Born, Creating, None),
        (Started, Kind::Exited, Stopped, None),
        (Deleting, Kind::Buried, Deleted, None),
    ]);
    // A build in flight fails too, into the documented Build Failed.
    let fails_elsewhere = states(&[Deleting, BuildingSnapshot]);
    let fails = &states(State::IN_FLIGHT) - &fails_elsewhere;
    design.extend(
        (&fails | &states(&[Paused, Stopped])).into_iter().map(|from| (from, Kind::Failed, Error, None)),
    );
    for excursion in State::EXCURSIONS {
        let back = origins(*excursion).into_iter().flatten();
        design.extend(back.map(|was| (*excursion, Kind::Abandoned, was, Some(was))));
    }
    let documented = edges(Source::Documented).into_iter().filter(|(.., to, _)| *to == Deleting);
    let deletes_already: States =
        documented.map(|(from, ..)| from).chain([Unknown, Deleting, Deleted]).collect();
    let deletes = &states(State::ALL) - &deletes_already;
    design.extend(deletes.into_iter().map(|from| (from, Kind::DeleteBegan, Deleting, None)));

    let ours = edges(Source::Ours);
    assert_eq!(ours.iter().copied().collect::<BTreeSet<_>>(), design);
    assert_eq!(ours.len(), design.len(), "an edge is written twice");
}

#[test]
fn an_event_leads_to_one_state() {
    for from in State::ALL {
        for was in State::ALL.iter().copied().map(Some).chain([None]) {
            for on in Kind::ALL {
                let fits =
                    |edge: &&Edge| (edge.0, edge.1) == (*from, *on) && (edge.3.is_none() || edge.3 == was);
                let targets: States = all_edges().iter().filter(fits).map(|edge| edge.2).collect();
                assert!(targets.len() <= 1, "{from:?} --({on})--> {targets:?}, having set out from {was:?}");
            }
        }
    }
}

#[test]
fn the_unrolled_table_says_what_the_rows_say() {
    let edges = all_edges();
    for from in State::ALL {
        for was in State::ALL.iter().copied().map(Some).chain([None]) {
            for on in Kind::ALL {
                let arrow = edges
                    .iter()
                    .find(|edge| (edge.0, edge.1) == (*from, *on) && (edge.3.is_none() || edge.3 == was));
                let kept = KEEPING.iter().any(|(kind, states)| kind == on && from.is_in(states));
                let expected = match (arrow, kept) {
                    (Some(edge), _) => Step::To(edge.2),
                    (None, true) => Step::Stay,
                    (None, false) => Step::Illegal,
                };
                assert_eq!(
                    step(*from, was, *on),
                    expected,
                    "{from:?} --({on})-->, having set out from {was:?}"
                );
            }
        }
    }
}

#[test]
fn every_state_is_reachable_from_unknown() {
    let places = reachable((State::Unknown, None));
    let reached: States = places.iter().map(|(state, _)| *state).collect();
    assert_eq!(reached, states(State::ALL));
}

#[test]
fn deleted_is_reachable_from_every_place() {
    for place in reachable((State::Unknown, None)) {
        let end = (State::Deleted, None);
        assert!(reachable(place).contains(&end), "{place:?} can never be deleted");
    }
}

#[test]
fn an_excursion_can_come_back_to_every_state_it_sets_out_from() {
    for excursion in State::EXCURSIONS {
        for was in origins(*excursion) {
            let back = Kind::ALL.iter().filter_map(|kind| match step(*excursion, was, *kind) {
                Step::To(state) => Some(state),
                Step::Stay | Step::Illegal => None,
            });
            let back: Vec<_> = back.collect();
            assert!(
                back.iter().any(|state| Some(*state) == was),
                "{excursion:?} from {was:?} leads to {back:?}"
            );
        }
    }
}

#[test]
fn only_excursions_have_rows_that_ask_where_they_set_out_from() {
    let asking: States = all_edges().iter().filter(|edge| edge.3.is_some()).map(|edge| edge.0).collect();
    assert_eq!(asking, states(State::EXCURSIONS));
}

#[test]
fn every_kind_is_used_and_none_both_moves_and_stays() {
    for kind in Kind::ALL {
        let moves: States = all_edges().iter().filter(|edge| edge.1 == *kind).map(|edge| edge.0).collect();
        let stays: States =
            KEEPING.iter().filter(|(on, _)| on == kind).flat_map(|(_, set)| set.iter().copied()).collect();
        assert!(!moves.is_empty() || !stays.is_empty(), "{kind} can never happen");
        assert!(moves.is_disjoint(&stays), "{kind} both moves and stays in {:?}", &moves & &stays);
    }
    let kept: BTreeSet<_> = KEEPING.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kept.len(), KEEPING.len(), "a keeping event is written twice");
}

#[test]
fn a_state_owes_a_task_exactly_when_both_outcomes_are_in_the_table() {
    let outcomes: Vec<_> = State::ALL
        .iter()
        .filter_map(|state| duties(*state).task)
        .map(|owed| (owed.done, owed.failed))
        .collect();
    for state in State::ALL {
        for was in origins(*state) {
            let legal = |kind: Kind| step(*state, was, kind) != Step::Illegal;
            match duties(*state).task {
                Some(owed) => {
                    assert!(legal(owed.done) && legal(owed.failed), "{state:?}, set out from {was:?}");
                }
                // What runs may exit and fail by itself, which nobody asked of its host.
                None if *state == State::Started => {}
                None => assert!(
                    !outcomes.iter().any(|(done, failed)| legal(*done) && legal(*failed)),
                    "{state:?}"
                ),
            }
        }
    }
}

#[test]
fn the_tables_own_sets_are_what_their_names_say() {
    assert_eq!(states(ALIVE), &states(State::ALL) - &states(State::NAMELESS));
    assert_eq!(states(WAITED_OUT), &states(State::IN_FLIGHT) - &states(&[State::Deleting]));
    let gone: States = reachable((State::Deleting, None)).iter().map(|(state, _)| *state).collect();
    assert_eq!(states(State::NAMELESS), &gone | &states(&[State::Unknown]));
}

#[test]
fn the_diagram_lists_each_edge_once() {
    let diagram = mermaid();
    let lines: BTreeSet<_> = diagram.lines().collect();
    assert_eq!(lines.len(), diagram.lines().count(), "a line is there twice");
    for (from, on, to, _) in all_edges() {
        let from = if from == State::Unknown { "[*]".to_owned() } else { format!("{from:?}") };
        let arrow = format!("    {from} --> {to:?}: {on}");
        let found =
            lines.iter().filter(|line| **line == arrow || **line == format!("{arrow} (ours)")).count();
        assert_eq!(found, 1, "{arrow}");
    }
    assert_eq!(lines.len(), all_edges().len() + 2, "its head, its end, and an arrow for each edge");
}

/// Each state of `table` is reached, each event is used, and no two rows disagree.
fn check_small<S: Copy + Ord + std::fmt::Debug, K: Copy + PartialEq + std::fmt::Debug>(
    table: &[Row<S, K>],
    start: S,
    states: &[S],
    kinds: &[K],
) {
    let mut reached = BTreeSet::from([start]);
    for _ in states {
        let steps = reached.iter().flat_map(|from| kinds.iter().filter_map(|on| next(table, *from, *on)));
        let steps: Vec<_> = steps.collect();
        reached.extend(steps);
    }
    assert_eq!(reached, states.iter().copied().collect());
    for on in kinds {
        assert!(table.iter().any(|row| row.on == *on), "{on:?} can never happen");
        for from in states {
            let rows = table.iter().filter(|row| row.on == *on && row.from.contains(from)).count();
            assert!(rows <= 1, "{from:?} --({on:?})--> leads to {rows} states");
        }
    }
}

#[test]
fn the_other_tables_reach_each_state_and_use_each_event() {
    use SnapshotState::{Active, Building, Capturing, Error, Inactive, Pulling, Removed, Removing, Unknown};
    let snapshots = [Unknown, Pulling, Building, Capturing, Active, Inactive, Error, Removing, Removed];
    check_small(SNAPSHOT, Unknown, &snapshots, SnapshotEventKind::ALL);
    use HostState::{Lost, Ready, Suspected};
    check_small(HOST, HostState::Unknown, &[HostState::Unknown, Ready, Suspected, Lost], HostEventKind::ALL);
    use HostEventKind::{Cordoned, DrainBegan, Uncordoned};
    let schedules = [Schedule::Open, Schedule::Cordoned, Schedule::Draining];
    check_small(SCHEDULE, Schedule::Open, &schedules, &[Cordoned, DrainBegan, Uncordoned]);
    use OrganizationState::Configured;
    let organizations = [OrganizationState::Unknown, Configured];
    check_small(ORGANIZATION, organizations[0], &organizations, OrganizationEventKind::ALL);
    let shards = [ShardState::Unknown, ShardState::Open];
    check_small(SHARD, shards[0], &shards, ShardEventKind::ALL);
}
