//! Arbitrary events, by kind: a kind that gains a payload breaks the match here until it is drawn.

use proptest::collection::vec;
use proptest::prelude::*;

use super::value::{
    allowance, auto_archive, auto_delete, auto_stop, blueprint, capabilities, class, exit_cause, fault,
    gpu_type, gpu_types, heat, host_id, image, labels, name, network, placement, recipe, resources,
    sandbox_id, snapshot_id, span, text, timestamp,
};
use crate::event::{
    ArchiveReason, DeleteReason, DropReason, HostEvent, Intent, OrganizationEvent, RestoreSource,
    SandboxEvent, SandboxEventKind as Kind, ShardEvent, SnapshotEvent, SnapshotEventKind, StopReason,
};
use crate::id::{Incarnation, OrderNumber, Seq, ShardNumber};
use crate::snapshot::SnapshotContent;

/// An event of any kind.
pub fn sandbox_event() -> impl Strategy<Value = SandboxEvent> {
    prop::sample::select(Kind::ALL).prop_flat_map(sandbox_event_of)
}

/// An event of `kind`.
pub fn sandbox_event_of(kind: Kind) -> BoxedStrategy<SandboxEvent> {
    use SandboxEvent as E;
    let plain = |event: SandboxEvent| Just(event).boxed();
    match kind {
        Kind::BuildQueued => build_queued().boxed(),
        Kind::BuildBegan => build_began().boxed(),
        Kind::BuildFailed => fault().prop_map(|fault| E::BuildFailed { fault }).boxed(),
        Kind::PullBegan => (blueprint(), placement(), timestamp())
            .prop_map(|(blueprint, placement, deadline)| E::PullBegan {
                blueprint: Box::new(blueprint),
                placement,
                deadline,
            })
            .boxed(),
        Kind::SnapshotReady => timestamp().prop_map(|deadline| E::SnapshotReady { deadline }).boxed(),
        Kind::Born => born().boxed(),
        Kind::CopyReady => timestamp().prop_map(|deadline| E::CopyReady { deadline }).boxed(),
        Kind::BootBegan => timestamp().prop_map(|deadline| E::BootBegan { deadline }).boxed(),
        Kind::Booted => plain(E::Booted),
        Kind::StopBegan => (stop_reason(), span(), timestamp())
            .prop_map(|(reason, grace, deadline)| E::StopBegan { reason, grace, deadline })
            .boxed(),
        Kind::StopForced => timestamp().prop_map(|deadline| E::StopForced { deadline }).boxed(),
        Kind::Exited => exit_cause().prop_map(|cause| E::Exited { cause }).boxed(),
        Kind::PauseBegan => timestamp().prop_map(|deadline| E::PauseBegan { deadline }).boxed(),
        Kind::MemorySaved => plain(E::MemorySaved),
        Kind::ResumeBegan => timestamp().prop_map(|deadline| E::ResumeBegan { deadline }).boxed(),
        Kind::Resumed => plain(E::Resumed),
        Kind::ArchiveBegan => archive_began().boxed(),
        Kind::DiskDropped => plain(E::DiskDropped),
        Kind::ArchiveStored => plain(E::ArchiveStored),
        Kind::RestoreBegan => restore_began().boxed(),
        Kind::Restored => plain(E::Restored),
        Kind::ResizeBegan => (resources(), timestamp())
            .prop_map(|(resources, deadline)| E::ResizeBegan { resources, deadline })
            .boxed(),
        Kind::Resized => plain(E::Resized),
        Kind::SnapshotBegan => snapshot_began().boxed(),
        Kind::SnapshotTaken => plain(E::SnapshotTaken),
        Kind::ForkBegan => fork_began().boxed(),
        Kind::Forked => plain(E::Forked),
        Kind::Abandoned => prop::option::of(fault()).prop_map(|fault| E::Abandoned { fault }).boxed(),
        Kind::DeleteBegan => delete_reason().prop_map(|reason| E::DeleteBegan { reason }).boxed(),
        Kind::Removed => plain(E::Removed),
        Kind::Buried => plain(E::Buried),
        Kind::Failed => fault().prop_map(|fault| E::Failed { fault }).boxed(),
        Kind::LabelsReplaced => labels().prop_map(|labels| E::LabelsReplaced { labels }).boxed(),
        Kind::AutoStopSet => auto_stop().prop_map(|policy| E::AutoStopSet { policy }).boxed(),
        Kind::AutoArchiveSet => auto_archive().prop_map(|policy| E::AutoArchiveSet { policy }).boxed(),
        Kind::AutoDeleteSet => auto_delete().prop_map(|policy| E::AutoDeleteSet { policy }).boxed(),
        Kind::NetworkSet => network().prop_map(|policy| E::NetworkSet { policy }).boxed(),
        Kind::SettingsApplied => plain(E::SettingsApplied),
        Kind::PublicSet => any::<bool>().prop_map(|public| E::PublicSet { public }).boxed(),
        Kind::ActivityRefreshed => plain(E::ActivityRefreshed),
        Kind::IntentQueued => intent().prop_map(|intent| E::IntentQueued { intent }).boxed(),
        Kind::IntentDropped => drop_reason().prop_map(|why| E::IntentDropped { why }).boxed(),
        Kind::Placed => (placement(), timestamp())
            .prop_map(|(placement, deadline)| E::Placed { placement, deadline })
            .boxed(),
        Kind::Declined => declined().boxed(),
        Kind::Struggled => (fault(), any::<u32>(), timestamp())
            .prop_map(|(fault, attempt, retry_at)| E::Struggled { fault, attempt, retry_at })
            .boxed(),
        Kind::Quiesced => plain(E::Quiesced),
        Kind::BackupBegan => timestamp().prop_map(|deadline| E::BackupBegan { deadline }).boxed(),
        Kind::BackupTaken => plain(E::BackupTaken),
        Kind::BackupFailed => backup_failed().boxed(),
        Kind::LeftoverRemoved => plain(E::LeftoverRemoved),
    }
}

