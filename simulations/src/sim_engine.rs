//! Writers: each is the real shard, opened from the log, dying at any step, sometimes two of them at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use hourglass_events::{HostCall, IdempotencyKey, Report, Request, Span, Subject, Timestamp};
use hourglass_kernel::shard::Phase;
use hourglass_kernel::{
    Accepted, Checkpoint, Halt, Input, Output, Replay, ReplayError, Reply, RequestId, Shard, ShardConfig,
};

use crate::agenda::Due;
use crate::invariants::{
    Law, acknowledged_is_kept, broken, bytes_agree, folds_agree, nothing_leaves_early, order_is_durable,
    reply_is_true, report_is_heard,
};
use crate::plan::Planted;
use crate::truth::SHARD;
use crate::world::World;

/// The how-many-eth writer of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EngineId(pub(crate) u64);

/// A writer that is alive.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) shard: Shard,
    /// How far its clock is ahead, plus the most that one can be behind.
    ahead: Span,
    asked: BTreeMap<RequestId, Asked>,
    requests: u64,
    /// Reports it has heard and not acknowledged, by host and serial.
    heard: BTreeMap<(usize, u64), Report>,
}

/// A request that waits for its reply.
#[derive(Debug)]
struct Asked {
    client: usize,
    attempt: u64,
    /// Under which key it is recorded, if it is.
    recorded: Option<IdempotencyKey>,
}

impl World {
    /// A writer's clock. Clocks are right, ahead or behind by at most the plan's skew, and never change.
    fn clock(&self, ahead: Span) -> Timestamp {
        self.now.before(self.plan.skew).after(ahead)
    }

    /// When a writer wants to be woken, in true time.
    pub(crate) fn wakes(&self) -> Option<(Timestamp, EngineId)> {
        let due = |(id, engine): (&EngineId, &Engine)| {
            let (at, _) = engine.shard.deadline()?;
            Some((at.after(self.plan.skew).before(engine.ahead), *id))
        };
        self.engines.iter().filter_map(due).min()
    }

    /// Open a writer from the log: from its beginning, or from the checkpoint and the rest.
    pub(crate) fn open(&mut self) {
        self.nothing_forgotten();
        let from_zero = self.fold(Replay::new(SHARD, 1));
        let from_checkpoint = self.saved().map(|saved| self.fold(Replay::from_checkpoint(saved)));
        let folded = match (from_zero, from_checkpoint.transpose()) {
            (Ok(zero), Ok(tail)) => (zero, tail),
            (Err(error), _) | (_, Err(error)) => {
                return self
                    .judge(Err(broken(Law::ChainIntact, format!("the log cannot be replayed: {error}"))));
            }
        };
        let (zero, tail) = folded;
        let kept = acknowledged_is_kept(zero.fleet(), &self.told);
        self.judge(kept);
        let checked = bytes_agree(zero.fleet(), self.truth.fleet(), "replay from zero and the judge's fold");
        self.judge(checked);
        if let Some(tail) = &tail {
            let checked =
                bytes_agree(zero.fleet(), tail.fleet(), "replay from zero and checkpoint with tail");
            self.judge(checked);
        }
        self.start(tail.unwrap_or(zero));
    }

