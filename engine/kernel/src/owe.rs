//! What a sandbox is owed because of its state: an order for its host, or one follow-up event.
//!
//! Work is derived from state and never from an event passing by, so running and recovering are the same path. A
//! follow-up is decided here and nowhere else; it can therefore never be refused. Orders are made from committed state
//! only; the caller sees to that.

pub mod snapshots;

use std::sync::Arc;

use hourglass_events::lifecycle::others::HostState;
use hourglass_events::{
    Actor, Alarm, ArchiveReason, Base, Build, Capability, Cause, DeleteReason, DropReason, Errand, Event,
    ExitCause, Fault, HostId, Intent, Order, Plan, Refusal, Sandbox, SandboxEvent, Settings, State,
    StopReason, Subject, Task, TaskKind, Timestamp, Values,
};

use crate::decide::{Proposal, alarm, archive, delete, fork, link, pause, start, stop};
use crate::fleet::Fleet;
use crate::place::{Needs, place};
use crate::terms::Terms;

/// The order that `sandbox` is owed at `now`, and by which host.
#[must_use]
pub fn order(fleet: &Fleet, sandbox: &Sandbox, now: Timestamp) -> Option<(HostId, Order)> {
    let host = sandbox.host?;
    let work = sandbox.work?;
    if work.retry_at.is_some_and(|at| at > now) || fork::is_being_made(fleet, sandbox) {
        return None;
    }
    let (shard, task) = (fleet.shard(), task(sandbox)?);
    Some((host, Order { shard, sandbox: sandbox.id, number: work.number, deadline: work.deadline, task }))
}

/// The task of a sandbox's state, with all it needs.
fn task(sandbox: &Sandbox) -> Option<Task> {
    match sandbox.state {
        State::PullingSnapshot => Some(Task::Pull(sandbox.blueprint.image.clone())),
        State::Creating => match sandbox.errand.as_deref() {
            Some(Errand::Born(_)) => Some(Task::Awaken(plan(sandbox))),
            Some(
                Errand::Resize(_)
                | Errand::Restore(_)
                | Errand::Fork { .. }
                | Errand::Capture { .. }
                | Errand::Backup,
            )
            | None => Some(Task::Create(plan(sandbox))),
        },
        State::Starting => Some(Task::Boot(plan(sandbox))),
        State::Stopping => Some(Task::Stop { grace: sandbox.work?.grace }),
        State::Deleting if sandbox.stored.is_empty() => Some(Task::Remove),
        State::Deleting | State::Deleted => Some(Task::Purge(sandbox.stored.clone())),
        // What failed is kept as its backup has it: there is nothing to store.
        State::Archiving => (!sandbox.keeps_backup()).then_some(Task::Archive),
        State::Archived => Some(Task::Discard(sandbox.stale().collect())),
        State::Stopped if sandbox.is_backing_up() => Some(Task::Backup),
        State::Stopped => Some(Task::Prune(sandbox.stale().collect())),
        State::Restoring => match sandbox.errand.as_deref()? {
            Errand::Restore(source) => Some(Task::Restore { plan: plan(sandbox), source: *source }),
            Errand::Resize(_)
            | Errand::Fork { .. }
            | Errand::Born(_)
            | Errand::Capture { .. }
            | Errand::Backup => None,
        },
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
            Errand::Restore(_)
            | Errand::Fork { .. }
            | Errand::Born(_)
            | Errand::Capture { .. }
            | Errand::Backup => None,
        },
        State::Forking => match sandbox.errand.as_deref()? {
            Errand::Fork { child, .. } => Some(Task::Fork(*child)),
            Errand::Resize(_)
            | Errand::Restore(_)
            | Errand::Born(_)
            | Errand::Capture { .. }
            | Errand::Backup => None,
        },
        State::Unknown | State::PendingBuild | State::BuildFailed | State::Paused => None,
        // No command of this release leads here; the orders come with the operations.
        State::BuildingSnapshot => Some(Task::Build(Box::new(build(sandbox)?))),
        State::Snapshotting => snapshots::capture(sandbox),
    }
}

