//! A client: asks for one thing after the other, repeats what was not answered under the same key, and remembers what
//! it was told.

use std::collections::BTreeMap;

use hourglass_events::{
    Actor, Allowance, AutoArchive, AutoDelete, AutoStop, Class, Command, CorrelationId, Create, Fork,
    FromImage, Heat, IdempotencyKey, Image, Labels, Minutes, Name, NetworkPolicy, OrganizationId, Recipe,
    Refusal, Request, Resize, Resources, SandboxId, SnapshotContent, SnapshotId, Span, StopMode, Subject,
    TakeSnapshot, Target,
};
use hourglass_kernel::Reply;
use hourglass_kernel::place::MEMORY_SHARE;

use crate::agenda::Due;
use crate::dice::{Dice, Rate};
use crate::invariants::{Law, broken};
use crate::sim_engine::EngineId;
use crate::world::World;

/// A client.
#[derive(Debug)]
pub(crate) struct SimClient {
    pub(crate) organization: OrganizationId,
    name: String,
    dice: Dice,
    /// What it waits for.
    pub(crate) waits: Option<Waits>,
    /// The sandboxes it was told of.
    known: Vec<SandboxId>,
    asked: u64,
    attempts: u64,
    /// What each answered key was about.
    told: BTreeMap<IdempotencyKey, Subject>,
    /// What was answered last, to be repeated at times.
    last: Option<(Option<IdempotencyKey>, Command)>,
    /// What to do first.
    agenda: Vec<Command>,
    /// What it asked about last.
    recent: Option<SandboxId>,
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Waits {
    request: Request,
    /// The latest attempt. Answers to earlier ones are as good.
    attempt: u64,
    first: u64,
}

impl SimClient {
    pub(crate) fn new(seed: u64, index: u64, organization: OrganizationId, first: bool) -> Self {
        let mut client = Self {
            organization,
            name: format!("client {index}"),
            dice: Dice::named(seed, "client", index),
            waits: None,
            known: Vec::new(),
            asked: 0,
            attempts: 0,
            told: BTreeMap::new(),
            last: None,
            agenda: Vec::new(),
            recent: None,
        };
        if first {
            client.agenda = vec![
                client.snapshot("wide", Class::Windows),
                client.snapshot("machine", Class::LinuxVm),
                client.snapshot("default", Class::Container),
            ];
        }
        client
    }

    /// Whether it waits for the answer to `attempt`.
    fn waits_for(&self, attempt: u64) -> bool {
        self.waits.as_ref().is_some_and(|waits| (waits.first..=waits.attempt).contains(&attempt))
    }

    fn snapshot(&mut self, name: &str, class: Class) -> Command {
        let image = Image { digest: format!("image of {name}") };
        // Memory is promised several times over; asking for as much more keeps the hosts as small as their plan says.
        let memory_gib =
            Resources::DEFAULT.memory_gib * u32::try_from(MEMORY_SHARE).expect("a small share fits");
        let resources = Resources { memory_gib, ..Resources::DEFAULT };
        let content = SnapshotContent {
            name: name.to_owned(),
            class,
            resources,
            gpu_types: hourglass_events::GpuTypes::default(),
            image,
        };
        Command::RegisterSnapshot(SnapshotId::from_u128(self.dice.id()), content)
    }

    /// Think of something to ask.
    fn think(&mut self) {
        let command = self.agenda.pop().unwrap_or_else(|| self.wish());
        self.asked += 1;
        let keyed =
            matches!(command, Command::Create(_) | Command::Fork(..)) || !self.dice.chance(Rate(1_500));
        let key = format!("{}-{}", self.name, self.asked);
        let key = keyed.then(|| IdempotencyKey::new(&key).expect("a short text is a key"));
        self.ask(key, command);
    }

    fn ask(&mut self, key: Option<IdempotencyKey>, command: Command) {
        let request = Request {
            organization: self.organization,
            actor: Actor::Client(self.name.clone()),
            key,
            correlation: CorrelationId::from_u128(self.dice.id()),
            command,
        };
        self.attempts += 1;
        self.waits = Some(Waits { request, attempt: self.attempts, first: self.attempts });
    }

    fn wish(&mut self) -> Command {
        let drawn = self.dice.below(200);
        // What was just asked for is often asked about again, while it is under way.
        let again = self.recent.take().filter(|_| self.dice.chance(Rate(6_000)));
        let known = again.or_else(|| self.dice.pick(&self.known).copied());
        self.recent = known;
        let Some(target) = known.filter(|_| drawn >= 25 || self.known.len() > 8) else {
            return Command::Create(self.create());
        };
        let target = Target::Id(target);
        match drawn {
            25..40 => Command::Start(target),
            40..58 => Command::Stop(target, self.mode()),
            58..72 => Command::Delete(target),
            72..78 => Command::ReplaceLabels(target, self.labels()),
            78..84 => Command::SetAutoStop(target, self.auto_stop()),
            84..87 => Command::SetAutoArchive(target, AutoArchive(Minutes(self.minutes(9)))),
            87..91 => Command::SetAutoDelete(target, self.auto_delete()),
            91..98 => Command::RefreshActivity(target),
            101..106 => Command::SetNetwork(target, self.network()),
            112..126 => Command::Pause(target),
            138..150 => Command::Archive(target),
            150..156 => Command::Recover(target),
            156..172 => Command::Fork(target, self.fork()),
            172..190 => Command::TakeSnapshot(target, self.taken()),
            190..194 => Command::BackUp(target),
            194..197 => Command::RemoveSnapshot(self.taken().name),
            197..200 => Command::Create(self.built()),
            126..136 => Command::Resize(target, self.resize()),
            106..112 => Command::SetPublic(target, self.dice.chance(Rate(5_000))),
            98 => Command::SetLimits(Box::new(Allowance {
                snapshots: Some(self.minutes(4)),
                ..Allowance::default()
            })),
            _ => Command::Delete(target),
        }
    }

