//! Links: a sandbox that hangs on another from its creation on. It shares that one's host, does not outlive its own stop
//! nor the other's deletion, and nothing is ever kept of it.

use std::sync::Arc;

use hourglass_events::{
    Advice, AutoDelete, Blueprint, Capability, Cause, Create, DeleteReason, Operation, OrganizationId,
    Placement, Refusal, Sandbox, SandboxEvent, SnapshotContent, State, Target,
};

use super::able::able;
use super::{find, wrong};
use crate::fleet::Fleet;
use crate::place::{Needs, place};

/// Whom a new sandbox from `content` is to be linked with.
pub(super) fn decide<'a>(
    fleet: &'a Fleet,
    organization: OrganizationId,
    target: &Target,
    content: &SnapshotContent,
    create: &Create,
) -> Result<&'a Arc<Sandbox>, Refusal> {
    let parent = find(fleet, organization, target)?;
    if let Some(grandparent) = parent.blueprint.linked {
        return Err(Refusal::LinkedItself { target: parent.id, parent: grandparent });
    }
    if parent.blueprint.resources.gpu > 0 || content.resources.gpu > 0 {
        return Err(Refusal::NotWithGpu(Operation::Link));
    }
    if create.auto_delete != Some(AutoDelete::AtOnce) {
        return Err(Refusal::LinkedOutlives);
    }
    let found = &parent.blueprint.region;
    if let Some(asked) = create.region.as_ref().filter(|asked| *asked != found) {
        let (found, asked) = (found.clone(), asked.clone());
        return Err(Refusal::LinkedApart { parent: parent.id, found, asked });
    }
    stands(parent)?;
    able(fleet, parent, Capability::Link, Operation::Link)?;
    Ok(parent)
}

/// Its place: where `parent` is.
pub(super) fn placed(fleet: &Fleet, parent: &Sandbox, blueprint: &Blueprint) -> Result<Placement, Refusal> {
    let host = parent.host.ok_or_else(|| wrong(Operation::Link, parent.state, Advice::StartFirst))?;
    let placement = place(fleet, &Needs::of(blueprint).on(host));
    match placement.host {
        Some(_) => Ok(placement),
        None => Err(Refusal::NoRoomBeside { beside: parent.id, class: blueprint.class }),
    }
}

/// What `sandbox` needs of a host, which is its parent's if it is linked.
pub(crate) fn needs(fleet: &Fleet, sandbox: &Sandbox) -> Option<Needs> {
    let needs = Needs::now(sandbox);
    match sandbox.blueprint.linked.filter(|_| !sandbox.state.is_in(&[State::Deleting, State::Deleted])) {
        Some(parent) => Some(needs.on(fleet.sandbox(parent)?.host?)),
        None => Some(needs),
    }
}

/// Whether others can be linked with it where it is.
fn stands(parent: &Sandbox) -> Result<(), Refusal> {
    let refuse = |advice| Err(wrong(Operation::Link, parent.state, advice));
    match parent.state {
        State::Started | State::Stopped => Ok(()),
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
        | State::Forking => Err(Refusal::Busy { operation: Operation::Link, state: parent.state }),
        State::Paused | State::Archived => refuse(Advice::StartFirst),
        State::Error => refuse(Advice::RecoverOrDelete),
        State::BuildFailed => refuse(Advice::RebuildOrDelete),
        State::Unknown | State::Deleting | State::Deleted => refuse(Advice::BeingDeleted),
    }
}

/// Refuse `operation` to what is linked.
pub(super) fn unlinked(sandbox: &Sandbox, operation: Operation) -> Result<(), Refusal> {
    match sandbox.blueprint.linked {
        Some(parent) => Err(Refusal::Linked { operation, parent }),
        None => Ok(()),
    }
}

/// Refuse to move what others are linked with from its host.
pub(crate) fn is_free_to_leave(fleet: &Fleet, sandbox: &Sandbox) -> Result<(), Refusal> {
    let mut linked = fleet.kin().linked(sandbox.id);
    let count = linked.len();
    match linked.next() {
        Some(first) => Err(Refusal::HasLinked { linked: count, first }),
        None => Ok(()),
    }
}

/// The end of a linked sandbox whose parent is being deleted, or is gone.
pub(crate) fn cascade(fleet: &Fleet, sandbox: &Sandbox) -> Option<(Cause, SandboxEvent)> {
    let parent = sandbox.blueprint.linked.filter(|_| !sandbox.state.is_in(State::NAMELESS))?;
    let lives = fleet.sandbox(parent).is_some_and(|parent| !parent.state.is_in(State::NAMELESS));
    let event = SandboxEvent::DeleteBegan { reason: DeleteReason::Cascade };
    (!lives).then_some((Cause::Cascade(parent), event))
}
