//! The agent against a naive engine and a naive machine, in any order of orders, repeats, faults, exits, lost
//! connections, crashes and lost or outdated ledgers. Checked at each step: what it reports is true. Checked at the
//! end, when nothing goes wrong any more: what the engine believes is what is on the machine.
#![allow(clippy::unwrap_used, reason = "a test's harness")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hourglass_events::{
    Class, ExitCause, Fault, Finding, HostCall, HostId, HostNews, HostProfile, Image, NetworkPolicy, Order,
    OrderNumber, OrganizationId, Plan, Report, Resources, SandboxId, ShardNumber, Span, Task, Timestamp,
};
use hourglass_hostd::Agent;
use hourglass_hostd::activity::Moment;
use hourglass_hostd::agent::{Effect, Outcome, Run, Step};
use hourglass_hostd::driver::{DiskFound, Exit, Present};
use hourglass_hostd::ledger::{Ledger, Memory, MemoryLedger};
use proptest::prelude::*;

const SHARD: ShardNumber = ShardNumber(3);
const BOXES: u128 = 2;

/// One thing that happens. Where it makes no sense just then, nothing happens.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// The engine goes on with a sandbox: creates, stops or boots it.
    GoOn(SandboxId),
    /// The engine does not wait for what is under way.
    Override(SandboxId, Override),
    /// The engine has what runs held to another network policy.
    Network(SandboxId),
    /// The engine sends what is owed once more.
    Resend(SandboxId),
    HearCall,
    HearNews,
    /// A step takes effect, but has not returned.
    Effect(SandboxId),
    EndStep(SandboxId, Ending),
    /// A sandbox ends by itself.
    Exit(SandboxId),
    /// The driver tells of one.
    HearExit,
    Disconnect,
    Crash {
        /// Whether steps in flight took effect before it.
        effect: bool,
        ledger: Left,
    },
}

#[derive(Debug, Clone, Copy)]
enum Override {
    Kill,
    TimeOut,
    Remove,
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Well,
    FaultBefore,
    FaultAfter,
}

/// What is left of the ledger after a crash.
#[derive(Debug, Clone, Copy)]
enum Left {
    All,
    /// All but the writes since it was last made durable.
    Durable,
    Nothing,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let sandbox = (0..BOXES).prop_map(SandboxId::from_u128).boxed();
    let with = |turn: fn(SandboxId) -> Turn| sandbox.clone().prop_map(turn);
    let turn = prop_oneof![
        6 => with(Turn::GoOn),
        2 => (sandbox.clone(), prop_oneof![
            Just(Override::Kill), Just(Override::TimeOut), Just(Override::Remove)
        ]).prop_map(|(sandbox, what)| Turn::Override(sandbox, what)),
        3 => with(Turn::Network),
        1 => with(Turn::Resend),
        10 => Just(Turn::HearCall),
        8 => Just(Turn::HearNews),
        12 => (sandbox.clone(), prop_oneof![
            8 => Just(Ending::Well), 1 => Just(Ending::FaultBefore), 1 => Just(Ending::FaultAfter)
        ]).prop_map(|(sandbox, ending)| Turn::EndStep(sandbox, ending)),
        8 => with(Turn::Effect),
        5 => with(Turn::Exit),
        6 => Just(Turn::HearExit),
        1 => Just(Turn::Disconnect),
        2 => (any::<bool>(), prop_oneof![
            4 => Just(Left::All), 2 => Just(Left::Durable), 1 => Just(Left::Nothing)
        ]).prop_map(|(effect, ledger)| Turn::Crash { effect, ledger }),
    ];
    prop::collection::vec(turn, 0..240)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_reports_are_true_and_in_the_end_engine_and_machine_agree(turns in turns()) {
        let mut world = World::new();
        for turn in turns {
            world.take(turn);
        }
        world.settle();
    }
}

/// What the engine believes of a sandbox.
#[derive(Debug, Default)]
struct Belief {
    owed: Option<Order>,
    boot: Option<OrderNumber>,
    rest: Rest,
}

/// Where a sandbox is when nothing is owed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Rest {
    #[default]
    Unborn,
    Started,
    Stopped,
    Failed,
    Gone,
}

