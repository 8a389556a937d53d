//! The bytes of schema 0, written down: whoever changes the encoding by accident sees it here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::group;
use crate::codec::{decode, encode};
use crate::environment::Environment;
use crate::event::{HostEvent, SandboxEvent, ShardEvent};
use crate::fault::Fault;
use crate::host::{Capabilities, Capability, GpuType, GpuTypes};
use crate::id::{
    CorrelationId, HostId, Incarnation, OrderNumber, OrganizationId, RecordId, SandboxId, Seq, ShardNumber,
    SnapshotId,
};
use crate::network::NetworkPolicy;
use crate::policy::{AutoArchive, AutoDelete, AutoStop};
use crate::record::{Actor, Cause, Digest, Event, KeyUse, Record, Subject};
use crate::resources::Resources;
use crate::sandbox::{Base, Blueprint, Placement};
use crate::snapshot::Heat;
use crate::spec::{Class, Image, Labels, Name};
use crate::time::{Minutes, Timestamp};

const SANDBOX: Subject = Subject::Sandbox(SandboxId::from_u128(1));
const HOST: HostId = HostId::from_u128(7);

fn record(subject: Subject, actor: Actor, cause: Cause, event: Event) -> Record {
    Record {
        seq: Seq(300),
        id: RecordId::from_u128(0x0196_0000_0000_7000_8000_0000_0000_0001),
        at: Timestamp(1_700_000_000_000_000),
        subject,
        organization: OrganizationId::from_u128(2),
        version: 4,
        actor,
        cause,
        correlation: CorrelationId::from_u128(5),
        prev: Digest([0xab; 32]),
        schema: 0,
        event,
    }
}

fn pull() -> Record {
    let blueprint = Box::new(Blueprint {
        name: Name::new("a").unwrap(),
        class: Class::LinuxVm,
        snapshot: SnapshotId::from_u128(6),
        snapshot_name: "debian".to_owned(),
        image: Image { digest: "00".to_owned() },
        region: "eu".to_owned(),
        base: Base::Snapshot(Heat::Cold),
        resources: Resources::DEFAULT,
        gpu_types: GpuTypes::new([GpuType::H200, GpuType::RtxPro6000]).unwrap(),
        user: "root".to_owned(),
        labels: Labels::new(BTreeMap::from([("k".to_owned(), "v".to_owned())])).unwrap(),
        auto_stop: AutoStop::After(Minutes(15)),
        auto_archive: AutoArchive::DEFAULT,
        auto_delete: AutoDelete::AtOnce,
        network: NetworkPolicy::only(&["10.0.0.0/8"], &["*.example.com"]).unwrap(),
        public: true,
        environment: Environment::new(BTreeMap::from([("TOKEN".to_owned(), Digest([0x11; 32]))])).unwrap(),
        linked: None,
        forked_from: None,
    });
    let placement = Placement { hosts: 3, ready: 2, near: 2, able: 2, ..Placement::only(HOST) };
    let key = KeyUse { key: "k1".to_owned(), fingerprint: Digest([0xcd; 32]) };
    let event = SandboxEvent::PullBegan { blueprint, placement, deadline: Timestamp(9) };
    record(SANDBOX, Actor::Client("me".to_owned()), Cause::Request(Some(key)), Event::Sandbox(event))
}

fn each() -> Vec<(&'static str, Record)> {
    let fault = Fault::System { doing: "boot".to_owned(), error: "no".to_owned() };
    let failed = Event::Sandbox(SandboxEvent::Failed { fault });
    let seen = HostEvent::Seen {
        incarnation: Incarnation(1),
        region: "local".to_owned(),
        classes: vec![Class::Container],
        capacity: Resources::DEFAULT,
        gpu_type: Some(GpuType::H100),
        capabilities: Capabilities::of([Capability::Archive, Capability::Resize]),
    };
    let hashed = Event::Shard(ShardEvent::StateHashed { layout: 1, hash: [0xef; 32], through: Seq(299) });
    let booted = Event::Sandbox(SandboxEvent::Booted);
    vec![
        ("booted", record(SANDBOX, Actor::Host(HOST), Cause::Report(OrderNumber(299)), booted)),
        ("pull", pull()),
        ("failed", record(SANDBOX, Actor::Engine, Cause::Duty, failed)),
        ("seen", record(Subject::Host(HOST), Actor::Host(HOST), Cause::Host, Event::Host(seen))),
        ("hashed", record(Subject::Shard(ShardNumber(0)), Actor::Engine, Cause::Takeover, hashed)),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The golden file as this build would write it.
fn written() -> String {
    let records = each();
    let frame = group(records.iter().map(|(_, record)| encode(record)).collect()).encode();
    let lines = records.iter().map(|(name, record)| format!("{name} {}\n", hex(&encode(record))));
    lines.chain([format!("group {}\n", hex(&frame))]).collect()
}

#[test]
fn schema_0_is_written_as_it_was() {
    let (golden, written) = (include_str!("golden.txt"), written());
    assert!(written == golden, "the encoding changed; if that is meant, golden.txt becomes\n{written}");
}

#[test]
fn schema_0_is_read_as_it_was() {
    for ((name, record), line) in each().iter().zip(include_str!("golden.txt").lines()) {
        let (found, hex) = line.split_once(' ').unwrap();
        assert_eq!((found, decode(&bytes(hex)).as_ref()), (*name, Ok(record)));
    }
}
