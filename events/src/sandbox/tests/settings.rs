//! What is set or given while a sandbox runs, and when that which runs is owed it.

use super::*;

fn blocked() -> E {
    E::NetworkSet { policy: NetworkPolicy::Blocked }
}

#[test]
fn what_runs_is_owed_the_policy_that_was_set_under_its_records_number() {
    let sandbox = after([running().to_vec(), vec![blocked()]].concat());
    assert_eq!((sandbox.state, sandbox.order(), sandbox.boot), (State::Started, number(4), number(2)));
    assert_eq!(sandbox.blueprint.network, NetworkPolicy::Blocked);
    let again = after([running().to_vec(), vec![blocked(), blocked()]].concat());
    assert_eq!(again.order(), number(5), "the last one set is the one that is owed");
    let told = after([running().to_vec(), vec![blocked(), E::SettingsApplied]].concat());
    assert_eq!((told.work, told.settings, told.boot), (None, Settings::Applied, number(2)));
}

#[test]
fn what_boots_while_its_policy_is_set_is_told_once_it_runs() {
    let booting = [stopped(), vec![E::BootBegan { deadline: deadline(6) }, blocked(), E::Booted]].concat();
    let sandbox = after(booting);
    assert_eq!((sandbox.order(), sandbox.boot), (number(8), number(6)));
}

#[test]
fn what_is_booted_later_need_not_be_told() {
    let set = [stopped(), vec![blocked(), E::BootBegan { deadline: deadline(7) }, E::Booted]].concat();
    assert_eq!((after(set.clone()).settings, after(set).work), (Settings::Applied, None));
    let stop = E::StopBegan { reason: StopReason::Asked, grace: Span::ZERO, deadline: deadline(5) };
    let end = vec![blocked(), stop, E::Exited { cause: ExitCause::Stopped }];
    let boot = vec![E::BootBegan { deadline: deadline(7) }, E::Booted];
    assert_eq!(after([running().to_vec(), end, boot].concat()).work, None, "the stop took its place");
}

#[test]
fn a_policy_that_could_not_be_applied_is_in_sight_until_it_is() {
    let struggle = || E::Struggled { fault: fault(), attempt: 1, retry_at: at(9) };
    let sandbox = after([running().to_vec(), vec![blocked(), struggle()]].concat());
    assert_eq!((sandbox.fault, sandbox.work.map(|work| work.attempt)), (Some(fault()), Some(1)));
    let done = after([running().to_vec(), vec![blocked(), struggle(), E::SettingsApplied]].concat());
    assert_eq!(done.fault, None);
    let other = vec![snapshot(), E::Abandoned { fault: Some(fault()) }, blocked(), E::SettingsApplied];
    assert_eq!(
        after([running().to_vec(), other].concat()).fault,
        Some(fault()),
        "that one is of something else"
    );
}

#[test]
fn a_resize_counts_once_it_is_done() {
    let began = after([running().to_vec(), vec![resize()]].concat());
    assert_eq!(began.blueprint.resources, Resources::DEFAULT);
    assert_eq!(began.errand.as_deref(), Some(&Errand::Resize(LARGER)));
    let done = after([running().to_vec(), vec![resize(), E::Resized]].concat());
    assert_eq!((done.blueprint.resources, done.errand, done.work), (LARGER, None, None));
    let failed = after([running().to_vec(), vec![resize(), E::Abandoned { fault: Some(fault()) }]].concat());
    assert_eq!((failed.blueprint.resources, failed.errand, failed.work), (Resources::DEFAULT, None, None));
    let late = || E::Abandoned { fault: Some(Fault::TimedOut { task: TaskKind::Resize, after: Span::ZERO }) };
    let given_up = after([running().to_vec(), vec![resize(), late()]].concat());
    assert_eq!(
        (given_up.settings, given_up.order()),
        (Settings::Doubtful, number(5)),
        "it may have been done"
    );
    let stopped = after([stopped(), vec![resize(), late()]].concat());
    assert_eq!((stopped.settings, stopped.work), (Settings::Applied, None), "the next boot says what holds");
}
