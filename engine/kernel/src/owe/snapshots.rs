//! What snapshots are owed, and what becomes of a sandbox that one is taken of.
//!
//! Taking a snapshot is work of the sandbox; how it ended is the snapshot's event first, and the sandbox's after that. A
//! host's work on a snapshot itself goes out and is reported under the snapshot's id, read as a sandbox's: ids are minted
//! once, so that the two never meet.

use hourglass_events::lifecycle::others::{HostState, SnapshotState};
use hourglass_events::{
    Actor, Alarm, Build, Capabilities, Capability, Capture, Cause, Class, Errand, Event, Fault, Finding,
    GpuTypes, HostId, Order, Report, Resources, Sandbox, SandboxEvent, SandboxId, Snapshot, SnapshotContent,
    SnapshotEvent, SnapshotId, Source, State, Subject, Task, TaskKind, Timestamp,
};

use crate::decide::Proposal;
use crate::fleet::Fleet;
use crate::place::{Needs, place};
use crate::terms::Terms;

/// The id under which hosts work on a snapshot.
#[must_use]
pub const fn bearer(snapshot: SnapshotId) -> SandboxId {
    SandboxId(snapshot.0)
}

/// The snapshot that hosts work on under `id`, if it is one's.
#[must_use]
pub fn borne(fleet: &Fleet, id: SandboxId) -> Option<&Snapshot> {
    if fleet.sandbox(id).is_some() {
        return None;
    }
    fleet.snapshot_by_id(SnapshotId(id.0)).map(AsRef::as_ref)
}

/// A host that makes something of `class` for a snapshot, or that takes away what was made.
pub(crate) fn host_for(fleet: &Fleet, terms: &Terms, class: Option<Class>) -> Option<HostId> {
    place(fleet, &needs(terms, class)).host
}

/// What a host has to be and to be able to do for that.
pub(crate) fn needs(terms: &Terms, class: Option<Class>) -> Needs {
    let needed = if class.is_some() { Capability::Build } else { Capability::Snapshot };
    Needs {
        region: terms.region.clone(),
        class,
        resources: Resources { cpu: 0, memory_gib: 0, disk_gib: 0, gpu: 0 },
        gpu_types: GpuTypes::default(),
        capabilities: Capabilities::of([needed]),
        pinned: None,
        refused: Vec::new(),
    }
}

/// Whether a sandbox is still to be made of its snapshot.
pub(crate) fn is_fetching(fleet: &Fleet, sandbox: SandboxId) -> bool {
    let states = &[State::PullingSnapshot, State::Creating];
    fleet.sandbox(sandbox).is_some_and(|sandbox| sandbox.state.is_in(states))
}

/// The birth of the snapshot that is taken of `sandbox`, if it is not there yet.
#[must_use]
pub fn birth(fleet: &Fleet, sandbox: &Sandbox) -> Option<Proposal> {
    let Errand::Capture { snapshot, name, heat } = sandbox.errand.as_deref()? else { return None };
    if fleet.snapshot_by_id(*snapshot).is_some() {
        return None;
    }
    let blueprint = &sandbox.blueprint;
    let content = SnapshotContent {
        name: name.clone(),
        class: blueprint.class,
        resources: blueprint.resources,
        gpu_types: blueprint.gpu_types.clone(),
        image: Snapshot::image(*snapshot),
    };
    let event = SnapshotEvent::CaptureBegan { content, heat: *heat, of: sandbox.id };
    Some(Proposal {
        subject: Subject::Snapshot(*snapshot),
        organization: sandbox.organization,
        actor: Actor::Engine,
        cause: Cause::Cascade(sandbox.id),
        correlation: Some(sandbox.correlation),
        event: Event::Snapshot(event),
    })
}

/// What becomes of a sandbox once it is known what became of the snapshot that was taken of it.
pub(super) fn taken(fleet: &Fleet, sandbox: &Sandbox) -> Option<(Cause, SandboxEvent)> {
    let snapshot = fleet.snapshot_by_id(sandbox.capturing()?)?;
    let event = match snapshot.state {
        SnapshotState::Active | SnapshotState::Inactive => SandboxEvent::SnapshotTaken,
        SnapshotState::Error => SandboxEvent::Abandoned { fault: snapshot.fault.clone() },
        SnapshotState::Unknown
        | SnapshotState::Pulling
        | SnapshotState::Building
        | SnapshotState::Capturing
        | SnapshotState::Removing
        | SnapshotState::Removed => return None,
    };
    Some((Cause::Duty, event))
}

/// What a host's report on the capture of `sandbox` says of the snapshot.
pub(crate) fn captured(
    fleet: &Fleet,
    sandbox: &Sandbox,
    actor: Actor,
    cause: Cause,
    end: Result<(), Fault>,
) -> Option<Proposal> {
    let snapshot = fleet.snapshot_by_id(sandbox.capturing()?)?;
    (snapshot.state == SnapshotState::Capturing).then(|| by(snapshot, actor, cause, ended(end)))
}

fn ended(end: Result<(), Fault>) -> SnapshotEvent {
    match end {
        Ok(()) => SnapshotEvent::Ready,
        Err(fault) => SnapshotEvent::Failed { fault },
    }
}

fn by(snapshot: &Snapshot, actor: Actor, cause: Cause, event: SnapshotEvent) -> Proposal {
    Proposal {
        subject: Subject::Snapshot(snapshot.id),
        organization: snapshot.organization,
        actor,
        cause,
        correlation: Some(snapshot.correlation),
        event: Event::Snapshot(event),
    }
}

