//! A log that takes every edge of every table: for each edge a sandbox of its own goes the shortest way there, takes it,
//! and stays where it came to. What its events say is drawn, always alike, and kept with the log.
//!
//! The kernel decides none of this: whether it would is the simulation's to show. Here it is reading and folding that
//! must never change.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hourglass_events::arbitrary::{host_event, organization_event, sandbox_event_of, snapshot_event};
use hourglass_events::lifecycle::others::{
    HOST, HostState, ORGANIZATION, OrganizationState, SNAPSHOT, SnapshotState,
};
use hourglass_events::lifecycle::{Row, Step, step};
use hourglass_events::record::SCHEMA;
use hourglass_events::{
    Actor, Cause, CorrelationId, Digest, Event, HostEvent, HostEventKind, HostId, OrganizationId, Record,
    RecordId, SandboxEvent, SandboxEventKind, SandboxId, ShardEvent, ShardNumber, SnapshotId, State, Subject,
    Timestamp, codec,
};
use hourglass_kernel::checkpoint::LAYOUT;
use hourglass_kernel::{Entry, Fleet};
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

/// When the log begins, and the time between its records, in microseconds.
const BEGIN: u64 = 1_700_000_000_000_000;
const APART: u64 = 1_000_000;
/// How often an event is drawn before it is taken that none is of the kind.
const DRAWS: usize = 10_000;

/// What operators say of hosts.
const OPERATORS: &[HostEventKind] =
    &[HostEventKind::Cordoned, HostEventKind::DrainBegan, HostEventKind::Uncordoned];

/// What a host says of what it removes that is left on it.
const SWEEPS: &[HostEventKind] = &[HostEventKind::Swept, HostEventKind::SweepFailed];

/// The way to a deletion that leaves something in object storage: of what leaves nothing, nothing is kept.
const LEAVING: &[SandboxEventKind] = &[
    SandboxEventKind::PullBegan,
    SandboxEventKind::SnapshotReady,
    SandboxEventKind::Booted,
    SandboxEventKind::StopBegan,
    SandboxEventKind::Exited,
    SandboxEventKind::ArchiveBegan,
    SandboxEventKind::ArchiveStored,
    SandboxEventKind::DiskDropped,
    SandboxEventKind::Removed,
];

/// Where a sandbox is, and where its excursion set out from.
pub(crate) type Place = (State, Option<State>);

/// The log, record by record.
pub(crate) fn walk() -> Vec<Entry> {
    let mut walker = Walker::new();
    walker.open();
    walker.open();
    walker.shard(ShardEvent::SchemaRaised { schema: SCHEMA });
    walker.shard(ShardEvent::StateHashed {
        layout: LAYOUT,
        hash: Digest::of(&walker.fleet.to_bytes()).0,
        through: walker.fleet.seq(),
    });
    walker.hosts();
    walker.sweeps();
    walker.along(
        SNAPSHOT,
        SnapshotState::Unknown,
        |n| Subject::Snapshot(SnapshotId::from_u128(n)),
        &|runner| Event::Snapshot(one(runner, &snapshot_event())),
    );
    let organization = |n| Subject::Organization(OrganizationId::from_u128(n));
    walker.along(ORGANIZATION, OrganizationState::Unknown, organization, &|runner| {
        Event::Organization(one(runner, &organization_event()))
    });
    let ways = ways();
    for (place, kind) in edges() {
        let way = if place.0 == State::Deleted { LEAVING } else { &ways[&place] };
        walker.sandbox(way, kind);
    }
    walker.entries
}

/// Every step that a sandbox can take, from every place it can be in.
pub(crate) fn edges() -> BTreeSet<(Place, SandboxEventKind)> {
    let from = |place: Place| SandboxEventKind::ALL.iter().map(move |kind| (place, *kind));
    let legal = |((state, was), kind): &(Place, SandboxEventKind)| step(*state, *was, *kind) != Step::Illegal;
    ways().into_keys().flat_map(from).filter(legal).collect()
}

