//! What a sandbox is given of a machine, and how much it may ask for.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// vCPUs, GiB of memory, GiB of disk and GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Virtual CPUs.
    pub cpu: u32,
    /// Memory in GiB.
    pub memory_gib: u32,
    /// Disk in GiB.
    pub disk_gib: u32,
    /// GPUs. A sandbox with one is ephemeral for ever.
    pub gpu: u32,
}

impl Resources {
    /// What a sandbox gets when nothing is asked for: 1 vCPU, 1 GiB, 3 GiB.
    pub const DEFAULT: Self = Self { cpu: 1, memory_gib: 1, disk_gib: 3, gpu: 0 };

    /// Of each resource the larger amount.
    #[must_use]
    pub fn most(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.max(other.cpu),
            memory_gib: self.memory_gib.max(other.memory_gib),
            disk_gib: self.disk_gib.max(other.disk_gib),
            gpu: self.gpu.max(other.gpu),
        }
    }

    /// These resources, if they lie within `limits`; otherwise the first that does not, with both bounds.
    pub fn within(self, limits: &Limits) -> Result<Self, Refusal> {
        let Limits { cpu, memory_gib, disk_gib, gpu } = *limits;
        for (resource, asked, least, most) in [
            (Resource::Cpu, self.cpu, 1, cpu),
            (Resource::Memory, self.memory_gib, 1, memory_gib),
            (Resource::Disk, self.disk_gib, 1, disk_gib),
            (Resource::Gpu, self.gpu, 0, gpu),
        ] {
            if asked < least || asked > most {
                return Err(Refusal::OutOfLimits { resource, asked, least, most });
            }
        }
        Ok(self)
    }
}

/// The most one sandbox may ask for. The least is 1 of everything but GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Virtual CPUs.
    pub cpu: u32,
    /// Memory in GiB.
    pub memory_gib: u32,
    /// Disk in GiB.
    pub disk_gib: u32,
    /// GPUs.
    pub gpu: u32,
}

impl Limits {
    /// What an organization may ask for a sandbox unless configured: 4 vCPU, 8 GiB, 10 GiB.
    pub const DEFAULT: Self = Self { cpu: 4, memory_gib: 8, disk_gib: 10, gpu: 0 };
    /// What a sandbox with GPUs may ask for: 16 vCPU, 192 GiB, 512 GiB, and as many GPUs as a machine commonly has.
    pub const GPU: Self = Self { cpu: 16, memory_gib: 192, disk_gib: 512, gpu: 8 };
}

/// One of the things a sandbox is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Resource {
    /// Virtual CPUs.
    Cpu,
    /// Memory.
    Memory,
    /// Disk.
    Disk,
    /// Graphics processors.
    Gpu,
}

impl Resource {
    /// The unit people read.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Cpu => "vCPU",
            Self::Memory => "GiB of memory",
            Self::Disk => "GiB of disk",
            Self::Gpu => "GPU",
        }
    }
}

#[cfg(test)]
mod tests;