    fn create(&mut self) -> Create {
        let mut create = Create::new(SandboxId::from_u128(self.dice.id()));
        if self.dice.chance(Rate(4_000)) {
            let name = format!("name {}", self.dice.below(4));
            create.name = Some(Name::new(&name).expect("a short text is a name"));
        }
        create.snapshot = match self.dice.below(16) {
            14 | 15 => Some(self.taken().name),
            0 => Some("wide".to_owned()),
            1..7 => Some("machine".to_owned()),
            _ => None,
        };
        create.labels = self.labels();
        create.network = self.network();
        create.auto_stop = Some(self.auto_stop());
        create.auto_delete = Some(self.auto_delete());
        create.auto_archive = Some(AutoArchive(Minutes(self.minutes(9))));
        self.link(&mut create);
        create
    }

    fn taken(&mut self) -> TakeSnapshot {
        let id = SnapshotId::from_u128(self.dice.id());
        let heat = if self.dice.chance(Rate(5_000)) { Heat::Hot } else { Heat::Cold };
        TakeSnapshot { id, name: format!("taken-{}", self.dice.below(9)), heat }
    }

    fn built(&mut self) -> Create {
        let recipe = Recipe::Reference("debian:12".to_owned());
        let image = Some(Box::new(FromImage { recipe, size: Resize::default() }));
        Create { image, snapshot: None, linked: None, ..self.create() }
    }

    fn fork(&mut self) -> Fork {
        let id = SandboxId::from_u128(self.dice.id());
        let named = self.dice.chance(Rate(3_000));
        let name = format!("name {}", self.dice.below(4));
        Fork { id, name: named.then(|| Name::new(&name).expect("a short text is a name")) }
    }

    /// Now and then a sandbox is to be linked with another, nearly always one that says so rightly.
    fn link(&mut self, create: &mut Create) {
        if self.dice.chance(Rate(2_000)) {
            create.linked = self.dice.pick(&self.known).copied().map(Target::Id);
        }
        if create.linked.is_some() && self.dice.chance(Rate(9_000)) {
            create.auto_delete = Some(AutoDelete::AtOnce);
        }
    }

    fn resize(&mut self) -> Resize {
        let (cpu, memory_gib) = (self.minutes(4), self.minutes(16));
        match self.dice.below(4) {
            0 => Resize { cpu: Some(cpu), ..Resize::default() },
            1 => Resize { memory_gib: Some(memory_gib), ..Resize::default() },
            2 => Resize { disk_gib: Some(self.minutes(9)), ..Resize::default() },
            _ => Resize { cpu: Some(cpu), memory_gib: Some(memory_gib), disk_gib: None },
        }
    }

    fn network(&mut self) -> NetworkPolicy {
        match self.dice.below(3) {
            0 => NetworkPolicy::Open,
            1 => NetworkPolicy::Blocked,
            _ => {
                let cidr = format!("10.{}.0.0/16", self.dice.below(9));
                NetworkPolicy::only(&[cidr.as_str()], &["example.com"]).expect("a short list is fine")
            }
        }
    }

    fn mode(&mut self) -> StopMode {
        let grace = Span::seconds(self.dice.below(8));
        match self.dice.below(4) {
            0 => StopMode::Force,
            1 => StopMode::Graceful(Some(grace)),
            _ => StopMode::Graceful(None),
        }
    }

    fn minutes(&mut self, most: u64) -> u32 {
        u32::try_from(self.dice.between(1, most)).expect("minutes are few")
    }

    fn auto_stop(&mut self) -> AutoStop {
        if self.dice.chance(Rate(2_500)) {
            AutoStop::Never
        } else {
            AutoStop::After(Minutes(self.minutes(3)))
        }
    }

    fn auto_delete(&mut self) -> AutoDelete {
        match self.dice.below(5) {
            0 => AutoDelete::AtOnce,
            1 => AutoDelete::After(Minutes(self.minutes(4))),
            _ => AutoDelete::Never,
        }
    }

    fn labels(&mut self) -> Labels {
        let count = self.dice.below(3);
        let labels = (0..count).map(|at| (format!("key {at}"), format!("value {}", self.dice.below(3))));
        Labels::new(labels.collect()).expect("few short labels are fine")
    }