/// The shortest way to every place.
fn ways() -> BTreeMap<Place, Vec<SandboxEventKind>> {
    let mut ways = BTreeMap::from([((State::Unknown, None), Vec::new())]);
    let mut next = VecDeque::from([(State::Unknown, None)]);
    while let Some((state, was)) = next.pop_front() {
        for kind in SandboxEventKind::ALL {
            let Step::To(to) = step(state, was, *kind) else { continue };
            let place = (to, to.is_in(State::EXCURSIONS).then_some(state));
            if !ways.contains_key(&place) {
                let mut way = ways[&(state, was)].clone();
                way.push(*kind);
                ways.insert(place, way);
                next.push_back(place);
            }
        }
    }
    ways
}

/// What `strategy` draws next.
fn one<T: std::fmt::Debug>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).expect("nothing is filtered out").current()
}

struct Walker {
    fleet: Fleet,
    entries: Vec<Entry>,
    runner: TestRunner,
    /// The number of the last aggregate.
    made: u128,
    /// The host that sandboxes are placed on, and the sandbox that is left there, where that matters.
    beside: Option<(HostId, SandboxId)>,
}

impl Walker {
    fn new() -> Self {
        let fleet = Fleet::new(ShardNumber(0), 1);
        Self { fleet, entries: Vec::new(), runner: TestRunner::deterministic(), made: 0, beside: None }
    }

    fn open(&mut self) {
        let (build, clock) = ("golden".to_owned(), Timestamp(BEGIN));
        let opened = ShardEvent::Opened { build, schema: SCHEMA, clock, shards: 1, shard: ShardNumber(0) };
        self.shard(opened);
    }

    /// What happens to the shard itself says which it is and what can be read, so it is not drawn.
    fn shard(&mut self, event: ShardEvent) {
        self.write(Subject::Shard(ShardNumber(0)), Event::Shard(event)).expect("a shard's own event");
    }

    /// What operators say of a host turns on what they said before, so one host in each state hears it all in order.
    fn hosts(&mut self) {
        let host = |number| Subject::Host(HostId::from_u128(number));
        let draw = |runner: &mut TestRunner| Event::Host(one(runner, &host_event()));
        let apart = |kind| OPERATORS.contains(kind) || SWEEPS.contains(kind);
        let told: Vec<_> = HOST.iter().filter(|row| !apart(&row.on)).copied().collect();
        self.along(&told, HostState::Unknown, host, &draw);
        for way in [&["Seen"][..], &["Seen", "Suspected"], &["Seen", "Suspected", "Lost"]] {
            self.made += 1;
            let words = ["Cordoned", "DrainBegan", "Cordoned", "Uncordoned", "DrainBegan", "Uncordoned"];
            for kind in way.iter().chain(&words) {
                self.take(host(self.made), kind, &draw);
            }
        }
    }

    /// A host that was lost while a sandbox on it was being deleted comes back, and removes what is left of that.
    fn sweeps(&mut self) {
        self.made += 1;
        let (host, sandbox) = (HostId::from_u128(self.made), SandboxId::from_u128(self.made));
        self.beside = Some((host, sandbox));
        let to_host = |runner: &mut TestRunner| Event::Host(one(runner, &host_event()));
        self.take(Subject::Host(host), "Seen", &to_host);
        for kind in [SandboxEventKind::PullBegan, SandboxEventKind::DeleteBegan] {
            self.step(sandbox, kind);
        }
        for kind in ["Suspected", "Lost"] {
            self.take(Subject::Host(host), kind, &to_host);
        }
        self.step(sandbox, SandboxEventKind::Buried);
        for kind in ["Returned", "SweepFailed", "Swept"] {
            self.take(Subject::Host(host), kind, &to_host);
        }
        self.beside = None;
    }