/// What is on the machine of a sandbox.
#[derive(Debug, Default)]
struct Real {
    disk: Option<OrderNumber>,
    running: Option<OrderNumber>,
    /// Whether it was ever told of another network policy.
    told: bool,
    step: Option<InFlight>,
    /// Lives that are over.
    over: BTreeSet<OrderNumber>,
    /// Boots the engine has heard to be done. Their numbers are used up.
    heard_of: BTreeSet<OrderNumber>,
    /// The newest order this life of the agent heard.
    heard: OrderNumber,
}

#[derive(Debug)]
struct InFlight {
    run: Run,
    cancelled: bool,
    /// How it went, when it has taken effect and only the agent does not know yet.
    took: Option<Outcome>,
}

struct World {
    agent: Agent,
    ledger: MemoryLedger,
    durable: Memory,
    clock: u64,
    seq: u64,
    beliefs: BTreeMap<SandboxId, Belief>,
    real: BTreeMap<SandboxId, Real>,
    calls: VecDeque<HostCall>,
    news: VecDeque<HostNews>,
    exits: VecDeque<Exit>,
    serials: BTreeMap<u64, Report>,
}

impl World {
    fn new() -> Self {
        let ledger = MemoryLedger::default();
        let boxes = || (0..BOXES).map(SandboxId::from_u128);
        let mut world = Self {
            agent: awake(&ledger, 1, Vec::new()),
            ledger,
            durable: Memory::default(),
            clock: 1,
            seq: 1,
            beliefs: boxes().map(|sandbox| (sandbox, Belief::default())).collect(),
            real: boxes().map(|sandbox| (sandbox, Real::default())).collect(),
            calls: VecDeque::new(),
            news: VecDeque::new(),
            exits: VecDeque::new(),
            serials: BTreeMap::new(),
        };
        world.connect();
        world
    }

    fn take(&mut self, turn: Turn) {
        // A restart takes a while, so the wall clock shows another second.
        self.clock += 1;
        match turn {
            Turn::GoOn(sandbox) => self.go_on(sandbox),
            Turn::Override(sandbox, what) => self.override_with(sandbox, what),
            Turn::Network(sandbox) => self.set_network(sandbox),
            Turn::Resend(sandbox) => self.send(sandbox),
            Turn::HearCall => self.hear_call(),
            Turn::HearNews => self.hear_news(),
            Turn::Effect(sandbox) => self.effect(sandbox),
            Turn::EndStep(sandbox, ending) => self.end_step(sandbox, ending),
            Turn::Exit(sandbox) => self.exit(sandbox),
            Turn::HearExit => {
                if let Some(exit) = self.exits.pop_front() {
                    self.agent.handle_exit(exit);
                }
            }
            Turn::Disconnect => self.connect(),
            Turn::Crash { effect, ledger } => self.crash(effect, ledger),
        }
        self.drain();
        // About as often as sled does it.
        if self.clock.is_multiple_of(5) {
            self.durable = self.ledger.memory();
        }
    }

    /// From here on nothing goes wrong. All that is owed is done, and everybody agrees.
    fn settle(&mut self) {
        self.connect();
        self.drain();
        for _ in 0..500 {
            self.take(Turn::HearExit);
            self.take(Turn::HearCall);
            self.take(Turn::HearNews);
            for sandbox in 0..BOXES {
                self.take(Turn::EndStep(SandboxId::from_u128(sandbox), Ending::Well));
            }
        }
        assert_eq!((self.calls.len(), self.news.len()), (0, 0));
        assert_eq!(self.agent.reports().count(), 0, "everything was acknowledged");
        assert!(self.agent.is_at_rest());
        for (sandbox, belief) in &self.beliefs {
            let real = &self.real[sandbox];
            assert_eq!(belief.owed, None, "everything owed was done");
            assert_eq!(belief.boot, real.running, "{belief:?} but {real:?}");
            if belief.rest == Rest::Gone {
                assert_eq!((real.disk, real.running), (None, None));
            }
        }
    }

    fn go_on(&mut self, sandbox: SandboxId) {
        let belief = &self.beliefs[&sandbox];
        let task = match (&belief.owed, belief.rest) {
            (Some(_), _) | (None, Rest::Failed | Rest::Gone) => return,
            (None, Rest::Unborn) => Task::Create(plan()),
            (None, Rest::Started) => Task::Stop { grace: Span::seconds(30) },
            (None, Rest::Stopped) => Task::Boot(plan()),
        };
        self.owe(sandbox, task);
    }

