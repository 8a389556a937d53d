//! One sandbox on this host: the order under way, the order waiting, and what the ledger knows of it.

mod doing;

use std::collections::VecDeque;

use hourglass_events::{
    Fault, Finding, HostNews, Order, OrderNumber, Report, SandboxId, ShardNumber, Span, TaskKind,
};

use self::doing::{Doing, Why, dropped};
use super::desk::Desk;
use super::effect::{Oddity, Outcome, RunId, Step, class, closes, needs_life};
use super::{UNSEEN, tells_end};
use crate::activity::Moment;
use crate::driver::Exit;
use crate::ledger::{Boot, Ended, Entry, Settled};

#[derive(Debug)]
pub(super) struct Place {
    pub(super) sandbox: SandboxId,
    pub(super) entry: Entry,
    doing: Option<Doing>,
}

impl Place {
    pub(super) fn new(sandbox: SandboxId, entry: Entry) -> Self {
        Self { sandbox, entry, doing: None }
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.doing.is_none()
    }

    /// The sandbox that a fork of this one is being made for.
    pub(super) fn copied_to(&self) -> Option<SandboxId> {
        match self.doing.as_ref()?.step {
            Step::Fork(child) => Some(child),
            Step::Pull(_)
            | Step::Provision(_)
            | Step::Boot(_)
            | Step::SaveMemory
            | Step::Resume(_)
            | Step::Archive
            | Step::Build(_)
            | Step::Capture(_)
            | Step::Scrap(_)
            | Step::Restore(..)
            | Step::DropArchives(_)
            | Step::Resize(_)
            | Step::SetNetwork(_)
            | Step::Halt { .. }
            | Step::Erase => None,
        }
    }

    /// Nobody wants any more what is under way.
    pub(super) fn give_up(&self, desk: &mut Desk) {
        if let Some(doing) = &self.doing {
            desk.cancel(doing.run);
        }
    }

    pub(super) fn has_done(&self, number: OrderNumber) -> bool {
        self.entry.settled.as_ref().is_some_and(|settled| settled.number == number && settled.is_done())
    }

    /// The serial of the report that it was removed, if that is the last that happened to it.
    pub(super) fn removal(&self) -> Option<u64> {
        let settled = self.entry.settled.as_ref()?;
        let removed = settled.task == TaskKind::Remove && settled.is_done() && self.doing.is_none();
        (removed && settled.number == self.entry.newest).then_some(settled.serial)
    }

    /// The life commands may be run in: not while it is ending, nor from when that was ordered.
    pub(super) fn open_life(&self) -> Option<OrderNumber> {
        let boot = self.entry.boot?;
        let closing = self.doing.as_ref().is_some_and(|doing| {
            let waiting = doing.waiting.as_ref().is_some_and(|order| closes(order.task.kind()));
            waiting
                || match &doing.why {
                    Why::Order { task, .. } => closes(*task),
                    Why::Exit { .. } => true,
                }
        });
        (!closing).then_some(boot.number)
    }

    /// An order came.
    pub(super) fn order(&mut self, order: Order, desk: &mut Desk) {
        let Order { shard, sandbox, number, .. } = order;
        let newest = self.entry.newest;
        if number < newest {
            desk.warn(Oddity::Late { shard, sandbox, number, newest });
            return;
        }
        self.entry.shard = Some(shard);
        self.entry.newest = number;
        match &self.entry.settled {
            Some(Settled { number: done, finding, serial, .. }) if *done == number => {
                desk.repeat(Report { serial: *serial, shard, sandbox, number, finding: finding.clone() });
                return;
            }
            // That the engine orders something newer shows that it is past this.
            Some(settled) => {
                desk.drop_report(settled.serial);
            }
            None => {}
        }
        match &mut self.doing {
            Some(doing) if doing.is_about(number) => {}
            Some(doing) => {
                if doing.step.yields_to(&order.task) {
                    desk.cancel(doing.run);
                }
                doing.waiting = Some(order);
            }
            None => self.begin(&order, desk),
        }
    }

    /// The engine takes this sandbox to run, in the life `number`.
    pub(super) fn asked(&mut self, shard: ShardNumber, number: OrderNumber, now: Moment, desk: &mut Desk) {
        self.entry.shard = Some(shard);
        if let Some(boot) = self.entry.boot.as_mut().filter(|boot| boot.number == number) {
            boot.announced = true;
            if let Some(Doing { why: Why::Exit { announce, .. }, .. }) = &mut self.doing {
                *announce = Some(shard);
            } else if let Some(activity) = desk.uses.age(self.sandbox, now) {
                desk.tell(HostNews::Used(vec![activity]));
            }
            return;
        }
        let ended_since =
            self.entry.settled.as_ref().is_some_and(|last| last.number > number && ends_life(last))
                || self.entry.boot.is_some_and(|boot| boot.number > number);
        if self.doing.is_none() && !ended_since && !desk.is_reporting_exit(self.sandbox, number) {
            self.entry.newest = self.entry.newest.max(number);
            self.tidy(number, Some(shard), None, desk);
        }
    }

