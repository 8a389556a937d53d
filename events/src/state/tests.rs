//! The named sets against what they mean.

use super::State;
use crate::duty::{Alarm, duties};
use crate::lifecycle::LIFECYCLE;

fn states(fits: impl Fn(State) -> bool) -> Vec<State> {
    State::ALL.iter().copied().filter(|state| fits(*state)).collect()
}

fn alarmed(alarm: Alarm) -> Vec<State> {
    states(|state| duties(state).alarms.contains(&alarm))
}

#[test]
fn there_are_22_states_in_the_documents_order() {
    assert_eq!(State::ALL.len(), 22);
    assert!(State::ALL.iter().enumerate().all(|(place, state)| *state as usize == place));
}

#[test]
fn titles_are_the_names_with_spaces() {
    for state in State::ALL {
        assert_eq!(state.title().replace(' ', ""), format!("{state:?}"));
        assert_eq!(state.to_string(), state.title());
    }
}

#[test]
fn an_operation_is_in_flight_where_a_task_is_owed_but_at_rest() {
    // What failed is quietened, what is archived is dropped, what runs is held to its settings, what has stopped is
    // backed up, and what is left of the deleted is taken away, while the state stays what it is.
    let at_rest = [State::Error, State::Archived, State::Started, State::Stopped, State::Deleted];
    let owing = states(|state| duties(state).task.is_some() && !state.is_in(&at_rest));
    let mut in_flight = State::IN_FLIGHT.to_vec();
    in_flight.sort();
    assert_eq!(in_flight, owing);
}

#[test]
fn every_excursion_is_in_flight() {
    assert!(State::EXCURSIONS.iter().all(|state| state.is_in(State::IN_FLIGHT)));
}

#[test]
fn every_state_weighs_as_much_as_one_set_says() {
    let sets = [State::COMPUTES, State::DISK_ONLY, State::WEIGHTLESS, State::EXCURSIONS];
    for state in State::ALL {
        assert_eq!(sets.iter().filter(|set| state.is_in(set)).count(), 1, "{state}");
        assert_eq!(state.has_disk(), !state.is_in(State::WEIGHTLESS), "{state}");
    }
}

#[test]
fn an_excursion_computes_where_it_set_out_from_something_running() {
    for state in State::ALL.iter().copied() {
        let is_excursion = state.is_in(State::EXCURSIONS);
        assert_eq!(
            state.computes(Some(State::Started)),
            is_excursion || state.is_in(State::COMPUTES),
            "{state}"
        );
        assert_eq!(
            state.computes(Some(State::Stopped)),
            !is_excursion && state.is_in(State::COMPUTES),
            "{state}"
        );
    }
}

#[test]
fn what_is_owed_a_boot_or_runs_computes() {
    let boots =
        states(|state| LIFECYCLE.iter().any(|row| row.to == State::Started && row.from.contains(&state)));
    assert!(boots.iter().all(|state| state.computes(Some(State::Started))), "{boots:?}");
    assert!(State::Started.computes(None));
}

#[test]
fn what_is_in_flight_has_a_deadline_or_is_tried_for_ever() {
    let flies = |state: State| state.is_in(State::IN_FLIGHT) && state != State::Deleting;
    let bounded = states(|state| flies(state) || state == State::Stopped);
    assert_eq!(alarmed(Alarm::Deadline), bounded);
    let retried =
        [State::Started, State::Stopped, State::Archived, State::Deleting, State::Deleted, State::Error];
    assert_eq!(alarmed(Alarm::Retry), retried);
    assert_eq!(alarmed(Alarm::Backup), [State::Stopped]);
}

#[test]
fn intervals_run_where_the_document_lets_them() {
    assert_eq!(alarmed(Alarm::AutoStop), [State::Started]);
    assert_eq!(alarmed(Alarm::AutoArchive), [State::Stopped]);
    assert_eq!(alarmed(Alarm::AutoDelete), [State::Stopped, State::Archived]);
}
