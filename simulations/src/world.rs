//! The world: all parts, one queue of what is due, and the judge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hourglass_events::{Event, OrganizationId, Span, Subject, Timestamp};
use hourglass_kernel::Input;

use crate::agenda::{Agenda, Due};
use crate::coverage::Edge;
use crate::dice::Dice;
use crate::invariants::{
    Checked, Violation, hash_agrees, kin_holds, names_unique, never_stopped_early, no_gaps, only_table_edges,
};
use crate::machine::Store;
use crate::plan::Plan;
use crate::sim_client::SimClient;
use crate::sim_engine::{Engine, EngineId};
use crate::sim_host::SimHost;
use crate::sim_log::SimLog;
use crate::trace::{DAWN, Trace};
use crate::truth::{Fact, Truth};

/// The streams of draws that belong to no single host or client.
#[derive(Debug)]
pub(crate) struct Streams {
    pub(crate) log: Dice,
    pub(crate) engine: Dice,
    pub(crate) net: Dice,
}

/// All parts of a run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) now: Timestamp,
    /// Whether faults happen.
    pub(crate) stormy: bool,
    pub(crate) agenda: Agenda,
    pub(crate) trace: Trace,
    pub(crate) dice: Streams,
    pub(crate) log: SimLog,
    pub(crate) truth: Truth,
    pub(crate) engines: BTreeMap<EngineId, Engine>,
    pub(crate) hosts: Vec<SimHost>,
    pub(crate) clients: Vec<SimClient>,
    /// Object storage, which all hosts share.
    pub(crate) store: Store,
    /// The latest checkpoint, on some disk.
    pub(crate) checkpoint: Option<Vec<u8>>,
    /// How far each writer's clock is ahead, by its nonce.
    pub(crate) clocks: BTreeMap<u128, Span>,
    /// What was acknowledged to clients, by key.
    pub(crate) told: BTreeMap<(OrganizationId, String), Subject>,
    pub(crate) edges: BTreeSet<Edge>,
    pub(crate) opened: u64,
    pub(crate) links: u64,
    /// How many inputs writers were given.
    pub(crate) steps: u64,
    pub(crate) violation: Option<Violation>,
}

impl World {
    /// The world of `plan` at its dawn.
    pub(crate) fn new(plan: Plan, trace: Trace) -> Self {
        let seed = plan.seed;
        let stream = |name| Dice::named(seed, name, 0);
        let hosts = (0..plan.hosts).map(|index| SimHost::new(seed, index, plan.room, DAWN)).collect();
        let organization = |index| OrganizationId::from_u128(u128::from(index % plan.organizations) + 1);
        let clients = (0..plan.clients)
            .map(|index| SimClient::new(seed, index, organization(index), index < plan.organizations))
            .collect();
        let mut world = Self {
            now: DAWN,
            stormy: true,
            agenda: Agenda::default(),
            trace,
            dice: Streams { log: stream("log"), engine: stream("engine"), net: stream("net") },
            log: SimLog::default(),
            truth: Truth::new(),
            engines: BTreeMap::new(),
            hosts,
            clients,
            store: Store::default(),
            checkpoint: None,
            clocks: BTreeMap::new(),
            told: BTreeMap::new(),
            edges: BTreeSet::new(),
            opened: 0,
            links: 0,
            steps: 0,
            violation: None,
            plan,
        };
        world.begin();
        world
    }

    /// Put down what happens by itself.
    fn begin(&mut self) {
        let second = Span::seconds(1);
        self.agenda.put(self.now, Due::Open);
        for host in 0..self.hosts.len() {
            self.agenda.put(self.now, Due::Rise { host });
            self.agenda.put(self.now.after(second), Due::Command { host });
            if let Some(every) = self.plan.host.die_every {
                let wait = self.hosts[host].dice.pause(every);
                self.agenda.put(self.now.after(wait), Due::Die { host });
            }
            if let Some(every) = self.plan.host.unlink_every {
                let wait = self.hosts[host].dice.pause(every);
                self.agenda.put(self.now.after(wait), Due::Unlink { host });
            }
        }
        for client in 0..self.clients.len() {
            self.agenda.put(self.now.after(second), Due::Act { client });
        }
        let wait = self.dice.engine.pause(self.plan.engine.checkpoint_every);
        self.agenda.put(self.now.after(wait), Due::Checkpoint);
        if let Some(every) = self.plan.engine.rival_every {
            let wait = self.dice.engine.pause(every);
            self.agenda.put(self.now.after(wait), Due::Rival);
        }
        if let Some(every) = self.plan.log.full_every {
            let wait = self.dice.log.pause(every);
            self.agenda.put(self.now.after(wait), Due::Full);
        }
    }