    fn set_network(&mut self, sandbox: SandboxId) {
        let belief = &self.beliefs[&sandbox];
        let free = belief.owed.as_ref().is_none_or(|order| matches!(order.task, Task::Hold { .. }));
        if belief.rest == Rest::Started && free {
            self.owe(sandbox, Task::Hold { network: NetworkPolicy::Blocked, resources: None });
        }
    }

    fn override_with(&mut self, sandbox: SandboxId, what: Override) {
        let belief = self.beliefs.get_mut(&sandbox).unwrap();
        let owed = belief.owed.as_ref().map(|order| &order.task);
        let task = match (what, owed) {
            (Override::Remove, Some(Task::Remove)) => return,
            (Override::Remove, _) if belief.rest == Rest::Gone || belief.rest == Rest::Unborn => return,
            (Override::Remove, _) => Task::Remove,
            (Override::Kill, Some(Task::Stop { .. })) => Task::Stop { grace: Span::ZERO },
            (Override::TimeOut, Some(Task::Create(_) | Task::Boot(_) | Task::Stop { .. })) => Task::Quiesce,
            (Override::Kill | Override::TimeOut, _) => return,
        };
        if !matches!(task, Task::Stop { .. }) {
            belief.boot = None;
        }
        self.owe(sandbox, task);
    }

    fn owe(&mut self, sandbox: SandboxId, task: Task) {
        self.seq += 1;
        let number = OrderNumber(self.seq);
        let order = Order { shard: SHARD, sandbox, number, deadline: None, task };
        self.beliefs.get_mut(&sandbox).unwrap().owed = Some(order);
        self.send(sandbox);
    }

    fn send(&mut self, sandbox: SandboxId) {
        let belief = &self.beliefs[&sandbox];
        if let Some(order) = &belief.owed {
            self.calls.push_back(HostCall::Do(order.clone()));
        }
        let runs = belief.owed.as_ref().is_none_or(|order| matches!(order.task, Task::Hold { .. }));
        if runs && let Some(number) = belief.boot {
            self.calls.push_back(HostCall::AskUse { shard: SHARD, sandbox, number });
        }
    }

    fn connect(&mut self) {
        self.calls.clear();
        self.news.clear();
        self.agent.handle_link(Moment(self.clock));
        for sandbox in 0..BOXES {
            self.send(SandboxId::from_u128(sandbox));
        }
    }

    fn hear_call(&mut self) {
        let Some(call) = self.calls.pop_front() else { return };
        if let HostCall::Do(order) = &call {
            let heard = &mut self.real.get_mut(&order.sandbox).unwrap().heard;
            *heard = (*heard).max(order.number);
        }
        self.agent.handle_call(call, Moment(self.clock));
    }

    fn hear_news(&mut self) {
        let Some(HostNews::Reported(report)) = self.news.pop_front() else { return };
        self.calls.push_back(HostCall::Acknowledge { serial: report.serial });
        let Report { sandbox, number, finding, .. } = report;
        let belief = self.beliefs.get_mut(&sandbox).unwrap();
        let owed =
            belief.owed.as_ref().filter(|order| order.number == number).map(|order| order.task.clone());
        let stopping = belief
            .owed
            .as_ref()
            .is_some_and(|order| matches!(order.task, Task::Stop { .. } | Task::Hold { .. }));
        match (finding, owed) {
            (Finding::Done(_), Some(Task::Hold { .. })) => belief.owed = None,
            (Finding::Failed(_), Some(task @ Task::Hold { .. })) => self.owe(sandbox, task),
            (Finding::Done(_), Some(task)) => {
                belief.owed = None;
                belief.boot = None;
                belief.rest = match task {
                    Task::Pull(_) | Task::Create(_) | Task::Boot(_) => {
                        belief.boot = Some(number);
                        self.real.get_mut(&sandbox).unwrap().heard_of.insert(number);
                        Rest::Started
                    }
                    Task::Stop { .. } => Rest::Stopped,
                    Task::Hold { .. }
                    | Task::Fork(_)
                    | Task::Awaken(_)
                    | Task::SaveMemory
                    | Task::Resume(_)
                    | Task::Resize(_)
                    | Task::Archive
                    | Task::Backup
                    | Task::Prune(_)
                    | Task::Build(_)
                    | Task::Capture(_)
                    | Task::Scrap(_)
                    | Task::Discard(_)
                    | Task::Restore { .. }
                    | Task::Purge(_) => Rest::Started,
                    Task::Quiesce => Rest::Failed,
                    Task::Remove => Rest::Gone,
                };
            }
            (Finding::Failed(_), Some(task)) => {
                belief.boot = None;
                let again = if task == Task::Remove { Task::Remove } else { Task::Quiesce };
                self.owe(sandbox, again);
            }
            (Finding::Exited(_), _) if belief.boot == Some(number) => {
                if belief.owed.is_none() || stopping {
                    (belief.owed, belief.boot, belief.rest) = (None, None, Rest::Stopped);
                }
            }
            (Finding::Done(_) | Finding::Failed(_) | Finding::Exited(_), _) => {}
        }
    }

