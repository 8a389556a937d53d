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
    // A sandbox at rest fails with its host; losing hosts comes with an issue of its own.
    (State::Started, Kind::Failed),
    (State::Stopped, Kind::Failed),
    // A waiting intent is dropped when the work it waited for has ended, or by a stop of what is stopping.
    (State::PullingSnapshot, Kind::IntentDropped),
    (State::Creating, Kind::IntentDropped),
    (State::Starting, Kind::IntentDropped),
    (State::Resuming, Kind::IntentDropped),
    (State::Restoring, Kind::IntentDropped),
    // What is archived leaves no wish behind but to run, and that takes its turn.
    (State::Archived, Kind::IntentDropped),
    // An archive is given up into where it set out from; it fails with its host only.
    (State::Archiving, Kind::Failed),
    // What has stopped has its disk on its host; that it has lost its host comes with losing hosts.
    (State::Stopped, Kind::RestoreBegan),
    (State::Resizing, Kind::IntentDropped),
    // A build that waits takes no wish in, and one that fails drops it from where it then is.
    (State::PendingBuild, Kind::IntentDropped),
    (State::BuildingSnapshot, Kind::IntentDropped),
    (State::Snapshotting, Kind::IntentDropped),
    // A build that waits begins with the host that is found; one that failed is tried again where it failed.
    (State::PendingBuild, Kind::Placed),
    (State::BuildingSnapshot, Kind::Placed),
    (State::BuildingSnapshot, Kind::Declined),
    // A snapshot that is given up leaves the sandbox where it set out from; it fails with its host only.
    (State::Snapshotting, Kind::Failed),
    (State::Forking, Kind::IntentDropped),
    // What is being forked has a live fork, and whose fork is deleted meanwhile goes on at once.
    (State::Forking, Kind::DeleteBegan),
    (State::Forking, Kind::Failed),
    // A pause that is asked for once more is taken for what it is, and takes back what waits for its end.
    (State::Paused, Kind::IntentDropped),
    // Memory, and what a resize leaves, are lost with their host only.
    (State::Paused, Kind::Failed),
    (State::Resizing, Kind::Failed),
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
    setting || taken_back
}
