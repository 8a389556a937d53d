//! What a sandbox went through: one step for each state it came into, with who did it, why, and how long it stayed.
//!
//! Events that change no state are no steps; they are in the log. A deleted sandbox's story stays if everyone is kept.

pub mod drawing;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use hourglass_events::{
    Actor, Cause, Event, OrganizationId, Record, Sandbox, SandboxEvent, SandboxId, Seq, Span, State,
    Timestamp,
};
use imbl::{OrdMap, Vector};

use crate::lives::{Keep, Lives};
use crate::{ApplyError, Projection};

/// The stories of one shard's sandboxes.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    keep: Keep,
    lives: Lives,
    stories: OrdMap<SandboxId, Story>,
}

/// One sandbox's story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// The sandbox.
    pub sandbox: SandboxId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is called.
    pub name: String,
    steps: Vector<Arc<Step>>,
}

/// How a sandbox came into a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The state.
    pub state: State,
    /// When it came into it.
    pub at: Timestamp,
    /// The record that says so.
    pub seq: Seq,
    /// What happened.
    pub event: SandboxEvent,
    /// Who did it.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
}

/// A step, and how long it lasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay<'a> {
    /// The step.
    pub step: &'a Step,
    /// How long the sandbox was in that state, up to the moment asked about if it still is.
    pub length: Span,
    /// Whether it still is.
    pub lasts: bool,
}

impl Timeline {
    /// Nothing yet, to be fed from the shard's first record.
    #[must_use]
    pub fn new(keep: Keep) -> Self {
        Self { keep, lives: Lives::default(), stories: OrdMap::new() }
    }

    /// When the latest record was decided.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.lives.at()
    }

    /// What `id` went through.
    #[must_use]
    pub fn of(&self, id: SandboxId) -> Option<&Story> {
        self.stories.get(&id)
    }

    /// Every story, by the sandbox's id.
    pub fn iter(&self) -> impl Iterator<Item = &Story> {
        self.stories.values()
    }

    fn step(&mut self, record: &Record, event: &SandboxEvent, sandbox: &Sandbox) {
        if sandbox.state == State::Deleted && self.keep == Keep::Living {
            self.stories.remove(&sandbox.id);
            return;
        }
        let story = self.stories.entry(sandbox.id).or_insert_with(|| Story {
            sandbox: sandbox.id,
            organization: sandbox.organization,
            name: sandbox.blueprint.name.to_string(),
            steps: Vector::new(),
        });
        story.steps.push_back(Arc::new(Step {
            state: sandbox.state,
            at: record.at,
            seq: record.seq,
            event: event.clone(),
            actor: record.actor.clone(),
            cause: record.cause.clone(),
        }));
    }
}

impl Story {
    /// Its steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().map(Arc::as_ref)
    }

    /// Its steps, in order, with how long each lasted. The one it is in lasts up to `until`.
    pub fn stays(&self, until: Timestamp) -> impl Iterator<Item = Stay<'_>> {
        self.steps().enumerate().map(move |(place, step)| {
            let next = self.steps.get(place + 1);
            let end = next.map_or(until, |next| next.at);
            // Nothing comes after a deletion, and it does not last.
            let over = step.state == State::Deleted;
            let length = if over { Span::ZERO } else { end.since(step.at) };
            Stay { step, length, lasts: next.is_none() && !over }
        })
    }
}

impl Projection for Timeline {
    fn apply(&mut self, record: &Record) -> Result<(), ApplyError> {
        let change = self.lives.take_in(record, |sandbox| sandbox.state)?;
        if let (Some(change), Event::Sandbox(event)) = (change, &record.event)
            && change.before != Some(change.after.state)
        {
            self.step(record, event, &change.after);
        }
        Ok(())
    }

    fn applied(&self) -> Seq {
        self.lives.applied()
    }
}
