//! The hosts a shard has seen, who lives on each, and how much they take up there.

#[cfg(test)]
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use hourglass_events::lifecycle::others::{HOST, HostState, SCHEDULE, Schedule, next};
use hourglass_events::{
    Capabilities, Class, GpuType, HostEvent, HostId, HostProfile, Illegal, Incarnation, OrderNumber,
    Resources, SandboxId, Stamp, Timestamp,
};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use crate::place::{CPU_SHARE, DISK_SHARE, GPU_SHARE, MEMORY_SHARE};

/// A host, as this shard sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its id.
    pub id: HostId,
    /// Where it is in its life.
    pub state: HostState,
    /// When it came there.
    pub since: Timestamp,
    /// What an operator wants of it.
    pub schedule: Schedule,
    /// How many records it has here.
    pub version: u64,
    /// Which life of it.
    pub incarnation: Incarnation,
    /// Where it is.
    pub region: String,
    /// What it can run.
    pub classes: Vec<Class>,
    /// What it has to give, by its own account.
    pub capacity: Resources,
    /// The kind of the GPUs among that.
    pub gpu_type: Option<GpuType>,
    /// What its driver can do beyond what every driver can.
    pub capabilities: Capabilities,
}

impl Host {
    /// Whether it says of itself what this profile says.
    #[must_use]
    pub fn is_as(&self, profile: &HostProfile) -> bool {
        let HostProfile { host, incarnation, region, classes, capacity, gpu_type, capabilities } = profile;
        self.id == *host
            && self.incarnation == *incarnation
            && self.region == *region
            && self.classes == *classes
            && self.capacity == *capacity
            && self.gpu_type == *gpu_type
            && self.capabilities == *capabilities
    }
}

/// All hosts and their residents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Hosts {
    known: OrdMap<HostId, Arc<Host>>,
    homes: OrdMap<HostId, Home>,
    leftovers: OrdMap<HostId, OrdMap<SandboxId, Leftover>>,
}

/// What a host may still have of a sandbox that is gone, or lives elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// The number of the order to remove it: the record since when it is not wanted there, or could not be removed.
    pub number: OrderNumber,
    /// Not to be tried before.
    pub retry_at: Option<Timestamp>,
}

/// Who lives on a host, and what they take up together: nobody more than they do in the state they are in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Home {
    residents: OrdSet<SandboxId>,
    cpu: u64,
    memory_gib: u64,
    disk_gib: u64,
    gpu: u64,
}

impl Home {
    fn take(&mut self, Resources { cpu, memory_gib, disk_gib, gpu }: Resources) {
        self.cpu += u64::from(cpu);
        self.memory_gib += u64::from(memory_gib);
        self.disk_gib += u64::from(disk_gib);
        self.gpu += u64::from(gpu);
    }

    fn give_back(&mut self, Resources { cpu, memory_gib, disk_gib, gpu }: Resources) {
        self.cpu -= u64::from(cpu);
        self.memory_gib -= u64::from(memory_gib);
        self.disk_gib -= u64::from(disk_gib);
        self.gpu -= u64::from(gpu);
    }
}

impl Hosts {
    /// The host with this id.
    #[must_use]
    pub fn get(&self, id: HostId) -> Option<&Arc<Host>> {
        self.known.get(&id)
    }