    fn end_step(&mut self, sandbox: SandboxId, ending: Ending) {
        match ending {
            Ending::Well | Ending::FaultAfter => self.effect(sandbox),
            Ending::FaultBefore => {}
        }
        let real = self.real.get_mut(&sandbox).unwrap();
        let Some(InFlight { run, cancelled, took }) = real.step.take() else { return };
        let outcome = match (ending, took) {
            (Ending::Well, Some(took)) => took,
            (Ending::Well | Ending::FaultBefore | Ending::FaultAfter, _) if cancelled => Outcome::Cancelled,
            (Ending::Well | Ending::FaultBefore | Ending::FaultAfter, _) => {
                Outcome::Failed(Fault::NoSpace { doing: "try".into() })
            }
        };
        self.agent.handle_step(sandbox, run.id, &outcome, Moment(self.clock));
    }

    /// The step in flight takes effect, if there is one that has not.
    fn effect(&mut self, sandbox: SandboxId) {
        let real = self.real.get_mut(&sandbox).unwrap();
        let before = real.running;
        real.effect();
        // Exits not told when a life begins under their number are never told.
        let begun = real.running.filter(|number| before != Some(*number));
        self.exits.retain(|exit| exit.sandbox != sandbox || Some(exit.number) != begun);
    }

    fn exit(&mut self, sandbox: SandboxId) {
        let real = self.real.get_mut(&sandbox).unwrap();
        if let Some(number) = real.end() {
            self.exits.push_back(Exit { sandbox, number, cause: ExitCause::OutOfMemory });
        }
    }

    fn crash(&mut self, effect: bool, left: Left) {
        for real in self.real.values_mut() {
            if effect {
                real.effect();
            }
            real.step = None;
            real.heard = OrderNumber(0);
        }
        match left {
            Left::All => {}
            Left::Durable => self.ledger.restore(self.durable.clone()),
            Left::Nothing => self.ledger.lose(),
        }
        if effect {
            self.exits.clear();
        }
        let survey = self.real.iter().filter_map(|(sandbox, real)| real.present(*sandbox)).collect();
        self.agent = awake(&self.ledger, self.clock, survey);
        // What begins a life of a worker is durable.
        self.durable = self.ledger.memory();
        self.connect();
    }

    fn drain(&mut self) {
        while let Some(effect) = self.agent.poll_effect() {
            match effect {
                Effect::Write(write) => self.ledger.write(&[write]).unwrap(),
                Effect::Run(run) => {
                    let real = self.real.get_mut(&run.sandbox).unwrap();
                    assert!(real.step.is_none(), "one step at a time");
                    real.step = Some(InFlight { run, cancelled: false, took: None });
                }
                Effect::Cancel(id) => {
                    for step in self.real.values_mut().filter_map(|real| real.step.as_mut()) {
                        step.cancelled |= step.run.id == id;
                    }
                }
                Effect::Tell(news) => {
                    if let HostNews::Reported(report) = &news {
                        self.judge(report);
                    }
                    self.news.push_back(news);
                }
                Effect::Warn(_) => {}
            }
        }
    }

