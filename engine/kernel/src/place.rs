//! Choosing a host. Pure: the numbers that decided it go into the event.

use hourglass_events::lifecycle::others::HostState;
use hourglass_events::{Class, Placement, Resources};

use crate::fleet::Fleet;

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

/// Where a sandbox of `class` with `resources` goes: of the ready hosts that run its class and have room, the one with
/// the most memory to promise afterwards; of equals, the one with the lowest id.
#[must_use]
pub fn place(fleet: &Fleet, class: Class, resources: Resources) -> Placement {
    let mut placement = Placement { host: None, hosts: 0, ready: 0, able: 0, roomy: 0 };
    let mut best = None;
    for host in fleet.hosts().iter() {
        placement.hosts += 1;
        if host.state != HostState::Ready {
            continue;
        }
        placement.ready += 1;
        if !host.classes.contains(&class) {
            continue;
        }
        placement.able += 1;
        let Some(left) = fleet.hosts().room(host, resources) else { continue };
        placement.roomy += 1;
        if best.is_none_or(|most| left > most) {
            best = Some(left);
            placement.host = Some(host.id);
        }
    }
    placement
}
