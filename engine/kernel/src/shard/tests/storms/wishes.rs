//! What the clients of a storm ask for.

use std::collections::BTreeMap;

use hourglass_events::{
    AutoDelete, AutoStop, Class, Command, Create, Fork, FromImage, Heat, Labels, Minutes, Name,
    NetworkPolicy, NewSnapshot, Recipe, Resize, SnapshotId, Span, StopMode, TakeSnapshot,
};
use proptest::prelude::*;

use super::super::world::{ORGANIZATION, World};
use super::id;

/// What a client asks of a sandbox.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    Create { stop: AutoStop, delete: AutoDelete, named: bool, large: bool, linked: Option<u8> },
    Start,
    Stop(StopMode),
    Delete,
    Labels(u8),
    AutoStop(AutoStop),
    AutoDelete(AutoDelete),
    Refresh,
    Network(NetworkPolicy),
    Pause,
    Resize(Resize),
    Archive,
    Recover,
    BackUp,
    Build { named: bool },
    Snapshot(u8, Heat),
    Make(u8),
    Activate(u8),
    Deactivate(u8),
    Remove(u8),
    Fork(u8),
}

pub(super) fn wish() -> impl Strategy<Value = Wish> {
    let stop = || prop_oneof![Just(AutoStop::Never), (1..4_u32).prop_map(|m| AutoStop::After(Minutes(m)))];
    let delete = || {
        prop_oneof![
            Just(AutoDelete::Never),
            Just(AutoDelete::AtOnce),
            (1..9_u32).prop_map(|m| AutoDelete::After(Minutes(m)))
        ]
    };
    let mode = prop_oneof![
        Just(StopMode::Force),
        prop::option::of(0..60_u64).prop_map(|grace| StopMode::Graceful(grace.map(Span::seconds)))
    ];
    prop_oneof![
        6 => (stop(), delete(), any::<bool>(), any::<bool>(), prop::option::weighted(0.3, 0..5_u8))
            .prop_map(|(stop, delete, named, large, linked)| {
                let delete = if linked.is_some() { AutoDelete::AtOnce } else { delete };
                Wish::Create { stop, delete, named, large, linked }
            }),
        4 => (0..5_u8).prop_map(Wish::Fork),
        3 => Just(Wish::Start),
        3 => mode.prop_map(Wish::Stop),
        2 => Just(Wish::Delete),
        1 => (0..3_u8).prop_map(Wish::Labels),
        1 => stop().prop_map(Wish::AutoStop),
        1 => delete().prop_map(Wish::AutoDelete),
        1 => Just(Wish::Refresh),
        3 => Just(Wish::Pause),
        3 => Just(Wish::Archive),
        2 => Just(Wish::Recover),
        2 => Just(Wish::BackUp),
        2 => any::<bool>().prop_map(|named| Wish::Build { named }),
        4 => (0..3_u8, prop_oneof![Just(Heat::Cold), Just(Heat::Hot)])
            .prop_map(|(snapshot, heat)| Wish::Snapshot(snapshot, heat)),
        4 => (0..3_u8, 0..4_u8).prop_map(|(snapshot, what)| match what {
            0 => Wish::Make(snapshot),
            1 => Wish::Activate(snapshot),
            2 => Wish::Deactivate(snapshot),
            _ => Wish::Remove(snapshot),
        }),
        2 => (prop::option::of(1..5_u32), prop::option::of(1..5_u32)).prop_map(|(cpu, disk_gib)| {
            Wish::Resize(Resize { cpu, memory_gib: None, disk_gib })
        }),
        2 => prop_oneof![Just(NetworkPolicy::Open), Just(NetworkPolicy::Blocked)].prop_map(Wish::Network),
    ]
}

pub(super) fn ask(world: &mut World, number: u8, wish: &Wish) {
    let target = id(number).into();
    let command = match wish {
        Wish::Create { stop, delete, named, large, linked } => {
            let mut create = Create::new(id(number));
            create.name = named.then(|| Name::new("shared").expect("a name"));
            create.snapshot = large.then(|| "large".to_owned());
            (create.auto_stop, create.auto_delete) = (Some(*stop), Some(*delete));
            create.linked = linked.map(|parent| id(parent).into());
            Command::Create(create)
        }
        Wish::Start => Command::Start(target),
        Wish::Stop(mode) => Command::Stop(target, *mode),
        Wish::Delete => Command::Delete(target),
        Wish::Labels(value) => {
            let labels = BTreeMap::from([("k".to_owned(), value.to_string())]);
            Command::ReplaceLabels(target, Labels::new(labels).expect("labels"))
        }
        Wish::AutoStop(policy) => Command::SetAutoStop(target, *policy),
        Wish::AutoDelete(policy) => Command::SetAutoDelete(target, *policy),
        Wish::Network(policy) => Command::SetNetwork(target, policy.clone()),
        Wish::Fork(child) => Command::Fork(target, Fork { id: id(*child), name: None }),
        Wish::BackUp => Command::BackUp(target),
        Wish::Build { named } => {
            let mut create = Create::new(id(number));
            create.name = named.then(|| Name::new("shared").expect("a name"));
            let recipe = Recipe::Reference("debian:12".to_owned());
            create.image = Some(Box::new(FromImage { recipe, size: Resize::default() }));
            Command::Create(create)
        }
        Wish::Snapshot(snapshot, heat) => {
            let (id, name) = snapshot_of(world, *snapshot);
            Command::TakeSnapshot(target, TakeSnapshot { id, name, heat: *heat })
        }
        Wish::Make(snapshot) => {
            let (id, name) = snapshot_of(world, *snapshot);
            let recipe = Recipe::Reference("debian:12".to_owned());
            let class = Class::LinuxVm;
            Command::CreateSnapshot(Box::new(NewSnapshot {
                id,
                name,
                class,
                recipe,
                size: Resize::default(),
                region: None,
            }))
        }
        Wish::Activate(snapshot) => Command::ActivateSnapshot(NAMES[usize::from(*snapshot)].to_owned()),
        Wish::Deactivate(snapshot) => Command::DeactivateSnapshot(NAMES[usize::from(*snapshot)].to_owned()),
        Wish::Remove(snapshot) => Command::RemoveSnapshot(NAMES[usize::from(*snapshot)].to_owned()),
        Wish::Archive => Command::Archive(target),
        Wish::Recover => Command::Recover(target),
        Wish::Pause => Command::Pause(target),
        Wish::Resize(resize) => Command::Resize(target, *resize),
        Wish::Refresh => Command::RefreshActivity(target),
    };
    world.ask(ORGANIZATION, None, command);
}

/// What snapshots are called. The first is what sandboxes are created from.
const NAMES: [&str; 3] = ["default", "mine", "other"];

/// An id that was never used, and a name that may have been.
fn snapshot_of(world: &World, name: u8) -> (SnapshotId, String) {
    let id = SnapshotId::from_u128(0x6000 + u128::from(world.shard.proposed().seq().0));
    (id, NAMES[usize::from(name)].to_owned())
}
