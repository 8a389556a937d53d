//! Hosts out of reach, and what is left on hosts of sandboxes that are gone or live elsewhere.
//!
//! A host is out of reach while it has no connection; one that is connected and slow never is. After a while it is
//! suspected and gets nothing new; after another it is lost. What ran there is then told so, some at a time, so that a
//! large host's end does not hold up everybody else. A host that returns first removes what is not to be there.

use std::collections::{BTreeMap, BTreeSet};

use hourglass_events::lifecycle::others::HostState;
use hourglass_events::{
    Actor, Cause, Event, Finding, HostCall, HostEvent, HostId, Order, Report, SandboxId, Span, Subject, Task,
    Timestamp,
};

use super::{Output, Shard, Why};
use crate::decide::Proposal;
use crate::dispatch::Stage;
use crate::fleet::GENERAL;
use crate::owe;

/// The most sandboxes of lost hosts that are told so in one go.
const LOSSES_MOST: usize = 64;
/// The wait before the next ones are.
const LOSSES_PACE: Span = Span::millis(100);

/// What is to be done about hosts, and when.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    /// Hosts without a connection, and when that means more than it did.
    silent: BTreeMap<HostId, Timestamp>,
    /// Sandboxes whose host is lost and that have to be told.
    bereft: BTreeSet<SandboxId>,
    /// How many of them may be told before `pause_until`.
    left: usize,
    pause_until: Timestamp,
    /// What could not be removed, and when that is tried again.
    sweeps: BTreeMap<(HostId, SandboxId), Timestamp>,
}

impl Watch {
    /// When there is something to be done next.
    pub(super) fn deadline(&self) -> Option<(Timestamp, Why)> {
        let silent = self.silent.iter().map(|(host, at)| (*at, Why::Silence(*host)));
        let sweeps = self.sweeps.iter().map(|((host, _), at)| (*at, Why::Sweep(*host)));
        let bereft = self.bereft.first().map(|_| (self.pause_until, Why::Losses));
        silent.chain(sweeps).chain(bereft).min_by_key(|(at, _)| *at)
    }
}

impl Shard {
    /// `host` is connected.
    pub(super) fn heard_of(&mut self, host: HostId) {
        self.watch.silent.remove(&host);
    }

    /// `host` has no connection any more, or not yet.
    pub(super) fn unheard_of(&mut self, now: Timestamp, host: HostId) {
        let Some(known) = self.proposed.hosts().get(host) else { return };
        let soon = now.after(self.config.terms.suspect);
        let at = match known.state {
            HostState::Ready => soon,
            // Whoever takes over gives it time to connect again.
            HostState::Suspected => soon.max(known.since.after(self.config.terms.lose)),
            HostState::Lost | HostState::Unknown => return,
        };
        self.watch.silent.insert(host, at);
    }

    /// Nobody is connected yet when an epoch begins.
    pub(super) fn unheard_of_all(&mut self, now: Timestamp) {
        let hosts: Vec<_> = self.proposed.hosts().iter().map(|host| host.id).collect();
        for host in hosts {
            self.unheard_of(now, host);
        }
    }

    /// Do what is due about hosts.
    pub(super) fn watch(&mut self, now: Timestamp) {
        let due = |at: &Timestamp| *at <= now;
        let silent: Vec<_> =
            self.watch.silent.iter().filter(|(_, at)| due(at)).map(|(host, _)| *host).collect();
        for host in silent {
            self.watch.silent.remove(&host);
            self.silence(now, host);
        }
        let sweeps: Vec<_> =
            self.watch.sweeps.iter().filter(|(_, at)| due(at)).map(|(what, _)| *what).collect();
        for (host, sandbox) in sweeps {
            self.watch.sweeps.remove(&(host, sandbox));
            self.sweep(now, host, sandbox);
        }
    }

    /// A host was out of reach for as long as there was patience for.
    fn silence(&mut self, now: Timestamp, host: HostId) {
        let Some(known) = self.proposed.hosts().get(host) else { return };
        let incarnation = known.incarnation;
        match known.state {
            HostState::Ready => {
                self.host_event(now, host, Actor::Engine, HostEvent::Suspected { incarnation });
                self.watch.silent.insert(host, now.after(self.config.terms.lose));
            }
            HostState::Suspected => {
                self.host_event(now, host, Actor::Engine, HostEvent::Lost { incarnation });
                self.agenda.extend(self.proposed.hosts().residents(host));
            }
            HostState::Unknown | HostState::Lost => {}
        }
    }

