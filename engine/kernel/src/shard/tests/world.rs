//! A world for one shard: virtual time, a log in memory that answers as it is told, hosts that do as they are told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use hourglass_events::{
    Activity, Actor, Capabilities, Class, Command, CorrelationId, Finding, GpuType, HostCall, HostId,
    HostNews, HostProfile, IdempotencyKey, Incarnation, Order, OrderNumber, OrganizationId, Report, Request,
    Resources, SandboxId, ShardNumber, Span, Timestamp,
};

use crate::log::{Outcome, Slot};
use crate::shard::{Input, Output, Replay, Reply, RequestId, Shard, ShardConfig};

/// Where virtual time begins.
pub(super) const START: Timestamp = Timestamp(1_700_000_000_000_000);
/// Whose sandboxes these are.
pub(super) const ORGANIZATION: OrganizationId = OrganizationId::from_u128(0xca11);
const SHARD: ShardNumber = ShardNumber(0);

/// What the log does with the next append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whim {
    /// It stores the frame, but the answer is lost.
    DoubtStored,
    /// It loses the frame, and the answer with it.
    DoubtLost,
    /// It has no room.
    NoSpace,
}

/// The log: frames in slots, and what it is up to.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    pub(super) frames: Vec<Arc<[u8]>>,
    pub(super) whims: VecDeque<Whim>,
    pub(super) full: bool,
    /// Nothing is answered while it hangs.
    pub(super) hangs: bool,
}

impl Log {
    fn append(&mut self, slot: Slot, frame: &Arc<[u8]>) -> Outcome {
        let next = self.frames.len() as u64 + 1;
        match self.whims.pop_front() {
            Some(Whim::DoubtLost) => return Outcome::Doubtful,
            Some(Whim::NoSpace) => return Outcome::NoSpace,
            None if self.full => return Outcome::NoSpace,
            Some(Whim::DoubtStored) if slot.0 == next => {
                self.frames.push(Arc::clone(frame));
                return Outcome::Doubtful;
            }
            Some(Whim::DoubtStored) | None => {}
        }
        assert!(slot.0 <= next, "slot {slot} is asked for and {next} is the next");
        if slot.0 < next {
            return Outcome::Occupied;
        }
        self.frames.push(Arc::clone(frame));
        Outcome::Durable
    }

    fn read(&self, slot: Slot) -> Option<Arc<[u8]>> {
        let index = usize::try_from(slot.0).ok()?.checked_sub(1)?;
        self.frames.get(index).cloned()
    }

    /// The log folded from its beginning.
    pub(super) fn replay(&self) -> Replay {
        let mut replay = Replay::new(SHARD, 1);
        for frame in &self.frames {
            replay.feed(frame, |_| {}).expect("what was written can be read");
        }
        replay
    }
}

/// A host as the world sees it.
#[derive(Debug, Clone, Default)]
pub(super) struct SimHost {
    pub(super) life: u64,
    pub(super) orders: Vec<Order>,
    pub(super) unheard: BTreeSet<u64>,
}

/// One shard and all around it.
#[derive(Debug)]
pub(super) struct World {
    pub(super) shard: Shard,
    pub(super) now: Timestamp,
    pub(super) log: Log,
    pub(super) hosts: BTreeMap<HostId, SimHost>,
    /// What the shard said, but for appends, since somebody last listened.
    pub(super) heard: Vec<Output>,
    pub(super) replies: BTreeMap<RequestId, Reply>,
    waiting: Option<Input>,
    requests: u64,
    serials: u64,
    config: ShardConfig,
}

impl World {
    /// A shard that serves, on an empty log.
    pub(super) fn new() -> Self {
        Self::with(ShardConfig::new(1))
    }

    pub(super) fn with(config: ShardConfig) -> Self {
        let shard = Replay::new(SHARD, 1).open(config.clone(), START).expect("an empty log can be opened");
        let mut world = Self {
            shard,
            now: START,
            log: Log::default(),
            hosts: BTreeMap::new(),
            heard: Vec::new(),
            replies: BTreeMap::new(),
            waiting: None,
            requests: 0,
            serials: 0,
            config,
        };
        world.drain();
        world.heard.clear();
        world
    }

