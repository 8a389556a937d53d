//! What of ours is on this machine, read from the objects themselves.

use std::collections::BTreeSet;
use std::fs;

use hourglass_events::{Fault, Resources, SandboxId};

use super::Inner;
use super::lock::Lock;
use super::place::{self, Life};
use super::process::Init;
use crate::driver::{DiskFound, Present};

impl Inner {
    /// Every sandbox with a disk, a directory, a group or a lock here.
    pub(super) fn survey(&self) -> Result<Vec<Present>, Fault> {
        let mut sandboxes: BTreeSet<SandboxId> =
            self.every_life().into_iter().map(|life| life.sandbox).collect();
        sandboxes.extend(self.places.found_disks(None).into_iter().map(|disk| disk.life.sandbox));
        let locks = place::names(&self.places.run);
        sandboxes
            .extend(locks.iter().filter_map(|name| name.strip_suffix(".lock")?.parse::<SandboxId>().ok()));
        let found: Result<Vec<_>, _> = sandboxes.into_iter().map(|sandbox| self.look(sandbox)).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// How much this machine has to give.
    pub(super) fn capacity(&self) -> Resources {
        let cpu = std::thread::available_parallelism()
            .map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX));
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
        let kib: u64 = total.and_then(|total| total.parse().ok()).unwrap_or_default();
        let room = rustix::fs::statvfs(&self.places.data);
        let free = room.map_or(0, |room| room.f_bavail.saturating_mul(room.f_frsize));
        // What the sandboxes already here have written is theirs: they count as residents with their whole disks.
        let bytes = free.saturating_add(self.places.written(&self.stock.files()));
        let gib = |bytes: u64| u32::try_from(bytes >> 30).unwrap_or(u32::MAX);
        Resources { cpu, memory_gib: gib(kib << 10), disk_gib: gib(bytes), gpu: 0 }
    }

    /// One sandbox, once nothing is being done to it.
    fn look(&self, sandbox: SandboxId) -> Result<Option<Present>, Fault> {
        let lock = Lock::take(&self.places.lock(sandbox))?;
        let lives = self.lives_of(sandbox);
        if lives.is_empty() && self.places.found_disks(Some(sandbox)).is_empty() {
            lock.remove()?;
            return Ok(None);
        }
        let whole = self.places.whole_disk(sandbox);
        let disk = whole.map_or(DiskFound::Absent, |disk| DiskFound::Made(disk.life.number));
        let runs = |life: &Life| {
            let places = self.places.life(*life);
            let meant = places.booted().exists() && !places.halting().exists();
            meant && Init::find(&self.groups, &life.name()).is_some()
        };
        let running = lives.into_iter().find(runs).map(|life| life.number);
        Ok(Some(Present { sandbox, disk, running, saved: None }))
    }

    /// The lives of `sandbox` that have a directory or a group.
    pub(super) fn lives_of(&self, sandbox: SandboxId) -> Vec<Life> {
        self.every_life().into_iter().filter(|life| life.sandbox == sandbox).collect()
    }

    fn every_life(&self) -> BTreeSet<Life> {
        let grouped = self.groups.names();
        let grouped = grouped.iter().filter_map(|name| Life::parse(name));
        self.places.lives(None).into_iter().chain(grouped).collect()
    }
}
