//! Choosing a host. Pure: the numbers that decided it go into the event, so that "no host" is a sentence.

use hourglass_events::lifecycle::others::{HostState, Schedule};
use hourglass_events::{
    Blueprint, Capabilities, Capability, Class, Errand, GpuTypes, HostId, NetworkPolicy, Placement,
    Resources, RestoreSource, Sandbox, State,
};
use serde::{Deserialize, Serialize};

use crate::fleet::{Fleet, Host};

/// How many sandboxes' vCPUs share one of a host's. A vCPU is a right to so much time when it is wanted, and most
/// sandboxes wait for somebody most of the time.
pub const CPU_SHARE: u64 = 64;
/// How many GiB of memory are promised for each that a host has. What a sandbox is given is the most it may use, and
/// the host's own limit ends one that uses more.
pub const MEMORY_SHARE: u64 = 8;
/// How many GiB of disk are promised for each that a host has. Disks are sparse and share their images.
pub const DISK_SHARE: u64 = 8;
/// How many sandboxes share a GPU: it is one's alone.
pub const GPU_SHARE: u64 = 1;

/// All of a sandbox that decides where it may go. Who needs the same waits in the same queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Needs {
    /// The region it is in.
    pub region: String,
    /// The class its host has to run; any host will do for what is only to be removed.
    pub class: Option<Class>,
    /// What it takes.
    pub resources: Resources,
    /// The kinds of GPU it may have, in order.
    pub gpu_types: GpuTypes,
    /// What its host has to be able to do to take it in.
    pub capabilities: Capabilities,
    /// The host it has to be on, because another sandbox it belongs to is there.
    pub pinned: Option<HostId>,
    /// The hosts that refused it.
    pub refused: Vec<HostId>,
}

impl Needs {
    /// What a new sandbox of this blueprint needs.
    #[must_use]
    pub fn of(blueprint: &Blueprint) -> Self {
        Self {
            region: blueprint.region.clone(),
            class: Some(blueprint.class),
            resources: blueprint.resources,
            gpu_types: blueprint.gpu_types.clone(),
            capabilities: Capabilities::of(to_hold(&blueprint.network)),
            pinned: None,
            refused: Vec::new(),
        }
    }

    /// What `sandbox` needs for the task of its state, which brings it to a host.
    #[must_use]
    pub fn now(sandbox: &Sandbox) -> Self {
        let needs = Self { refused: sandbox.refused.clone(), ..Self::of(&sandbox.blueprint) };
        match sandbox.state {
            State::Deleting | State::Deleted => Self {
                class: None,
                resources: Resources { cpu: 0, memory_gib: 0, disk_gib: 0, gpu: 0 },
                gpu_types: GpuTypes::default(),
                capabilities: Capabilities::of([Capability::Archive]),
                ..needs
            },
            State::PendingBuild | State::BuildingSnapshot => needs.and(Capability::Build),
            State::Restoring => {
                let stored =
                    matches!(sandbox.errand.as_deref(), Some(Errand::Restore(RestoreSource::Backup(_))));
                if stored { needs.and(Capability::Archive) } else { needs }
            }
            State::Unknown
            | State::BuildFailed
            | State::PullingSnapshot
            | State::Creating
            | State::Starting
            | State::Started
            | State::Stopping
            | State::Stopped
            | State::Pausing
            | State::Paused
            | State::Resuming
            | State::Archiving
            | State::Archived
            | State::Resizing
            | State::Snapshotting
            | State::Forking
            | State::Error => needs,
        }
    }

    /// These needs, and a host that can do this.
    #[must_use]
    pub fn and(self, capability: Capability) -> Self {
        let capabilities = Capabilities::of(self.capabilities.iter().chain([capability]));
        Self { capabilities, ..self }
    }

    /// These needs, on this host and no other.
    #[must_use]
    pub fn on(self, host: HostId) -> Self {
        Self { pinned: Some(host), ..self }
    }

    /// Whether nothing is taken of the host.
    const fn is_weightless(&self) -> bool {
        self.class.is_none()
    }

    /// How well `host` can do what is needed: 0 is best; nothing if it cannot.
    fn rank(&self, host: &Host) -> Option<usize> {
        if !host.capabilities.cover(&self.capabilities) {
            return None;
        }
        let Some(class) = self.class else { return Some(0) };
        if !host.classes.contains(&class) {
            return None;
        }
        // A host with GPUs is for those who need one.
        match (self.resources.gpu, host.capacity.gpu) {
            (0, 0) => Some(0),
            (0, _) | (_, 0) => None,
            // Of GPUs that nobody knows the kind of, nobody can be given one in particular.
            (_, _) => match host.gpu_type {
                Some(kind) => self.gpu_types.rank(kind),
                None => self.gpu_types.is_any().then_some(0),
            },
        }
    }
}

/// What a host has to be able to do to hold a sandbox to `network`.
pub(crate) fn to_hold(network: &NetworkPolicy) -> Option<Capability> {
    match network {
        NetworkPolicy::Open | NetworkPolicy::Blocked => None,
        NetworkPolicy::Only(those) => (!those.domains().is_empty()).then_some(Capability::Domains),
    }
}

/// Where a sandbox with these needs goes: of the hosts that are ready and take in sandboxes, lie in its region, can do
/// what is needed, did not refuse it and have room, the one with the most wanted kind of GPU; of equals the one with
/// the most memory to promise afterwards; of equals the one with the lowest id.
#[must_use]
pub fn place(fleet: &Fleet, needs: &Needs) -> Placement {
    let mut placement = Placement { queue: 0, ..Placement::NOWHERE };
    let mut best = None;
    for host in fleet.hosts().iter() {
        placement.hosts += 1;
        if host.state != HostState::Ready || host.schedule != Schedule::Open {
            continue;
        }
        placement.ready += 1;
        if host.region != needs.region || needs.pinned.is_some_and(|pinned| pinned != host.id) {
            continue;
        }
        placement.near += 1;
        let Some(rank) = needs.rank(host) else { continue };
        placement.able += 1;
        if needs.refused.contains(&host.id) {
            continue;
        }
        placement.willing += 1;
        let left = if needs.is_weightless() { Some(0) } else { fleet.hosts().room(host, needs.resources) };
        let Some(left) = left else { continue };
        placement.roomy += 1;
        if best.is_none_or(|(worst, most)| rank < worst || (rank == worst && left > most)) {
            best = Some((rank, left));
            placement.host = Some(host.id);
        }
    }
    if placement.host.is_none() {
        placement.queue = fleet.queue(needs).saturating_add(1);
    }
    placement
}