    /// All hosts, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Host>> {
        self.known.values()
    }

    /// The sandboxes placed on a host.
    pub fn residents(&self, id: HostId) -> impl Iterator<Item = SandboxId> {
        self.homes.get(&id).into_iter().flat_map(|home| home.residents.iter().copied())
    }

    /// How many GiB of memory there would be left to promise on `host` with `more` placed there, if everything fits.
    #[must_use]
    pub fn room(&self, host: &Host, more: Resources) -> Option<u64> {
        let empty = Home::default();
        let home = self.homes.get(&host.id).unwrap_or(&empty);
        let fits = |used: u64, more: u32, most: u64| used + u64::from(more) <= most;
        let Resources { cpu, memory_gib, disk_gib, gpu } = host.capacity;
        let memory_gib = u64::from(memory_gib) * MEMORY_SHARE;
        // What lives there may take more than there is: a stopped sandbox starts without asking for room.
        let all = fits(home.cpu, more.cpu, u64::from(cpu) * CPU_SHARE)
            && fits(home.memory_gib, more.memory_gib, memory_gib)
            && fits(home.disk_gib, more.disk_gib, u64::from(disk_gib) * DISK_SHARE)
            && fits(home.gpu, more.gpu, u64::from(gpu) * GPU_SHARE);
        all.then(|| memory_gib - home.memory_gib - u64::from(more.memory_gib))
    }

    /// The hosts that may have something left of sandboxes that are gone or live elsewhere.
    pub fn with_leftovers(&self) -> impl Iterator<Item = HostId> {
        self.leftovers.keys().copied()
    }

    /// The sandboxes that something may be left of on `host`.
    pub fn left_on(&self, host: HostId) -> impl Iterator<Item = SandboxId> {
        self.leftovers.get(&host).into_iter().flat_map(|those| those.keys().copied())
    }

    /// What may be left of `sandbox` on `host`.
    #[must_use]
    pub fn leftover(&self, host: HostId, sandbox: SandboxId) -> Option<Leftover> {
        self.leftovers.get(&host)?.get(&sandbox).copied()
    }

    /// Something of `sandbox` may be left on `host`, from where it went.
    pub(super) fn leave_behind(&mut self, stamp: &Stamp, host: HostId, sandbox: SandboxId) {
        let leftover = Leftover { number: stamp.seq.into(), retry_at: None };
        self.leftovers.entry(host).or_default().insert(sandbox, leftover);
    }

    /// Nothing is left of `sandbox` on `host`, or it lives there.
    pub(super) fn clear(&mut self, host: HostId, sandbox: SandboxId) {
        let Some(those) = self.leftovers.get_mut(&host) else { return };
        those.remove(&sandbox);
        if those.is_empty() {
            self.leftovers.remove(&host);
        }
    }

    /// Whether `event` is about something that may be left on `host`.
    fn is_left(&self, host: HostId, event: &HostEvent) -> bool {
        match event {
            HostEvent::Swept { sandbox } | HostEvent::SweepFailed { sandbox, .. } => {
                self.leftover(host, *sandbox).is_some()
            }
            HostEvent::Seen { .. }
            | HostEvent::Suspected { .. }
            | HostEvent::Lost { .. }
            | HostEvent::Returned { .. }
            | HostEvent::Cordoned
            | HostEvent::DrainBegan
            | HostEvent::Uncordoned => true,
        }
    }

    pub(super) fn apply(&mut self, stamp: &Stamp, id: HostId, event: &HostEvent) -> Result<(), Illegal> {
        let before = self.known.get(&id);
        let from = before.map_or(HostState::Unknown, |host| host.state);
        let illegal = || Illegal {
            seq: stamp.seq,
            version: stamp.version,
            from: format!("{from:?}"),
            event: event.kind().name(),
        };
        let state = next(HOST, from, event.kind()).filter(|_| self.is_left(id, event)).ok_or_else(illegal)?;
        let schedule = before.map_or(Schedule::Open, |host| host.schedule);
        let mut host = match (event, before) {
            (HostEvent::Seen { incarnation, region, classes, capacity, gpu_type, capabilities }, _) => Host {
                id,
                state,
                since: stamp.at,
                schedule,
                version: stamp.version,
                incarnation: *incarnation,
                region: region.clone(),
                classes: classes.clone(),
                capacity: *capacity,
                gpu_type: *gpu_type,
                capabilities: capabilities.clone(),
            },
            (_, Some(host)) => (**host).clone(),
            (_, None) => return Err(illegal()),
        };
        match event {
            HostEvent::Suspected { incarnation }
            | HostEvent::Lost { incarnation }
            | HostEvent::Returned { incarnation } => {
                // The life that is meant is not the one that was seen.
                if host.incarnation != *incarnation {
                    return Err(illegal());
                }
            }
            HostEvent::Cordoned | HostEvent::DrainBegan | HostEvent::Uncordoned => {
                host.schedule = next(SCHEDULE, schedule, event.kind()).ok_or_else(illegal)?;
            }
            HostEvent::Swept { sandbox } => self.clear(id, *sandbox),
            HostEvent::SweepFailed { sandbox, fault: _, retry_at } => {
                let leftover = Leftover { number: stamp.seq.into(), retry_at: Some(*retry_at) };
                self.leftovers.entry(id).or_default().insert(*sandbox, leftover);
            }
            HostEvent::Seen { .. } => {}
        }
        if host.state != state {
            host.since = stamp.at;
        }
        host.state = state;
        host.version = stamp.version;
        self.known.insert(id, Arc::new(host));
        Ok(())
    }

    /// The regions there are hosts in.
    #[must_use]
    pub fn regions(&self) -> BTreeSet<&str> {
        self.iter().map(|host| host.region.as_str()).collect()
    }

    pub(super) fn enter(&mut self, host: HostId, sandbox: SandboxId, taken: Resources) {
        let home = self.homes.entry(host).or_default();
        home.residents.insert(sandbox);
        home.take(taken);
    }

    /// One who lives on `host`, and stays, took `before` and takes `after` from here on.
    pub(super) fn stay(&mut self, host: HostId, before: Resources, after: Resources) {
        let Some(home) = self.homes.get_mut(&host) else { return };
        home.give_back(before);
        home.take(after);
    }

    pub(super) fn leave(&mut self, host: HostId, sandbox: SandboxId, taken: Resources) {
        let Some(home) = self.homes.get_mut(&host) else { return };
        home.residents.remove(&sandbox);
        home.give_back(taken);
        if home.residents.is_empty() {
            self.homes.remove(&host);
        }
    }

    /// Who lives where and what they take up, for tests that count it themselves.
    #[cfg(test)]
    pub(super) fn loads(&self) -> BTreeMap<HostId, (BTreeSet<SandboxId>, [u64; 4])> {
        let load = |home: &Home| {
            let Home { residents, cpu, memory_gib, disk_gib, gpu } = home;
            (residents.iter().copied().collect(), [*cpu, *memory_gib, *disk_gib, *gpu])
        };
        self.homes.iter().map(|(id, home)| (*id, load(home))).collect()
    }
}
