//! The connections between hosts and writers: each in order, with latency, broken now and then; what was on its way on
//! a broken one may still arrive after the next was made.

use hourglass_events::{HostCall, HostNews, Timestamp};
use hourglass_kernel::Input;
use hourglass_kernel::shard::Phase;

use crate::agenda::Due;
use crate::sim_engine::EngineId;
use crate::world::World;

/// The how-many-eth connection of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub(crate) u64);

/// A connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) id: LinkId,
    pub(crate) engine: EngineId,
    /// When what was said last arrives on the other side: what follows does not overtake it.
    said: Timestamp,
    heard: Timestamp,
}

impl World {
    /// A host connects to a writer that serves, if there is one; otherwise it tries again.
    pub(crate) fn link(&mut self, host: usize) {
        if self.hosts[host].agent.is_none() || self.hosts[host].link.is_some() {
            return;
        }
        let Some(engine) = self.some_engine(host) else {
            let wait = self.hosts[host].dice.pause(RETRY);
            return self.agenda.put(self.now.after(wait), Due::Link { host });
        };
        self.links += 1;
        let id = LinkId(self.links);
        self.say(format_args!("h{host} links to e{} ({})", engine.0, id.0));
        self.hosts[host].link = Some(Link { id, engine, said: self.now, heard: self.now });
        let moment = self.hosts[host].moment(self.now);
        if let Some(agent) = &mut self.hosts[host].agent {
            agent.handle_link(moment);
        }
        self.act(host);
    }

    /// The newest writer that serves; in a storm sometimes one that was replaced.
    fn some_engine(&mut self, host: usize) -> Option<EngineId> {
        let serving = |world: &Self, id: EngineId| {
            world.engines.get(&id).is_some_and(|engine| engine.shard.phase() == Phase::Serving)
        };
        let newest = self.engines.keys().next_back().copied();
        let oldest = self.engines.keys().next().copied();
        let astray = self.hosts[host].dice.chance(self.plan.engine.astray) && self.stormy;
        let chosen = if astray { oldest } else { newest };
        chosen.or(newest).filter(|id| serving(self, *id))
    }

    /// The connection of a host breaks, and it tries to make another.
    pub(crate) fn unlink(&mut self, host: usize) {
        let Some(link) = self.hosts[host].link.take() else { return };
        self.say(format_args!("h{host} unlinked from e{} ({})", link.engine.0, link.id.0));
        let (gone, again) = (self.hosts[host].dice.wait(RETRY), self.hosts[host].dice.pause(RETRY));
        self.agenda.put(self.now.after(gone), Due::Gone { engine: link.engine, host, link: link.id });
        self.agenda.put(self.now.after(again), Due::Link { host });
    }

    /// Break every connection to a writer that is no more.
    pub(crate) fn unlink_all(&mut self, engine: EngineId) {
        for host in 0..self.hosts.len() {
            if self.hosts[host].link.is_some_and(|link| link.engine == engine) {
                self.unlink(host);
            }
        }
    }

    /// A writer learns that a connection is gone, unless the host has made another to it already.
    pub(crate) fn gone(&mut self, engine: EngineId, host: usize, link: LinkId) {
        let newer = self.hosts[host].link.is_some_and(|now| now.engine == engine && now.id > link);
        if !newer {
            let host = self.hosts[host].id;
            self.feed(engine, Input::HostGone { host });
        }
    }

    /// A host says something to the writer it is connected to.
    pub(crate) fn tell(&mut self, host: usize, news: HostNews) {
        let latency = self.plan.latency;
        let sim = &mut self.hosts[host];
        let Some(link) = &mut sim.link else { return };
        let arrives = self.now.after(sim.dice.wait(latency)).max(link.said);
        link.said = arrives;
        let (id, engine) = (link.id, link.engine);
        let again = matches!(news, HostNews::Reported(_)) && sim.dice.chance(self.plan.host.twice);
        if again && self.stormy {
            let at = arrives.after(sim.dice.wait(RETRY));
            self.agenda.put(at, Due::News { engine, host, link: id, news: Box::new(news.clone()) });
        }
        self.agenda.put(arrives, Due::News { engine, host, link: id, news: Box::new(news) });
    }

    /// News arrives. On a connection that is no more only a report may, late.
    pub(crate) fn news(&mut self, engine: EngineId, host: usize, link: LinkId, news: HostNews) {
        let sim = &mut self.hosts[host];
        let present = sim.link.is_some_and(|now| now.id == link);
        let late = sim.dice.chance(self.plan.host.straggles) && matches!(news, HostNews::Reported(_));
        if !present && !late {
            return;
        }
        let id = sim.id;
        if self.engines.contains_key(&engine) {
            match &news {
                HostNews::Joined(profile) => {
                    self.say(format_args!(
                        "e{} hears h{host} joined, life {}",
                        engine.0, profile.incarnation
                    ));
                }
                HostNews::Reported(report) => {
                    self.say(format_args!(
                        "e{} hears h{host} report {} on {} order {}: {:?}",
                        engine.0, report.serial, report.sandbox, report.number, report.finding
                    ));
                }
                HostNews::Used(ages) => self.say(format_args!("e{} hears h{host} ages {ages:?}", engine.0)),
                HostNews::Synced => self.say(format_args!("e{} hears h{host} synced", engine.0)),
            }
        }
        self.feed(engine, Input::News { host: id, news });
    }

    /// A writer says something to a host, if that is connected to it.
    pub(crate) fn call(&mut self, engine: EngineId, host: usize, call: HostCall) {
        let latency = self.plan.latency;
        let sim = &mut self.hosts[host];
        let life = sim.life;
        let Some(link) = sim.link.as_mut().filter(|link| link.engine == engine) else { return };
        let arrives = self.now.after(sim.dice.wait(latency)).max(link.heard);
        link.heard = arrives;
        let id = link.id;
        let again = matches!(call, HostCall::Do(_)) && sim.dice.chance(self.plan.host.twice);
        if again && self.stormy {
            let at = arrives.after(sim.dice.wait(RETRY));
            self.agenda.put(at, Due::Call { host, life, link: id, call: Box::new(call.clone()) });
        }
        self.agenda.put(arrives, Due::Call { host, life, link: id, call: Box::new(call) });
    }

    /// A call arrives. On a connection that is no more it may, late, unless the agent died with it.
    pub(crate) fn called(&mut self, host: usize, life: u64, link: LinkId, call: HostCall) {
        let sim = &mut self.hosts[host];
        let present = sim.link.is_some_and(|now| now.id == link);
        let late = sim.dice.chance(self.plan.host.straggles);
        if sim.life != life || sim.agent.is_none() || !(present || late) {
            return;
        }
        match &call {
            HostCall::Do(order) => {
                let (id, number, task) = (order.sandbox, order.number, order.task.kind());
                self.say(format_args!("h{host} ordered {number} for {id}: {task}"));
            }
            HostCall::Acknowledge { serial } => {
                self.say(format_args!("h{host} report {serial} acknowledged"));
            }
            HostCall::AskUse { sandbox, number, .. } => {
                self.say(format_args!("h{host} asked for the use of {sandbox}, life {number}"));
            }
        }
        self.take_call(host, call);
    }
}

/// The longest wait before a connection is made anew.
const RETRY: hourglass_events::Span = hourglass_events::Span::seconds(1);