fn born() -> impl Strategy<Value = SandboxEvent> {
    (blueprint(), host_id(), any::<u64>()).prop_map(|(blueprint, host, fork)| SandboxEvent::Born {
        blueprint: Box::new(blueprint),
        host,
        fork: OrderNumber(fork),
    })
}

fn fork_began() -> impl Strategy<Value = SandboxEvent> {
    (sandbox_id(), name(), resources(), timestamp()).prop_map(|(child, name, resources, deadline)| {
        SandboxEvent::ForkBegan { child, name, resources, deadline }
    })
}

fn declined() -> impl Strategy<Value = SandboxEvent> {
    (fault(), placement(), timestamp()).prop_map(|(fault, placement, deadline)| SandboxEvent::Declined {
        fault,
        placement,
        deadline,
    })
}

fn build_queued() -> impl Strategy<Value = SandboxEvent> {
    prop::option::of(blueprint().prop_map(Box::new))
        .prop_map(|blueprint| SandboxEvent::BuildQueued { blueprint })
}

fn build_began() -> impl Strategy<Value = SandboxEvent> {
    let blueprint = prop::option::of(blueprint().prop_map(Box::new));
    (blueprint, placement(), timestamp()).prop_map(|(blueprint, placement, deadline)| {
        SandboxEvent::BuildBegan { blueprint, placement, deadline }
    })
}

fn backup_failed() -> impl Strategy<Value = SandboxEvent> {
    (fault(), any::<u32>(), timestamp()).prop_map(|(fault, attempt, retry_at)| SandboxEvent::BackupFailed {
        fault,
        attempt,
        retry_at,
    })
}

fn snapshot_began() -> impl Strategy<Value = SandboxEvent> {
    (snapshot_id(), text(), heat(), timestamp()).prop_map(|(snapshot, name, heat, deadline)| {
        SandboxEvent::SnapshotBegan { snapshot, name, heat, deadline }
    })
}

fn archive_began() -> impl Strategy<Value = SandboxEvent> {
    let reason = prop_oneof![Just(ArchiveReason::Asked), Just(ArchiveReason::Expired)];
    (reason, timestamp()).prop_map(|(reason, deadline)| SandboxEvent::ArchiveBegan { reason, deadline })
}

fn restore_began() -> impl Strategy<Value = SandboxEvent> {
    let backup = any::<u64>().prop_map(|number| RestoreSource::Backup(OrderNumber(number)));
    let source = prop_oneof![Just(RestoreSource::Disk), backup];
    (source, placement(), timestamp()).prop_map(|(source, placement, deadline)| SandboxEvent::RestoreBegan {
        source,
        placement,
        deadline,
    })
}

fn stop_reason() -> impl Strategy<Value = StopReason> {
    prop_oneof![
        Just(StopReason::Asked),
        timestamp().prop_map(|last_activity| StopReason::Idle { last_activity })
    ]
}

fn delete_reason() -> impl Strategy<Value = DeleteReason> {
    prop_oneof![
        Just(DeleteReason::Asked),
        Just(DeleteReason::Ephemeral),
        Just(DeleteReason::Expired),
        Just(DeleteReason::Cascade)
    ]
}

fn intent() -> impl Strategy<Value = Intent> {
    prop_oneof![
        Just(Intent::Start),
        span().prop_map(|grace| Intent::Stop { grace }),
        Just(Intent::Pause),
        Just(Intent::Archive)
    ]
}

