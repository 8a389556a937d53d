//! What of ours is on this machine, read from the objects themselves.

use std::collections::BTreeSet;

use hourglass_events::{Fault, SandboxId};

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
