//! Quotas: whether an organization may take more in a region than it takes.
//!
//! An organization that has set nothing may take any amount. What is refused is told what is in the way, and what would
//! make room.

use hourglass_events::{OrganizationId, Part, Refusal, Resource, Resources, Sandbox, Shortage};

use crate::fleet::Fleet;
use crate::fleet::quotas::{Counts, Share};

/// Whether `organization` may take so much `more` in `region`.
pub(crate) fn check(
    fleet: &Fleet,
    organization: OrganizationId,
    region: &str,
    more: Resources,
) -> Result<(), Refusal> {
    let Some(quota) = fleet.allowance(organization).and_then(|allowance| allowance.regions.get(region))
    else {
        return Ok(());
    };
    let usage = fleet.quotas().usage(organization, region);
    let Resources { cpu, memory_gib, disk_gib, gpu } = more;
    for (resource, asked) in [
        (Resource::Cpu, cpu),
        (Resource::Memory, memory_gib),
        (Resource::Disk, disk_gib),
        (Resource::Gpu, gpu),
    ] {
        let (asked, used) = (u64::from(asked), usage.of(resource));
        let Some(most) = quota.of(resource).filter(|most| asked > 0 && used + asked > *most) else {
            continue;
        };
        let part = |share: Share| Part { sandboxes: share.sandboxes, frees: share.of(resource) };
        let (running, resting) = (part(usage.running), part(usage.resting));
        return Err(
            Shortage { region: region.to_owned(), resource, asked, used, most, running, resting }.into()
        );
    }
    Ok(())
}

/// Whether `sandbox` may come to count for `all` instead of what it counts for now.
pub(crate) fn grow(fleet: &Fleet, sandbox: &Sandbox, all: Resources) -> Result<(), Refusal> {
    let now = Counts::of(sandbox).resources();
    let more = Resources {
        cpu: all.cpu.saturating_sub(now.cpu),
        memory_gib: all.memory_gib.saturating_sub(now.memory_gib),
        disk_gib: all.disk_gib.saturating_sub(now.disk_gib),
        gpu: all.gpu.saturating_sub(now.gpu),
    };
    check(fleet, sandbox.organization, &sandbox.blueprint.region, more)
}

/// Whether `sandbox` may run.
pub(crate) fn run(fleet: &Fleet, sandbox: &Sandbox) -> Result<(), Refusal> {
    grow(fleet, sandbox, sandbox.blueprint.resources)
}
