//! The laws: what must never be false, one function for each sentence.
//!
//! They look at what the log holds (`Truth`) and at what the world knows and no writer does: what really ran on which
//! machine and when it was used. They never look at what a writer merely believes, except to compare it with the truth.

use std::fmt;

use hourglass_events::lifecycle::{KEEPING, LIFECYCLE};
use hourglass_events::{
    AutoStop, Event, Finding, HostId, Name, Order, OrderNumber, OrganizationId, Report, Sandbox,
    SandboxEvent, SandboxId, Seq, Span, State, StopReason, Subject, Task, Timestamp,
};
use hourglass_kernel::{Accepted, Fleet};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::coverage::Edge;
use crate::truth::{Fact, Truth};

/// A sentence that must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    /// Each change of a sandbox is a row of THE TABLE.
    OnlyTableEdges,
    /// Sequences and versions have no gaps.
    NoGaps,
    /// Each record and group names the one in front of it.
    ChainIntact,
    /// A slot holds for ever what it once held.
    NothingForgotten,
    /// After a takeover no group of an older writer is accepted.
    OneWriter,
    /// No reply, order or acknowledgement stands on what is not durable.
    NothingLeavesEarly,
    /// A request that was acknowledged is in the log.
    NothingAcknowledgedLost,
    /// A reply shows the state it names.
    RepliesAreTrue,
    /// A repeat under the same key is what it was the first time.
    RepeatsAgree,
    /// A report is acknowledged only once the log shows it, or is past it.
    ReportsAreHeard,
    /// Live state, replay from zero and checkpoint with tail are the same bytes.
    FoldsAgree,
    /// A recorded digest of the state is that of the fold.
    HashesAgree,
    /// Names are unique among sandboxes not being deleted.
    NamesUnique,
    /// A live fork has a live parent. A linked sandbox is ephemeral, on its parent's host, and outlives that one by the
    /// records it takes to say so.
    KinHolds,
    /// No sandbox is stopped for idleness before its interval has passed since its last use.
    NeverStoppedEarly,
    /// No sandbox has two lives at once.
    OneLife,
    /// An order that is known to be done takes no effect again.
    DoneOnce,
    /// Nothing comes back of a sandbox once it is known to be removed.
    RemovedIsGone,
    /// A writer stops only because it was replaced or its storage broke.
    NoDefects,
    /// A writer that is woken has something to do.
    NoSpinning,
    /// With the faults off, everything comes to rest.
    Settles,
    /// At rest, machines run and keep what the log says.
    MachinesAgree,
}

impl Law {
    /// Every law.
    pub const ALL: &'static [Self] = &[
        Self::OnlyTableEdges,
        Self::NoGaps,
        Self::ChainIntact,
        Self::NothingForgotten,
        Self::OneWriter,
        Self::NothingLeavesEarly,
        Self::NothingAcknowledgedLost,
        Self::RepliesAreTrue,
        Self::RepeatsAgree,
        Self::ReportsAreHeard,
        Self::FoldsAgree,
        Self::HashesAgree,
        Self::NamesUnique,
        Self::KinHolds,
        Self::NeverStoppedEarly,
        Self::OneLife,
        Self::DoneOnce,
        Self::RemovedIsGone,
        Self::NoDefects,
        Self::NoSpinning,
        Self::Settles,
        Self::MachinesAgree,
    ];
}

/// A law that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{law}: {what}")]
pub struct Violation {
    /// Which.
    pub law: Law,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What a check answers.
pub type Checked = Result<(), Violation>;

/// `law` is broken.
pub(crate) fn broken(law: Law, what: impl Into<String>) -> Violation {
    Violation { law, what: what.into() }
}

fn ensure(holds: bool, law: Law, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(broken(law, what())) }
}

/// A sandbox's record is a row of the table, and the fold went where the row leads. The answer is the edge.
pub(crate) fn only_table_edges(fact: &Fact, event: &SandboxEvent) -> Result<Edge, Violation> {
    let from = fact.before.as_ref().map_or(State::Unknown, |sandbox| sandbox.state);
    let origin = fact.before.as_ref().and_then(|sandbox| sandbox.origin);
    // A deleted sandbox leaves memory with the record that deletes it.
    let to = fact.after.as_ref().map_or(State::Deleted, |sandbox| sandbox.state);
    let on = event.kind();
    let moves = LIFECYCLE.iter().any(|row| {
        row.on == on
            && row.to == to
            && row.from.contains(&from)
            && row.was.is_none_or(|was| origin == Some(was))
    });
    let keeps = from == to && KEEPING.iter().any(|(kind, states)| *kind == on && states.contains(&from));
    let edge = Edge { from, on, to };
    ensure(moves || keeps, Law::OnlyTableEdges, || {
        format!("record {} took {edge}, which is in no table", fact.record.seq)
    })?;
    Ok(edge)
}

