//! What organizations take together in each region, kept in step with every sandbox.
//!
//! This counts and compares nothing: what may be taken is looked up by whoever decides.

use hourglass_events::{Errand, OrganizationId, Resource, Resources, Sandbox, State};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// What each organization takes in each region. Who takes nothing is not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quotas(OrdMap<OrganizationId, OrdMap<String, Usage>>);

/// What an organization takes in a region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// What runs, or is about to.
    pub running: Share,
    /// What does not run and has a disk.
    pub resting: Share,
}

/// Some sandboxes and what they take together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many they are.
    pub sandboxes: u64,
    /// Virtual CPUs.
    pub cpu: u64,
    /// GiB of memory.
    pub memory_gib: u64,
    /// GiB of disk.
    pub disk_gib: u64,
    /// GPUs.
    pub gpu: u64,
}

impl Share {
    /// How much of one resource they take.
    #[must_use]
    pub const fn of(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Cpu => self.cpu,
            Resource::Memory => self.memory_gib,
            Resource::Disk => self.disk_gib,
            Resource::Gpu => self.gpu,
        }
    }

    fn add(&mut self, Resources { cpu, memory_gib, disk_gib, gpu }: Resources) {
        self.sandboxes += 1;
        self.cpu += u64::from(cpu);
        self.memory_gib += u64::from(memory_gib);
        self.disk_gib += u64::from(disk_gib);
        self.gpu += u64::from(gpu);
    }

    fn take(&mut self, Resources { cpu, memory_gib, disk_gib, gpu }: Resources) {
        self.sandboxes -= 1;
        self.cpu -= u64::from(cpu);
        self.memory_gib -= u64::from(memory_gib);
        self.disk_gib -= u64::from(disk_gib);
        self.gpu -= u64::from(gpu);
    }
}

impl Usage {
    /// How much is taken of one resource.
    #[must_use]
    pub const fn of(&self, resource: Resource) -> u64 {
        self.running.of(resource) + self.resting.of(resource)
    }

    const fn part(&mut self, counts: &Counts) -> &mut Share {
        match counts {
            Counts::Running(_) => &mut self.running,
            Counts::Resting(_) | Counts::Nothing => &mut self.resting,
        }
    }
}

/// What a sandbox counts for against its organization's quota. It may take more of its host: what failed or is being
/// deleted still has a disk there, and counts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// All it is given: it runs, or is about to.
    Running(Resources),
    /// Its disk.
    Resting(Resources),
    /// Nothing.
    Nothing,
}

impl Counts {
    /// What `sandbox` counts for.
    #[must_use]
    pub fn of(sandbox: &Sandbox) -> Self {
        let mut given = sandbox.blueprint.resources;
        if let Some(Errand::Resize(asked)) = sandbox.errand.as_deref() {
            // Until it is known what came of it, either may be.
            given = given.most(*asked);
        }
        let rests = sandbox.origin.unwrap_or(sandbox.state);
        if sandbox.state.computes(sandbox.origin) {
            Self::Running(given)
        } else if sandbox.state.has_disk() && rests.is_in(&[State::Stopped, State::Paused]) {
            Self::Resting(Resources { cpu: 0, memory_gib: 0, gpu: 0, ..given })
        } else {
            Self::Nothing
        }
    }

    /// How much that is.
    #[must_use]
    pub const fn resources(self) -> Resources {
        match self {
            Self::Running(resources) | Self::Resting(resources) => resources,
            Self::Nothing => Resources { cpu: 0, memory_gib: 0, disk_gib: 0, gpu: 0 },
        }
    }
}

impl Quotas {
    /// What `organization` takes in `region`.
    #[must_use]
    pub fn usage(&self, organization: OrganizationId, region: &str) -> Usage {
        let found = self.0.get(&organization).and_then(|regions| regions.get(region));
        found.copied().unwrap_or_default()
    }

    /// What everybody takes everywhere.
    pub fn iter(&self) -> impl Iterator<Item = (OrganizationId, &str, Usage)> {
        let each = self.0.iter();
        each.flat_map(|(owner, those)| those.iter().map(|(region, usage)| (*owner, region.as_str(), *usage)))
    }

    /// `sandbox` counted for `before` and counts for `after` from here on.
    pub(super) fn change(&mut self, sandbox: &Sandbox, before: Counts, after: Counts) {
        if before == after {
            return;
        }
        let (owner, region) = (sandbox.organization, &sandbox.blueprint.region);
        let mut usage = self.usage(owner, region);
        if before != Counts::Nothing {
            usage.part(&before).take(before.resources());
        }
        if after != Counts::Nothing {
            usage.part(&after).add(after.resources());
        }
        let regions = self.0.entry(owner).or_default();
        if usage == Usage::default() {
            regions.remove(region);
        } else {
            regions.insert(region.clone(), usage);
        }
        if regions.is_empty() {
            self.0.remove(&owner);
        }
    }
}
