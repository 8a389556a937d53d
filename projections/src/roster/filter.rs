//! Which sandboxes a list is of.

use std::collections::{BTreeMap, BTreeSet};

use hourglass_events::{Class, Sandbox, State, Timestamp};

/// Which sandboxes are meant: those that fit every part that is given. Deleted ones are in no list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// In one of these states.
    pub states: Option<BTreeSet<State>>,
    /// With all these labels.
    pub labels: BTreeMap<String, String>,
    /// With a name that begins so, in any case.
    pub name_prefix: Option<String>,
    /// With an id that begins so.
    pub id_prefix: Option<String>,
    /// Created from one of these snapshots, by the name it had then or by id.
    pub snapshots: Option<BTreeSet<String>>,
    /// In one of these regions.
    pub regions: Option<BTreeSet<String>>,
    /// Of one of these classes.
    pub classes: Option<BTreeSet<Class>>,
    /// With so many vCPUs.
    pub cpu: Within<u32>,
    /// With so much memory, in GiB.
    pub memory_gib: Within<u32>,
    /// With so much disk, in GiB.
    pub disk_gib: Within<u32>,
    /// With so many GPUs.
    pub gpu: Within<u32>,
    /// Whether its previews are anybody's to see.
    pub public: Option<bool>,
    /// Whether what went wrong with it can be recovered from. One that nothing is wrong with cannot be recovered.
    pub recoverable: Option<bool>,
    /// Created then.
    pub created: Within<Timestamp>,
    /// With its latest record then.
    pub updated: Within<Timestamp>,
}

/// A range. Both ends belong to it, and either may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within<T> {
    /// The least.
    pub least: Option<T>,
    /// The greatest.
    pub most: Option<T>,
}

impl<T> Default for Within<T> {
    fn default() -> Self {
        Self { least: None, most: None }
    }
}

impl<T: PartialOrd> Within<T> {
    /// Whether `value` lies in it.
    pub fn has(&self, value: &T) -> bool {
        self.least.as_ref().is_none_or(|least| value >= least)
            && self.most.as_ref().is_none_or(|most| value <= most)
    }
}

impl Filter {
    /// Whether `sandbox` is meant.
    #[must_use]
    pub fn fits(&self, sandbox: &Sandbox) -> bool {
        let blueprint = &sandbox.blueprint;
        self.states.as_ref().is_none_or(|states| states.contains(&sandbox.state))
            && self.labels.iter().all(|(key, value)| blueprint.labels.get(key) == Some(value))
            && self.name_prefix.as_ref().is_none_or(|prefix| begins(blueprint.name.as_str(), prefix))
            && self.id_prefix.as_ref().is_none_or(|prefix| begins(&sandbox.id.to_string(), prefix))
            && self.classes.as_ref().is_none_or(|classes| classes.contains(&blueprint.class))
            && self.sizes(sandbox)
            && self.public.is_none_or(|wanted| wanted == blueprint.public)
            && self.recoverable.is_none_or(|wanted| wanted == sandbox.recoverable())
            && self.created.has(&sandbox.created)
            && self.updated.has(&sandbox.updated)
            && self.regions.as_ref().is_none_or(|regions| regions.contains(&sandbox.blueprint.region))
            && self.snapshots.as_ref().is_none_or(|snapshots| made_from(sandbox, snapshots))
    }

    fn sizes(&self, sandbox: &Sandbox) -> bool {
        let resources = &sandbox.blueprint.resources;
        self.cpu.has(&resources.cpu)
            && self.memory_gib.has(&resources.memory_gib)
            && self.disk_gib.has(&resources.disk_gib)
            && self.gpu.has(&resources.gpu)
    }
}

fn made_from(sandbox: &Sandbox, snapshots: &BTreeSet<String>) -> bool {
    snapshots.contains(&sandbox.blueprint.snapshot_name)
        || snapshots.contains(&sandbox.blueprint.snapshot.to_string())
}

fn begins(text: &str, prefix: &str) -> bool {
    let mut text = text.chars().flat_map(char::to_lowercase);
    prefix.chars().flat_map(char::to_lowercase).all(|sought| text.next() == Some(sought))
}
