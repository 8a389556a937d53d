//! Sandboxes that no host was found for yet, by what they need.
//!
//! Room that suits none who needs something suits no other who needs the same, so whoever has room to give asks the
//! first of each queue and not everybody.

use hourglass_events::SandboxId;
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use crate::place::Needs;

/// The waiting sandboxes of each queue, oldest id first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting(OrdMap<Needs, OrdSet<SandboxId>>);

impl Waiting {
    pub(super) fn enter(&mut self, sandbox: SandboxId, needs: Needs) {
        self.0.entry(needs).or_default().insert(sandbox);
    }

    pub(super) fn leave(&mut self, sandbox: SandboxId, needs: &Needs) {
        let Some(others) = self.0.get_mut(needs) else { return };
        others.remove(&sandbox);
        if others.is_empty() {
            self.0.remove(needs);
        }
    }

    /// How many wait for the same.
    pub(super) fn count(&self, needs: &Needs) -> usize {
        self.0.get(needs).map_or(0, OrdSet::len)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = SandboxId> {
        self.0.values().flat_map(|those| those.iter().copied())
    }

    pub(super) fn first_of_each_queue(&self) -> impl Iterator<Item = SandboxId> {
        self.0.values().filter_map(|those| those.get_min().copied())
    }
}
