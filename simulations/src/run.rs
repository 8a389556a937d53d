//! One run: a seed in, a report out.

use std::collections::BTreeSet;
use std::sync::Arc;

use hourglass_events::{Digest, Span};

use crate::coverage::Edge;
use crate::invariants::{Law, Violation};
use crate::plan::Plan;
use crate::trace::{DAWN, Trace};
use crate::world::World;

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// The digest of everything that happened.
    pub digest: Digest,
    /// The edges of the tables that were taken.
    pub edges: BTreeSet<Edge>,
    /// How many records the log holds.
    pub records: u64,
    /// How many things writers were told.
    pub inputs: u64,
    /// How many lines the story has.
    pub lines: u64,
    /// How many writers there were.
    pub writers: u64,
    /// How much virtual time passed.
    pub passed: Span,
    /// What was wrong, if something was.
    pub failure: Option<Failure>,
}

/// How a run can fail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Something was wrong.
    #[error("safety: {0}")]
    Safety(Violation),
    /// Something did not come to an end.
    #[error("liveness: {0}")]
    Liveness(Violation),
    /// The kernel noticed a defect of its own.
    #[error("defect: {0}")]
    Defect(Violation),
}

impl Failure {
    /// The exit code by which it is told from others.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Safety(_) => 10,
            Self::Liveness(_) => 11,
            Self::Defect(_) => 12,
        }
    }

    /// The law that was broken.
    #[must_use]
    pub const fn law(&self) -> Law {
        match self {
            Self::Safety(violation) | Self::Liveness(violation) | Self::Defect(violation) => violation.law,
        }
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        match violation.law {
            Law::Settles | Law::NoSpinning => Self::Liveness(violation),
            Law::NoDefects => Self::Defect(violation),
            Law::OnlyTableEdges
            | Law::NoGaps
            | Law::ChainIntact
            | Law::NothingForgotten
            | Law::OneWriter
            | Law::NothingLeavesEarly
            | Law::NothingAcknowledgedLost
            | Law::RepliesAreTrue
            | Law::RepeatsAgree
            | Law::ReportsAreHeard
            | Law::FoldsAgree
            | Law::HashesAgree
            | Law::NamesUnique
            | Law::NeverStoppedEarly
            | Law::OneLife
            | Law::DoneOnce
            | Law::RemovedIsGone
            | Law::KinHolds
            | Law::MachinesAgree => Self::Safety(violation),
        }
    }
}

/// Live through `plan`; the frames of the log that is left.
#[must_use]
pub fn log_of(plan: Plan) -> Vec<Arc<[u8]>> {
    let until = DAWN.after(plan.length);
    let mut world = World::new(plan, Trace::new(None));
    while world.violation.is_none() && world.step(until) {}
    world.truth.frames().to_vec()
}

/// Live through `plan`; each line of the story goes to `listener` too.
#[must_use]
pub fn run(plan: Plan, listener: Option<fn(&str)>) -> Report {
    let until = DAWN.after(plan.length);
    let mut world = World::new(plan, Trace::new(listener));
    while world.violation.is_none() && world.step(until) {}
    if world.violation.is_none() {
        world.settle();
    }
    Report {
        digest: world.trace.digest(),
        records: world.truth.seq().0,
        inputs: world.steps,
        lines: world.trace.lines(),
        writers: world.opened,
        passed: world.now.since(DAWN),
        failure: world.violation.map(Failure::from),
        edges: world.edges,
    }
}
