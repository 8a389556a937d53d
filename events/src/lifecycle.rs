//! THE TABLE: which event leads from which state to which, as data.
//!
//! It is keyed by event, so a row has one outcome; everything that asks "may this happen" asks it. A second table says
//! in which states an event may happen that changes no state. Guards that depend on more than where a sandbox is and
//! has been (its class, its host, its kin) are not here: they are the kernel's, where they can say why.
//!
//! Rows are append-only once released: a row that is no longer wanted becomes `Retired`, still foldable and never
//! decided again.

pub mod others;

#[cfg(test)]
mod tests;

use crate::event::SandboxEventKind as Kind;
use crate::state::State;

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The reference document's transition table.
    Documented,
    /// Ours, for the reason written above it.
    Ours,
}

/// One row: any of these states, on this event, to that state.
#[derive(Debug, Clone, Copy)]
pub struct Row<S: 'static, K: 'static> {
    /// The states it starts in.
    pub from: &'static [S],
    /// The event.
    pub on: K,
    /// The state it leads to.
    pub to: S,
    /// Only if the excursion set out from this state.
    pub was: Option<S>,
    /// Who says so.
    pub source: Source,
}

/// Writes rows as arrows. `if was X` restricts a row to excursions that set out from `X`.
macro_rules! lifecycle {
    ($states:ty, $kinds:ty; $($source:ident {
        $($($from:ident)|+ --($on:ident)--> $to:ident $(if was $was:ident)?;)+
    })+) => {
        &[$($(Row {
            from: &[$(<$states>::$from),+],
            on: <$kinds>::$on,
            to: <$states>::$to,
            was: lifecycle!(@was $states $(, $was)?),
            source: Source::$source,
        }),+),+]
    };
    (@was $states:ty) => { None };
    (@was $states:ty, $was:ident) => { Some(<$states>::$was) };
}
pub(crate) use lifecycle;

/// The life of a sandbox.
#[rustfmt::skip]
pub const LIFECYCLE: &[Row<State, Kind>] = lifecycle! { State, Kind;
    Documented {
        // Birth.
        Unknown                           --(PullBegan)-->      PullingSnapshot;
        Unknown | PendingBuild            --(BuildBegan)-->     BuildingSnapshot;
        BuildingSnapshot                  --(BuildFailed)-->    BuildFailed;
        PullingSnapshot                   --(SnapshotReady)-->  Creating;
        BuildingSnapshot                  --(SnapshotReady)-->  Creating;

        // Running and not running.
        Creating | Starting               --(Booted)-->         Started;
        Stopped                           --(BootBegan)-->      Starting;
        Started | Paused                  --(StopBegan)-->      Stopping;
        Stopping                          --(Exited)-->         Stopped;

        // Memory kept.
        Started                           --(PauseBegan)-->     Pausing;
        Pausing                           --(MemorySaved)-->    Paused;
        Paused                            --(ResumeBegan)-->    Resuming;
        Resuming                          --(Resumed)-->        Started;

        // Cold storage and backups.
        Stopped | Error                   --(ArchiveBegan)-->   Archiving;
        Archiving                         --(ArchiveStored)-->  Archived;
        Stopped | Archived | Error        --(RestoreBegan)-->   Restoring;
        Restoring                         --(Restored)-->       Started;

        // Excursions: each returns to where it set out from.
        Started | Stopped                 --(ResizeBegan)-->    Resizing;
        Resizing                          --(Resized)-->        Started  if was Started;
        Resizing                          --(Resized)-->        Stopped  if was Stopped;
        Started | Stopped                 --(SnapshotBegan)-->  Snapshotting;
        Snapshotting                      --(SnapshotTaken)-->  Started  if was Started;
        Snapshotting                      --(SnapshotTaken)-->  Stopped  if was Stopped;
        Started                           --(ForkBegan)-->      Forking;
        Forking                           --(Forked)-->         Started  if was Started;

        // Death.
        Started | Stopped                 --(DeleteBegan)-->    Deleting;
        Deleting                          --(Removed)-->        Deleted;
        Archived                          --(Removed)-->        Deleted;
        Started                           --(Failed)-->         Error;
    }
    Ours {
        // A lost host removes what is left there when it returns, if ever; a deletion does not wait for that.
        Deleting                          --(Buried)-->         Deleted;
        // The document gives Pending Build no way in and Build Failed no way out.
        Unknown | BuildFailed             --(BuildQueued)-->    PendingBuild;
        // A forked child has no snapshot to pull.
        Unknown                           --(Born)-->           Creating;
        // Operations fail or time out everywhere, not only where a sandbox was started.
        PullingSnapshot | Creating | Starting | Stopping
            | Pausing | Resuming | Archiving | Restoring
            | Resizing | Snapshotting | Forking
                                          --(Failed)-->         Error;
        // A paused memory and a disk can be lost while nothing runs.
        Paused | Stopped                  --(Failed)-->         Error;
        // A sandbox exits by itself: its entrypoint ends, or it runs out of memory.
        Started                           --(Exited)-->         Stopped;
        // Failed or cancelled and intact: back to where it set out from, the fault stays visible.
        Resizing | Snapshotting | Forking | Pausing
                                          --(Abandoned)-->      Started  if was Started;
        Resizing | Snapshotting | Archiving
                                          --(Abandoned)-->      Stopped  if was Stopped;
        Archiving                         --(Abandoned)-->      Error    if was Error;
        // Delete always wins; work in flight is superseded.
        PendingBuild | BuildingSnapshot | BuildFailed
            | PullingSnapshot | Creating | Starting | Stopping
            | Pausing | Paused | Resuming
            | Archiving | Archived | Restoring
            | Resizing | Snapshotting | Forking | Error
                                          --(DeleteBegan)-->    Deleting;
    }
};