    /// What runs stopped by itself.
    pub(super) fn exited(&mut self, exit: Exit, desk: &mut Desk) {
        let Exit { sandbox: _, number, cause } = exit;
        if let Some(Doing {
            step: Step::Boot(_) | Step::Resume(_),
            why: Why::Order { number: booting, exit, .. },
            ..
        }) = &mut self.doing
            && *booting == number
        {
            *exit = Some(cause);
            return;
        }
        let Some(boot) = self.entry.boot.filter(|boot| boot.number == number) else { return };
        self.entry.ended = Some(Ended { number, cause });
        // With an order under way, that order's report says what became of the sandbox.
        if self.doing.is_none() {
            self.tidy(number, self.listener(boot), None, desk);
        }
    }

    /// At the start of the host worker nothing of it was found running.
    pub(super) fn found_gone(&mut self, desk: &mut Desk) {
        if let Some(boot) = self.entry.boot {
            self.tidy(boot.number, self.listener(boot), None, desk);
        }
    }

    /// A step ended.
    pub(super) fn stepped(&mut self, run: RunId, outcome: &Outcome, now: Moment, desk: &mut Desk) {
        let Some(doing) = self.doing.take_if(|doing| doing.run == run) else { return };
        self.learn(&doing, outcome, now, desk);
        if let Some(order) = doing.waiting {
            self.begin(&order, desk);
            return;
        }
        match doing.why {
            Why::Exit { number, announce, unreported } => {
                self.tidied(number, announce, unreported, outcome, desk);
            }
            Why::Order { shard, number, task, mut rest, exit } => {
                let failure = match outcome {
                    Outcome::Done | Outcome::Halted(_) => None,
                    Outcome::Failed(fault) => Some(fault.clone()),
                    Outcome::Cancelled => Some(dropped(&doing.step)),
                };
                if let Some(fault) = failure {
                    self.settle(shard, number, task, Finding::Failed(fault), desk);
                    if task == TaskKind::SaveMemory && self.entry.boot.is_none() {
                        self.repeat_end(shard, desk);
                    }
                    self.mourn(desk);
                } else if let Some(step) = rest.pop_front() {
                    self.run(step, Why::Order { shard, number, task, rest, exit: None }, desk);
                } else if let Some(cause) = exit {
                    // It ran, if briefly. That is reported once it is certain that nothing runs any more: the end may
                    // have been that of an earlier life under the same number, before a crash.
                    self.entry.ended = Some(Ended { number, cause });
                    self.tidy(number, Some(shard), Some(task), desk);
                } else {
                    let end = self.entry.ended.map_or(UNSEEN, |ended| ended.cause);
                    self.settle(shard, number, task, Finding::Done(tells_end(task).then_some(end)), desk);
                    self.mourn(desk);
                }
            }
        }
    }

    /// Takes up `order`; nothing is in flight.
    fn begin(&mut self, order: &Order, desk: &mut Desk) {
        let task = order.task.kind();
        if class(&order.task).is_some_and(|class| !desk.can_run(class)) {
            let fault = Fault::Unsupported { task };
            self.settle(order.shard, order.number, task, Finding::Failed(fault), desk);
            return;
        }
        if needs_life(task) && self.entry.boot.is_none() {
            self.lifeless(order, desk);
            return;
        }
        let mut rest = VecDeque::from(Step::of(&order.task));
        if let Some(step) = rest.pop_front() {
            let (shard, number) = (order.shard, order.number);
            self.run(step, Why::Order { shard, number, task, rest, exit: None }, desk);
        }
    }

    /// What `order` is to be done to does not run any more, which may be all that says so: an end that fell between
    /// two orders is not announced for the sake of the later one.
    fn lifeless(&mut self, order: &Order, desk: &mut Desk) {
        let (shard, number, task) = (order.shard, order.number, order.task.kind());
        let fault = Fault::Missing { what: "running life".to_owned() };
        self.settle(shard, number, task, Finding::Failed(fault), desk);
        self.repeat_end(shard, desk);
    }

    /// Tells how the last life ended, which perhaps nobody was told.
    fn repeat_end(&mut self, shard: ShardNumber, desk: &mut Desk) {
        if let Some(Ended { number, cause }) = self.entry.ended
            && !desk.is_reporting_exit(self.sandbox, number)
        {
            desk.report(shard, self.sandbox, number, Finding::Exited(cause));
        }
    }

    /// After an order that leaves what runs alone, an end that came meanwhile is news.
    fn mourn(&mut self, desk: &mut Desk) {
        let ended = self.entry.ended.map(|ended| ended.number);
        if let Some(boot) = self.entry.boot.filter(|boot| ended == Some(boot.number)) {
            self.tidy(boot.number, self.listener(boot), None, desk);
        }
    }

    /// Tidies up after a life that ended by itself; nothing is in flight.
    fn tidy(
        &mut self,
        number: OrderNumber,
        announce: Option<ShardNumber>,
        unreported: Option<TaskKind>,
        desk: &mut Desk,
    ) {
        desk.end_use(self.sandbox);
        self.run(Step::Halt { grace: Span::ZERO }, Why::Exit { number, announce, unreported }, desk);
    }