fn build(sandbox: &Sandbox) -> Option<Build> {
    let Base::Build(recipe) = &sandbox.blueprint.base else { return None };
    let (image, class) = (sandbox.blueprint.image.clone(), sandbox.blueprint.class);
    Some(Build { image, class, recipe: (**recipe).clone() })
}

fn plan(sandbox: &Sandbox) -> Box<Plan> {
    let blueprint = &sandbox.blueprint;
    Box::new(Plan {
        organization: sandbox.organization,
        name: blueprint.name.to_string(),
        class: blueprint.class,
        image: blueprint.image.clone(),
        heat: blueprint.heat(),
        resources: blueprint.resources,
        user: blueprint.user.clone(),
        network: blueprint.network.clone(),
        environment: blueprint.environment.clone(),
        linked: blueprint.linked,
        values: Values::default(),
    })
}

/// The event that `sandbox` is owed without anybody asking: the birth of its fork, which happens to that one, or one of
/// its own. Deleting goes before a waiting intent, and that before the end of an ephemeral sandbox.
#[must_use]
pub fn follow_up(fleet: &Fleet, terms: &Terms, sandbox: &Arc<Sandbox>, now: Timestamp) -> Option<Proposal> {
    if let Some(birth) = birth(fleet, sandbox).or_else(|| snapshots::birth(fleet, sandbox)) {
        return Some(birth);
    }
    let (cause, event) = link::cascade(fleet, sandbox)
        .or_else(|| of_a_fork(fleet, terms, sandbox, now))
        .or_else(|| snapshots::taken(fleet, sandbox))
        .or_else(|| of_its_own(fleet, terms, sandbox, now))?;
    Some(Proposal::own(sandbox, cause, event))
}

/// The birth of the fork that `parent` is making. It is there by the time the copy is made, so that whoever asked for
/// it can look at it, and what becomes of it is its own story.
fn birth(fleet: &Fleet, parent: &Sandbox) -> Option<Proposal> {
    let child = parent.forking().filter(|child| fleet.sandbox(*child).is_none())?;
    Some(Proposal {
        subject: Subject::Sandbox(child),
        organization: parent.organization,
        actor: Actor::Engine,
        cause: Cause::Cascade(parent.id),
        correlation: Some(parent.correlation),
        event: Event::Sandbox(fork::birth(parent)?),
    })
}

/// A fork whose parent has gone on boots, or never will; and nobody makes one that was deleted meanwhile.
fn of_a_fork(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    now: Timestamp,
) -> Option<(Cause, SandboxEvent)> {
    if let Some(event) = fork::went_on(fleet, terms, sandbox, now) {
        return Some((Cause::Cascade(sandbox.blueprint.forked_from?), event));
    }
    let child = fleet.sandbox(sandbox.forking()?)?;
    let gone = child.state.is_in(State::NAMELESS);
    gone.then_some((Cause::Duty, SandboxEvent::Abandoned { fault: None }))
}

fn of_its_own(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    now: Timestamp,
) -> Option<(Cause, SandboxEvent)> {
    match sandbox.host {
        None | Some(_) if sandbox.state == State::PendingBuild => built(fleet, terms, sandbox, now),
        None | Some(_) if sandbox.keeps_backup() => Some((Cause::Duty, SandboxEvent::ArchiveStored)),
        None if sandbox.work.is_some() => homeless(fleet, terms, sandbox, now),
        None | Some(_) => match sandbox.intent {
            Some(intent) => Some((Cause::Intent, settled(fleet, terms, sandbox, intent, now)?)),
            None => ephemeral(fleet, sandbox),
        },
    }
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
        TaskKind::Remove if fork::is_being_made(fleet, sandbox) => None,
        TaskKind::Remove if sandbox.stored.is_empty() => Some((Cause::Duty, SandboxEvent::Removed)),
        TaskKind::Quiesce => Some((Cause::Duty, SandboxEvent::Quiesced)),
        TaskKind::Discard => Some((Cause::Duty, SandboxEvent::DiskDropped)),
        TaskKind::Pull => Some((Cause::Host, placed(fleet, sandbox, now.after(terms.pull))?)),
        TaskKind::Restore => Some((Cause::Host, placed(fleet, sandbox, sandbox.work?.deadline?)?)),
        // Any host can take away what is in object storage.
        TaskKind::Remove => Some((Cause::Host, placed(fleet, sandbox, now)?)),
        // Whatever else a host does begins on the host the sandbox already has.
        TaskKind::Build
        | TaskKind::Create
        | TaskKind::Boot
        | TaskKind::Stop
        | TaskKind::Hold
        | TaskKind::SaveMemory
        | TaskKind::Resume
        | TaskKind::Archive
        | TaskKind::Backup
        | TaskKind::Resize
        | TaskKind::Capture
        | TaskKind::Fork => None,
    }
}