/// Every state in which a sandbox exists and may still be changed by its owner.
const ALIVE: &[State] = &[
    State::PendingBuild,
    State::BuildingSnapshot,
    State::BuildFailed,
    State::PullingSnapshot,
    State::Creating,
    State::Starting,
    State::Started,
    State::Stopping,
    State::Stopped,
    State::Pausing,
    State::Paused,
    State::Resuming,
    State::Archiving,
    State::Archived,
    State::Restoring,
    State::Resizing,
    State::Snapshotting,
    State::Forking,
    State::Error,
];

/// States with work in flight that an intent can wait out. Nothing follows a deletion.
const WAITED_OUT: &[State] = &[
    State::BuildingSnapshot,
    State::PullingSnapshot,
    State::Creating,
    State::Starting,
    State::Stopping,
    State::Pausing,
    State::Resuming,
    State::Archiving,
    State::Restoring,
    State::Resizing,
    State::Snapshotting,
    State::Forking,
];

/// In which states an event may happen that changes no state.
#[rustfmt::skip]
pub const KEEPING: &[(Kind, &[State])] = &[
    (Kind::LabelsReplaced,    ALIVE),
    (Kind::AutoStopSet,       ALIVE),
    (Kind::AutoArchiveSet,    ALIVE),
    (Kind::AutoDeleteSet,     ALIVE),
    (Kind::NetworkSet,        ALIVE),
    (Kind::PublicSet,         ALIVE),
    (Kind::ActivityRefreshed, ALIVE),
    // What runs was told of a policy set meanwhile.
    (Kind::SettingsApplied,    &[State::Started]),
    // One slot, the last one wins; only work in flight is waited for.
    (Kind::IntentQueued,      WAITED_OUT),
    (Kind::IntentDropped,     ALIVE),
    // A host was found, or another after the first refused.
    (Kind::Placed,            &[
        State::PullingSnapshot, State::BuildingSnapshot, State::PendingBuild, State::Restoring, State::Deleting,
        State::Deleted,
    ]),
    // What a fork boots from is there.
    (Kind::CopyReady,         &[State::Creating]),
    // A host will not take it in, and another one was found at once.
    (Kind::Declined,          &[State::PullingSnapshot, State::BuildingSnapshot, State::Restoring]),
    // A stop that was already under way is now by force.
    (Kind::StopForced,        &[State::Stopping]),
    (Kind::DiskDropped,       &[State::Archived]),
    // Removing, quietening, dropping what is archived and holding what runs to its settings never give up.
    // So does taking away the backups that a newer one has made useless.
    (Kind::Struggled,         &[
        State::Deleting, State::Error, State::Archived, State::Started, State::Stopped, State::Deleted,
    ]),
    (Kind::Quiesced,          &[State::Error]),
    // What runs would be caught halfway through what it writes.
    (Kind::BackupBegan,       &[State::Stopped]),
    (Kind::BackupTaken,       &[State::Stopped]),
    (Kind::BackupFailed,      &[State::Stopped]),
    (Kind::LeftoverRemoved,   &[State::Stopped, State::Deleted]),
];

/// What the table says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The sandbox goes to this state.
    To(State),
    /// It stays where it is.
    Stay,
    /// The event cannot happen there.
    Illegal,
}

/// What `on` does to a sandbox in `from`, having set out from `was` if it is on an excursion.
#[must_use]
pub fn step(from: State, was: Option<State>, on: Kind) -> Step {
    let was = was.map_or(State::ALL.len(), |state| state as usize);
    STEPS[(from as usize * WAYS + was) * Kind::ALL.len() + on as usize]
}

/// Excursions set out from one of the states, or there is none.
const WAYS: usize = State::ALL.len() + 1;

/// The tables unrolled, so that folding a record is one look-up.
static STEPS: [Step; State::ALL.len() * WAYS * Kind::ALL.len()] = unroll();

const fn unroll() -> [Step; State::ALL.len() * WAYS * Kind::ALL.len()] {
    let kinds = Kind::ALL.len();
    let mut steps = [Step::Illegal; State::ALL.len() * WAYS * Kind::ALL.len()];
    let mut row = 0;
    while row < LIFECYCLE.len() {
        let Row { from, on, to, was, .. } = &LIFECYCLE[row];
        let mut i = 0;
        while i < from.len() {
            let mut way = 0;
            while way < WAYS {
                let fits = match was {
                    None => true,
                    Some(state) => *state as usize == way,
                };
                if fits {
                    steps[(from[i] as usize * WAYS + way) * kinds + *on as usize] = Step::To(*to);
                }
                way += 1;
            }
            i += 1;
        }
        row += 1;
    }
    let mut row = 0;
    while row < KEEPING.len() {
        let (on, states) = KEEPING[row];
        let mut i = 0;
        while i < states.len() {
            let mut way = 0;
            while way < WAYS {
                steps[(states[i] as usize * WAYS + way) * kinds + on as usize] = Step::Stay;
                way += 1;
            }
            i += 1;
        }
        row += 1;
    }
    steps
}

/// The table as a Mermaid state diagram; documented edges are plain, ours are marked `ours`.
#[must_use]
pub fn mermaid() -> String {
    let mut lines = vec!["stateDiagram-v2".to_owned()];
    for row in LIFECYCLE {
        let mark = match row.source {
            Source::Documented => "",
            Source::Ours => " (ours)",
        };
        for from in row.from {
            let from = if *from == State::Unknown { "[*]".to_owned() } else { format!("{from:?}") };
            lines.push(format!("    {from} --> {:?}: {:?}{mark}", row.to, row.on));
        }
    }
    lines.push("    Deleted --> [*]".to_owned());
    lines.join("\n") + "\n"
}
