//! What builds, snapshots and backups leave in a sandbox.

use super::*;
use crate::recipe::Recipe;

pub(super) fn queued() -> E {
    let recipe = Recipe::Reference("debian:12".to_owned());
    E::BuildQueued {
        blueprint: Some(Box::new(Blueprint { base: Base::Build(Box::new(recipe)), ..*blueprint() })),
    }
}

pub(super) fn build(blueprint: Option<Box<Blueprint>>) -> E {
    E::BuildBegan { blueprint, placement: placement(), deadline: deadline(2) }
}

pub(super) fn snapshot() -> E {
    let (snapshot, name, heat) = (SnapshotId::from_u128(9), "later".to_owned(), Heat::Cold);
    E::SnapshotBegan { snapshot, name, heat, deadline: deadline(9) }
}

fn begin() -> E {
    E::BackupBegan { deadline: deadline(9) }
}

fn failed(attempt: u32) -> E {
    E::BackupFailed { fault: fault(), attempt, retry_at: deadline(20) }
}

/// A sandbox that has stopped, at version 5, and then `more`.
fn then(more: &[E]) -> Sandbox {
    after([stopped(), more.to_vec()].concat())
}

fn again() -> Vec<E> {
    let stop = E::StopBegan { reason: StopReason::Asked, grace: Span::ZERO, deadline: deadline(4) };
    vec![E::BootBegan { deadline: deadline(8) }, E::Booted, stop, E::Exited { cause: ExitCause::Killed }]
}

#[test]
fn a_stopped_sandbox_owes_nothing_until_a_backup_of_it_begins() {
    assert_eq!(then(&[]).order(), None);
    let storing = then(&[begin()]);
    assert_eq!((storing.state, storing.order(), storing.is_backing_up()), (State::Stopped, number(6), true));
    assert_eq!(storing.stored, [number(6).unwrap()]);
}

#[test]
fn a_backup_is_what_the_sandbox_is_until_that_runs_again() {
    let saved = then(&[begin(), E::BackupTaken]);
    assert_eq!(saved.backup, Some(Backup { number: number(6).unwrap(), at: at(7) }));
    assert!(saved.is_backed_up() && saved.order().is_none());
    let later = then(&[vec![begin(), E::BackupTaken], again()].concat());
    assert!(!later.is_backed_up());
    assert_eq!((later.backup, later.order()), (saved.backup, None), "an old one is better than none");
}

#[test]
fn a_backup_is_of_no_use_only_once_the_next_is_in_the_log() {
    let before = vec![begin(), E::BackupTaken];
    let stale =
        |more: Vec<E>| -> Vec<_> { then(&[before.clone(), again(), more].concat()).stale().collect() };
    assert_eq!(stale(vec![begin()]), []);
    assert_eq!(stale(vec![begin(), E::BackupTaken]), [number(6).unwrap()]);
    let owed = then(&[before.clone(), again(), vec![begin(), E::BackupTaken]].concat());
    assert_eq!((owed.order(), owed.is_backing_up()), (number(13), false));
    let gone = then(&[before.clone(), again(), vec![begin(), E::BackupTaken, E::LeftoverRemoved]].concat());
    assert_eq!((gone.stored.clone(), gone.order()), (vec![number(12).unwrap()], None));
}

#[test]
fn what_a_failed_backup_left_half_stored_is_owed_to_go() {
    let half = then(&[begin(), failed(1)]);
    assert_eq!((half.backup, half.order()), (None, number(7)));
    assert_eq!(half.unsaved.map(|unsaved| unsaved.attempt), Some(1));
    let struggled = E::Struggled { fault: fault(), attempt: 1, retry_at: deadline(9) };
    let hard = then(&[begin(), failed(1), struggled]);
    assert_eq!((hard.fault, hard.work.map(|work| work.attempt)), (None, Some(1)));
}

#[test]
fn a_start_gives_a_backup_up_and_forgets_why_the_last_one_failed() {
    let started = then(&[begin(), failed(1), begin(), E::BootBegan { deadline: deadline(9) }]);
    assert_eq!((started.state, started.errand, started.unsaved), (State::Starting, None, None));
    assert_eq!(started.stored.len(), 2);
}

#[test]
fn what_is_backed_up_is_archived_as_that() {
    let archiving = then(&[begin(), E::BackupTaken, archive()]);
    assert!(archiving.keeps_backup());
    let archived = then(&[begin(), E::BackupTaken, archive(), E::ArchiveStored]);
    assert_eq!(archived.backup, Some(Backup { number: number(6).unwrap(), at: at(7) }));
    assert_eq!(archived.stored.len(), 1);
}

#[test]
fn a_build_that_is_tried_again_waits_for_a_host_as_a_new_one() {
    let born = Sandbox::born(SandboxId::from_u128(1), &stamp(1), &queued()).unwrap();
    assert_eq!((born.state, born.host, born.work), (State::PendingBuild, None, None));
    let mut sandbox = born;
    let tries = [build(None), E::BuildFailed { fault: fault() }, E::BuildQueued { blueprint: None }];
    for event in tries {
        let stamp = stamp(sandbox.version + 1);
        sandbox.evolve(&stamp, &event).unwrap();
    }
    assert_eq!((sandbox.state, sandbox.host, sandbox.work), (State::PendingBuild, None, None));
}

#[test]
fn a_blueprint_is_given_at_birth_and_never_again() {
    let mut sandbox = Sandbox::born(SandboxId::from_u128(1), &stamp(1), &queued()).unwrap();
    assert!(sandbox.evolve(&stamp(2), &build(Some(blueprint()))).is_err());
    assert!(sandbox.evolve(&stamp(2), &build(None)).is_ok());
}

#[test]
fn a_sandbox_knows_which_snapshot_is_taken_of_it_until_that_is_over() {
    let during = then(&[snapshot()]);
    let (id, name, heat) = (SnapshotId::from_u128(9), "later".to_owned(), Heat::Cold);
    assert_eq!(during.errand.as_deref(), Some(&Errand::Capture { snapshot: id, name, heat }));
    assert_eq!(then(&[snapshot(), E::SnapshotTaken]).errand, None);
}
