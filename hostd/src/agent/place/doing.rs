//! The step in flight, and what it is for.

use std::collections::VecDeque;

use hourglass_events::{ExitCause, Fault, Finding, Order, OrderNumber, ShardNumber, TaskKind};

use crate::agent::effect::{RunId, Step};
use crate::ledger::Settled;

/// The step in flight.
#[derive(Debug)]
pub(super) struct Doing {
    pub(super) run: RunId,
    pub(super) step: Step,
    pub(super) why: Why,
    /// The newer order that takes over when the step has ended.
    pub(super) waiting: Option<Order>,
}

/// What the step in flight is for.
#[derive(Debug)]
pub(super) enum Why {
    Order {
        shard: ShardNumber,
        number: OrderNumber,
        task: TaskKind,
        rest: VecDeque<Step>,
        /// It ended by itself before its boot was seen to have succeeded.
        exit: Option<ExitCause>,
    },
    /// A life ended by itself; what it left is tidied up, then its shard is told, if there is anything to tell.
    Exit {
        number: OrderNumber,
        announce: Option<ShardNumber>,
        /// The task that booted it, if that is still to be reported too.
        unreported: Option<TaskKind>,
    },
}

impl Doing {
    pub(super) fn is_about(&self, number: OrderNumber) -> bool {
        self.is_order() && self.number() == number
            || self.waiting.as_ref().is_some_and(|order| order.number == number)
    }

    pub(super) fn is_order(&self) -> bool {
        match self.why {
            Why::Order { .. } => true,
            Why::Exit { .. } => false,
        }
    }

    pub(super) fn number(&self) -> OrderNumber {
        match self.why {
            Why::Order { number, .. } | Why::Exit { number, .. } => number,
        }
    }
}

impl Settled {
    pub(super) fn is_done(&self) -> bool {
        match self.finding {
            Finding::Done(_) => true,
            Finding::Failed(_) | Finding::Exited(_) => false,
        }
    }
}

pub(super) fn dropped(step: &Step) -> Fault {
    Fault::System {
        doing: format!("{step} the sandbox"),
        error: "the step was dropped on the way".to_owned(),
    }
}