    /// Take each row of a table, each with an aggregate of its own.
    fn along<S: Copy + Ord + std::fmt::Debug, K: Copy + PartialEq + std::fmt::Debug>(
        &mut self,
        table: &[Row<S, K>],
        unknown: S,
        subject: impl Fn(u128) -> Subject,
        draw: &dyn Fn(&mut TestRunner) -> Event,
    ) {
        let mut ways = BTreeMap::from([(unknown, Vec::<K>::new())]);
        while let Some((to, way)) = table.iter().find_map(|row| {
            let from = row.from.iter().find(|from| ways.contains_key(from) && !ways.contains_key(&row.to))?;
            Some((row.to, ways[from].iter().copied().chain([row.on]).collect::<Vec<_>>()))
        }) {
            ways.insert(to, way);
        }
        for (row, from) in table.iter().flat_map(|row| row.from.iter().map(move |from| (row, from))) {
            self.made += 1;
            let subject = subject(self.made);
            for kind in ways[from].iter().chain([&row.on]) {
                self.take(subject, &format!("{kind:?}"), draw);
            }
        }
    }

    /// Take a sandbox of its own the given way, and one step more.
    fn sandbox(&mut self, way: &[SandboxEventKind], last: SandboxEventKind) {
        self.made += 1;
        for kind in way.iter().chain([&last]) {
            self.step(SandboxId::from_u128(self.made), *kind);
        }
    }

    fn step(&mut self, sandbox: SandboxId, kind: SandboxEventKind) {
        let draw = |runner: &mut TestRunner| Event::Sandbox(one(runner, &sandbox_event_of(kind)));
        self.take(Subject::Sandbox(sandbox), kind.name(), &draw);
    }

    /// Draw until it is an event of the kind with this name that can be folded here.
    fn take(&mut self, subject: Subject, kind: &str, draw: &dyn Fn(&mut TestRunner) -> Event) {
        let mut why = "none was drawn".to_owned();
        for _ in 0..DRAWS {
            let drawn = draw(&mut self.runner);
            let event = self.fitting(subject, drawn);
            if event.name() != kind {
                continue;
            }
            match self.write(subject, event) {
                Ok(()) => return,
                Err(error) => why = error,
            }
        }
        panic!("no {kind} could be folded for {subject}: {why}");
    }

    /// `event` as it can be: a host is lost, and comes back, in the life it is in, and removes what is left there.
    fn fitting(&self, subject: Subject, mut event: Event) -> Event {
        if let Event::Host(
            HostEvent::Suspected { incarnation }
            | HostEvent::Lost { incarnation }
            | HostEvent::Returned { incarnation },
        ) = &mut event
            && let Subject::Host(id) = subject
            && let Some(host) = self.fleet.hosts().get(id)
        {
            *incarnation = host.incarnation;
        }
        let Some((host, left)) = self.beside else { return event };
        if let Event::Host(HostEvent::Swept { sandbox } | HostEvent::SweepFailed { sandbox, .. }) = &mut event
        {
            *sandbox = left;
        }
        if let Event::Sandbox(SandboxEvent::PullBegan { placement, .. }) = &mut event {
            placement.host = Some(host);
        }
        event
    }

    fn write(&mut self, subject: Subject, event: Event) -> Result<(), String> {
        let seq = self.fleet.seq().next();
        // An organization each, so that names meet nobody.
        let organization = match subject {
            Subject::Organization(id) => id,
            Subject::Shard(_) | Subject::Host(_) | Subject::Snapshot(_) | Subject::Sandbox(_) => {
                OrganizationId::from_u128(self.made)
            }
        };
        let record = Record {
            seq,
            id: RecordId::from_u128(0x018b_cfe5_6800_7000_8000_0000_0000_0000 + u128::from(seq.0)),
            at: Timestamp(BEGIN + APART * seq.0),
            subject,
            organization,
            version: self.fleet.next_version(subject),
            actor: Actor::Engine,
            cause: Cause::Duty,
            correlation: CorrelationId::from_u128(self.made),
            prev: self.fleet.head(),
            schema: SCHEMA,
            event,
        };
        let bytes = codec::encode(&record);
        let digest = Digest::of(&bytes);
        self.fleet.apply(&record, digest).map_err(|error| error.to_string())?;
        self.entries.push(Entry { record, bytes, digest });
        Ok(())
    }
}
