//! Who descends from whom among those that live: forks of a parent, those included that are still to be born, and the
//! sandboxes linked with one.
//!
//! Only what deciding needs is here. Lineage that survives deletion is a read model's.

use hourglass_events::{Name, SandboxId};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

/// Children by parent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kin {
    forks: OrdMap<SandboxId, OrdSet<SandboxId>>,
    linked: OrdMap<SandboxId, OrdSet<SandboxId>>,
    /// Forks that are reserved and not born yet: whose, and under which name.
    unborn: OrdMap<SandboxId, (SandboxId, Name)>,
}

/// How two sandboxes belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tie {
    /// One is a fork of the other.
    Fork,
    /// One is linked with the other.
    Link,
}

impl Kin {
    /// The live forks of `parent`, by id. One that is only reserved lives.
    pub fn forks(&self, parent: SandboxId) -> impl ExactSizeIterator<Item = SandboxId> {
        of(&self.forks, parent)
    }

    /// The live sandboxes linked with `parent`, by id.
    pub fn linked(&self, parent: SandboxId) -> impl ExactSizeIterator<Item = SandboxId> {
        of(&self.linked, parent)
    }

    /// Whether `id` is kept for a fork that is not born yet.
    #[must_use]
    pub fn is_reserved(&self, id: SandboxId) -> bool {
        self.unborn.contains_key(&id)
    }

    pub(super) fn enter(&mut self, tie: Tie, parent: SandboxId, child: SandboxId) {
        self.of_tie(tie).entry(parent).or_default().insert(child);
    }

    pub(super) fn leave(&mut self, tie: Tie, parent: SandboxId, child: SandboxId) {
        let all = self.of_tie(tie);
        let Some(children) = all.get_mut(&parent) else { return };
        children.remove(&child);
        if children.is_empty() {
            all.remove(&parent);
        }
    }

    pub(super) fn reserve(&mut self, parent: SandboxId, child: SandboxId, name: Name) {
        self.unborn.insert(child, (parent, name));
        self.enter(Tie::Fork, parent, child);
    }

    pub(super) fn born(&mut self, child: SandboxId) {
        self.unborn.remove(&child);
    }

    /// Nobody is to be born under `child` any more. The name that was kept for it, if it was not born.
    pub(super) fn lapse(&mut self, child: SandboxId) -> Option<Name> {
        let (parent, name) = self.unborn.remove(&child)?;
        self.leave(Tie::Fork, parent, child);
        Some(name)
    }

    fn of_tie(&mut self, tie: Tie) -> &mut OrdMap<SandboxId, OrdSet<SandboxId>> {
        match tie {
            Tie::Fork => &mut self.forks,
            Tie::Link => &mut self.linked,
        }
    }
}

fn of(
    all: &OrdMap<SandboxId, OrdSet<SandboxId>>,
    parent: SandboxId,
) -> impl ExactSizeIterator<Item = SandboxId> {
    static NOBODY: std::sync::LazyLock<OrdSet<SandboxId>> = std::sync::LazyLock::new(OrdSet::new);
    all.get(&parent).unwrap_or(&NOBODY).iter().copied()
}
