//! Stop: a started sandbox ends and keeps its files; a paused one loses its memory. By force it is killed at once.

use hourglass_events::{
    Advice, Intent, Operation, Refusal, Sandbox, SandboxEvent, Span, State, StopMode, StopReason, Timestamp,
};

use super::{Verdict, wrong};
use crate::terms::Terms;

/// The longest grace a client may give. Whoever waits longer has a sandbox that no stop ends, as its deadline moves
/// with the grace.
pub const GRACE_MOST: Span = Span::minutes(60);

/// Refuse a grace that is too long.
pub(super) fn check(mode: StopMode) -> Result<(), Refusal> {
    match mode {
        StopMode::Graceful(Some(asked)) if asked > GRACE_MOST => {
            Err(Refusal::GraceTooLong { asked, most: GRACE_MOST })
        }
        StopMode::Graceful(Some(_) | None) | StopMode::Force => Ok(()),
    }
}

pub(super) fn decide(terms: &Terms, sandbox: &Sandbox, mode: StopMode, now: Timestamp) -> Verdict {
    let refuse = |advice| Err(wrong(Operation::Stop, sandbox.state, advice));
    let grace = match mode {
        StopMode::Graceful(grace) => grace.unwrap_or(terms.grace),
        StopMode::Force => Span::ZERO,
    };
    match sandbox.state {
        State::Started | State::Paused => Ok(Some(begin(terms, StopReason::Asked, grace, now))),
        State::Stopping => Ok(again(terms, sandbox, mode, now)),
        State::PullingSnapshot
        | State::BuildingSnapshot
        | State::Creating
        | State::Starting
        | State::Resuming
        | State::Restoring
        | State::Resizing
        | State::Snapshotting
        | State::Forking
        | State::Pausing => {
            let intent = Intent::Stop { grace };
            Ok((sandbox.intent != Some(intent)).then_some(SandboxEvent::IntentQueued { intent }))
        }
        // A stop takes back a start that would cancel the archive.
        State::Archiving if sandbox.intent == Some(Intent::Start) => {
            Ok(Some(SandboxEvent::IntentDropped { why: hourglass_events::DropReason::Replaced }))
        }
        State::Stopped | State::Archiving | State::Archived | State::PendingBuild => {
            refuse(Advice::NothingRuns)
        }
        State::Error => refuse(Advice::RecoverOrDelete),
        State::BuildFailed => refuse(Advice::RebuildOrDelete),
        State::Unknown | State::Deleting | State::Deleted => refuse(Advice::BeingDeleted),
    }
}

/// A stop of what is stopping: force makes it sharper, and either takes back a start that waits for its end.
fn again(terms: &Terms, sandbox: &Sandbox, mode: StopMode, now: Timestamp) -> Option<SandboxEvent> {
    let patient = sandbox.work.is_some_and(|work| work.grace > Span::ZERO);
    match (mode, sandbox.intent) {
        (StopMode::Force, _) if patient => Some(SandboxEvent::StopForced { deadline: now.after(terms.stop) }),
        (StopMode::Force | StopMode::Graceful(_), Some(Intent::Start)) => {
            Some(SandboxEvent::IntentDropped { why: hourglass_events::DropReason::Replaced })
        }
        (StopMode::Force | StopMode::Graceful(_), Some(Intent::Stop { .. } | Intent::Pause) | None) => None,
        (StopMode::Force | StopMode::Graceful(_), Some(Intent::Archive)) => None,
    }
}

/// The event that begins a stop.
pub(crate) fn begin(terms: &Terms, reason: StopReason, grace: Span, now: Timestamp) -> SandboxEvent {
    let most = Span(grace.0.saturating_add(terms.stop.0));
    SandboxEvent::StopBegan { reason, grace, deadline: now.after(most) }
}