    /// Let whatever is due next happen, unless that is after `until`. Whether something did.
    pub(crate) fn step(&mut self, until: Timestamp) -> bool {
        let due = self.agenda.next_at();
        let wakes = self.wakes().filter(|(at, _)| due.is_none_or(|due| *at < due));
        match (wakes, due) {
            (Some((at, engine)), _) if at <= until => {
                self.now = self.now.max(at);
                self.wake(engine);
                true
            }
            (None, Some(at)) if at <= until => {
                self.now = at;
                let Some(due) = self.agenda.take() else { return false };
                self.happen(due);
                true
            }
            (Some(_) | None, Some(_) | None) => {
                self.now = until;
                false
            }
        }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Append { engine, slot, frame } => self.append(engine, slot, frame),
            Due::Straggler { slot, frame } => self.straggler(slot, &frame),
            Due::Answer { engine, slot, outcome } => self.feed(engine, Input::Appended { slot, outcome }),
            Due::Content { engine, slot } => {
                let frame = self.content(slot);
                self.feed(engine, Input::Read { slot, frame });
            }
            Due::Full => self.run_full(true),
            Due::Roomy => self.run_full(false),
            Due::Open => {
                if self.engines.is_empty() {
                    self.open();
                }
            }
            Due::Rival => self.rival(),
            Due::Retire(engine) => self.crash(engine),
            Due::Checkpoint => self.write_checkpoint(),
            Due::Link { host } => self.link(host),
            Due::Unlink { host } => self.break_link(host),
            Due::Gone { engine, host, link } => self.gone(engine, host, link),
            Due::News { engine, host, link, news } => self.news(engine, host, link, *news),
            Due::Call { host, life, link, call } => self.called(host, life, link, *call),
            Due::StepEnds { host, life, run } => self.step_ends(host, life, run),
            Due::Exits { host, sandbox, spawn } => self.exits(host, sandbox, spawn),
            Due::Ages { host, life } => self.ages(host, life),
            Due::Command { host } => self.command(host),
            Due::CommandEnds { host, life, sandbox, number } => {
                self.command_ends(host, life, sandbox, number);
            }
            Due::Die { host } => self.die(host),
            Due::Rise { host } => self.rise(host),
            Due::Act { client } => self.act_client(client),
            Due::Request { client, attempt, engine, request } => self.asked(client, attempt, engine, request),
            Due::Told { client, attempt, reply } => self.told(client, attempt, &reply),
            Due::Impatient { client, attempt } => self.impatient(client, attempt),
        }
    }

    fn run_full(&mut self, full: bool) {
        self.log.set_full(full);
        if let Some(every) = self.plan.log.full_every.filter(|_| self.stormy) {
            let wait = self.dice.log.pause(if full { Span::seconds(5) } else { every });
            self.agenda.put(self.now.after(wait), if full { Due::Roomy } else { Due::Full });
        }
    }

    fn break_link(&mut self, host: usize) {
        if let Some(every) = self.plan.host.unlink_every.filter(|_| self.stormy) {
            let wait = self.hosts[host].dice.pause(every);
            self.agenda.put(self.now.after(wait), Due::Unlink { host });
            self.unlink(host);
        }
    }

    /// A frame became durable: let the judge see each record.
    pub(crate) fn stored(&mut self, frame: &Arc<[u8]>) {
        match self.truth.store(frame) {
            Ok(facts) => facts.iter().for_each(|fact| self.weigh(fact)),
            Err(violation) => self.judge(Err(violation)),
        }
    }

    fn weigh(&mut self, fact: &Fact) {
        let record = &fact.record;
        self.say(format_args!(
            "rec {} {} v{} {} ({}) {:?}",
            record.seq,
            record.subject,
            record.version,
            record.event.name(),
            record.cause,
            fact.after.as_ref().map(|sandbox| sandbox.state)
        ));
        let (last, version) = self.truth.note(fact);
        self.judge(no_gaps(fact, last, version));
        let checked = hash_agrees(&self.truth, &record.event);
        self.judge(checked);
        if let Event::Sandbox(event) = &record.event {
            match only_table_edges(fact, event) {
                Ok(edge) => {
                    self.edges.insert(edge);
                }
                Err(violation) => self.judge(Err(violation)),
            }
            let checked = self.idle_stop(fact);
            self.judge(checked);
        }
        let checked = names_unique(self.truth.fleet()).and_then(|()| kin_holds(self.truth.fleet()));
        self.judge(checked);
    }

    fn idle_stop(&self, fact: &Fact) -> Checked {
        let (Some(before), Event::Sandbox(event)) = (&fact.before, &fact.record.event) else { return Ok(()) };
        let uses = self.hosts.iter().find(|host| Some(host.id) == before.host);
        let uses = uses.map_or(&[][..], |host| host.uses(before.id));
        let ahead = self.clocks.get(&fact.nonce).copied().unwrap_or_default();
        let decided = fact.record.at.after(self.plan.skew).before(ahead);
        // What a host says takes as long as messages take, and counts for a second; two clocks differ by twice the skew.
        let slack = Span(self.plan.latency.0 + 1_000_000 + 2 * self.plan.skew.0);
        never_stopped_early(before, fact.record.at, event, uses, decided.min(self.now), slack)
    }

    /// Take note of a law that did not hold. The first one counts.
    pub(crate) fn judge(&mut self, checked: Checked) {
        if let Err(violation) = checked
            && self.violation.is_none()
        {
            self.trace.say(self.now, format_args!("!! {violation}"));
            self.violation = Some(violation);
        }
    }

    /// Tell the story.
    pub(crate) fn say(&mut self, what: std::fmt::Arguments<'_>) {
        self.trace.say(self.now, what);
    }
}
