//! What hosts had, had promised and had left at a moment, one by one and by region and class.

use hourglass_events::lifecycle::others::{HostState, Schedule};
use hourglass_kernel::place::{CPU_SHARE, DISK_SHARE, GPU_SHARE, MEMORY_SHARE};
use hourglass_projections::Capacity;
use hourglass_projections::capacity::{Amounts, Host, Room, Shares};
use serde_json::{Value, json};

use crate::paint;

/// How much is promised of each that a host has, as the kernel places.
const SHARES: Shares =
    Amounts { cpu: CPU_SHARE, memory_gib: MEMORY_SHARE, disk_gib: DISK_SHARE, gpu: GPU_SHARE };

/// Print it.
pub(super) fn tell(capacity: &Capacity, json: bool) {
    if json {
        capacity.hosts().for_each(|host| paint::say(view(host, &capacity.room(host, SHARES))));
        return;
    }
    paint::say(format!("{:<36}  {:<12} {:<10} {:<9} {AMOUNTS}", "host", "region", "state", "sandboxes"));
    for host in capacity.hosts() {
        let room = capacity.room(host, SHARES);
        let (state, sandboxes) = (state(host), room.sandboxes);
        paint::say(format!("{:<36}  {:<12} {state:<10} {sandboxes:<9} {}", host.id, host.region, row(&room)));
    }
    let together = capacity.by_region_and_class(SHARES);
    if together.is_empty() {
        return;
    }
    paint::say(format!(
        "\n{:<12} {:<10} {:<5} {:<5} {:<9} {AMOUNTS}",
        "region", "class", "hosts", "open", "sandboxes"
    ));
    for ((region, class), room) in &together {
        let (class, Room { hosts, open, sandboxes, .. }) = (class.to_string(), room);
        paint::say(format!("{region:<12} {class:<10} {hosts:<5} {open:<5} {sandboxes:<9} {}", row(room)));
    }
}

/// The headings of what [`row`] shows.
const AMOUNTS: &str = "has                    promised               left (vCPU · GiB · GiB disk · GPU)";

fn row(room: &Room) -> String {
    let [has, promised, left] = [room.has, room.promised, room.left].map(|amounts| {
        let Amounts { cpu, memory_gib, disk_gib, gpu } = amounts;
        format!("{cpu} · {memory_gib} · {disk_gib} · {gpu}")
    });
    format!("{has:<22} {promised:<22} {left}")
}

/// Why a host takes in nothing, or that it does.
const fn state(host: &Host) -> &'static str {
    match (host.state, host.schedule) {
        (HostState::Unknown, _) => "unknown",
        (HostState::Suspected, _) => "suspected",
        (HostState::Lost, _) => "lost",
        (HostState::Ready, Schedule::Open) => "open",
        (HostState::Ready, Schedule::Cordoned) => "cordoned",
        (HostState::Ready, Schedule::Draining) => "draining",
    }
}

fn view(host: &Host, room: &Room) -> Value {
    let amounts = |Amounts { cpu, memory_gib, disk_gib, gpu }: Amounts| json!({"cpu": cpu, "memory_gib": memory_gib, "disk_gib": disk_gib, "gpu": gpu});
    json!({
        "host": host.id,
        "region": host.region,
        "classes": host.classes,
        "state": state(host),
        "gpu_type": host.gpu_type,
        "sandboxes": room.sandboxes,
        "has": amounts(room.has),
        "promised": amounts(room.promised),
        "left": amounts(room.left),
    })
}
