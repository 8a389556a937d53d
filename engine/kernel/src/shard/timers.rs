//! When alarms are armed, when they go off, and when they must wait.
//!
//! After a takeover no alarm goes off before the hosts have repeated what the last writer may not have heard (or have
//! had their time): overdue deadlines must not fire on work that is done. And no idle alarm stops a sandbox before its
//! host has said, after the moment it was due, that it was not used.

use std::collections::BTreeSet;

use hourglass_events::{Alarm, HostCall, HostId, SandboxId, Span, State, Timestamp};

use super::{Output, Phase, Shard, Why};
use crate::decide::{Proposal, alarm};
use crate::dispatch::Stage;
use crate::owe;

/// The most alarms handled between two looks at the rest of the world.
const RINGS_MOST: usize = 256;
/// The wait before a host that did not say how long ago a sandbox was used is asked again.
const ASK_AGAIN: Span = Span::seconds(1);

/// The resync barrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Barrier {
    /// These hosts have not repeated their reports yet.
    Up { missing: BTreeSet<HostId>, until: Timestamp },
    /// Alarms go off.
    Down,
}

impl Barrier {
    pub(super) fn raise(missing: BTreeSet<HostId>, until: Timestamp) -> Self {
        if missing.is_empty() { Self::Down } else { Self::Up { missing, until } }
    }

    pub(super) fn heard(&mut self, host: HostId) {
        if let Self::Up { missing, .. } = self {
            missing.remove(&host);
            if missing.is_empty() {
                *self = Self::Down;
            }
        }
    }

    fn pass(&mut self, now: Timestamp) {
        if let Self::Up { until, .. } = self
            && *until <= now
        {
            *self = Self::Down;
        }
    }
}

/// What a host said of a sandbox's use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    /// The latest use.
    pub(super) at: Timestamp,
    /// When that was said.
    pub(super) heard: Timestamp,
}

impl Shard {
    pub(super) fn timers_deadline(&self) -> Option<(Timestamp, Why)> {
        if self.is_laden() {
            // Alarms wait until the log has taken some of what was decided, and it is the log that says so.
            return None;
        }
        match (&self.barrier, self.phase) {
            (_, Phase::Opening | Phase::Halted) => None,
            (Barrier::Up { until, .. }, Phase::Serving) => Some((*until, Why::Resync)),
            (Barrier::Down, Phase::Serving) => {
                let alarm = self.alarms.next().map(|(at, sandbox, alarm)| (at, Why::Alarm(alarm, sandbox)));
                [alarm, self.watch.deadline()].into_iter().flatten().min_by_key(|(at, _)| *at)
            }
        }
    }

    /// Let the alarms of one sandbox be those of its proposed state.
    pub(super) fn arm(&mut self, id: SandboxId) {
        if let Some(snapshot) = owe::snapshots::borne(&self.proposed, id) {
            return self.alarms.set(id, owe::snapshots::alarms(snapshot));
        }
        let Some(sandbox) = self.proposed.sandbox(id) else {
            self.alarms.clear(id);
            self.uses.remove(&id);
            return;
        };
        if sandbox.state != State::Started {
            self.uses.remove(&id);
        }
        let heard = sandbox.host.is_some_and(|host| self.dispatch.stage(host) == Stage::Synced);
        let used = self.uses.get(&id).map_or(sandbox.last_activity, |seen| seen.at);
        let armed = owe::alarms(&self.proposed, &self.config.terms, sandbox, used)
            .filter(|(alarm, _)| heard || *alarm != Alarm::AutoStop);
        self.alarms.set(id, armed);
    }

    /// Handle the alarms that are due.
    pub(super) fn ring(&mut self, now: Timestamp) {
        self.barrier.pass(now);
        if self.phase == Phase::Serving && self.barrier == Barrier::Down && !self.is_laden() {
            self.watch(now);
            self.settle(now);
        }
        for _ in 0..RINGS_MOST {
            if self.phase != Phase::Serving || self.barrier != Barrier::Down || self.is_laden() {
                return;
            }
            let Some((_, id, alarm)) = self.alarms.next().filter(|(at, ..)| *at <= now) else { return };
            self.rung(now, id, alarm);
            self.settle(now);
        }
    }

    fn rung(&mut self, now: Timestamp, id: SandboxId, alarm: Alarm) {
        match alarm {
            Alarm::Retry => {
                self.alarms.disarm(id, alarm);
                self.order(now, [id]);
            }
            Alarm::AutoStop if self.must_ask(now, id) => {
                self.alarms.postpone(id, alarm, now.after(ASK_AGAIN));
                self.ask_use(id);
            }
            Alarm::Deadline | Alarm::AutoStop | Alarm::AutoArchive | Alarm::Backup | Alarm::AutoDelete => {
                self.alarms.disarm(id, alarm);
                if let Some(snapshot) = owe::snapshots::borne(&self.proposed, id) {
                    let terms = &self.config.terms;
                    let rung = owe::snapshots::rung(&self.proposed, terms, snapshot, alarm, now);
                    return self.proposed_by_alarm(now, rung);
                }
                let Some(sandbox) = self.proposed.sandbox(id) else { return };
                let used = self.uses.get(&id).map_or(sandbox.last_activity, |seen| seen.at);
                let decided = alarm::decide(&self.proposed, &self.config.terms, sandbox, alarm, used, now);
                self.proposed_by_alarm(now, decided);
            }
        }
    }

    fn proposed_by_alarm(&mut self, now: Timestamp, decided: Option<Proposal>) {
        if let Some(proposal) = decided {
            // Events of alarms are small; a defect has halted the shard by itself.
            let _ = self.propose(now, proposal);
        }
    }

    /// Ask the host how long ago the sandbox was used.
    pub(super) fn ask_use(&mut self, id: SandboxId) {
        let shard = self.proposed.shard();
        let running = self.proposed.sandbox(id).and_then(|sandbox| sandbox.host.zip(sandbox.boot));
        let call =
            |(host, number)| Output::Call { host, call: HostCall::AskUse { shard, sandbox: id, number } };
        self.outputs.extend(running.map(call));
    }

    /// Whether the host has yet to say, since the idle alarm became due, how long ago the sandbox was used. What it said
    /// a while ago is no answer either: the alarm may have waited for the barrier, or an interval was made shorter.
    fn must_ask(&self, now: Timestamp, id: SandboxId) -> bool {
        let Some(sandbox) = self.proposed.sandbox(id) else { return false };
        let Some(seen) = self.uses.get(&id) else { return true };
        alarm::due(&self.config.terms, sandbox, Alarm::AutoStop, seen.at)
            .is_some_and(|due| seen.heard < due || seen.heard.after(ASK_AGAIN) < now)
    }
}
