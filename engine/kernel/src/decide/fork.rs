//! Fork: another sandbox with the files and the memory of one that runs. Its id, name and room are kept for it from the
//! beginning; it is born at once, beside its parent, and boots when its parent's host has made the copy.

use hourglass_events::{
    Able, Advice, Blueprint, Capability, Fault, Fork, Name, Operation, Refusal, Sandbox, SandboxEvent, State,
    Timestamp, codec,
};

use super::{Verdict, quota, wrong};
use crate::fleet::Fleet;
use crate::place::{Needs, place};
use crate::terms::Terms;

/// The most bytes a record has around the event of a birth.
const ENVELOPE_MOST: usize = 1024;

pub(super) fn decide(fleet: &Fleet, terms: &Terms, parent: &Sandbox, fork: &Fork, now: Timestamp) -> Verdict {
    able(parent)?;
    stands(parent)?;
    super::able::able(fleet, parent, Capability::Fork, Operation::Fork)?;
    let name = match &fork.name {
        Some(name) => name.clone(),
        None => Name::new(&fork.id.to_string())?,
    };
    if fleet.is_taken(fork.id) {
        return Err(Refusal::IdTaken(fork.id));
    }
    if let Some((holder, state)) = fleet.name_holder(parent.organization, &name) {
        return Err(Refusal::NameTaken { name: name.to_string(), holder, state });
    }
    // Until the fork before was taken note of, it could not be told from this one.
    if parent.forked.and_then(|last| fleet.sandbox(last)).is_some_and(|last| last.awaits_fork()) {
        return Err(busy(parent));
    }
    let (needs, resources) = (Needs::of(&parent.blueprint), parent.blueprint.resources);
    quota::check(fleet, parent.organization, &parent.blueprint.region, resources)?;
    let room = parent.host.and_then(|host| place(fleet, &needs.on(host)).host);
    if room.is_none() {
        return Err(Refusal::NoRoomBeside { beside: parent.id, class: parent.blueprint.class });
    }
    fits(parent, &name)?;
    let deadline = now.after(terms.fork);
    Ok(Some(SandboxEvent::ForkBegan { child: fork.id, name, resources, deadline }))
}

/// Whether it is of a kind that can be forked.
fn able(parent: &Sandbox) -> Result<(), Refusal> {
    let (operation, class) = (Operation::Fork, parent.blueprint.class);
    if !class.is_vm() {
        return Err(Refusal::NotForClass { operation, class, able: Able::Machines });
    }
    if parent.blueprint.resources.gpu > 0 {
        return Err(Refusal::NotWithGpu(operation));
    }
    match parent.blueprint.linked {
        Some(parent) => Err(Refusal::Linked { operation, parent }),
        None => Ok(()),
    }
}

/// Whether it is where it can be forked from.
fn stands(parent: &Sandbox) -> Result<(), Refusal> {
    let refuse = |advice| Err(wrong(Operation::Fork, parent.state, advice));
    match parent.state {
        State::Started => Ok(()),
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
        | State::Forking => Err(busy(parent)),
        State::Stopped | State::Paused | State::Archived => refuse(Advice::StartFirst),
        State::Error => refuse(Advice::RecoverOrDelete),
        State::BuildFailed => refuse(Advice::RebuildOrDelete),
        State::Unknown | State::Deleting | State::Deleted => refuse(Advice::BeingDeleted),
    }
}

fn busy(parent: &Sandbox) -> Refusal {
    Refusal::Busy { operation: Operation::Fork, state: parent.state }
}

/// Whether the child's birth can be recorded: it repeats all that its parent was told since its own.
fn fits(parent: &Sandbox, name: &Name) -> Result<(), Refusal> {
    let blueprint = inherited(parent, name.clone());
    let bytes = rmp_serde::to_vec_named(&blueprint).map_or(usize::MAX, |bytes| bytes.len() + ENVELOPE_MOST);
    let most = codec::RECORD_BYTES_MOST;
    if bytes > most { Err(Refusal::TooLarge { bytes, most }) } else { Ok(()) }
}

/// What a fork of `parent` is: all its parent is but its name and its links.
fn inherited(parent: &Sandbox, name: Name) -> Blueprint {
    Blueprint { name, linked: None, forked_from: Some(parent.id), ..parent.blueprint.clone() }
}

/// The birth that a sandbox being forked owes, with whose it is.
pub(crate) fn birth(parent: &Sandbox) -> Option<SandboxEvent> {
    let hourglass_events::Errand::Fork { name, .. } = parent.errand.as_deref()? else { return None };
    let blueprint = Box::new(inherited(parent, name.clone()));
    Some(SandboxEvent::Born { blueprint, host: parent.host?, fork: parent.order()? })
}

/// Whether the copy that `child` is to boot from is still being made: its host is asked nothing about it meanwhile, as
/// it could not be told what of it is there.
pub(crate) fn is_being_made(fleet: &Fleet, child: &Sandbox) -> bool {
    let parent = child.blueprint.forked_from.and_then(|parent| fleet.sandbox(parent));
    parent.is_some_and(|parent| parent.forking() == Some(child.id))
}

/// What becomes of a fork that waits for its copy once its parent has gone on.
pub(crate) fn went_on(fleet: &Fleet, terms: &Terms, child: &Sandbox, now: Timestamp) -> Option<SandboxEvent> {
    let parent = child.blueprint.forked_from?;
    if !child.awaits_fork() || is_being_made(fleet, child) {
        return None;
    }
    let made = fleet.sandbox(parent).is_some_and(|parent| parent.forked == Some(child.id));
    Some(if made {
        SandboxEvent::CopyReady { deadline: now.after(terms.create) }
    } else {
        SandboxEvent::Failed { fault: Fault::NotForked { parent } }
    })
}
