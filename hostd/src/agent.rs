//! The head of the host worker: orders and what is on the machine in, steps and reports out.
//!
//! There is no clock, no waiting and no I/O here. The shell (tokio, or a simulation) drives it with three kinds of
//! method: `handle_*` says what happened, [`Agent::poll_effect`] says what is to be done about it, getters look. After
//! each `handle_*` drain the effects before the next one.
//!
//! # Rules
//!
//! * For each sandbox there is one step at a time, and the newest order is the only one that counts. Older ones are
//!   ignored. A newer one waits for the step in flight and takes over from there; what was left of the older one is
//!   neither done nor reported. A kill or a removal does not wait but has the step dropped, as a crash would.
//! * The same number again is ignored while it is under way, and afterwards answered with the same report under the
//!   same serial: it is the same fact.
//! * A report is repeated on each connection until it is acknowledged, unless a newer order for the sandbox shows that
//!   the engine has moved past it. Exits are always kept until acknowledged.
//! * An exit is announced once, under the number that booted the life that ended, and only if the engine had been told
//!   of that life. Nothing runs under a number again whose exit was announced.
//! * An order for a fork that is still being made shows that the engine has given that up: the step is dropped, and the
//!   order waits until it has ended.
//! * What no order knows is kept and listed, never removed on a guess.

mod desk;
mod effect;
mod place;

use std::collections::BTreeMap;

use hourglass_events::{
    ExitCause, HostCall, HostNews, HostProfile, Order, OrderNumber, Report, SandboxId, TaskKind,
};

use self::desk::Desk;
pub use self::effect::{Effect, Oddity, Outcome, Run, RunId, Step};
use self::place::Place;
use crate::activity::{Moment, Uses};
use crate::driver::{DiskFound, ExecError, Exit, Present};
use crate::ledger::{Boot, Memory, Write};

/// Decides for one host. See the module for the rules.
#[derive(Debug)]
pub struct Agent {
    places: BTreeMap<SandboxId, Place>,
    /// Removed sandboxes whose removal was acknowledged, by the serial of that report: the oldest are forgotten first.
    graves: BTreeMap<u64, SandboxId>,
    /// Forks being made: the new sandbox, the one it is made of, and the newest order that waits for that.
    forks: BTreeMap<SandboxId, (SandboxId, Option<Order>)>,
    desk: Desk,
}

impl Agent {
    /// How many removed sandboxes are remembered, against orders that arrive late.
    pub const GRAVES_MOST: usize = 4096;

    /// The agent at the start of a life: from what it remembered and what is on the machine. `profile` names the
    /// incarnation that `memory` began.
    #[must_use]
    pub fn new(profile: HostProfile, memory: Memory, survey: Vec<Present>, now: Moment) -> Self {
        let Memory { incarnation: _, sandboxes, reports, uses } = memory;
        let mut agent = Self {
            places: sandboxes.into_iter().map(|(id, entry)| (id, Place::new(id, entry))).collect(),
            graves: BTreeMap::new(),
            forks: BTreeMap::new(),
            desk: Desk::new(profile, reports),
        };
        for (id, place) in &agent.places {
            if let Some(serial) = place.removal().filter(|serial| !agent.desk.reports.contains_key(serial)) {
                agent.graves.insert(serial, *id);
            }
        }
        let found: BTreeMap<_, _> = survey.into_iter().map(|present| (present.sandbox, present)).collect();
        for present in found.values() {
            let remembered = uses.get(&present.sandbox).copied();
            if let Some(number) = present.running {
                agent.desk.uses.resume(present.sandbox, number, remembered, now);
                agent.desk.remember_use(present.sandbox);
            }
            agent.take_in(present);
        }
        for sandbox in uses.into_keys() {
            agent.desk.forget_idle_use(sandbox);
        }
        let gone = |place: &&mut Place| {
            found.get(&place.sandbox).is_none_or(|it| it.running.is_none() && it.saved.is_none())
        };
        for place in agent.places.values_mut().filter(gone) {
            place.found_gone(&mut agent.desk);
        }
        agent
    }

    /// A shard said something.
    pub fn handle_call(&mut self, call: HostCall, now: Moment) {
        match call {
            HostCall::Do(order) => self.ordered(order),
            HostCall::Acknowledge { serial } => self.acknowledge(serial),
            HostCall::AskUse { shard, sandbox, number } => {
                self.with(sandbox, |place, desk| place.asked(shard, number, now, desk));
            }
        }
    }

    /// A step ended.
    pub fn handle_step(&mut self, sandbox: SandboxId, run: RunId, outcome: &Outcome, now: Moment) {
        self.with(sandbox, |place, desk| place.stepped(run, outcome, now, desk));
    }

    /// A sandbox stopped running by itself.
    pub fn handle_exit(&mut self, exit: Exit) {
        if self.places.contains_key(&exit.sandbox) {
            self.with(exit.sandbox, |place, desk| place.exited(exit, desk));
        }
    }

    /// The engine is there, anew: it is told who this is, everything not acknowledged, and all ages.
    pub fn handle_link(&mut self, now: Moment) {
        self.desk.tell(HostNews::Joined(Box::new(self.desk.profile.clone())));
        let reports: Vec<_> = self.desk.reports.values().cloned().collect();
        for report in reports {
            self.desk.tell(HostNews::Reported(report));
        }
        self.desk.tell(HostNews::Synced);
        self.handle_use_due(now);
    }