    fn start(&mut self, replay: Replay) {
        let ahead = Span(self.dice.engine.between(0, 2 * self.plan.skew.0));
        let config = ShardConfig {
            terms: self.plan.terms(),
            build: "simulated".to_owned(),
            staged: self.plan.staged,
            ..ShardConfig::new(self.dice.engine.id())
        };
        let nonce = config.nonce;
        let record = replay.fleet().seq();
        match replay.open(config, self.clock(ahead)) {
            Ok(shard) => {
                self.opened += 1;
                let id = EngineId(self.opened);
                self.say(format_args!("e{} opens after record {record}", id.0));
                self.clocks.insert(nonce, ahead);
                let (asked, heard) = (BTreeMap::new(), BTreeMap::new());
                // From here on what was there before is old; it does not live on for ever.
                for old in self.engines.keys().copied().collect::<Vec<_>>() {
                    let wait = self.dice.engine.wait(RETIRE);
                    self.agenda.put(self.now.after(wait), Due::Retire(old));
                }
                self.engines.insert(id, Engine { shard, ahead, asked, requests: 0, heard });
                self.drain(id);
            }
            Err(ReplayError::ClockBehind { behind, .. }) => {
                self.say(format_args!("a writer's clock is {behind} behind, it does not open"));
                self.agenda.put(self.now.after(Span::seconds(1)), Due::Open);
            }
            Err(error) => self.judge(Err(broken(Law::NoDefects, error.to_string()))),
        }
    }

    fn fold(&self, mut replay: Replay) -> Result<Replay, ReplayError> {
        while let Some(frame) = self.log.read(replay.next_slot()) {
            replay.fold(frame, |_, _, _| {})?;
        }
        Ok(replay)
    }

    fn saved(&mut self) -> Option<Checkpoint> {
        match Checkpoint::from_bytes(self.checkpoint.as_ref()?) {
            Ok(saved) => Some(saved),
            Err(error) => {
                self.judge(Err(broken(Law::FoldsAgree, error.to_string())));
                None
            }
        }
    }

    /// Some writer writes a checkpoint and records its digest.
    pub(crate) fn write_checkpoint(&mut self) {
        if self.stormy {
            let wait = self.dice.engine.pause(self.plan.engine.checkpoint_every);
            self.agenda.put(self.now.after(wait), Due::Checkpoint);
        }
        let Some((id, engine)) = self.engines.iter().next_back() else { return };
        let id = *id;
        let saved = engine.shard.checkpoint();
        let (through, bytes) = (saved.fleet.seq(), saved.fleet.to_bytes());
        self.checkpoint = Some(saved.to_bytes());
        self.say(format_args!("e{} checkpoints record {through}", id.0));
        let hash = hourglass_events::Digest::of(&bytes);
        self.feed(id, Input::StateHashed { through, hash });
    }

    /// A rival takes over, whoever lives.
    pub(crate) fn rival(&mut self) {
        if let Some(every) = self.plan.engine.rival_every.filter(|_| self.stormy) {
            let wait = self.dice.engine.pause(every);
            self.agenda.put(self.now.after(wait), Due::Rival);
            self.open();
        }
    }

    /// A writer dies. What it had said is on its way; what it had not said is lost.
    pub(crate) fn crash(&mut self, id: EngineId) {
        if self.engines.remove(&id).is_none() {
            return;
        }
        self.say(format_args!("e{} crashes", id.0));
        if self.plan.planted == Some(Planted::FrameDropped) {
            self.log.forget_last();
        }
        self.lost(id);
    }

    fn lost(&mut self, id: EngineId) {
        self.unlink_all(id);
        if self.engines.is_empty() {
            let wait = self.dice.engine.pause(Span::seconds(2));
            self.agenda.put(self.now.after(wait), Due::Open);
        }
    }

    /// Tell a writer something, and do what it asks.
    pub(crate) fn feed(&mut self, id: EngineId, input: Input) {
        let Some(engine) = self.engines.get(&id) else { return };
        let now = self.clock(engine.ahead);
        if let Input::News { host, news: hourglass_events::HostNews::Reported(report) } = &input {
            let host = self.hosts.iter().position(|sim| sim.id == *host);
            if let (Some(host), Some(engine)) = (host, self.engines.get_mut(&id)) {
                engine.heard.insert((host, report.serial), report.clone());
            }
        }
        self.steps += 1;
        if let Some(engine) = self.engines.get_mut(&id) {
            engine.shard.handle(now, input);
        }
        self.drain(id);
    }

