//! Deciding: a command, a report or an alarm becomes at most one event, or a reason why not.
//!
//! Each operation has a file of its own below. Whatever touches a second aggregate is not decided here but owed (see
//! [`crate::owe`]).

pub(crate) mod able;
pub mod alarm;
pub mod archive;
pub mod backup;
pub mod configure;
pub mod create;
pub mod delete;
pub mod fork;
pub mod link;
pub mod pause;
pub(crate) mod quota;
pub mod recover;
pub mod register;
pub mod report;
pub mod resize;
pub mod snapshot;
pub mod start;
pub mod stop;

use std::sync::Arc;

use hourglass_events::{
    Actor, Advice, Cause, Command, CorrelationId, Event, HostEvent, KeyUse, Operation, OrganizationId,
    Refusal, Request, Sandbox, SandboxEvent, State, Subject, Target, Text, Timestamp,
};

use crate::fleet::Fleet;
use crate::terms::Terms;

/// What became of something decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This happened; it is to be recorded.
    Record(Box<Proposal>),
    /// It is so already. Nothing is recorded.
    Already(Subject),
    /// The request is wrong. Nothing happened.
    Refused(Refusal),
}

/// An event that was decided and is not recorded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What it happens to.
    pub subject: Subject,
    /// Whose that is.
    pub organization: OrganizationId,
    /// Who does it.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// What it is filed under; the subject's own when nothing asked for it.
    pub correlation: Option<CorrelationId>,
    /// What happens.
    pub event: Event,
}

impl Proposal {
    /// Something the engine itself does to a sandbox.
    #[must_use]
    pub fn own(sandbox: &Sandbox, cause: Cause, event: SandboxEvent) -> Self {
        Self {
            subject: Subject::Sandbox(sandbox.id),
            organization: sandbox.organization,
            actor: Actor::Engine,
            cause,
            correlation: None,
            event: Event::Sandbox(event),
        }
    }
}

/// What one operation decides, before it is known who asked.
type Verdict = Result<Option<SandboxEvent>, Refusal>;

/// Decide `request`. A repeat under a remembered key is what it was the first time. A request that is `Already` so
/// under a new key records nothing, so its key is not remembered and a later repeat is decided afresh.
#[must_use]
pub fn decide(fleet: &Fleet, terms: &Terms, request: &Request, now: Timestamp) -> Decision {
    if let Err(refusal) = door(request) {
        return Decision::Refused(refusal);
    }
    let mut used = None;
    if let Some(key) = &request.key {
        let fingerprint = request.command.fingerprint();
        // Records evict keys; between records it is the clock that says which are too old.
        let known = fleet.keys().get(request.organization, key).filter(|known| known.holds(now));
        match known {
            Some(known) if known.fingerprint == fingerprint => return Decision::Already(known.subject),
            Some(_) => return Decision::Refused(Refusal::KeyReused(key.as_str().to_owned())),
            None => used = Some(KeyUse { key: key.as_str().to_owned(), fingerprint }),
        }
    }
    match dispatch(fleet, terms, request, now) {
        Ok((subject, Some(event))) => Decision::Record(Box::new(Proposal {
            subject,
            organization: request.organization,
            actor: request.actor.clone(),
            cause: Cause::Request(used),
            correlation: Some(request.correlation),
            event,
        })),
        Ok((subject, None)) => Decision::Already(subject),
        Err(refusal) => Decision::Refused(refusal),
    }
}

/// The most bytes of a text that clients choose and nothing else bounds.
const TEXT_MOST: usize = 255;

/// Refuse texts that could not be recorded or shown, and a stop that would not end. Everything else is checked where it is made.
fn door(request: &Request) -> Result<(), Refusal> {
    match &request.actor {
        Actor::Client(name) => Text::Client.check(name, TEXT_MOST)?,
        Actor::Host(_) | Actor::Engine => {}
    }
    match &request.command {
        Command::Create(create) => {
            create.user.as_deref().map_or(Ok(()), |user| Text::User.check(user, TEXT_MOST))?;
            create.region.as_deref().map_or(Ok(()), |region| Text::Region.check(region, TEXT_MOST))?;
            create.snapshot.as_deref().map_or(Ok(()), |name| Text::Snapshot.check(name, TEXT_MOST))
        }
        Command::RegisterSnapshot(_, content) => {
            Text::Snapshot.check(&content.name, TEXT_MOST)?;
            Text::Image.check(&content.image.digest, TEXT_MOST)
        }
        Command::Stop(_, mode) => stop::check(*mode),
        Command::Start(_)
        | Command::Pause(_)
        | Command::Fork(..)
        | Command::Archive(_)
        | Command::Recover(_)
        | Command::Resize(..)
        | Command::Delete(_)
        | Command::ReplaceLabels(..)
        | Command::SetAutoStop(..)
        | Command::SetAutoArchive(..)
        | Command::SetAutoDelete(..)
        | Command::SetNetwork(..)
        | Command::SetPublic(..)
        | Command::RefreshActivity(_)
        | Command::BackUp(_)
        | Command::TakeSnapshot(..)
        | Command::CreateSnapshot(_)
        | Command::ActivateSnapshot(_)
        | Command::DeactivateSnapshot(_)
        | Command::RemoveSnapshot(_)
        | Command::CordonHost(_)
        | Command::DrainHost(_)
        | Command::UncordonHost(_) => Ok(()),
        Command::SetLimits(allowance) => register::check(allowance),
    }
}

