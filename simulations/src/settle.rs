//! The second phase: the faults stop, hosts come back, one writer is left, nobody asks for anything new. Everything has
//! to come to rest within bounds, and at rest the machines have to be what the log says.

use hourglass_events::{HostId, SandboxId, Span, State};
use hourglass_kernel::owe;

use crate::agenda::Due;
use crate::invariants::{Law, acknowledged_is_kept, broken, bytes_agree, no_orphans};
use crate::sim_engine::Engine;
use crate::world::World;

/// The longest that coming to rest may take: a fetch nobody can do, its failure, and the slowest retries after it, many
/// times over.
const REST_WITHIN: Span = Span::minutes(30);
/// How often it is looked whether all is at rest.
const LOOK_EVERY: Span = Span::seconds(5);
/// The most records that one sandbox may still need: half a life of every kind, and the failures on its way.
const RECORDS_EACH: u64 = 16;

impl World {
    /// Let the storm pass and everything come to rest.
    pub(crate) fn settle(&mut self) {
        self.stormy = false;
        self.say(format_args!("the storm is over"));
        self.log.set_full(false);
        let newest = self.engines.keys().next_back().copied();
        for old in self.engines.keys().copied().filter(|id| Some(*id) != newest).collect::<Vec<_>>() {
            self.crash(old);
        }
        self.agenda.put(self.now, Due::Open);
        for host in 0..self.hosts.len() {
            self.agenda.put(self.now.after(Span::seconds(3)), Due::Rise { host });
        }
        let records = self.truth.seq().0;
        let most =
            records + 64 + RECORDS_EACH * (self.truth.fleet().len() as u64 + self.clients.len() as u64);
        let until = self.now.after(REST_WITHIN);
        while self.violation.is_none() {
            let look = self.now.after(LOOK_EVERY);
            while self.violation.is_none() && self.step(look) {}
            let Some(what) = self.unrest() else { break };
            if self.now >= until || self.truth.seq().0 > most {
                let count = self.truth.seq().0 - records;
                let what = format!("after {REST_WITHIN} at most and {count} records {what}");
                self.judge(Err(broken(Law::Settles, what)));
            }
        }
        self.at_rest();
    }

    /// What is not at rest, if something is not.
    fn unrest(&self) -> Option<String> {
        if !self.is_served() {
            return Some("no writer serves".to_owned());
        }
        let behind = |engine: &Engine| engine.shard.committed().seq() != self.truth.seq();
        if self.engines.values().any(behind) {
            return Some("a writer has not heard of its last group".to_owned());
        }
        if let Some(at) = self.clients.iter().position(|client| client.waits.is_some()) {
            return Some(format!("client {at} still waits"));
        }
        for sandbox in self.truth.fleet().sandboxes() {
            let owed = sandbox.work.is_some() || sandbox.intent.is_some();
            let forked = self.truth.fleet().kin().forks(sandbox.id).len() > 0;
            let ending = sandbox.state == State::Stopped && sandbox.is_ephemeral() && !forked;
            if owed || ending || sandbox.state.is_in(State::IN_FLIGHT) {
                return Some(format!(
                    "sandbox {} is still {} on {:?}",
                    sandbox.id, sandbox.state, sandbox.host
                ));
            }
        }
        if let Some(busy) = self.truth.fleet().known_snapshots().busy().next() {
            return Some(format!("a host still owes snapshot {busy} something"));
        }
        if let Some((host, sandbox)) = self.left_behind() {
            return Some(format!("something of {sandbox} is left on host {host}"));
        }
        for host in &self.hosts {
            let Some(agent) = &host.agent else { return Some(format!("host {} is away", host.id)) };
            if host.link.is_none() || !agent.is_at_rest() || agent.reports().next().is_some() {
                return Some(format!("host {} is busy or has something to say", host.id));
            }
        }
        None
    }

    /// What is left on a host of a sandbox that is gone or runs elsewhere. What failed keeps its old disk.
    fn left_behind(&self) -> Option<(HostId, SandboxId)> {
        let fleet = self.truth.fleet();
        let left = |host| fleet.hosts().left_on(host).map(move |sandbox| (host, sandbox));
        let needed = |id| fleet.sandbox(id).is_some_and(|sandbox| owe::may_need_its_old_disk(sandbox));
        fleet.hosts().with_leftovers().flat_map(left).find(|(_, sandbox)| !needed(*sandbox))
    }

    /// What must hold once all is at rest.
    fn at_rest(&mut self) {
        self.nothing_forgotten();
        let kept = acknowledged_is_kept(self.truth.fleet(), &self.told);
        self.judge(kept);
        let orphans = no_orphans(self.truth.fleet());
        self.judge(orphans);
        let live = self.engines.values().next_back().map(|engine| engine.shard.committed().clone());
        if let Some(live) = live {
            let checked = bytes_agree(&live, self.truth.fleet(), "live state and the log");
            self.judge(checked);
        }
        self.machines_agree();
        let state = self.truth.fleet().to_bytes();
        self.trace.bytes(&state);
    }
}