    fn run(&mut self, step: Step, why: Why, desk: &mut Desk) {
        let number = match &why {
            Why::Order { number, .. } | Why::Exit { number, .. } => *number,
        };
        let run = desk.run(self.sandbox, number, step.clone());
        self.doing = Some(Doing { run, step, why, waiting: None });
    }

    /// Takes in what a step's end says about the machine, whoever wanted the step.
    fn learn(&mut self, doing: &Doing, outcome: &Outcome, now: Moment, desk: &mut Desk) {
        match (&doing.step, outcome) {
            (Step::Boot(_) | Step::Resume(_), Outcome::Done | Outcome::Halted(_)) => {
                let number = doing.number();
                self.entry.boot = Some(Boot { number, announced: false });
                self.entry.ended = None;
                desk.uses.begin(self.sandbox, number, now);
                desk.remember_use(self.sandbox);
            }
            (Step::Boot(_) | Step::Resume(_), Outcome::Failed(_) | Outcome::Cancelled)
            | (Step::SaveMemory, Outcome::Done)
            | (Step::Erase, Outcome::Done) => {
                self.entry.boot = None;
                self.entry.ended = None;
                desk.end_use(self.sandbox);
            }
            (Step::Halt { .. }, Outcome::Halted(cause)) => {
                let boot = self.entry.boot.take().map(|boot| boot.number);
                // Of a life that was seen to end, the cause seen first is the true one: later halts only tidied up.
                let known = self.entry.ended.filter(|ended| match boot {
                    Some(number) => ended.number == number,
                    None => doing.is_order() || ended.number == doing.number(),
                });
                let found = Ended { number: boot.unwrap_or(doing.number()), cause: *cause };
                self.entry.ended = Some(known.unwrap_or(found));
                desk.end_use(self.sandbox);
            }
            // What ended by itself has ended, however untidy it is left.
            (Step::Halt { .. }, Outcome::Failed(_) | Outcome::Cancelled) if !doing.is_order() => {
                let number = doing.number();
                self.entry.boot = None;
                let known = self.entry.ended.filter(|ended| ended.number == number);
                self.entry.ended = Some(known.unwrap_or(Ended { number, cause: UNSEEN }));
            }
            (
                Step::Halt { .. } | Step::Erase,
                Outcome::Done | Outcome::Halted(_) | Outcome::Failed(_) | Outcome::Cancelled,
            )
            | (
                Step::Pull(_)
                | Step::Provision(_)
                | Step::SaveMemory
                | Step::Fork(_)
                | Step::Archive
                | Step::Build(_)
                | Step::Capture(_)
                | Step::Scrap(_)
                | Step::Restore(..)
                | Step::DropArchives(_)
                | Step::Resize(_)
                | Step::SetNetwork(_),
                _,
            ) => {}
        }
    }

    /// A life that ended by itself is tidied up after, or that failed. The exit is news either way.
    fn tidied(
        &mut self,
        number: OrderNumber,
        announce: Option<ShardNumber>,
        unreported: Option<TaskKind>,
        outcome: &Outcome,
        desk: &mut Desk,
    ) {
        self.entry.boot = None;
        let known = self.entry.ended.filter(|ended| ended.number == number);
        let ended = known.unwrap_or(Ended { number, cause: UNSEEN });
        self.entry.ended = Some(ended);
        if let Outcome::Failed(fault) = outcome {
            desk.warn(Oddity::Untidy { sandbox: self.sandbox, fault: fault.clone() });
            if let (Some(shard), Some(task)) = (announce, unreported) {
                self.settle(shard, number, task, Finding::Failed(fault.clone()), desk);
                return;
            }
        }
        if let Some(shard) = announce {
            if let Some(task) = unreported {
                self.settle(shard, number, task, Finding::Done(None), desk);
            }
            desk.report(shard, self.sandbox, number, Finding::Exited(ended.cause));
        }
    }

    fn settle(
        &mut self,
        shard: ShardNumber,
        number: OrderNumber,
        task: TaskKind,
        finding: Finding,
        desk: &mut Desk,
    ) {
        let serial = desk.report(shard, self.sandbox, number, finding.clone());
        let settled = Settled { number, task, finding, serial };
        if let Some(boot) = self.entry.boot.as_mut().filter(|boot| boot.number == number) {
            boot.announced = settled.is_done();
        }
        self.entry.settled = Some(settled);
    }

    /// Who is to be told when this life ends by itself: nobody who was not told that it began, and nobody who is owed
    /// the report of a newer order, which says it too. That order may still have to come again, after a restart.
    fn listener(&self, boot: Boot) -> Option<ShardNumber> {
        let newest = self.entry.newest;
        let settled = self.entry.settled.as_ref().is_some_and(|settled| settled.number == newest);
        self.entry.shard.filter(|_| boot.announced && (settled || newest == boot.number))
    }
}

/// Whether what ran before such an order does not run after it. Memory that could not be saved leaves it running.
fn ends_life(last: &Settled) -> bool {
    closes(last.task) && (last.task != TaskKind::SaveMemory || last.is_done())
}