fn drop_reason() -> impl Strategy<Value = DropReason> {
    prop_oneof![
        Just(DropReason::AlreadyThere),
        Just(DropReason::OperationFailed),
        Just(DropReason::Ephemeral),
        Just(DropReason::Replaced),
        Just(DropReason::OverQuota),
        Just(DropReason::Linked),
    ]
}

/// An event of a snapshot.
pub fn snapshot_event() -> impl Strategy<Value = SnapshotEvent> {
    prop::sample::select(SnapshotEventKind::ALL).prop_flat_map(snapshot_event_of)
}

fn snapshot_event_of(kind: SnapshotEventKind) -> BoxedStrategy<SnapshotEvent> {
    use SnapshotEvent as E;
    let asked = || (snapshot_content(), recipe(), prop::option::of(host_id()), timestamp());
    match kind {
        SnapshotEventKind::Registered => {
            snapshot_content().prop_map(|content| E::Registered { content }).boxed()
        }
        SnapshotEventKind::PullBegan => asked()
            .prop_map(|(content, recipe, host, deadline)| E::PullBegan { content, recipe, host, deadline })
            .boxed(),
        SnapshotEventKind::BuildBegan => asked()
            .prop_map(|(content, recipe, host, deadline)| E::BuildBegan { content, recipe, host, deadline })
            .boxed(),
        SnapshotEventKind::CaptureBegan => (snapshot_content(), heat(), sandbox_id())
            .prop_map(|(content, heat, of)| E::CaptureBegan { content, heat, of })
            .boxed(),
        SnapshotEventKind::Placed => host_id().prop_map(|host| E::Placed { host }).boxed(),
        SnapshotEventKind::Ready => Just(E::Ready).boxed(),
        SnapshotEventKind::Failed => fault().prop_map(|fault| E::Failed { fault }).boxed(),
        SnapshotEventKind::Deactivated => Just(E::Deactivated).boxed(),
        SnapshotEventKind::Activated => Just(E::Activated).boxed(),
        SnapshotEventKind::RemoveBegan => Just(E::RemoveBegan).boxed(),
        SnapshotEventKind::Struggled => (fault(), any::<u32>(), timestamp())
            .prop_map(|(fault, attempt, retry_at)| E::Struggled { fault, attempt, retry_at })
            .boxed(),
        SnapshotEventKind::Removed => Just(E::Removed).boxed(),
    }
}

fn snapshot_content() -> impl Strategy<Value = SnapshotContent> {
    (text(), class(), resources(), gpu_types(), image())
        .prop_map(|(name, class, resources, gpu_types, image)| SnapshotContent {
            name,
            class,
            resources,
            gpu_types,
            image,
        })
        .boxed()
}

/// An event of a host.
pub fn host_event() -> impl Strategy<Value = HostEvent> {
    let incarnation = || any::<u64>().prop_map(Incarnation);
    let able = (prop::option::of(gpu_type()), capabilities());
    let seen = (incarnation(), text(), vec(class(), 0..4), resources(), able);
    prop_oneof![
        seen.prop_map(|(incarnation, region, classes, capacity, (gpu_type, capabilities))| {
            HostEvent::Seen { incarnation, region, classes, capacity, gpu_type, capabilities }
        }),
        incarnation().prop_map(|incarnation| HostEvent::Suspected { incarnation }),
        incarnation().prop_map(|incarnation| HostEvent::Lost { incarnation }),
        incarnation().prop_map(|incarnation| HostEvent::Returned { incarnation }),
        Just(HostEvent::Cordoned),
        Just(HostEvent::DrainBegan),
        Just(HostEvent::Uncordoned),
        sandbox_id().prop_map(|sandbox| HostEvent::Swept { sandbox }),
        (sandbox_id(), fault(), timestamp()).prop_map(|(sandbox, fault, retry_at)| HostEvent::SweepFailed {
            sandbox,
            fault,
            retry_at
        }),
    ]
    .boxed()
}

/// An event of an organization.
pub fn organization_event() -> impl Strategy<Value = OrganizationEvent> {
    allowance().prop_map(|allowance| OrganizationEvent::LimitsSet { allowance: Box::new(allowance) }).boxed()
}

/// An event of a shard.
pub fn shard_event() -> impl Strategy<Value = ShardEvent> {
    prop_oneof![
        (text(), any::<u32>(), timestamp(), any::<[u64; 2]>()).prop_map(
            |(build, schema, clock, [shards, shard])| ShardEvent::Opened {
                build,
                schema,
                clock,
                shards,
                shard: ShardNumber(shard),
            }
        ),
        any::<u32>().prop_map(|schema| ShardEvent::SchemaRaised { schema }),
        (any::<u32>(), any::<[u8; 32]>(), any::<u64>()).prop_map(|(layout, hash, through)| {
            ShardEvent::StateHashed { layout, hash, through: Seq(through) }
        }),
    ]
    .boxed()
}