    /// Record what happened to a host. Says whether it is recorded: a profile that is too large is not taken in, and
    /// its host stays as it was and gets no work.
    pub(super) fn host_event(
        &mut self,
        now: Timestamp,
        host: HostId,
        actor: Actor,
        event: HostEvent,
    ) -> bool {
        let (subject, cause, event) = (Subject::Host(host), Cause::Host, Event::Host(event));
        let proposal = Proposal { subject, organization: GENERAL, actor, cause, correlation: None, event };
        self.propose(now, proposal).is_ok()
    }

    /// Whether `host` is neither suspected nor lost: only then is anything taken in of what it was to sweep.
    fn is_ready(&self, host: HostId) -> bool {
        self.proposed.hosts().get(host).is_some_and(|host| host.state == HostState::Ready)
    }

    /// A sandbox that is owed nothing else may be owed the news that its host is lost.
    pub(super) fn bereave(&mut self, now: Timestamp, id: SandboxId) {
        let Some(sandbox) = self.proposed.sandbox(id) else { return };
        if owe::loss(&self.proposed, sandbox, now).is_some() {
            self.watch.bereft.insert(id);
        }
    }

    /// Tell one of those whose host is lost, unless enough were told for the moment.
    pub(super) fn mourn(&mut self, now: Timestamp) -> bool {
        if self.watch.pause_until <= now {
            (self.watch.left, self.watch.pause_until) = (LOSSES_MOST, now.after(LOSSES_PACE));
        }
        if self.watch.left == 0 {
            return false;
        }
        let Some(id) = self.watch.bereft.pop_first() else { return false };
        self.watch.left -= 1;
        let lost = self.proposed.sandbox(id).and_then(|sandbox| owe::loss(&self.proposed, sandbox, now));
        if let Some(proposal) = lost {
            // What a loss says is small; a defect has halted the shard by itself.
            let _ = self.propose(now, proposal);
        }
        true
    }

    /// Have all removed that is left on a host which has just connected.
    pub(super) fn sweep_all(&mut self, now: Timestamp, host: HostId) {
        let left: Vec<_> = self.committed.hosts().left_on(host).collect();
        for sandbox in left {
            self.sweep(now, host, sandbox);
        }
    }

    /// Have removed what is left anywhere of sandboxes to which something has happened.
    pub(super) fn sweep_after(&mut self, now: Timestamp, touched: &[SandboxId]) {
        let hosts: Vec<_> = self.committed.hosts().with_leftovers().collect();
        for host in hosts {
            for sandbox in touched {
                self.sweep(now, host, *sandbox);
            }
        }
    }

    /// Have removed what is left of `sandbox` on `host`, once nobody needs it any more: it is gone, or it lives elsewhere.
    fn sweep(&mut self, now: Timestamp, host: HostId, sandbox: SandboxId) {
        let Some(leftover) = self.committed.hosts().leftover(host, sandbox) else { return };
        let needed =
            self.committed.sandbox(sandbox).is_some_and(|sandbox| owe::may_need_its_old_disk(sandbox));
        if needed || self.dispatch.stage(host) == Stage::Absent || !self.is_ready(host) {
            return;
        }
        if let Some(at) = leftover.retry_at.filter(|at| *at > now) {
            self.watch.sweeps.insert((host, sandbox), at);
            return;
        }
        let (shard, number) = (self.committed.shard(), leftover.number);
        if self.dispatch.claim(host, sandbox, number) {
            let order = Order { shard, sandbox, number, deadline: None, task: Task::Remove };
            self.outputs.push_back(Output::Call { host, call: HostCall::Do(order) });
        }
    }

    /// Take in what a host says of something it was to remove of a sandbox that is not there any more. Says whether the
    /// report is dealt with: what a host says that is out of reach waits until it is back, is told to remove it again
    /// and repeats it.
    pub(super) fn swept(&mut self, now: Timestamp, host: HostId, report: &Report) -> bool {
        let sandbox = report.sandbox;
        let left = self.proposed.hosts().leftover(host, sandbox);
        if left.is_none_or(|left| left.number != report.number) {
            return true;
        }
        let event = match &report.finding {
            Finding::Done(_) => HostEvent::Swept { sandbox },
            Finding::Failed(fault) => {
                let (fault, retry_at) = (fault.clone().clipped(), now.after(self.config.terms.retry_most));
                HostEvent::SweepFailed { sandbox, fault, retry_at }
            }
            Finding::Exited(_) => return true,
        };
        self.is_ready(host) && self.host_event(now, host, Actor::Host(host), event)
    }
}