    /// It is time to tell how long ago the running sandboxes were used.
    pub fn handle_use_due(&mut self, now: Moment) {
        let ages = self.desk.uses.ages(now);
        if !ages.is_empty() {
            self.desk.tell(HostNews::Used(ages));
        }
    }

    /// A command is about to be run in a sandbox, in the life `number` if one is named. It may be, unless nothing runs
    /// or an order to end it was accepted. The answer is the life it belongs to.
    pub fn handle_command_began(
        &mut self,
        sandbox: SandboxId,
        number: Option<OrderNumber>,
        now: Moment,
    ) -> Result<OrderNumber, ExecError> {
        let Some(life) = self.open_life(sandbox).filter(|life| number.is_none_or(|number| number == *life))
        else {
            return Err(ExecError::NotRunning(sandbox));
        };
        self.desk.uses.command_began(sandbox, now);
        self.desk.remember_use(sandbox);
        Ok(life)
    }

    /// The life of a sandbox that may be used: nothing if none runs or an order to end it was accepted.
    #[must_use]
    pub fn open_life(&self, sandbox: SandboxId) -> Option<OrderNumber> {
        self.places.get(&sandbox).and_then(Place::open_life)
    }

    /// A command that had begun in the life `number` of a sandbox has ended.
    pub fn handle_command_ended(&mut self, sandbox: SandboxId, number: OrderNumber, now: Moment) {
        self.desk.uses.command_ended(sandbox, number, now);
        self.desk.remember_use(sandbox);
    }

    /// The next thing to do. Drain after every `handle_*`; write everything that is to be written before the rest.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.desk.effects.pop_front()
    }

    /// Who this host is.
    #[must_use]
    pub fn profile(&self) -> &HostProfile {
        &self.desk.profile
    }

    /// The reports not yet acknowledged, oldest first.
    pub fn reports(&self) -> impl Iterator<Item = &Report> {
        self.desk.reports.values()
    }

    /// What is known of the use of running sandboxes.
    #[must_use]
    pub fn uses(&self) -> &Uses {
        &self.desk.uses
    }

    /// Whether no step is in flight.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.places.values().all(Place::is_at_rest)
    }

    fn ordered(&mut self, order: Order) {
        match self.forks.get_mut(&order.sandbox) {
            Some((parent, waiting)) => {
                let newer = waiting.as_ref().is_none_or(|waiting| waiting.number <= order.number);
                if let Some(place) = self.places.get(parent).filter(|_| newer) {
                    place.give_up(&mut self.desk);
                    *waiting = Some(order);
                }
            }
            None => self.with(order.sandbox, |place, desk| place.order(order, desk)),
        }
    }

    /// Lets `work` change one sandbox, and remembers what it changed.
    fn with(&mut self, sandbox: SandboxId, work: impl FnOnce(&mut Place, &mut Desk)) {
        let place = self.places.entry(sandbox).or_insert_with(|| Place::new(sandbox, Default::default()));
        let (before, made) = (place.entry.clone(), place.copied_to());
        work(place, &mut self.desk);
        if place.entry != before {
            self.desk.write(Write::Sandbox(sandbox, place.entry.clone()));
        }
        let makes = place.copied_to();
        if made == makes {
            return;
        }
        if let Some(child) = makes {
            self.forks.insert(child, (sandbox, None));
        }
        if let Some((_, Some(order))) = made.and_then(|child| self.forks.remove(&child)) {
            self.ordered(order);
        }
    }

    fn take_in(&mut self, present: &Present) {
        let Present { sandbox, disk, running, saved } = *present;
        if !self.places.contains_key(&sandbox) {
            self.desk.warn(Oddity::Unknown { sandbox, disk, running });
        }
        self.with(sandbox, |place, _| {
            let made = match disk {
                DiskFound::Absent => None,
                DiskFound::Made(number) => Some(number),
            };
            let newest = made.max(running).max(saved).unwrap_or_default();
            place.entry.newest = place.entry.newest.max(newest);
            if saved.is_some() && running.is_none() {
                place.entry.boot = None;
            }
            if let Some(number) = running
                && place.entry.boot.is_none_or(|boot| boot.number != number)
            {
                place.entry.boot = Some(Boot { number, announced: place.has_done(number) });
            }
        });
    }

    fn acknowledge(&mut self, serial: u64) {
        let Some(report) = self.desk.drop_report(serial) else { return };
        let place = self.places.get(&report.sandbox);
        if place.and_then(Place::removal) != Some(serial) {
            return;
        }
        self.graves.insert(serial, report.sandbox);
        if self.graves.len() > Self::GRAVES_MOST
            && let Some((_, sandbox)) = self.graves.pop_first()
        {
            // A sandbox's id is never used again; if this one was removed once more, its later grave is gone by then.
            self.places.remove(&sandbox);
            self.desk.write(Write::Forget(sandbox));
        }
    }
}

/// What a stop's report says of a life that nobody saw end.
const UNSEEN: ExitCause = ExitCause::Vanished;

/// Whether a task's report says how the sandbox ended.
const fn tells_end(task: TaskKind) -> bool {
    matches!(task, TaskKind::Stop)
}
