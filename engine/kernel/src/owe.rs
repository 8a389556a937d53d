//! What a sandbox is owed because of its state: an order for its host, or one follow-up event.
//!
//! Work is derived from state and never from an event passing by, so running and recovering are the same path. A
//! follow-up is decided here and nowhere else; it can therefore never be refused. Orders are made from committed state
//! only; the caller sees to that.

use std::sync::Arc;

use hourglass_events::{
    Alarm, Cause, DeleteReason, DropReason, Errand, HostId, Intent, Order, Plan, Sandbox, SandboxEvent,
    Settings, ShardNumber, State, StopReason, Task, TaskKind, Timestamp, Values,
};

use crate::decide::{Proposal, pause, start, stop};
use crate::fleet::Fleet;
use crate::place::place;
use crate::terms::Terms;

/// The order that `sandbox` is owed at `now`, and by which host.
#[must_use]
pub fn order(shard: ShardNumber, sandbox: &Sandbox, now: Timestamp) -> Option<(HostId, Order)> {
    let host = sandbox.host?;
    let work = sandbox.work?;
    if work.retry_at.is_some_and(|at| at > now) {
        return None;
    }
    let task = task(sandbox)?;
    Some((host, Order { shard, sandbox: sandbox.id, number: work.number, deadline: work.deadline, task }))
}

/// The task of a sandbox's state, with all it needs.
fn task(sandbox: &Sandbox) -> Option<Task> {
    match sandbox.state {
        State::PullingSnapshot => Some(Task::Pull(sandbox.blueprint.image.clone())),
        State::Creating => Some(Task::Create(plan(sandbox))),
        State::Starting => Some(Task::Boot(plan(sandbox))),
        State::Stopping => Some(Task::Stop { grace: sandbox.work?.grace }),
        State::Deleting => Some(Task::Remove),
        State::Error => Some(Task::Quiesce),
        // Nothing but changed settings make what runs owe something.
        State::Started => Some(Task::Hold {
            network: sandbox.blueprint.network.clone(),
            resources: (sandbox.settings == Settings::Doubtful).then_some(sandbox.blueprint.resources),
        }),
        State::Pausing => Some(Task::SaveMemory),
        State::Resuming => Some(Task::Resume(plan(sandbox))),
        State::Resizing => match sandbox.errand.as_deref()? {
            Errand::Resize(resources) => Some(Task::Resize(*resources)),
        },
        State::Unknown
        | State::PendingBuild
        | State::BuildFailed
        | State::Stopped
        | State::Paused
        | State::Archived
        | State::Deleted => None,
        // No command of this release leads here; the orders come with the operations.
        State::BuildingSnapshot
        | State::Archiving
        | State::Restoring
        | State::Snapshotting
        | State::Forking => None,
    }
}

fn plan(sandbox: &Sandbox) -> Box<Plan> {
    let blueprint = &sandbox.blueprint;
    Box::new(Plan {
        organization: sandbox.organization,
        name: blueprint.name.to_string(),
        class: blueprint.class,
        image: blueprint.image.clone(),
        resources: blueprint.resources,
        user: blueprint.user.clone(),
        network: blueprint.network.clone(),
        environment: blueprint.environment.clone(),
        values: Values::default(),
    })
}

/// The event that `sandbox` is owed without anybody asking. Deleting goes before a waiting intent, and that before
/// the end of an ephemeral sandbox.
#[must_use]
pub fn follow_up(fleet: &Fleet, terms: &Terms, sandbox: &Arc<Sandbox>, now: Timestamp) -> Option<Proposal> {
    let (cause, event) = match sandbox.host {
        None if sandbox.work.is_some() => homeless(fleet, terms, sandbox, now)?,
        None | Some(_) => match sandbox.intent {
            Some(intent) => (Cause::Intent, settled(terms, sandbox, intent, now)?),
            None => ephemeral(sandbox)?,
        },
    };
    Some(Proposal::own(sandbox, cause, event))
}

/// What becomes of a sandbox that is owed work without a host to do it: there is nothing to remove or to quieten, and
/// what is to be fetched waits for a host.
fn homeless(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    now: Timestamp,
) -> Option<(Cause, SandboxEvent)> {
    match hourglass_events::duties(sandbox.state).task?.task {
        TaskKind::Remove => Some((Cause::Duty, SandboxEvent::Removed)),
        TaskKind::Quiesce => Some((Cause::Duty, SandboxEvent::Quiesced)),
        TaskKind::Pull => Some((Cause::Host, placed(fleet, terms, sandbox, now)?)),
        // Whatever else a host does begins on the host the sandbox already has.
        TaskKind::Build
        | TaskKind::Create
        | TaskKind::Boot
        | TaskKind::Stop
        | TaskKind::Hold
        | TaskKind::SaveMemory
        | TaskKind::Resume
        | TaskKind::Archive
        | TaskKind::Restore
        | TaskKind::Resize
        | TaskKind::Capture
        | TaskKind::Fork => None,
    }
}

/// A host for a sandbox that waits for one, if there is one by now.
fn placed(fleet: &Fleet, terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Option<SandboxEvent> {
    let placement = place(fleet, sandbox.blueprint.class, sandbox.blueprint.resources);
    placement.host?;
    Some(SandboxEvent::Placed { placement, deadline: now.after(terms.pull) })
}

/// What becomes of a waiting intent once the work it waited for has ended.
fn settled(terms: &Terms, sandbox: &Sandbox, intent: Intent, now: Timestamp) -> Option<SandboxEvent> {
    let dropped = |why| Some(SandboxEvent::IntentDropped { why });
    match sandbox.state {
        State::Stopped => match intent {
            Intent::Start => Some(start::begin(terms, now)),
            Intent::Stop { .. } => dropped(DropReason::AlreadyThere),
            Intent::Pause => dropped(DropReason::OperationFailed),
        },
        State::Started => match intent {
            Intent::Start => dropped(DropReason::AlreadyThere),
            Intent::Stop { grace } => Some(stop::begin(terms, StopReason::Asked, grace, now)),
            Intent::Pause => Some(pause::begin(terms, now)),
        },
        State::Paused => match intent {
            Intent::Start => Some(start::resume(terms, now)),
            Intent::Stop { grace } => Some(stop::begin(terms, StopReason::Asked, grace, now)),
            Intent::Pause => dropped(DropReason::AlreadyThere),
        },
        // Where the work in flight was to lead, an intent could go on from; here it cannot.
        State::Error | State::BuildFailed | State::Archived => dropped(DropReason::OperationFailed),
        State::BuildingSnapshot
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
        | State::Forking => None,
        // No intent is taken in before there is work in flight, and none outlives a deletion.
        State::Unknown | State::PendingBuild | State::Deleting | State::Deleted => None,
    }
}

fn ephemeral(sandbox: &Sandbox) -> Option<(Cause, SandboxEvent)> {
    let over = sandbox.state == State::Stopped && sandbox.is_ephemeral();
    over.then_some((Cause::Duty, SandboxEvent::DeleteBegan { reason: DeleteReason::Ephemeral }))
}

/// The alarms that may go off for `sandbox`, with when they are due. Used last at `used`.
pub fn alarms(sandbox: &Sandbox, used: Timestamp) -> impl Iterator<Item = (Alarm, Timestamp)> {
    let alarms = hourglass_events::duties(sandbox.state).alarms;
    alarms.iter().filter_map(move |alarm| Some((*alarm, crate::decide::alarm::due(sandbox, *alarm, used)?)))
}