    /// Whether a report may be made, given all that was done and said before.
    fn judge(&mut self, report: &Report) {
        let first = self.serials.insert(report.serial, report.clone());
        assert!(first.as_ref().is_none_or(|first| first == report), "one serial, one fact: {first:?}");
        let real = self.real.get_mut(&report.sandbox).unwrap();
        let number = report.number;
        match &report.finding {
            Finding::Exited(_) => {
                assert!(real.running != Some(number), "it runs: {report:?}");
                assert!(real.over.contains(&number), "that life never was: {report:?}");
            }
            Finding::Done(_) | Finding::Failed(_) => {
                assert!(number >= real.heard, "superseded by {:?}: {report:?}", real.heard);
            }
        }
        if first.is_some() || !matches!(report.finding, Finding::Done(_)) {
            return;
        }
        let owed = self.beliefs[&report.sandbox].owed.as_ref().filter(|order| order.number == number);
        match owed.map(|order| &order.task) {
            Some(Task::Create(_) | Task::Boot(_)) => {
                assert!(real.running == Some(number) || real.over.contains(&number), "{report:?}");
            }
            Some(Task::Stop { .. } | Task::Quiesce) => assert_eq!(real.running, None, "{report:?}"),
            Some(Task::Remove) => assert_eq!((real.disk, real.running), (None, None), "{report:?}"),
            Some(Task::Hold { .. }) => assert!(real.told, "{report:?}"),
            Some(
                Task::Pull(_)
                | Task::Fork(_)
                | Task::Awaken(_)
                | Task::SaveMemory
                | Task::Resume(_)
                | Task::Resize(_)
                | Task::Archive
                | Task::Backup
                | Task::Prune(_)
                | Task::Build(_)
                | Task::Capture(_)
                | Task::Scrap(_)
                | Task::Discard(_)
                | Task::Restore { .. }
                | Task::Purge(_),
            )
            | None => {}
        }
    }
}

impl Real {
    /// The step in flight takes effect, if there is one that has not.
    fn effect(&mut self) {
        if let Some(mut step) = self.step.take() {
            if step.took.is_none() {
                step.took = Some(self.apply(&step.run));
            }
            self.step = Some(step);
        }
    }

    /// What a step that succeeds does, as a driver's contract has it.
    fn apply(&mut self, run: &Run) -> Outcome {
        match &run.step {
            Step::Pull(_) => Outcome::Done,
            Step::Provision(_) => {
                self.disk.get_or_insert(run.number);
                Outcome::Done
            }
            Step::Boot(_) if self.disk.is_none() => Outcome::Failed(Fault::Missing { what: "disk".into() }),
            Step::Boot(_) => {
                if self.running != Some(run.number) {
                    self.end();
                    let number = run.number;
                    assert!(!self.heard_of.contains(&number), "{number} lives twice");
                    self.running = Some(number);
                }
                Outcome::Done
            }
            Step::SaveMemory
            | Step::Resume(_)
            | Step::Fork(_)
            | Step::Resize(_)
            | Step::Archive
            | Step::Build(_)
            | Step::Capture(_)
            | Step::Scrap(_)
            | Step::Restore(..)
            | Step::DropArchives(_) => panic!("nobody orders that here"),
            Step::SetNetwork(_) if self.running.is_none() => {
                Outcome::Failed(Fault::Missing { what: "running life".into() })
            }
            Step::SetNetwork(_) => {
                self.told = true;
                Outcome::Done
            }
            Step::Halt { .. } => {
                Outcome::Halted(self.end().map_or(ExitCause::Vanished, |_| ExitCause::Killed))
            }
            Step::Erase => {
                self.end();
                self.disk = None;
                Outcome::Done
            }
        }
    }

    fn end(&mut self) -> Option<OrderNumber> {
        let number = self.running.take()?;
        self.over.insert(number);
        Some(number)
    }

    fn present(&self, sandbox: SandboxId) -> Option<Present> {
        let disk = self.disk.map_or(DiskFound::Absent, DiskFound::Made);
        (self.disk.is_some() || self.running.is_some()).then_some(Present {
            sandbox,
            disk,
            running: self.running,
            saved: None,
        })
    }
}

fn awake(ledger: &MemoryLedger, clock: u64, survey: Vec<Present>) -> Agent {
    let memory = ledger.clone().begin(Timestamp(clock * 1_000_000)).unwrap();
    let profile = HostProfile {
        host: HostId::from_u128(7),
        incarnation: memory.incarnation,
        region: "here".into(),
        classes: vec![Class::Container],
        capacity: Resources::DEFAULT,
        gpu_type: None,
        capabilities: hourglass_events::Capabilities::all(),
    };
    Agent::new(profile, memory, survey, Moment(clock))
}

fn plan() -> Box<Plan> {
    let image = Image { digest: "base".into() };
    Box::new(Plan::new(OrganizationId::from_u128(1), "box", image))
}