/// A build that waits begins once there is a host for it.
fn built(fleet: &Fleet, terms: &Terms, sandbox: &Sandbox, now: Timestamp) -> Option<(Cause, SandboxEvent)> {
    let placement = place(fleet, &Needs::now(sandbox));
    placement.host?;
    let deadline = now.after(terms.build);
    Some((Cause::Host, SandboxEvent::BuildBegan { blueprint: None, placement, deadline }))
}

/// A host for a sandbox that waits for one, if there is one by now.
fn placed(fleet: &Fleet, sandbox: &Sandbox, deadline: Timestamp) -> Option<SandboxEvent> {
    let placement = place(fleet, &link::needs(fleet, sandbox)?);
    placement.host?;
    Some(SandboxEvent::Placed { placement, deadline })
}

/// What becomes of a waiting intent once the work it waited for has ended.
fn settled(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    intent: Intent,
    now: Timestamp,
) -> Option<SandboxEvent> {
    let dropped = |why| Some(SandboxEvent::IntentDropped { why });
    match sandbox.state {
        State::Stopped => match intent {
            Intent::Start => Some(or_dropped(start::boot(fleet, terms, sandbox, now))),
            Intent::Stop { .. } => dropped(DropReason::AlreadyThere),
            Intent::Pause => dropped(DropReason::OperationFailed),
            Intent::Archive if sandbox.is_ephemeral() => dropped(DropReason::Ephemeral),
            Intent::Archive if link::is_free_to_leave(fleet, sandbox).is_err() => dropped(DropReason::Linked),
            Intent::Archive if alarm::blocked(fleet, sandbox, Alarm::AutoArchive) => {
                dropped(DropReason::OperationFailed)
            }
            Intent::Archive => Some(archive::begin(terms, ArchiveReason::Asked, now)),
        },
        State::Started => match intent {
            Intent::Start => dropped(DropReason::AlreadyThere),
            Intent::Stop { grace } => Some(stop::begin(terms, StopReason::Asked, grace, now)),
            Intent::Pause => Some(or_dropped(pause::may(fleet, sandbox).map(|()| pause::begin(terms, now)))),
            Intent::Archive => dropped(DropReason::OperationFailed),
        },
        State::Paused => match intent {
            Intent::Start => Some(or_dropped(start::resume(fleet, terms, sandbox, now))),
            Intent::Stop { grace } => Some(stop::begin(terms, StopReason::Asked, grace, now)),
            Intent::Pause => dropped(DropReason::AlreadyThere),
            Intent::Archive => dropped(DropReason::OperationFailed),
        },
        State::Archived => match intent {
            Intent::Start => start::restore(fleet, terms, sandbox, now).transpose().map(or_dropped),
            Intent::Archive => dropped(DropReason::AlreadyThere),
            Intent::Stop { .. } | Intent::Pause => dropped(DropReason::OperationFailed),
        },
        // Whoever wants it to run does not wait until it is archived.
        State::Archiving => (intent == Intent::Start).then_some(SandboxEvent::Abandoned { fault: None }),
        // Where the work in flight was to lead, an intent could go on from; here it cannot.
        State::Error | State::BuildFailed => dropped(DropReason::OperationFailed),
        State::BuildingSnapshot
        | State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Stopping
        | State::Pausing
        | State::Resuming
        | State::Restoring
        | State::Resizing
        | State::Snapshotting
        | State::Forking => None,
        // No intent is taken in before there is work in flight, and none outlives a deletion.
        State::Unknown | State::PendingBuild | State::Deleting | State::Deleted => None,
    }
}

