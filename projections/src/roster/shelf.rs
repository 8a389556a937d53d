//! One organization's sandboxes that are not deleted, by name and in each order they are listed in.
//!
//! It holds ids and the keys they are sorted by; the sandboxes themselves are the roster's.

use hourglass_events::{Name, Sandbox, SandboxId, State, Timestamp};
use imbl::{OrdMap, OrdSet};

use super::list::Sort;

/// What sandboxes are sorted by. One order has keys of one kind only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Moment(Timestamp),
    Number(u32),
    /// In lower case, as people sort names.
    Name(String),
}

impl Key {
    pub(super) fn of(sandbox: &Sandbox, sort: Sort) -> Self {
        match sort {
            Sort::Created => Self::Moment(sandbox.created),
            Sort::LastActivity => Self::Moment(sandbox.last_activity),
            Sort::Name => Self::Name(sandbox.blueprint.name.as_str().to_lowercase()),
            Sort::Cpu => Self::Number(sandbox.blueprint.resources.cpu),
            Sort::Memory => Self::Number(sandbox.blueprint.resources.memory_gib),
            Sort::Disk => Self::Number(sandbox.blueprint.resources.disk_gib),
        }
    }
}

/// A place in an order: the id tells equal keys apart.
pub(super) type Place = (Key, SandboxId);

/// The parts of a sandbox that say where it is filed and that events change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filed {
    pub(super) state: State,
    pub(super) updated: Timestamp,
    last_activity: Timestamp,
}

impl Filed {
    pub(super) const fn of(sandbox: &Sandbox) -> Self {
        Self { state: sandbox.state, updated: sandbox.updated, last_activity: sandbox.last_activity }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Shelf {
    /// Who has a name, among those that keep theirs.
    names: OrdMap<Name, SandboxId>,
    by_created: OrdSet<Place>,
    by_activity: OrdSet<Place>,
    by_name: OrdSet<Place>,
}

impl Shelf {
    pub(super) fn named(&self, name: &str) -> Option<SandboxId> {
        self.names.get(&Name::new(name).ok()?).copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_created.is_empty()
    }

    /// The order that is kept for `sort`. Few lists are sorted by size, and keeping order costs every sandbox.
    pub(super) fn order(&self, sort: Sort) -> Option<&OrdSet<Place>> {
        match sort {
            Sort::Created => Some(&self.by_created),
            Sort::LastActivity => Some(&self.by_activity),
            Sort::Name => Some(&self.by_name),
            Sort::Cpu | Sort::Memory | Sort::Disk => None,
        }
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = SandboxId> {
        self.by_created.iter().map(|(_, id)| *id)
    }

    pub(super) fn put(&mut self, sandbox: &Sandbox) {
        if !sandbox.state.is_in(State::NAMELESS) {
            self.names.insert(sandbox.blueprint.name.clone(), sandbox.id);
        }
        self.by_created.insert((Key::of(sandbox, Sort::Created), sandbox.id));
        self.by_activity.insert((Key::of(sandbox, Sort::LastActivity), sandbox.id));
        self.by_name.insert((Key::of(sandbox, Sort::Name), sandbox.id));
    }

    /// Takes out `sandbox`, which was filed as `before`.
    pub(super) fn take(&mut self, before: Filed, sandbox: &Sandbox) {
        self.free_name(sandbox);
        self.by_created.remove(&(Key::of(sandbox, Sort::Created), sandbox.id));
        self.by_activity.remove(&(Key::Moment(before.last_activity), sandbox.id));
        self.by_name.remove(&(Key::of(sandbox, Sort::Name), sandbox.id));
    }

    /// Moves `sandbox`, which was filed as `before`. Most events move it in no order.
    pub(super) fn shift(&mut self, before: Filed, sandbox: &Sandbox) {
        if sandbox.state.is_in(State::NAMELESS) {
            self.free_name(sandbox);
        }
        if before.last_activity != sandbox.last_activity {
            self.by_activity.remove(&(Key::Moment(before.last_activity), sandbox.id));
            self.by_activity.insert((Key::of(sandbox, Sort::LastActivity), sandbox.id));
        }
    }

    /// A name that was freed before may be another's by now, and stays that one's.
    fn free_name(&mut self, sandbox: &Sandbox) {
        if self.names.get(&sandbox.blueprint.name) == Some(&sandbox.id) {
            self.names.remove(&sandbox.blueprint.name);
        }
    }
}
