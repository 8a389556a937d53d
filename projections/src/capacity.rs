//! What hosts have, what of it is promised, and what is left, by host and by region and class.
//!
//! Promised is what sandboxes take in the states they are in, as the kernel counts it when it chooses a host. How much
//! more may be promised than there is, is not known here: whoever asks says so. Whether a host would take in one more
//! sandbox is the kernel's to say.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use hourglass_events::lifecycle::others::{HOST, HostState, SCHEDULE, Schedule, next};
use hourglass_events::{
    Class, Event, GpuType, HostEvent, HostId, Illegal, Incarnation, Record, Resources, Sandbox, Seq, Subject,
};
use imbl::OrdMap;

use crate::lives::Lives;
use crate::{ApplyError, Projection};

/// The hosts of one shard.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Capacity {
    lives: Lives,
    hosts: OrdMap<HostId, Arc<Host>>,
    promised: OrdMap<HostId, Load>,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its id.
    pub id: HostId,
    /// Where it is.
    pub region: String,
    /// What it can run.
    pub classes: Vec<Class>,
    /// Whether it is there.
    pub state: HostState,
    /// What an operator wants of it.
    pub schedule: Schedule,
    /// What it has, by its own account.
    pub has: Resources,
    /// The kind of the GPUs among that.
    pub gpu_type: Option<GpuType>,
    incarnation: Incarnation,
}

/// Sums of what sandboxes are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Virtual CPUs.
    pub cpu: u64,
    /// GiB of memory.
    pub memory_gib: u64,
    /// GiB of disk.
    pub disk_gib: u64,
    /// GPUs.
    pub gpu: u64,
}

/// How much is promised of each that a host has.
pub type Shares = Amounts;

/// What lives on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Load {
    sandboxes: u64,
    takes: Amounts,
}

/// A host, or several together, with what is promised and left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// How many hosts.
    pub hosts: u64,
    /// How many of them take in sandboxes.
    pub open: u64,
    /// How many sandboxes live there.
    pub sandboxes: u64,
    /// What there is.
    pub has: Amounts,
    /// What sandboxes take of it.
    pub promised: Amounts,
    /// What can still be promised, by hosts that take in sandboxes.
    pub left: Amounts,
}

impl From<Resources> for Amounts {
    fn from(Resources { cpu, memory_gib, disk_gib, gpu }: Resources) -> Self {
        Self { cpu: cpu.into(), memory_gib: memory_gib.into(), disk_gib: disk_gib.into(), gpu: gpu.into() }
    }
}

impl Amounts {
    fn with(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            cpu: f(self.cpu, other.cpu),
            memory_gib: f(self.memory_gib, other.memory_gib),
            disk_gib: f(self.disk_gib, other.disk_gib),
            gpu: f(self.gpu, other.gpu),
        }
    }
}

impl Room {
    fn and(self, other: Self) -> Self {
        let sum = |one: Amounts, other| one.with(other, u64::saturating_add);
        Self {
            hosts: self.hosts + other.hosts,
            open: self.open + other.open,
            sandboxes: self.sandboxes + other.sandboxes,
            has: sum(self.has, other.has),
            promised: sum(self.promised, other.promised),
            left: sum(self.left, other.left),
        }
    }
}

/// Where a sandbox lives, and what it takes there.
fn home(sandbox: &Sandbox) -> Option<(HostId, Amounts)> {
    Some((sandbox.host?, sandbox.taken().into()))
}

impl Capacity {
    /// Nothing yet, to be fed from the shard's first record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every host, by id.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values().map(Arc::as_ref)
    }

    /// What `host` has, and what is left if so much of it may be promised.
    #[must_use]
    pub fn room(&self, host: &Host, shares: Shares) -> Room {
        let Load { sandboxes, takes: promised } = self.promised.get(&host.id).copied().unwrap_or_default();
        let open = host.state == HostState::Ready && host.schedule == Schedule::Open;
        let has = Amounts::from(host.has);
        let most = has.with(shares, u64::saturating_mul);
        // What lives there may take more than there is: a stopped sandbox starts without asking for room.
        let left = if open { most.with(promised, u64::saturating_sub) } else { Amounts::default() };
        Room { hosts: 1, open: open.into(), sandboxes, has, promised, left }
    }

    /// The same of all hosts of each region that run each class. A host that runs two classes counts in both: what one
    /// takes, the other cannot have.
    #[must_use]
    pub fn by_region_and_class(&self, shares: Shares) -> BTreeMap<(String, Class), Room> {
        let mut rooms = BTreeMap::<(String, Class), Room>::new();
        for host in self.hosts() {
            for class in &host.classes {
                let room = rooms.entry((host.region.clone(), *class)).or_default();
                *room = room.and(self.room(host, shares));
            }
        }
        rooms
    }

    fn fold(&self, record: &Record, id: HostId, event: &HostEvent) -> Result<Host, Illegal> {
        let before = self.hosts.get(&id);
        let from = before.map_or(HostState::Unknown, |host| host.state);
        let illegal = || Illegal {
            seq: record.seq,
            version: record.version,
            from: format!("{from:?}"),
            event: event.kind().name(),
        };
        let state = next(HOST, from, event.kind()).ok_or_else(illegal)?;
        let mut host = match (event, before) {
            (HostEvent::Seen { incarnation, region, classes, capacity, gpu_type, capabilities: _ }, _) => {
                Host {
                    id,
                    region: region.clone(),
                    classes: classes.clone(),
                    state,
                    schedule: before.map_or(Schedule::Open, |host| host.schedule),
                    has: *capacity,
                    gpu_type: *gpu_type,
                    incarnation: *incarnation,
                }
            }
            (_, Some(host)) => Host { state, ..(**host).clone() },
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
                host.schedule = next(SCHEDULE, host.schedule, event.kind()).ok_or_else(illegal)?;
            }
            HostEvent::Seen { .. } | HostEvent::Swept { .. } | HostEvent::SweepFailed { .. } => {}
        }
        Ok(host)
    }

    fn move_home(&mut self, before: Option<(HostId, Amounts)>, after: Option<(HostId, Amounts)>) {
        if before == after {
            return;
        }
        if let Some((host, takes)) = before
            && let Some(load) = self.promised.get_mut(&host)
        {
            load.sandboxes = load.sandboxes.saturating_sub(1);
            load.takes = load.takes.with(takes, u64::saturating_sub);
            if load.sandboxes == 0 {
                self.promised.remove(&host);
            }
        }
        if let Some((host, takes)) = after {
            let load = self.promised.entry(host).or_default();
            load.sandboxes += 1;
            load.takes = load.takes.with(takes, u64::saturating_add);
        }
    }
}

impl Projection for Capacity {
    fn apply(&mut self, record: &Record) -> Result<(), ApplyError> {
        let host = match (record.subject, &record.event) {
            (Subject::Host(id), Event::Host(event)) => Some(self.fold(record, id, event)?),
            (
                Subject::Host(_)
                | Subject::Sandbox(_)
                | Subject::Snapshot(_)
                | Subject::Organization(_)
                | Subject::Shard(_),
                _,
            ) => None,
        };
        let change = self.lives.take_in(record, home)?;
        if let Some(host) = host {
            self.hosts.insert(host.id, Arc::new(host));
        }
        if let Some(change) = change {
            let after = home(&change.after).filter(|_| !change.after.is_forgotten());
            self.move_home(change.before.flatten(), after);
        }
        Ok(())
    }

    fn applied(&self) -> Seq {
        self.lives.applied()
    }
}