/// What becomes of a sandbox whose host is lost. What has a disk there and does not run is let be until the host is
/// back; what was only to be fetched there goes elsewhere; what ran there, or was about to, has failed, or has ended if
/// it lives no longer than it runs; what was being removed is gone, and the host removes what is left when it returns.
#[must_use]
pub fn loss(fleet: &Fleet, sandbox: &Sandbox, now: Timestamp) -> Option<Proposal> {
    let host = sandbox.host.and_then(|host| fleet.hosts().get(host))?;
    if host.state != HostState::Lost {
        return None;
    }
    let fault = Fault::HostLost { host: host.id, incarnation: host.incarnation };
    let elsewhere = || {
        let placement = place(fleet, &Needs::now(sandbox));
        let deadline = sandbox.work.and_then(|work| work.deadline).unwrap_or(now);
        SandboxEvent::Placed { placement, deadline }
    };
    let event = match sandbox.state {
        State::PullingSnapshot if sandbox.blueprint.linked.is_none() => elsewhere(),
        // A build waits for a host before it begins, and not afterwards.
        State::BuildingSnapshot => match place(fleet, &Needs::now(sandbox)).host {
            Some(_) => elsewhere(),
            None => SandboxEvent::BuildFailed { fault },
        },
        State::Restoring if Needs::now(sandbox).capabilities.has(Capability::Archive) => elsewhere(),
        State::Deleting if sandbox.stored.is_empty() => SandboxEvent::Buried,
        State::Deleting | State::Deleted => elsewhere(),
        // What its forks keep from being deleted may still run there, and is to be quiet when the host returns.
        State::Started | State::Stopping
            if sandbox.is_ephemeral() && delete::has_no_forks(fleet, sandbox).is_ok() =>
        {
            SandboxEvent::Exited { cause: ExitCause::HostLost }
        }
        State::Archiving if sandbox.origin == Some(State::Error) => return None,
        State::Resizing | State::Snapshotting | State::Archiving
            if sandbox.origin != Some(State::Started) =>
        {
            SandboxEvent::Abandoned { fault: Some(fault) }
        }
        State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Started
        | State::Stopping
        | State::Pausing
        | State::Resuming
        | State::Restoring
        | State::Resizing
        | State::Snapshotting
        | State::Archiving
        | State::Forking => SandboxEvent::Failed { fault },
        State::Unknown
        | State::PendingBuild
        | State::BuildFailed
        | State::Stopped
        | State::Paused
        | State::Archived
        | State::Error => return None,
    };
    Some(Proposal::own(sandbox, Cause::Host, event))
}

/// Whether a disk that `sandbox` left on another host may still be all there is of it: it was not brought up where it
/// is now.
#[must_use]
pub fn may_need_its_old_disk(sandbox: &Sandbox) -> bool {
    sandbox.state.is_in(&[State::Restoring, State::Error])
}

/// What waited begins, or will not because of what it would be refused for now.
fn or_dropped(begun: Result<SandboxEvent, Refusal>) -> SandboxEvent {
    begun.unwrap_or_else(|refusal| {
        let short = matches!(refusal, Refusal::OverQuota(_));
        let why = if short { DropReason::OverQuota } else { DropReason::OperationFailed };
        SandboxEvent::IntentDropped { why }
    })
}

/// The end of what lives no longer than it runs. While forks of it live it waits, stopped.
fn ephemeral(fleet: &Fleet, sandbox: &Sandbox) -> Option<(Cause, SandboxEvent)> {
    let over = sandbox.state == State::Stopped
        && sandbox.is_ephemeral()
        && delete::has_no_forks(fleet, sandbox).is_ok();
    over.then_some((Cause::Duty, SandboxEvent::DeleteBegan { reason: DeleteReason::Ephemeral }))
}

/// The alarms that may go off for `sandbox`, with when they are due. Used last at `used`.
pub fn alarms(
    fleet: &Fleet,
    terms: &Terms,
    sandbox: &Sandbox,
    used: Timestamp,
) -> impl Iterator<Item = (Alarm, Timestamp)> {
    let alarms = hourglass_events::duties(sandbox.state).alarms.iter().copied();
    let free = alarms.filter(|alarm| !alarm::blocked(fleet, sandbox, *alarm));
    free.filter_map(move |alarm| Some((alarm, alarm::due(terms, sandbox, alarm, used)?)))
}
