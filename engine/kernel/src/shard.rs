//! One shard: the only place where its events are decided, put in order, made durable and acted on.
//!
//! Three states of the world lie behind each other. *Proposed* holds everything decided; the next decision stands on
//! it. *In flight* is the one group being appended. *Committed* is what the log holds; orders, replies and
//! acknowledgements stand on that alone, and the `gate` makes it a matter of types. What was decided is never taken
//! back: a writer that finds another's group in its slot has been replaced, and stops.
//!
//! After each [`Shard::handle`] the caller drains [`Shard::poll`] and sleeps until [`Shard::deadline`].

mod config;
mod gate;
mod news;
mod propose;
mod replay;
mod requests;
mod talk;
mod timers;
mod watch;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hourglass_events::{HostCall, HostId, Refusal, Report, SandboxId, Subject, Timestamp};

use crate::alarms::Alarms;
use crate::checkpoint::Checkpoint;
use crate::dispatch::Dispatch;
use crate::fleet::Fleet;
use crate::owe;

pub use config::ShardConfig;
use gate::{Gate, Held};
use news::Early;
pub use replay::{Replay, ReplayError};
pub use talk::{Accepted, Entry, Halt, Input, Output, Reply, RequestId, Why};
use timers::{Barrier, Use};
use watch::Watch;
pub use writer::Mark;
use writer::Writer;

/// How far a shard has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It is committing the group that opens its epoch.
    Opening,
    /// It takes requests.
    Serving,
    /// It has stopped for good.
    Halted,
}

/// The decider of one shard.
#[derive(Debug, Clone)]
pub struct Shard {
    config: ShardConfig,
    phase: Phase,
    proposed: Fleet,
    committed: Fleet,
    writer: Writer,
    gate: Gate,
    dispatch: Dispatch,
    alarms: Alarms,
    uses: BTreeMap<SandboxId, Use>,
    /// What hosts said before the epoch was open.
    early: Early,
    /// Lives that ended while something was being done to them that leaves them running: news once that is over.
    ended: BTreeMap<SandboxId, (HostId, Report)>,
    barrier: Barrier,
    /// What is to be done about hosts.
    watch: Watch,
    /// Sandboxes whose alarms and follow-ups are to be looked at.
    agenda: BTreeSet<SandboxId>,
    outputs: VecDeque<Output>,
    /// Why it has stopped, until that is said.
    farewell: Option<Halt>,
}

