//! Arbitrary values inside events. Ids come from a few, so that they meet.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::duty::TaskKind;
use crate::environment::Environment;
use crate::fault::{ExitCause, Fault};
use crate::host::{Capabilities, Capability, GpuType, GpuTypes};
use crate::id::{HostId, Incarnation, OrganizationId, SandboxId, SnapshotId};
use crate::network::NetworkPolicy;
use crate::policy::{AutoArchive, AutoDelete, AutoStop};
use crate::quota::{Allowance, Quota};
use crate::recipe::Recipe;
use crate::record::Digest;
use crate::resources::{Limits, Resources};
use crate::sandbox::{Base, Blueprint, Placement};
use crate::snapshot::Heat;
use crate::spec::{Class, Image, Labels, Name};
use crate::time::{Minutes, Span, Timestamp};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident: $id:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub fn $name() -> impl Strategy<Value = $id> {
            prop_oneof![0..4_u128, any::<u128>()].prop_map($id::from_u128)
        }
    )+};
}

ids! {
    /// A host.
    host_id: HostId,
    /// An organization.
    organization_id: OrganizationId,
    /// A sandbox.
    sandbox_id: SandboxId,
    /// A snapshot.
    snapshot_id: SnapshotId,
}

/// A digest of something.
pub fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

/// A moment.
pub fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<u64>(), 1_700_000_000_000_000..1_800_000_000_000_000_u64].prop_map(Timestamp)
}

/// A length of time.
pub fn span() -> impl Strategy<Value = Span> {
    prop_oneof![any::<u64>(), 0..60_000_000_u64].prop_map(Span)
}

/// A text, most often short and plain.
pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{0,12}", "\\PC{0,40}"]
}

/// A name.
pub fn name() -> impl Strategy<Value = Name> {
    prop_oneof!["[A-Ca-c]{1,3}", "[a-zäß京🦀][a-z0-9äß京🦀 ._-]{0,20}[a-z0-9]"]
        .prop_map(|text| Name::new(&text).expect("only names are drawn"))
}

/// A set of labels.
pub fn labels() -> impl Strategy<Value = Labels> {
    btree_map(prop_oneof!["[ab]", "\\PC{1,12}"], prop_oneof!["[xy]", text()], 0..4)
        .prop_map(|labels| Labels::new(labels).expect("only labels are drawn"))
}

/// What a sandbox is given.
pub fn resources() -> impl Strategy<Value = Resources> {
    (any::<u32>(), 0..200_u32, 0..600_u32, 0..9_u32).prop_map(|(cpu, memory_gib, disk_gib, gpu)| Resources {
        cpu,
        memory_gib,
        disk_gib,
        gpu,
    })
}

pub(super) fn limits() -> impl Strategy<Value = Limits> {
    resources().prop_map(|Resources { cpu, memory_gib, disk_gib, gpu }| Limits {
        cpu,
        memory_gib,
        disk_gib,
        gpu,
    })
}

fn quota() -> impl Strategy<Value = Quota> {
    let some = || prop::option::of(any::<u64>());
    (some(), some(), some(), some()).prop_map(|(cpu, memory_gib, disk_gib, gpu)| Quota {
        cpu,
        memory_gib,
        disk_gib,
        gpu,
    })
}

/// What an organization may have.
pub fn allowance() -> impl Strategy<Value = Allowance> {
    let regions = btree_map(text(), quota(), 0..3);
    (limits(), limits(), limits(), limits(), regions, prop::option::of(any::<u32>()))
        .prop_map(|(container, linux_vm, windows, gpu, regions, snapshots)| Allowance {
            container,
            linux_vm,
            windows,
            gpu,
            regions,
            snapshots,
        })
        .boxed()
}

pub(super) fn gpu_type() -> impl Strategy<Value = GpuType> {
    prop::sample::select(GpuType::ALL)
}

/// Kinds of GPU in some order.
pub fn gpu_types() -> impl Strategy<Value = GpuTypes> {
    prop::sample::subsequence(GpuType::ALL, 0..3)
        .prop_shuffle()
        .prop_map(|kinds| GpuTypes::new(kinds).expect("each once"))
}

pub(super) fn capabilities() -> impl Strategy<Value = Capabilities> {
    prop::sample::subsequence(Capability::ALL, 0..=Capability::ALL.len()).prop_map(Capabilities::of)
}

pub(super) fn class() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::Container), Just(Class::LinuxVm), Just(Class::Windows)]
}

pub(super) fn image() -> impl Strategy<Value = Image> {
    "[0-9a-f]{1,64}".prop_map(|digest| Image { digest })
}

pub(super) fn auto_stop() -> impl Strategy<Value = AutoStop> {
    prop_oneof![Just(AutoStop::Never), any::<u32>().prop_map(|minutes| AutoStop::After(Minutes(minutes)))]
}

pub(super) fn auto_archive() -> impl Strategy<Value = AutoArchive> {
    any::<u32>().prop_map(|minutes| AutoArchive(Minutes(minutes)))
}

pub(super) fn auto_delete() -> impl Strategy<Value = AutoDelete> {
    let after = any::<u32>().prop_map(|minutes| AutoDelete::After(Minutes(minutes)));
    prop_oneof![Just(AutoDelete::Never), Just(AutoDelete::AtOnce), after]
}