/// The order that `snapshot` is owed at `now`, and by which host.
#[must_use]
pub fn order(fleet: &Fleet, snapshot: &Snapshot, now: Timestamp) -> Option<(HostId, Order)> {
    let (host, work) = snapshot.host.zip(snapshot.work)?;
    if work.retry_at.is_some_and(|at| at > now) {
        return None;
    }
    let image = snapshot.content.image.clone();
    let task = if snapshot.state == SnapshotState::Removing {
        Task::Scrap(image)
    } else {
        let Source::Recipe(recipe) = &snapshot.source else { return None };
        let (class, recipe) = (snapshot.content.class, (**recipe).clone());
        Task::Build(Box::new(Build { image, class, recipe }))
    };
    let (shard, sandbox) = (fleet.shard(), bearer(snapshot.id));
    Some((host, Order { shard, sandbox, number: work.number, deadline: work.deadline, task }))
}

/// What a host is to keep of `sandbox`.
pub(super) fn capture(sandbox: &Sandbox) -> Option<Task> {
    let Errand::Capture { snapshot, heat, .. } = sandbox.errand.as_deref()? else { return None };
    Some(Task::Capture(Capture { snapshot: *snapshot, image: Snapshot::image(*snapshot), heat: *heat }))
}

/// The event that a snapshot is owed without anybody asking.
#[must_use]
pub fn follow_up(fleet: &Fleet, terms: &Terms, snapshot: &Snapshot) -> Option<Proposal> {
    let event = match snapshot.state {
        SnapshotState::Capturing => SnapshotEvent::Failed { fault: lost(fleet, snapshot)? },
        SnapshotState::Inactive => {
            let mut users = fleet.known_snapshots().users(snapshot.id);
            users.any(|user| is_fetching(fleet, user)).then_some(SnapshotEvent::Activated)?
        }
        SnapshotState::Removing if !snapshot.is_stored() => SnapshotEvent::Removed,
        SnapshotState::Removing => placed(fleet, terms, snapshot, None)?,
        SnapshotState::Pulling | SnapshotState::Building => {
            placed(fleet, terms, snapshot, Some(snapshot.content.class))?
        }
        SnapshotState::Unknown | SnapshotState::Active | SnapshotState::Error | SnapshotState::Removed => {
            return None;
        }
    };
    Some(by(snapshot, Actor::Engine, Cause::Duty, event))
}

/// Why a snapshot will never be taken: its sandbox does something else by now.
fn lost(fleet: &Fleet, snapshot: &Snapshot) -> Option<Fault> {
    let Source::Sandbox(of) = snapshot.source else { return None };
    let sandbox = fleet.sandbox(of);
    if sandbox.and_then(|sandbox| sandbox.capturing()) == Some(snapshot.id) {
        return None;
    }
    let why = sandbox.filter(|sandbox| sandbox.state == State::Error).and_then(|one| one.fault.clone());
    Some(why.unwrap_or(Fault::SourceGone { sandbox: of }))
}

/// A host for what is to be done, if it has none that is there.
fn placed(fleet: &Fleet, terms: &Terms, snapshot: &Snapshot, class: Option<Class>) -> Option<SnapshotEvent> {
    let there = snapshot.host.and_then(|host| fleet.hosts().get(host));
    if there.is_some_and(|host| host.state != HostState::Lost) {
        return None;
    }
    Some(SnapshotEvent::Placed { host: host_for(fleet, terms, class)? })
}

/// The event that a host's report on the work on a snapshot calls for.
#[must_use]
pub fn reported(
    snapshot: &Snapshot,
    terms: &Terms,
    host: HostId,
    report: &Report,
    now: Timestamp,
) -> Option<Proposal> {
    let present = snapshot.work.filter(|work| work.number == report.number);
    present.filter(|_| snapshot.host == Some(host))?;
    let end = match &report.finding {
        Finding::Done(_) => Ok(()),
        Finding::Failed(fault) => Err(fault.clone().clipped()),
        Finding::Exited(_) => return None,
    };
    let event = match (snapshot.state, end) {
        (SnapshotState::Removing, Ok(())) => SnapshotEvent::Removed,
        (SnapshotState::Removing, Err(fault)) => {
            let before = snapshot.work.map_or(0, |work| work.attempt);
            let wait = terms.retry.doubled(before, terms.retry_most);
            let (attempt, retry_at) = (before.saturating_add(1), now.after(wait));
            SnapshotEvent::Struggled { fault, attempt, retry_at }
        }
        (_, end) => ended(end),
    };
    Some(by(snapshot, Actor::Host(host), Cause::Report(report.number), event))
}

/// The alarms that may go off for a snapshot, with when they are due.
pub fn alarms(snapshot: &Snapshot) -> impl Iterator<Item = (Alarm, Timestamp)> + use<> {
    let deadline = snapshot.work.and_then(|work| work.deadline).map(|at| (Alarm::Deadline, at));
    let retry = snapshot.work.and_then(|work| work.retry_at).map(|at| (Alarm::Retry, at));
    deadline.into_iter().chain(retry)
}

/// The event that `alarm` calls for at `now`, if it is due.
#[must_use]
pub fn rung(
    fleet: &Fleet,
    terms: &Terms,
    snapshot: &Snapshot,
    alarm: Alarm,
    now: Timestamp,
) -> Option<Proposal> {
    let work = snapshot.work.filter(|work| work.deadline.is_some_and(|at| at <= now))?;
    if alarm != Alarm::Deadline {
        return None;
    }
    let fault = match snapshot.host {
        Some(_) => Fault::TimedOut { task: TaskKind::Build, after: now.since(work.began) },
        None => place(fleet, &needs(terms, Some(snapshot.content.class))).fault(),
    };
    let event = SnapshotEvent::Failed { fault };
    Some(by(snapshot, Actor::Engine, Cause::Timer(alarm), event))
}
