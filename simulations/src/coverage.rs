//! Which edges of THE TABLE a run took, and which it could have taken.

use std::collections::BTreeSet;
use std::fmt;

use hourglass_events::lifecycle::{KEEPING, LIFECYCLE};
use hourglass_events::{SandboxEventKind as Kind, State};

/// One row of the tables, taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Where it began.
    pub from: State,
    /// What happened.
    pub on: Kind,
    /// Where it led.
    pub to: State,
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} --({:?})--> {:?}", self.from, self.on, self.to)
    }
}

/// Single rows that wait, or that the rest of the kernel makes impossible, each for its reason.
pub const LATER_EDGES: &[(State, Kind)] = &[
    // What has stopped is let be until its host returns.
    (State::Stopped, Kind::Failed),
    // A waiting intent is dropped when the work it waited for has ended, or by a stop of what is stopping.
    (State::PullingSnapshot, Kind::IntentDropped),
    (State::Creating, Kind::IntentDropped),
    (State::Starting, Kind::IntentDropped),
    (State::Resuming, Kind::IntentDropped),
    (State::Restoring, Kind::IntentDropped),
    // What is archived leaves no wish behind but to run, and that takes its turn.
    (State::Archived, Kind::IntentDropped),
    // An archive is given up into where it set out from, also when its host is lost.
    (State::Archiving, Kind::Failed),
    (State::Resizing, Kind::IntentDropped),
    // A build that waits takes no wish in, and one that fails drops it from where it then is.
    (State::PendingBuild, Kind::IntentDropped),
    (State::BuildingSnapshot, Kind::IntentDropped),
    (State::Snapshotting, Kind::IntentDropped),
    // A build that waits begins with the host that is found.
    (State::PendingBuild, Kind::Placed),
    (State::Forking, Kind::IntentDropped),
    // What is being forked has a live fork, and whose fork is deleted meanwhile goes on at once.
    (State::Forking, Kind::DeleteBegan),
    // A pause that is asked for once more is taken for what it is, and takes back what waits for its end.
    (State::Paused, Kind::IntentDropped),
    // What is paused is let be until its host returns.
    (State::Paused, Kind::Failed),
];

/// Every edge that this release can take, from both tables.
#[must_use]
pub fn reachable() -> BTreeSet<Edge> {
    let moves = LIFECYCLE
        .iter()
        .flat_map(|row| row.from.iter().map(|from| Edge { from: *from, on: row.on, to: row.to }));
    let keeps = KEEPING
        .iter()
        .flat_map(|(on, states)| states.iter().map(|state| Edge { from: *state, on: *on, to: *state }));
    // What failed is kept as its backup has it at once, so there is no archive of it to abandon.
    let kept = Edge { from: State::Archiving, on: Kind::Abandoned, to: State::Error };
    let waits = |edge: &Edge| *edge == kept || LATER_EDGES.contains(&(edge.from, edge.on));
    moves.chain(keeps).filter(|edge| !waits(edge)).collect()
}

/// Settings, which are as legal in one living state as in any other.
const SETTINGS: &[Kind] = &[
    Kind::LabelsReplaced,
    Kind::AutoStopSet,
    Kind::AutoArchiveSet,
    Kind::AutoDeleteSet,
    Kind::NetworkSet,
    Kind::PublicSet,
    Kind::ActivityRefreshed,
];

/// What can be taken and need not be within few seeds: settings changed in the seconds that an operation takes, and a
/// wish taken back in them. The kernel's own stories tell each.
#[must_use]
pub fn is_rare(edge: &Edge) -> bool {
    let brief =
        edge.from.is_in(State::IN_FLIGHT) || edge.from.is_in(&[State::PendingBuild, State::BuildFailed]);
    let setting = SETTINGS.contains(&edge.on) && brief;
    let taken_back = edge.on == Kind::IntentDropped
        && edge.from.is_in(&[State::Stopping, State::Pausing, State::Archiving]);
    // It takes a machine that goes for good at the moment, or one that has no room for what only one other can build.
    let failed = edge.on == Kind::Failed
        && edge.from.is_in(&[State::Started, State::Resizing, State::Forking, State::Snapshotting]);
    let moved = [
        (State::Stopped, Kind::RestoreBegan),
        (State::BuildingSnapshot, Kind::Placed),
        (State::BuildingSnapshot, Kind::Declined),
    ];
    let lost = failed || moved.contains(&(edge.from, edge.on));
    setting || taken_back || lost
}
