//! What can be changed of a sandbox in every state but its last two: labels, the three intervals, what it may reach,
//! who may reach it, its activity.

use hourglass_events::{
    Advice, AutoArchive, AutoDelete, AutoStop, Labels, NetworkPolicy, Operation, Refusal, Sandbox,
    SandboxEvent, State,
};

use super::able::able;
use super::{Verdict, wrong};
use crate::fleet::Fleet;
use crate::place::to_hold;

pub(super) fn labels(sandbox: &Sandbox, labels: &Labels) -> Verdict {
    alive(sandbox)?;
    let changed = sandbox.blueprint.labels != *labels;
    Ok(changed.then(|| SandboxEvent::LabelsReplaced { labels: labels.clone() }))
}

pub(super) fn auto_stop(sandbox: &Sandbox, policy: AutoStop) -> Verdict {
    alive(sandbox)?;
    let changed = sandbox.blueprint.auto_stop != policy;
    Ok(changed.then_some(SandboxEvent::AutoStopSet { policy }))
}

pub(super) fn auto_archive(sandbox: &Sandbox, policy: AutoArchive) -> Verdict {
    alive(sandbox)?;
    let changed = sandbox.blueprint.auto_archive != policy;
    Ok(changed.then_some(SandboxEvent::AutoArchiveSet { policy }))
}

pub(super) fn auto_delete(sandbox: &Sandbox, policy: AutoDelete) -> Verdict {
    alive(sandbox)?;
    let for_ever = sandbox.blueprint.resources.gpu > 0 || sandbox.blueprint.linked.is_some();
    if for_ever && policy != AutoDelete::AtOnce {
        return Err(Refusal::MustStayEphemeral);
    }
    let changed = sandbox.blueprint.auto_delete != policy;
    Ok(changed.then_some(SandboxEvent::AutoDeleteSet { policy }))
}

/// What runs is owed the policy from here on, see [`crate::owe`]; whatever is booted later is booted with it.
pub(super) fn network(fleet: &Fleet, sandbox: &Sandbox, policy: &NetworkPolicy) -> Verdict {
    alive(sandbox)?;
    to_hold(policy).map_or(Ok(()), |needed| able(fleet, sandbox, needed, Operation::Configure))?;
    let changed = sandbox.blueprint.network != *policy;
    Ok(changed.then(|| SandboxEvent::NetworkSet { policy: policy.clone() }))
}

pub(super) fn public(sandbox: &Sandbox, public: bool) -> Verdict {
    alive(sandbox)?;
    let changed = sandbox.blueprint.public != public;
    Ok(changed.then_some(SandboxEvent::PublicSet { public }))
}

pub(super) fn activity(sandbox: &Sandbox) -> Verdict {
    alive(sandbox)?;
    Ok(Some(SandboxEvent::ActivityRefreshed))
}

fn alive(sandbox: &Sandbox) -> Result<(), Refusal> {
    if sandbox.state.is_in(State::NAMELESS) {
        Err(wrong(Operation::Configure, sandbox.state, Advice::BeingDeleted))
    } else {
        Ok(())
    }
}