/// Hand the command to the file that decides it.
fn dispatch(
    fleet: &Fleet,
    terms: &Terms,
    request: &Request,
    now: Timestamp,
) -> Result<(Subject, Option<Event>), Refusal> {
    let organization = request.organization;
    let on = |target: &Target, verdict: &dyn Fn(&Sandbox) -> Verdict| {
        let sandbox = find(fleet, organization, target)?;
        let event = verdict(sandbox)?;
        Ok((Subject::Sandbox(sandbox.id), event.map(Event::Sandbox)))
    };
    match &request.command {
        Command::Create(create) => {
            let event = create::decide(fleet, terms, organization, create, now)?;
            Ok((Subject::Sandbox(create.id), Some(Event::Sandbox(event))))
        }
        Command::Start(target) => on(target, &|sandbox| start::decide(fleet, terms, sandbox, now)),
        Command::Stop(target, mode) => on(target, &|sandbox| stop::decide(terms, sandbox, *mode, now)),
        Command::Pause(target) => on(target, &|sandbox| pause::decide(fleet, terms, sandbox, now)),
        Command::Resize(target, resize) => {
            on(target, &|sandbox| resize::decide(fleet, terms, sandbox, *resize, now))
        }
        Command::Fork(target, fork) => on(target, &|sandbox| fork::decide(fleet, terms, sandbox, fork, now)),
        Command::Archive(target) => on(target, &|sandbox| archive::decide(fleet, terms, sandbox, now)),
        Command::BackUp(target) => on(target, &|sandbox| backup::decide(fleet, terms, sandbox, now)),
        Command::TakeSnapshot(target, asked) => {
            on(target, &|sandbox| snapshot::take(fleet, terms, sandbox, asked, now))
        }
        Command::CreateSnapshot(asked) => snapshot::create(fleet, terms, organization, asked, now),
        Command::ActivateSnapshot(text) => snapshot::activate(fleet, organization, text),
        Command::DeactivateSnapshot(text) => snapshot::deactivate(fleet, organization, text),
        Command::RemoveSnapshot(text) => snapshot::remove(fleet, organization, text),
        Command::Recover(target) => on(target, &|sandbox| recover::decide(fleet, terms, sandbox, now)),
        Command::Delete(target) => on(target, &|sandbox| delete::decide(fleet, sandbox)),
        Command::ReplaceLabels(target, labels) => on(target, &|sandbox| configure::labels(sandbox, labels)),
        Command::SetAutoStop(target, policy) => on(target, &|sandbox| configure::auto_stop(sandbox, *policy)),
        Command::SetAutoArchive(target, policy) => {
            on(target, &|sandbox| configure::auto_archive(sandbox, *policy))
        }
        Command::SetAutoDelete(target, policy) => {
            on(target, &|sandbox| configure::auto_delete(sandbox, *policy))
        }
        Command::SetNetwork(target, policy) => {
            on(target, &|sandbox| configure::network(fleet, sandbox, policy))
        }
        Command::SetPublic(target, public) => on(target, &|sandbox| configure::public(sandbox, *public)),
        Command::RefreshActivity(target) => on(target, &|sandbox| configure::activity(sandbox)),
        Command::RegisterSnapshot(id, content) => register::snapshot(fleet, organization, *id, content),
        Command::SetLimits(limits) => Ok(register::limits(fleet, organization, limits)),
        Command::CordonHost(host) => register::schedule(fleet, *host, HostEvent::Cordoned),
        Command::DrainHost(host) => register::schedule(fleet, *host, HostEvent::DrainBegan),
        Command::UncordonHost(host) => register::schedule(fleet, *host, HostEvent::Uncordoned),
    }
}

fn find<'a>(
    fleet: &'a Fleet,
    organization: OrganizationId,
    target: &Target,
) -> Result<&'a Arc<Sandbox>, Refusal> {
    let shown = || target.to_string().chars().take(80).collect();
    fleet.find(organization, target).ok_or_else(|| Refusal::NoSuchSandbox(shown()))
}

/// The refusal of `operation` in `state`, with what would work instead.
fn wrong(operation: Operation, state: State, advice: Advice) -> Refusal {
    Refusal::WrongState { operation, state, advice }
}
