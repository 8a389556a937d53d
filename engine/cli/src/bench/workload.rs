//! The log all benches work on: many sandboxes that are born, stop when idle and start again, chained as the kernel
//! chains records.

use std::collections::BTreeMap;

use anyhow::Context as _;
use hourglass_events::{
    Actor, AutoDelete, AutoStop, Blueprint, Cause, Class, CorrelationId, Digest, Event, ExitCause, HostId,
    Image, Labels, Name, OrderNumber, OrganizationId, Placement, Record, RecordId, Resources, SandboxEvent,
    SandboxId, Seq, ShardEvent, ShardNumber, SnapshotContent, SnapshotId, Span, StopReason, Subject,
    Timestamp, codec,
};
use hourglass_kernel::Entry;

pub(super) const OWNER: OrganizationId = OrganizationId::from_u128(1);
pub(super) const HOST: HostId = HostId::from_u128(2);
/// When it all begins.
const BEGIN: u64 = 1_700_000_000_000_000;
/// Records of one sandbox that only happen once; then it stops and starts for ever.
const BIRTH: usize = 3;
/// Records of one sandbox until it has stopped for the first time.
pub(super) const LIFE: usize = BIRTH + 2;
/// How far the next record's sandbox is from this one's: neighbours in the log are not neighbours in memory.
const STRIDE: usize = 7_919;

/// An endless log, record by record.
#[derive(Debug, Clone)]
pub(super) struct Workload {
    blueprint: Box<Blueprint>,
    sandboxes: usize,
    step: Span,
    written: usize,
    head: Digest,
}

impl Workload {
    /// A log of this many sandboxes.
    pub(super) fn new(sandboxes: usize) -> anyhow::Result<Self> {
        let labels = BTreeMap::from([("team".to_owned(), "search".to_owned())]);
        let name = Name::new("agent").context("a name")?;
        let blueprint = Box::new(Blueprint {
            labels: Labels::new(labels).context("labels")?,
            ..Blueprint::new(name, SnapshotId::from_u128(3), &content())
        });
        Ok(Self { blueprint, sandboxes, step: Span(1), written: 0, head: Digest::NONE })
    }

    /// The same with this much time between two records; a microsecond otherwise.
    pub(super) const fn every(mut self, step: Span) -> Self {
        self.step = step;
        self
    }

    /// The same with sandboxes that are deleted so, and never stopped for being idle.
    pub(super) fn deleting(mut self, policy: AutoDelete) -> Self {
        self.blueprint.auto_delete = policy;
        self.blueprint.auto_stop = AutoStop::Never;
        self
    }

    /// The next record, written down.
    pub(super) fn entry(&mut self) -> Entry {
        let record = self.record();
        let bytes = codec::encode(&record);
        let digest = Digest::of(&bytes);
        self.head = digest;
        Entry { record, bytes, digest }
    }

    fn record(&mut self) -> Record {
        let (place, seq) = (self.written, self.written as u64 + 1);
        self.written += 1;
        let Some(place) = place.checked_sub(1) else { return self.stamped(seq, shard(), 1, opened()) };
        let (sandbox, version) = (place % self.sandboxes * STRIDE % self.sandboxes, place / self.sandboxes);
        let event = Event::Sandbox(self.event(sandbox, version));
        let id = SandboxId::from_u128(sandbox as u128);
        self.stamped(seq, Subject::Sandbox(id), version as u64 + 1, event)
    }

    fn stamped(&self, seq: u64, subject: Subject, version: u64, event: Event) -> Record {
        let reported = version.is_multiple_of(2);
        Record {
            seq: Seq(seq),
            id: RecordId::from_u128(0x0196_0000_0000_7000_8000_0000_0000_0000 + u128::from(seq)),
            at: Timestamp(BEGIN + seq * self.step.0),
            subject,
            organization: OWNER,
            version,
            actor: if reported { Actor::Host(HOST) } else { Actor::Client("console".to_owned()) },
            cause: if reported { Cause::Report(OrderNumber(seq / 2)) } else { Cause::Request(None) },
            correlation: CorrelationId::from_u128(u128::from(seq) * 7),
            prev: self.head,
            schema: 0,
            event,
        }
    }

    fn event(&self, sandbox: usize, version: usize) -> SandboxEvent {
        let deadline = Timestamp(BEGIN + 60_000_000);
        match version {
            0 => {
                let mut blueprint = self.blueprint.clone();
                let name = Name::new(&format!("agent-{sandbox}"));
                blueprint.name = name.unwrap_or(blueprint.name);
                let placement = Placement::only(HOST);
                SandboxEvent::PullBegan { blueprint, placement, deadline }
            }
            1 => SandboxEvent::SnapshotReady { deadline },
            2 => SandboxEvent::Booted,
            later => match (later - BIRTH) % 4 {
                0 => SandboxEvent::StopBegan {
                    reason: StopReason::Idle { last_activity: Timestamp(BEGIN) },
                    grace: Span::seconds(10),
                    deadline,
                },
                1 => SandboxEvent::Exited { cause: ExitCause::Stopped },
                2 => SandboxEvent::BootBegan { deadline },
                _ => SandboxEvent::Booted,
            },
        }
    }
}

/// What all sandboxes are made of.
pub(super) fn content() -> SnapshotContent {
    SnapshotContent {
        name: "debian".to_owned(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: Image { digest: Digest::of(b"image").to_string() },
    }
}

fn shard() -> Subject {
    Subject::Shard(ShardNumber(0))
}

fn opened() -> Event {
    let (build, clock) = ("bench".to_owned(), Timestamp(BEGIN));
    Event::Shard(ShardEvent::Opened { build, schema: 0, clock, shards: 1, shard: ShardNumber(0) })
}