    /// A request reaches a writer.
    pub(crate) fn asked(&mut self, client: usize, attempt: u64, id: EngineId, request: Box<Request>) {
        let Some(engine) = self.engines.get_mut(&id) else { return };
        let now = self.now.before(self.plan.skew).after(engine.ahead);
        engine.requests += 1;
        self.steps += 1;
        let number = RequestId(engine.requests);
        let key = request.key.clone();
        let organization = request.organization;
        engine.shard.handle(now, Input::Request { id: number, request });
        let fleet = engine.shard.proposed();
        let used = key.as_ref().and_then(|key| fleet.keys().get(organization, key)).copied();
        engine.asked.insert(number, Asked { client, attempt, recorded: key.filter(|_| used.is_some()) });
        if self.plan.planted == Some(Planted::EarlyReply)
            && let Some(used) = used
        {
            let seq = fleet.seq();
            let reply = Ok(Accepted { subject: used.subject, seq, sandbox: None });
            self.reply(id, number, reply);
        }
        self.drain(id);
    }

    fn drain(&mut self, id: EngineId) {
        while let Some(output) = self.engines.get_mut(&id).and_then(|engine| engine.shard.poll()) {
            self.output(id, output);
            if self.dice.engine.chance(self.plan.engine.crash) && self.stormy {
                return self.crash(id);
            }
        }
        self.live_is_truth(id);
    }

    /// What a writer takes to be committed is what the log holds.
    fn live_is_truth(&mut self, id: EngineId) {
        let Some(engine) = self.engines.get(&id) else { return };
        let live = engine.shard.checkpoint();
        let checked = match self.truth.after(live.mark.slot) {
            Some(held) if held.seq() == live.fleet.seq() => {
                folds_agree(&live.fleet, held, "live state and the log")
            }
            held => Err(broken(
                Law::NothingLeavesEarly,
                format!(
                    "e{} takes slot {} to end with record {}, the log has {:?}",
                    id.0,
                    live.mark.slot,
                    live.fleet.seq(),
                    held.map(hourglass_kernel::Fleet::seq)
                ),
            )),
        };
        self.judge(checked);
    }

    fn output(&mut self, id: EngineId, output: Output) {
        match output {
            Output::Append { slot, frame } => {
                self.say(format_args!("e{} appends slot {slot}, {} bytes", id.0, frame.len()));
                let wait = self.dice.log.wait(self.plan.latency);
                self.agenda.put(self.now.after(wait), Due::Append { engine: id, slot, frame });
            }
            Output::Read { slot } => self.read(id, slot),
            Output::Committed(entries) => {
                self.slot_kept(id);
                if let Some(last) = entries.last() {
                    let seq = last.record.seq;
                    self.say(format_args!("e{} is told that record {seq} is durable", id.0));
                    let checked = nothing_leaves_early(&self.truth, seq, "a commit");
                    self.judge(checked);
                }
            }
            Output::Reply { request, reply } => self.reply(id, request, reply),
            Output::Call { host, call } => self.called_by(id, host, call),
            Output::Halted(why) => self.halted(id, &why),
        }
    }

    fn called_by(&mut self, id: EngineId, host: hourglass_events::HostId, call: HostCall) {
        let Some(host) = self.hosts.iter().position(|sim| sim.id == host) else {
            return self.judge(Err(broken(Law::NoDefects, format!("there is no host {host}"))));
        };
        let checked = match &call {
            HostCall::Do(order) => order_is_durable(&self.truth, order),
            HostCall::Acknowledge { serial } => {
                let heard =
                    self.engines.get_mut(&id).and_then(|engine| engine.heard.remove(&(host, *serial)));
                heard.map_or(Ok(()), |report| report_is_heard(&self.truth, self.hosts[host].id, &report))
            }
            HostCall::AskUse { number, .. } => {
                nothing_leaves_early(&self.truth, hourglass_events::Seq(number.0), "a question")
            }
        };
        self.judge(checked);
        self.call(id, host, call);
    }

