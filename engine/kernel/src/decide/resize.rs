//! Resize: other resources for a sandbox that runs or has stopped. While it runs, CPU and memory grow and nothing else
//! changes; a disk never shrinks. Only what changes has to lie within the organization's limits: what was inherited from
//! a snapshot is no custom size.

use hourglass_events::{
    Advice, Capability, Errand, Limits, Operation, Refusal, Resize, Resource, Resources, Sandbox,
    SandboxEvent, State, Timestamp,
};

use super::able::able;
use super::{Verdict, quota, wrong};
use crate::fleet::Fleet;
use crate::terms::Terms;

pub(super) fn decide(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    resize: Resize,
    now: Timestamp,
) -> Verdict {
    let refuse = |advice| Err(wrong(Operation::Resize, sandbox.state, advice));
    let busy = Refusal::Busy { operation: Operation::Resize, state: sandbox.state };
    let asked = resize.of(sandbox.blueprint.resources);
    match sandbox.state {
        State::Started => check(fleet, sandbox, asked, true).map(|()| Some(begin(terms, asked, now))),
        State::Stopped => check(fleet, sandbox, asked, false).map(|()| Some(begin(terms, asked, now))),
        State::Resizing if sandbox.errand.as_deref() == Some(&Errand::Resize(asked)) => Ok(None),
        State::PendingBuild
        | State::BuildingSnapshot
        | State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Stopping
        | State::Pausing
        | State::Resuming
        | State::Archiving
        | State::Restoring
        | State::Resizing
        | State::Snapshotting
        | State::Forking => Err(busy),
        State::Paused | State::Archived => refuse(Advice::StartFirst),
        State::Error => refuse(Advice::RecoverOrDelete),
        State::BuildFailed => refuse(Advice::RebuildOrDelete),
        State::Unknown | State::Deleting | State::Deleted => refuse(Advice::BeingDeleted),
    }
}

fn check(fleet: &Fleet, sandbox: &Sandbox, asked: Resources, runs: bool) -> Result<(), Refusal> {
    let have = sandbox.blueprint.resources;
    if asked == have {
        return Err(Refusal::NothingToResize);
    }
    if asked.disk_gib < have.disk_gib {
        return Err(Refusal::DiskShrinks { have: have.disk_gib, asked: asked.disk_gib });
    }
    if runs {
        let not = |resource, have, asked| Err(Refusal::NotWhileRunning { resource, have, asked });
        if asked.disk_gib != have.disk_gib {
            return not(Resource::Disk, have.disk_gib, asked.disk_gib);
        }
        if asked.cpu < have.cpu {
            return not(Resource::Cpu, have.cpu, asked.cpu);
        }
        if asked.memory_gib < have.memory_gib {
            return not(Resource::Memory, have.memory_gib, asked.memory_gib);
        }
    }
    within(fleet, sandbox, asked)?;
    able(fleet, sandbox, Capability::Resize, Operation::Resize)?;
    // Of what has stopped only the disk counts.
    let counted = if runs { have.most(asked) } else { Resources { disk_gib: asked.disk_gib, ..NOTHING } };
    quota::grow(fleet, sandbox, counted)
}

const NOTHING: Resources = Resources { cpu: 0, memory_gib: 0, disk_gib: 0, gpu: 0 };

/// What does not change is let be, however large it is.
fn within(fleet: &Fleet, sandbox: &Sandbox, asked: Resources) -> Result<(), Refusal> {
    let have = sandbox.blueprint.resources;
    let most = fleet.most(sandbox.organization, sandbox.blueprint.class, have.gpu);
    let limits = Limits {
        cpu: if asked.cpu == have.cpu { have.cpu } else { most.cpu },
        memory_gib: if asked.memory_gib == have.memory_gib { have.memory_gib } else { most.memory_gib },
        disk_gib: if asked.disk_gib == have.disk_gib { have.disk_gib } else { most.disk_gib },
        gpu: have.gpu,
    };
    asked.within(&limits).map(|_| ())
}

fn begin(terms: &Terms, resources: Resources, now: Timestamp) -> SandboxEvent {
    SandboxEvent::ResizeBegan { resources, deadline: now.after(terms.resize) }
}
