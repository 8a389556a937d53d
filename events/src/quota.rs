//! What an organization may have: the most one of its sandboxes may ask for, and the most that all of them may take
//! together in one region.
//!
//! What counts is not said here: the kernel counts it, state by state.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::resources::{Limits, Resource};
use crate::spec::Class;

/// What an organization may have. The default is what holds for one that has set nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// The most one of its containers may ask for.
    pub container: Limits,
    /// The most one of its Linux machines may ask for.
    pub linux_vm: Limits,
    /// The most one of its Windows machines may ask for.
    pub windows: Limits,
    /// The most a sandbox with GPUs may ask for, whatever its class.
    pub gpu: Limits,
    /// The most that all its sandboxes in a region may take together; in a region that is not named, any amount.
    pub regions: BTreeMap<String, Quota>,
    /// How many snapshots it may have; any number when not said.
    #[serde(deserialize_with = "Option::deserialize")]
    pub snapshots: Option<u32>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            container: Limits::DEFAULT,
            linux_vm: Limits::DEFAULT,
            windows: Limits::DEFAULT,
            gpu: Limits::GPU,
            regions: BTreeMap::new(),
            snapshots: None,
        }
    }
}

impl Allowance {
    /// The most regions one organization may have quotas for.
    pub const REGIONS_MOST: usize = 256;

    /// The most a sandbox of `class` with so many GPUs may ask for.
    #[must_use]
    pub const fn most(&self, class: Class, gpus: u32) -> Limits {
        match class {
            Class::Container | Class::LinuxVm | Class::Windows if gpus > 0 => self.gpu,
            Class::Container => self.container,
            Class::LinuxVm => self.linux_vm,
            Class::Windows => self.windows,
        }
    }
}

/// The most that sandboxes may take together: any amount of what is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Virtual CPUs.
    #[serde(deserialize_with = "Option::deserialize")]
    pub cpu: Option<u64>,
    /// GiB of memory.
    #[serde(deserialize_with = "Option::deserialize")]
    pub memory_gib: Option<u64>,
    /// GiB of disk.
    #[serde(deserialize_with = "Option::deserialize")]
    pub disk_gib: Option<u64>,
    /// GPUs.
    #[serde(deserialize_with = "Option::deserialize")]
    pub gpu: Option<u64>,
}

impl Quota {
    /// The most there may be of one resource.
    #[must_use]
    pub const fn of(&self, resource: Resource) -> Option<u64> {
        match resource {
            Resource::Cpu => self.cpu,
            Resource::Memory => self.memory_gib,
            Resource::Disk => self.disk_gib,
            Resource::Gpu => self.gpu,
        }
    }
}

/// A quota that something would go beyond, with what is in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// In which region.
    pub region: String,
    /// Of what.
    pub resource: Resource,
    /// How much more was asked for.
    pub asked: u64,
    /// How much is taken.
    pub used: u64,
    /// How much there may be.
    pub most: u64,
    /// What runs, or is about to.
    pub running: Part,
    /// What does not run and has a disk.
    pub resting: Part,
}

/// Some of an organization's sandboxes, and how much of one resource they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Part {
    /// How many they are.
    pub sandboxes: u64,
    /// How much stopping them frees, if they run, or deleting or archiving them, if they do not.
    pub frees: u64,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, resource, asked, used, most, running, resting } = self;
        let unit = resource.unit();
        write!(
            f,
            "{asked} {unit} more was asked for in region {region:?}, where {used} of {most} are in use; "
        )?;
        let many = |part: &Part| if part.sandboxes == 1 { "sandbox" } else { "sandboxes" };
        // A disk stays when its sandbox stops.
        let end = match resource {
            Resource::Disk => "deleting",
            Resource::Cpu | Resource::Memory | Resource::Gpu => "stopping",
        };
        let mut ways = Vec::new();
        if running.frees > 0 {
            ways.push(format!(
                "{end} {} started {} frees {}",
                running.sandboxes,
                many(running),
                running.frees
            ));
        }
        if resting.frees > 0 {
            let Part { sandboxes, frees } = resting;
            ways.push(format!("deleting or archiving {sandboxes} stopped {} frees {frees}", many(resting)));
        }
        if ways.is_empty() {
            return f.write_str("ask for less, or for a larger quota");
        }
        f.write_str(&ways.join(", "))
    }
}

impl From<Shortage> for Refusal {
    fn from(shortage: Shortage) -> Self {
        Self::OverQuota(Box::new(shortage))
    }
}

#[cfg(test)]
mod tests;