impl Shard {
    /// Take in what happened at `now`.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        if self.phase == Phase::Halted {
            return self.decline(&input);
        }
        match input {
            Input::Request { id, request } => self.request(now, id, &request),
            Input::Appended { slot, outcome } => self.appended(now, slot, outcome),
            Input::Read { slot, frame } => self.slot_read(now, slot, frame),
            Input::Damaged { slot } => self.slot_damaged(slot),
            Input::News { host, news } => self.news(now, host, news),
            Input::HostGone { host } => self.host_gone(now, host),
            Input::StateHashed { through, hash } => self.state_hashed(now, through, hash),
            Input::Tick => {}
        }
        self.settle(now);
        self.ring(now);
        self.send(now);
        self.part();
    }

    /// The next thing to be done, if there is one.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the shard wants [`Input::Tick`] if nothing happens before, and why.
    #[must_use]
    pub fn deadline(&self) -> Option<(Timestamp, Why)> {
        if self.phase == Phase::Halted {
            return None;
        }
        [self.writer.deadline(), self.timers_deadline()].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// How far the shard has come.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// What the log holds, folded.
    #[must_use]
    pub const fn committed(&self) -> &Fleet {
        &self.committed
    }

    /// What was decided, folded: the log and what is on its way there.
    #[must_use]
    pub const fn proposed(&self) -> &Fleet {
        &self.proposed
    }

    /// Whether the resync barrier is down, so that alarms go off.
    #[must_use]
    pub fn is_resynced(&self) -> bool {
        matches!(self.barrier, Barrier::Down)
    }

    /// How many records wait for the group in flight.
    #[must_use]
    pub fn staged(&self) -> usize {
        self.writer.staged()
    }

    /// Whether the log had no room when it was last tried. What was sent is kept, and tried again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.phase != Phase::Halted && self.writer.is_full()
    }

    /// Whether as much waits for the log as may.
    fn is_laden(&self) -> bool {
        self.writer.staged() >= self.config.staged
    }

    /// Whether nothing is on its way: no group in flight, no record staged, nobody waiting for a reply.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.phase == Phase::Halted || (self.writer.is_idle() && self.gate.len() == 0)
    }

    /// The committed state, to be written out elsewhere. Costs nothing to speak of.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { mark: self.writer.mark(), fleet: self.committed.clone() }
    }

    /// Look at every sandbox on the agenda: arm its alarms and record the event it is owed, until nothing is owed or
    /// enough waits for the log.
    fn settle(&mut self, now: Timestamp) {
        while self.phase == Phase::Serving && !self.is_laden() {
            let Some(id) = self.agenda.pop_first() else {
                if self.mourn(now) {
                    continue;
                }
                return;
            };
            self.arm(id);
            self.tell_end(now, id);
            self.follow(now, Subject::Sandbox(id));
        }
    }

    /// Record the event that `subject` is owed, if it is owed one.
    fn follow(&mut self, now: Timestamp, subject: Subject) {
        let Subject::Sandbox(id) = subject else { return };
        let terms = &self.config.terms;
        let proposal = match self.proposed.sandbox(id) {
            Some(sandbox) => owe::follow_up(&self.proposed, terms, sandbox, now),
            // Snapshots stand on the agenda under the id that hosts work on them under.
            None => owe::snapshots::borne(&self.proposed, id)
                .and_then(|snapshot| owe::snapshots::follow_up(&self.proposed, terms, snapshot)),
        };
        if let Some(proposal) = proposal {
            // Follow-ups are small; a defect has halted the shard by itself.
            let _ = self.propose(now, proposal);
        } else {
            self.bereave(now, id);
        }
    }

    /// Send the order that each of `sandboxes` is owed by committed state, unless it went out already.
    fn order(&mut self, now: Timestamp, sandboxes: impl IntoIterator<Item = SandboxId>) {
        if self.phase == Phase::Halted {
            return;
        }
        for id in sandboxes {
            let order = match (self.committed.sandbox(id), owe::snapshots::borne(&self.committed, id)) {
                (Some(sandbox), _) => owe::order(&self.committed, sandbox, now),
                (None, Some(snapshot)) => owe::snapshots::order(&self.committed, snapshot, now),
                (None, None) => {
                    self.dispatch.forget(id);
                    continue;
                }
            };
            let Some((host, order)) = order else { continue };
            if self.dispatch.claim(host, id, order.number) {
                self.outputs.push_back(Output::Call { host, call: HostCall::Do(order) });
            }
        }
    }

    /// Stop for good. What is still being handled comes to nothing, and [`Shard::part`] tells everybody.
    fn halt(&mut self, why: Halt) {
        if self.phase != Phase::Halted {
            self.phase = Phase::Halted;
            self.farewell = Some(why);
        }
    }

    /// If the shard has just stopped, answer everybody who waits and say why, last of all.
    fn part(&mut self) {
        let Some(why) = self.farewell.take() else { return };
        for held in self.gate.abandon() {
            match held {
                Held::Accepted { request, .. } | Held::Refused { request, .. } => {
                    self.outputs.push_back(Output::Reply { request, reply: Err(Refusal::Fenced) });
                }
                // The host repeats what was not acknowledged to the next writer.
                Held::Acknowledge { .. } => {}
            }
        }
        self.outputs.push_back(Output::Halted(why));
    }

    /// A shard that has stopped does nothing but say so.
    fn decline(&mut self, input: &Input) {
        match input {
            Input::Request { id, .. } => {
                self.outputs.push_back(Output::Reply { request: *id, reply: Err(Refusal::Fenced) });
            }
            Input::Appended { .. }
            | Input::Read { .. }
            | Input::Damaged { .. }
            | Input::News { .. }
            | Input::HostGone { .. }
            | Input::StateHashed { .. }
            | Input::Tick => {}
        }
    }
}
