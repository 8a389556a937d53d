//! Sandboxes that no host was found for yet, by what they need.
//!
//! Room that suits none of one shape's suits no other of that shape, so whoever has room to give asks the first of each
//! shape and not everybody.

use hourglass_events::{Class, Resources, Sandbox, SandboxId};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

/// The waiting sandboxes of each shape, oldest id first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting(OrdMap<Shape, OrdSet<SandboxId>>);

/// All that placing looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Shape {
    class: Class,
    cpu: u32,
    memory_gib: u32,
    disk_gib: u32,
    gpu: u32,
}

impl Shape {
    const fn of(sandbox: &Sandbox) -> Self {
        let Resources { cpu, memory_gib, disk_gib, gpu } = sandbox.blueprint.resources;
        Self { class: sandbox.blueprint.class, cpu, memory_gib, disk_gib, gpu }
    }
}

impl Waiting {
    pub(super) fn enter(&mut self, sandbox: &Sandbox) {
        self.0.entry(Shape::of(sandbox)).or_default().insert(sandbox.id);
    }

    pub(super) fn leave(&mut self, sandbox: &Sandbox) {
        let shape = Shape::of(sandbox);
        let Some(others) = self.0.get_mut(&shape) else { return };
        others.remove(&sandbox.id);
        if others.is_empty() {
            self.0.remove(&shape);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = SandboxId> {
        self.0.values().flat_map(|those| those.iter().copied())
    }

    pub(super) fn first_of_each_shape(&self) -> impl Iterator<Item = SandboxId> {
        self.0.values().filter_map(|those| those.get_min().copied())
    }
}