    /// A reply leaves a writer.
    fn reply(&mut self, id: EngineId, number: RequestId, reply: Reply) {
        let Some(asked) = self.engines.get_mut(&id).and_then(|engine| engine.asked.remove(&number)) else {
            // The planted early reply has answered it.
            return;
        };
        if let Ok(accepted) = &reply {
            let checked = reply_is_true(&self.truth, accepted);
            self.judge(checked);
            if let Some(key) = &asked.recorded {
                self.remember_told(asked.client, key, accepted.subject);
            }
        }
        let (client, attempt) = (asked.client, asked.attempt);
        let lost = self.dice.net.chance(self.plan.client.told_lost) && self.stormy;
        let wait = self.dice.net.wait(self.plan.latency);
        if !lost {
            self.agenda.put(self.now.after(wait), Due::Told { client, attempt, reply: Box::new(reply) });
        }
    }

    fn remember_told(&mut self, client: usize, key: &IdempotencyKey, subject: Subject) {
        let organization = self.clients[client].organization;
        let first = *self.told.entry((organization, key.as_str().to_owned())).or_insert(subject);
        if first != subject {
            let what = format!("key {} meant {first} and then {subject}", key.as_str());
            self.judge(Err(broken(Law::RepeatsAgree, what)));
        }
    }

    fn halted(&mut self, id: EngineId, why: &Halt) {
        self.say(format_args!("e{} halts: {why}", id.0));
        let excused = match why {
            Halt::Fenced { .. } | Halt::Broken { .. } => true,
            // A rival's clock may be too far ahead of this one.
            Halt::Unreadable(error) => matches!(error, ReplayError::ClockBehind { .. }),
            Halt::Defect(_) => false,
        };
        if !excused {
            self.judge(Err(broken(Law::NoDefects, format!("e{} halted: {why}", id.0))));
        }
        self.engines.remove(&id);
        self.lost(id);
    }

    /// A writer that wanted to be woken is; if it does nothing and wants the same at once again, it spins.
    pub(crate) fn wake(&mut self, id: EngineId) {
        let before = self.engines.get(&id).and_then(|engine| engine.shard.deadline());
        let waits = self.agenda.put_count();
        self.feed(id, Input::Tick);
        let after = self.engines.get(&id).and_then(|engine| engine.shard.deadline());
        if before == after && before.is_some() && waits == self.agenda.put_count() {
            let what = format!("e{} is woken for {before:?} and does nothing about it", id.0);
            self.judge(Err(broken(Law::NoSpinning, what)));
        }
    }

    /// Whether a writer serves.
    pub(crate) fn is_served(&self) -> bool {
        self.engines.values().any(|engine| engine.shard.phase() == Phase::Serving)
    }

    /// The slot a writer takes for its own still holds what was first stored in it.
    fn slot_kept(&mut self, id: EngineId) {
        let Some(engine) = self.engines.get(&id) else { return };
        let slot = engine.shard.checkpoint().mark.slot;
        let (held, holds) = (self.truth.frame(slot), self.log.read(slot));
        let kept = held.zip(holds).is_some_and(|(held, holds)| Arc::ptr_eq(held, holds));
        if !kept {
            let what = format!("slot {slot}, which e{} was told is durable, is not what it was", id.0);
            self.judge(Err(broken(Law::NothingForgotten, what)));
        }
    }

    /// The log still holds all it ever held.
    pub(crate) fn nothing_forgotten(&mut self) {
        let same =
            self.truth.frames().iter().zip(self.log.frames()).all(|(one, other)| Arc::ptr_eq(one, other));
        let (held, holds) = (self.truth.frames().len(), self.log.frames().len());
        if !same || held != holds {
            let what = format!("the log held {held} slots and holds {holds}, the same bytes: {same}");
            self.judge(Err(broken(Law::NothingForgotten, what)));
        }
    }
}

/// The longest that a writer lives on after a rival took over.
const RETIRE: Span = Span::seconds(60);