    /// Tell the shard something and do what it wants.
    pub(super) fn feed(&mut self, input: Input) {
        self.shard.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            while let Some(output) = self.shard.poll() {
                match &output {
                    Output::Append { slot, frame } => {
                        assert!(self.waiting.is_none(), "one group is in flight");
                        if self.log.hangs {
                            self.waiting = None;
                            continue;
                        }
                        let outcome = self.log.append(*slot, frame);
                        self.waiting = Some(Input::Appended { slot: *slot, outcome });
                        continue;
                    }
                    Output::Read { slot } => {
                        self.waiting = Some(Input::Read { slot: *slot, frame: self.log.read(*slot) });
                        continue;
                    }
                    Output::Call { host, call } => self.called(*host, call),
                    Output::Reply { request, reply } => {
                        let before = self.replies.insert(*request, reply.clone());
                        assert!(before.is_none(), "one request has one reply");
                    }
                    Output::Committed(_) | Output::Halted(_) => {}
                }
                self.heard.push(output);
            }
            let Some(input) = self.waiting.take() else { return };
            self.shard.handle(self.now, input);
        }
    }

    fn called(&mut self, host: HostId, call: &HostCall) {
        let host = self.hosts.get_mut(&host).expect("only hosts that joined are called");
        match call {
            HostCall::Do(order) => host.orders.push(order.clone()),
            HostCall::Acknowledge { serial } => {
                host.unheard.remove(serial);
            }
            HostCall::AskUse { .. } => {}
        }
    }

    /// Ask for something, as `organization`.
    pub(super) fn ask(
        &mut self,
        organization: OrganizationId,
        key: Option<&str>,
        command: Command,
    ) -> RequestId {
        self.requests += 1;
        let id = RequestId(self.requests);
        let request = Request {
            organization,
            actor: Actor::Client("tester".to_owned()),
            key: key.map(|key| IdempotencyKey::new(key).expect("a key")),
            correlation: CorrelationId::from_u128(self.requests.into()),
            command,
        };
        self.feed(Input::Request { id, request: Box::new(request) });
        id
    }

    /// A host joins; it has yet to repeat what was not acknowledged.
    pub(super) fn join(&mut self, host: HostId, classes: Vec<Class>, capacity: Resources) {
        let gpu_type = (capacity.gpu > 0).then_some(GpuType::H100);
        let capabilities = Capabilities::all();
        let (incarnation, region) = (Incarnation(0), "local".to_owned());
        self.join_as(HostProfile { host, incarnation, region, classes, capacity, gpu_type, capabilities });
    }

    /// As [`World::join`], with this profile but for the host's life.
    pub(super) fn join_as(&mut self, profile: HostProfile) {
        let host = profile.host;
        let sim = self.hosts.entry(host).or_default();
        sim.life = sim.life.max(1);
        let profile = HostProfile { incarnation: Incarnation(sim.life), ..profile };
        self.feed(Input::News { host, news: HostNews::Joined(Box::new(profile)) });
    }

    pub(super) fn synced(&mut self, host: HostId) {
        self.feed(Input::News { host, news: HostNews::Synced });
    }

    pub(super) fn report(
        &mut self,
        host: HostId,
        sandbox: SandboxId,
        number: OrderNumber,
        finding: Finding,
    ) -> u64 {
        self.serials += 1;
        let serial = self.serials;
        self.hosts.entry(host).or_default().unheard.insert(serial);
        let report = Report { serial, shard: SHARD, sandbox, number, finding };
        self.feed(Input::News { host, news: HostNews::Reported(report) });
        serial
    }

    pub(super) fn used(&mut self, host: HostId, sandbox: SandboxId, number: OrderNumber, age: Span) {
        let activity = Activity { sandbox, number, age };
        self.feed(Input::News { host, news: HostNews::Used(vec![activity]) });
    }

    /// Let time pass until `at`, waking the shard whenever it asks for it. What it says is left in `heard`.
    pub(super) fn pass(&mut self, at: Timestamp) {
        for _ in 0..100_000 {
            let Some((due, _)) = self.shard.deadline().filter(|(due, _)| *due <= at) else {
                self.now = self.now.max(at);
                return;
            };
            self.now = self.now.max(due);
            self.feed(Input::Tick);
        }
        panic!("the shard asks to be woken without end: {:?}", self.shard.deadline());
    }

    /// The engine is killed and started again. Hosts have to join anew.
    pub(super) fn crash(&mut self) {
        self.waiting = None;
        self.replies.clear();
        let replay = self.log.replay();
        self.config.nonce += 1;
        self.shard = replay.open(self.config.clone(), self.now).expect("the log can be opened again");
        self.drain();
    }
}