/// What a sandbox may reach.
pub fn network() -> impl Strategy<Value = NetworkPolicy> {
    let cidrs = vec((any::<[u8; 4]>(), 0..=32_u8), 1..4);
    let only = (cidrs, vec("(\\*\\.)?[a-z]{1,9}\\.com", 0..4)).prop_map(|(cidrs, domains)| {
        let cidrs: Vec<_> = cidrs.iter().map(|([a, b, c, d], n)| format!("{a}.{b}.{c}.{d}/{n}")).collect();
        NetworkPolicy::only(&cidrs, &domains).expect("only lists are drawn")
    });
    prop_oneof![Just(NetworkPolicy::Open), Just(NetworkPolicy::Blocked), only]
}

/// What an image is made of.
pub fn recipe() -> impl Strategy<Value = Recipe> {
    let dockerfile = ("\\PC{0,40}", vec("[0-9a-f]{1,12}", 0..3));
    prop_oneof![
        "[a-z]{1,9}:[0-9]{1,3}".prop_map(Recipe::Reference),
        dockerfile.prop_map(|(text, context)| Recipe::Dockerfile { text, context }),
    ]
}

pub(super) fn heat() -> impl Strategy<Value = Heat> {
    prop_oneof![Just(Heat::Cold), Just(Heat::Hot)]
}

fn base() -> impl Strategy<Value = Base> {
    prop_oneof![heat().prop_map(Base::Snapshot), recipe().prop_map(|recipe| Base::Build(Box::new(recipe)))]
}

/// Variables and digests.
pub fn environment() -> impl Strategy<Value = Environment> {
    btree_map("[A-Z_]{1,9}", digest(), 0..3)
        .prop_map(|variables| Environment::new(variables).expect("only variables are drawn"))
}

/// What a sandbox was asked to be.
pub fn blueprint() -> impl Strategy<Value = Blueprint> {
    let from = (snapshot_id(), text(), image(), base());
    let policies = (auto_stop(), auto_archive(), auto_delete());
    let settings = (network(), any::<bool>(), environment());
    let kin = (prop::option::of(sandbox_id()), prop::option::of(sandbox_id()));
    let given = (text(), resources(), gpu_types(), text(), labels());
    (name(), class(), from, given, policies, settings, kin)
        .prop_map(
            |(
                name,
                class,
                (snapshot, snapshot_name, image, base),
                given,
                policies,
                settings,
                (linked, forked_from),
            )| {
                let (region, resources, gpu_types, user, labels) = given;
                let (auto_stop, auto_archive, auto_delete) = policies;
                let (network, public, environment) = settings;
                Blueprint {
                    name,
                    class,
                    snapshot,
                    snapshot_name,
                    image,
                    base,
                    region,
                    resources,
                    gpu_types,
                    user,
                    labels,
                    auto_stop,
                    auto_archive,
                    auto_delete,
                    network,
                    public,
                    environment,
                    linked,
                    forked_from,
                }
            },
        )
        .boxed()
}

/// Where a sandbox was placed.
pub fn placement() -> impl Strategy<Value = Placement> {
    (prop::option::of(host_id()), any::<[u32; 7]>())
        .prop_map(|(host, [hosts, ready, near, able, willing, roomy, queue])| Placement {
            host,
            hosts,
            ready,
            near,
            able,
            willing,
            roomy,
            queue,
        })
        .boxed()
}

pub(super) fn exit_cause() -> impl Strategy<Value = ExitCause> {
    prop_oneof![
        Just(ExitCause::Stopped),
        Just(ExitCause::Killed),
        any::<u8>().prop_map(|code| ExitCause::Entrypoint { code }),
        Just(ExitCause::OutOfMemory),
        Just(ExitCause::Vanished),
        Just(ExitCause::HostLost),
    ]
}

/// What went wrong.
pub fn fault() -> impl Strategy<Value = Fault> {
    let task = prop_oneof![Just(TaskKind::Pull), Just(TaskKind::Boot), Just(TaskKind::Remove)];
    prop_oneof![
        (task.clone(), span()).prop_map(|(task, after)| Fault::TimedOut { task, after }),
        text().prop_map(|doing| Fault::NoSpace { doing }),
        (text(), text()).prop_map(|(image, why)| Fault::ImageUnavailable { image, why }),
        (text(), text()).prop_map(|(doing, error)| Fault::System { doing, error }),
        (text(), text()).prop_map(|(program, error)| Fault::EntrypointUnusable { program, error }),
        span().prop_map(|after| Fault::AgentSilent { after }),
        text().prop_map(|what| Fault::Missing { what }),
        task.prop_map(|task| Fault::Unsupported { task }),
        placement().prop_map(|placement| placement.fault()),
        (host_id(), any::<u64>())
            .prop_map(|(host, life)| Fault::HostLost { host, incarnation: Incarnation(life) }),
        sandbox_id().prop_map(|parent| Fault::NotForked { parent }),
        sandbox_id().prop_map(|sandbox| Fault::SourceGone { sandbox }),
    ]
    .boxed()
}