/// The record is the next of its shard and the next of its subject.
pub(crate) fn no_gaps(fact: &Fact, last: Seq, version: u64) -> Checked {
    let record = &fact.record;
    ensure(record.seq.0 == last.0 + 1 && record.version == version + 1, Law::NoGaps, || {
        format!(
            "record {} (version {} of {}) follows record {last} (version {version})",
            record.seq, record.version, record.subject
        )
    })
}

/// What is to leave stands on record `seq`, which the log holds.
pub(crate) fn nothing_leaves_early(truth: &Truth, seq: Seq, what: &str) -> Checked {
    ensure(seq <= truth.seq(), Law::NothingLeavesEarly, || {
        format!("{what} stands on record {seq}, but the log holds {} only", truth.seq())
    })
}

/// An order's number is the sequence of a durable record of its sandbox, or of the snapshot that it is about.
pub(crate) fn order_is_durable(truth: &Truth, order: &Order) -> Checked {
    nothing_leaves_early(truth, Seq(order.number.0), "an order")?;
    let subject = truth.subject(Seq(order.number.0));
    let snapshot = Subject::Snapshot(hourglass_events::SnapshotId(order.sandbox.0));
    let about = [Subject::Sandbox(order.sandbox), snapshot];
    // What could not be removed where it was left is tried again under the number of the host's own record.
    let swept = matches!((subject, &order.task), (Some(Subject::Host(_)), Task::Remove));
    let known = swept || subject.is_some_and(|subject| about.contains(&subject));
    ensure(known, Law::NothingLeavesEarly, || {
        format!("order {} for {} is numbered after a record of {subject:?}", order.number, order.sandbox)
    })
}

/// The reply shows its sandbox as it was at the record it names.
pub(crate) fn reply_is_true(truth: &Truth, accepted: &Accepted) -> Checked {
    nothing_leaves_early(truth, accepted.seq, "a reply")?;
    let Some(shown) = &accepted.sandbox else { return Ok(()) };
    let fleet = truth.as_of(accepted.seq);
    let found = fleet.and_then(|fleet| fleet.sandbox(shown.id));
    ensure(found == Some(shown), Law::RepliesAreTrue, || {
        format!("a reply shows {} at record {} as it never was", shown.id, accepted.seq)
    })
}

/// The key of an acknowledged request is in the log, under the subject that was told.
pub(crate) fn acknowledged_is_kept(
    fleet: &Fleet,
    told: &BTreeMap<(OrganizationId, String), Subject>,
) -> Checked {
    for ((organization, text), subject) in told {
        let key = hourglass_events::IdempotencyKey::new(text).expect("clients make keys that can be ones");
        let kept = fleet.keys().get(*organization, &key).map(|used| used.subject);
        ensure(kept == Some(*subject), Law::NothingAcknowledgedLost, || {
            format!("the request under key {text} was acknowledged for {subject}; the log has {kept:?}")
        })?;
    }
    Ok(())
}

/// Whoever acknowledges `report` has heard it: nothing in the log waits for it any more.
pub(crate) fn report_is_heard(truth: &Truth, host: HostId, report: &Report) -> Checked {
    // What one host removes goes by the number under which another was given the sandbox.
    let here = |sandbox: &&Arc<Sandbox>| sandbox.host == Some(host);
    let Some(sandbox) = truth.fleet().sandbox(report.sandbox).filter(here) else { return Ok(()) };
    let waits = match report.finding {
        Finding::Done(_) | Finding::Failed(_) => sandbox.order() == Some(report.number),
        // Also before the log shows the life that ended: whoever acknowledges its end has not heard of its beginning.
        Finding::Exited(_) => sandbox.boot == Some(report.number) && sandbox.state == State::Started,
    };
    ensure(!waits, Law::ReportsAreHeard, || {
        format!(
            "the report on order {} of {} was acknowledged, but the log does not show it ({})",
            report.number, report.sandbox, sandbox.state
        )
    })
}

/// Two folds of the same records are the same bytes.
pub(crate) fn folds_agree(one: &Fleet, other: &Fleet, which: &str) -> Checked {
    let same = one.seq() == other.seq() && one.head() == other.head() && one == other;
    ensure(same, Law::FoldsAgree, || {
        format!("{which} differ: at record {} and at record {}", one.seq(), other.seq())
    })
}

/// The same, byte for byte.
pub(crate) fn bytes_agree(one: &Fleet, other: &Fleet, which: &str) -> Checked {
    ensure(one.to_bytes() == other.to_bytes(), Law::FoldsAgree, || format!("{which} have different bytes"))
}

/// No name of an organization is held twice, and the index knows its holder.
pub(crate) fn names_unique(fleet: &Fleet) -> Checked {
    let mut names: BTreeMap<(OrganizationId, &Name), SandboxId> = BTreeMap::new();
    for sandbox in fleet.sandboxes().filter(|sandbox| !sandbox.state.is_in(State::NAMELESS)) {
        let name = &sandbox.blueprint.name;
        let other = names.insert((sandbox.organization, name), sandbox.id);
        let holder = fleet.holder(sandbox.organization, name).map(|holder| holder.id);
        ensure(other.is_none() && holder == Some(sandbox.id), Law::NamesUnique, || {
            format!("{name} is {}, and also {other:?} ({holder:?})", sandbox.id)
        })?;
    }
    Ok(())
}

