//! What the log holds, and what is asked of its writers.

use std::collections::BTreeMap;
use std::sync::Arc;

use hourglass_events::codec::{Group, decode};
use hourglass_events::{
    Actor, Cause, Class, Command, CorrelationId, Create, Finding, HostId, HostNews, HostProfile,
    IdempotencyKey, Incarnation, OrderNumber, Record, Report, Request, Resources, SandboxId, ShardNumber,
    Subject,
};

use super::super::world::ORGANIZATION;
use crate::shard::Input;

const HOST: HostId = HostId::from_u128(0x1001);

pub(super) fn request(step: u64) -> Request {
    let sandbox = SandboxId::from_u128(step.into());
    let command = match step {
        1 | 2 => Command::Create(Create::new(sandbox)),
        _ => Command::Stop(SandboxId::from_u128(1).into(), hourglass_events::StopMode::Force),
    };
    Request {
        organization: ORGANIZATION,
        actor: Actor::Client("tester".to_owned()),
        key: Some(IdempotencyKey::new(&format!("step {step}")).expect("a key")),
        correlation: CorrelationId::from_u128(step.into()),
        command,
    }
}

pub(super) fn report(number: u64) -> Input {
    let (sandbox, number) = (SandboxId::from_u128(1), OrderNumber(number));
    let report = Report { serial: 3, shard: ShardNumber(0), sandbox, number, finding: Finding::Done(None) };
    Input::News { host: HOST, news: HostNews::Reported(report) }
}

pub(super) fn joined() -> Input {
    let profile = HostProfile {
        host: HOST,
        incarnation: Incarnation(1),
        region: "local".to_owned(),
        classes: vec![Class::Container],
        capacity: Resources { cpu: 8, memory_gib: 8, disk_gib: 80, gpu: 0 },
        gpu_type: None,
        capabilities: hourglass_events::Capabilities::all(),
    };
    Input::News { host: HOST, news: HostNews::Joined(Box::new(profile)) }
}

pub(super) fn records(frames: &[Frame]) -> impl Iterator<Item = &Record> {
    frames.iter().flat_map(|frame| frame.records.iter())
}

pub(super) fn stored(frames: &[Frame], record: &Record) -> bool {
    records(frames).any(|stored| stored == record)
}

/// How many records each step's key has.
pub(super) fn keyed(frames: &[Frame]) -> BTreeMap<u64, u32> {
    let mut found = BTreeMap::new();
    for record in records(frames) {
        if let Cause::Request(Some(used)) = &record.cause
            && let Some(step) = used.key.strip_prefix("step ")
        {
            *found.entry(step.parse().expect("a step")).or_insert(0) += 1;
        }
    }
    found
}

pub(super) fn reported(frames: &[Frame]) -> bool {
    records(frames).any(|record| matches!(record.cause, Cause::Report(_)))
}

/// The sequence of the first sandbox's birth, which is the number of its order.
pub(super) fn pulled(frames: &[Frame]) -> Option<u64> {
    let subject = Subject::Sandbox(SandboxId::from_u128(1));
    let mut all = records(frames);
    all.find(|record| record.event.name() == "PullBegan" && record.subject == subject)
        .map(|record| record.seq.0)
}

/// What a slot holds, read once.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) bytes: Arc<[u8]>,
    pub(super) group: Arc<Group>,
    pub(super) records: Arc<Vec<Record>>,
}

impl Frame {
    pub(super) fn new(bytes: &Arc<[u8]>) -> Self {
        let group = Group::decode(bytes).expect("a group");
        let records = group.records.iter().map(|bytes| decode(bytes).expect("a record")).collect();
        Self { bytes: Arc::clone(bytes), group: Arc::new(group), records: Arc::new(records) }
    }
}