    /// Take in an answer. Whether the same is to be asked again.
    fn take_in(&mut self, reply: &Reply) -> Result<bool, (Subject, Subject)> {
        let Some(waits) = self.waits.take() else { return Ok(false) };
        let again = match reply {
            Err(Refusal::Fenced | Refusal::NotReady | Refusal::StorageFull | Refusal::Overloaded { .. }) => {
                true
            }
            Ok(_) => false,
            // Anything else is an answer: the request was wrong.
            Err(_) => false,
        };
        if let (Ok(accepted), Some(key)) = (reply, &waits.request.key) {
            let first = *self.told.entry(key.clone()).or_insert(accepted.subject);
            if first != accepted.subject {
                return Err((first, accepted.subject));
            }
        }
        match (reply, &waits.request.command) {
            (Ok(accepted), Command::Create(_) | Command::Fork(..)) => {
                if let Subject::Sandbox(id) = accepted.subject
                    && !self.known.contains(&id)
                {
                    self.known.push(id);
                }
            }
            (Err(Refusal::NoSuchSandbox(gone)), _) => self.known.retain(|id| id.to_string() != *gone),
            (Ok(_) | Err(_), _) => {}
        }
        if again {
            self.waits = Some(waits);
        } else {
            self.last = Some((waits.request.key, waits.request.command));
        }
        Ok(again)
    }
}

impl World {
    /// A client does something, unless it waits.
    pub(crate) fn act_client(&mut self, client: usize) {
        if !self.stormy {
            return;
        }
        let think = self.plan.think;
        let sim = &mut self.clients[client];
        let wait = sim.dice.pause(think);
        self.agenda.put(self.now.after(wait), Due::Act { client });
        if sim.waits.is_some() {
            return;
        }
        let again = sim.dice.chance(self.plan.client.repeats);
        match sim.last.take() {
            Some((Some(key), command)) if again => sim.ask(Some(key), command),
            Some(_) | None => sim.think(),
        }
        self.send(client);
    }

    /// Send what a client waits for, once more.
    fn send(&mut self, client: usize) {
        let sim = &mut self.clients[client];
        let fresh = SandboxId::from_u128(sim.dice.id());
        sim.attempts += 1;
        let Some(waits) = &mut sim.waits else { return };
        waits.attempt = sim.attempts;
        // Each attempt comes with an id of its own, as a shell would mint it; the key makes them one.
        if let Command::Create(Create { id, .. }) | Command::Fork(_, Fork { id, .. }) =
            &mut waits.request.command
        {
            *id = fresh;
        }
        let attempt = waits.attempt;
        let key = waits.request.key.as_ref().map_or("-", IdempotencyKey::as_str).to_owned();
        let what = format!("{:?}", waits.request.command);
        let request = Box::new(waits.request.clone());
        let lost = self.dice.net.chance(self.plan.client.asked_lost) && self.stormy;
        let (wait, patience) = (self.dice.net.wait(self.plan.latency), self.dice.net.pause(PATIENCE));
        let engine = self.front();
        self.say(format_args!("c{client} asks {attempt} of {engine:?} under {key}: {what}"));
        if let Some(engine) = engine.filter(|_| !lost) {
            self.agenda.put(self.now.after(wait), Due::Request { client, attempt, engine, request });
        }
        self.agenda.put(self.now.after(patience), Due::Impatient { client, attempt });
    }

    /// The writer a client finds: the newest, or one that was replaced.
    fn front(&mut self) -> Option<EngineId> {
        let astray = self.dice.net.chance(self.plan.engine.astray) && self.stormy;
        let mut alive = self.engines.keys().copied();
        if astray { alive.next() } else { alive.next_back() }
    }

    /// A client is told.
    pub(crate) fn told(&mut self, client: usize, attempt: u64, reply: &Reply) {
        let sim = &mut self.clients[client];
        if !sim.waits_for(attempt) {
            return;
        }
        match sim.take_in(reply) {
            Ok(again) => {
                if again {
                    let (wait, attempt) = (sim.dice.wait(Span::seconds(2)), sim.attempts);
                    self.agenda.put(self.now.after(wait), Due::Impatient { client, attempt });
                }
            }
            Err((first, then)) => {
                let what = format!("client {client} was told {first} and then {then} under one key");
                self.judge(Err(broken(Law::RepeatsAgree, what)));
            }
        }
        match reply {
            Ok(accepted) => {
                self.say(format_args!(
                    "c{client} is told {attempt}: {} at {}",
                    accepted.subject, accepted.seq
                ));
            }
            Err(refusal) => self.say(format_args!("c{client} is told {attempt}: {refusal}")),
        }
    }

    /// A client has waited long enough and repeats what it asked.
    pub(crate) fn impatient(&mut self, client: usize, attempt: u64) {
        if self.clients[client].waits.as_ref().is_some_and(|waits| waits.attempt == attempt) {
            self.say(format_args!("c{client} gives up waiting for {attempt}"));
            self.send(client);
        }
    }
}

/// How long a client waits, about.
const PATIENCE: Span = Span::seconds(6);