/// What kin promise each other at every moment.
pub(crate) fn kin_holds(fleet: &Fleet) -> Checked {
    for sandbox in fleet.sandboxes().filter(|sandbox| !sandbox.state.is_in(State::NAMELESS)) {
        if let Some(parent) = sandbox.blueprint.forked_from {
            let lives = fleet.sandbox(parent).is_some_and(|parent| !parent.state.is_in(State::NAMELESS));
            ensure(lives, Law::KinHolds, || {
                format!("{} is a live fork of {parent}, which is gone", sandbox.id)
            })?;
        }
        let Some(parent) = sandbox.blueprint.linked else { continue };
        ensure(sandbox.is_ephemeral(), Law::KinHolds, || {
            format!("{} is linked and would outlive its stop", sandbox.id)
        })?;
        let home = fleet.sandbox(parent).and_then(|parent| parent.host);
        // What has failed runs nowhere, and its parent may have been brought back elsewhere since.
        let runs = sandbox.state != State::Error;
        let apart = runs && sandbox.host.is_some() && home.is_some() && home != sandbox.host;
        ensure(!apart, Law::KinHolds, || {
            format!("{} is on {:?}, but {parent} it is linked with on {home:?}", sandbox.id, sandbox.host)
        })?;
    }
    Ok(())
}

/// Nobody who is linked is left of whom nobody is left to be linked with.
pub(crate) fn no_orphans(fleet: &Fleet) -> Checked {
    for sandbox in fleet.sandboxes() {
        let parent = sandbox.blueprint.linked;
        ensure(parent.is_none_or(|parent| fleet.sandbox(parent).is_some()), Law::KinHolds, || {
            format!("{} is linked with {parent:?}, which is gone, and is {}", sandbox.id, sandbox.state)
        })?;
    }
    Ok(())
}

/// One time a sandbox was used, as its host alone knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    pub(crate) from: Timestamp,
    /// None while it goes on.
    pub(crate) to: Option<Timestamp>,
}

/// An idle stop decided at `decided` (true time) left the whole interval since the last use that its host had the
/// time to tell of. `slack` is that time, and how far clocks are apart.
pub(crate) fn never_stopped_early(
    before: &Sandbox,
    at: Timestamp,
    event: &SandboxEvent,
    uses: &[Used],
    decided: Timestamp,
    slack: Span,
) -> Checked {
    let SandboxEvent::StopBegan { reason: StopReason::Idle { last_activity }, .. } = event else {
        return Ok(());
    };
    let AutoStop::After(minutes) = before.blueprint.auto_stop else {
        return Err(broken(Law::NeverStoppedEarly, format!("{} never stops for idleness", before.id)));
    };
    let interval = Span::from(minutes);
    let recorded = before.last_activity.max(*last_activity);
    ensure(recorded.after(interval) <= at, Law::NeverStoppedEarly, || {
        format!("{} was stopped {} after what the log calls its last use", before.id, at.since(recorded))
    })?;
    for used in uses.iter().filter(|used| used.from.after(slack) <= decided) {
        let idle = used.to.map_or(Span::ZERO, |to| decided.since(to));
        ensure(interval.0 <= idle.0.saturating_add(slack.0), Law::NeverStoppedEarly, || {
            format!("{} was stopped after {idle} without use, its interval is {minutes}", before.id)
        })?;
    }
    Ok(())
}

/// A life begins under `number` in `sandbox`, which runs nowhere and whose order the log does not know as done.
pub(crate) fn life_begins(
    truth: &Truth,
    sandbox: SandboxId,
    number: OrderNumber,
    elsewhere: bool,
) -> Checked {
    ensure(!elsewhere, Law::OneLife, || format!("{sandbox} runs twice"))?;
    ensure(!truth.is_done(sandbox, number), Law::DoneOnce, || {
        format!("order {number} of {sandbox} is known to be done and takes effect again")
    })?;
    not_removed(truth, sandbox, "runs")
}

/// Something of `sandbox` comes into being, which is not known to be removed.
pub(crate) fn not_removed(truth: &Truth, sandbox: SandboxId, what: &str) -> Checked {
    ensure(!truth.is_removed(sandbox), Law::RemovedIsGone, || {
        format!("{sandbox} {what} after the log knew it as removed")
    })
}

/// What the record of a digest says is what the fold has.
pub(crate) fn hash_agrees(truth: &Truth, event: &Event) -> Checked {
    let Event::Shard(hourglass_events::ShardEvent::StateHashed { hash, through, .. }) = event else {
        return Ok(());
    };
    let found = truth.as_of(*through).map(|fleet| hourglass_events::Digest::of(&fleet.to_bytes()).0);
    ensure(found == Some(*hash), Law::HashesAgree, || {
        format!("the digest recorded through {through} is not that of the fold")
    })
}
