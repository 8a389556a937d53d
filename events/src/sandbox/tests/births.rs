//! What brings a sandbox into being.

use super::backups::{build, queued};
use super::*;

#[test]
fn only_a_pull_a_build_or_a_fork_of_version_1_is_a_birth() {
    let born = |version, event: &E| Sandbox::born(SandboxId::from_u128(1), &stamp(version), event);
    assert!(born(1, &pull()).is_ok());
    assert!(born(1, &birth()).is_ok());
    assert!(born(1, &queued()).is_ok() && born(1, &build(Some(blueprint()))).is_ok());
    let waiting = E::BuildQueued { blueprint: None };
    for (version, event) in [(0, pull()), (2, pull()), (2, birth()), (1, waiting), (1, E::Booted)] {
        assert!(born(version, &event).is_err(), "{} as version {version}", event.kind());
    }
}

#[test]
fn each_of_the_tables_births_can_be_folded() {
    let births = Kind::ALL.iter().copied().filter(|kind| step(State::Unknown, None, *kind) != Step::Illegal);
    let folded = [Kind::BuildQueued, Kind::BuildBegan, Kind::PullBegan, Kind::Born];
    assert_eq!(births.collect::<Vec<_>>(), folded);
}
