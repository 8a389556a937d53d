//! A sandbox as folded from its events: the reducer.
//!
//! `evolve` reads no configuration and no clock. It asks the table whether the event may happen, and refuses it
//! otherwise; nothing is changed then.

mod backup;
mod illegal;
mod look;
mod parts;
mod set;
mod take_in;
mod work;

use serde::{Deserialize, Serialize};

use crate::event::{Intent, SandboxEvent};
use crate::fault::{ExitCause, Fault};
use crate::id::{CorrelationId, HostId, OrderNumber, OrganizationId, SandboxId, Seq};
use crate::lifecycle::{Step, step};
use crate::policy::AutoDelete;
use crate::record::Stamp;
use crate::state::State;
use crate::time::Timestamp;

pub use illegal::Illegal;
pub use parts::{Backup, Base, Blueprint, Errand, Placement, Settings, Unsaved, Work};

/// One sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Its id.
    pub id: SandboxId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is.
    pub blueprint: Blueprint,
    /// Where it is in its life.
    pub state: State,
    /// Where its excursion set out from, if it is on one.
    pub origin: Option<State>,
    /// How many records it has.
    pub version: u64,
    /// Its latest record.
    pub seq: Seq,
    /// What its latest record belongs to: what follows from it by itself belongs there too.
    pub correlation: CorrelationId,
    /// When it was created.
    pub created: Timestamp,
    /// When it came into its state.
    pub since: Timestamp,
    /// When its latest record was decided.
    pub updated: Timestamp,
    /// The last use the log knows of: changes of state but coming to a stop, explicit refreshes, and what idle stops
    /// recorded.
    pub last_activity: Timestamp,
    /// Since when it has not run, archived time included; none while it runs or is about to.
    pub stopped_since: Option<Timestamp>,
    /// Where it is, or will be.
    pub host: Option<HostId>,
    /// Hosts that would not take it in, until one has.
    pub refused: Vec<HostId>,
    /// What its host owes it.
    pub work: Option<Work>,
    /// What the operation in flight is to do, where the state does not say it all.
    pub errand: Option<Box<Errand>>,
    /// The latest complete copy of its disk in object storage.
    pub backup: Option<Backup>,
    /// Why the latest backup failed.
    pub unsaved: Option<Box<Unsaved>>,
    /// Orders that may have put something into object storage, which a removal takes away.
    pub stored: Vec<OrderNumber>,
    /// Whether what runs was told of the settings that hold.
    pub settings: Settings,
    /// The order that booted what runs.
    pub boot: Option<OrderNumber>,
    /// The operation waiting for the one in flight.
    pub intent: Option<Intent>,
    /// The latest fork that was made of it.
    pub forked: Option<SandboxId>,
    /// How it last stopped running.
    pub exit: Option<ExitCause>,
    /// What went wrong last, until it runs again.
    pub fault: Option<Fault>,
}

impl Sandbox {
    /// The sandbox that `event` brings into being.
    pub fn born(id: SandboxId, stamp: &Stamp, event: &SandboxEvent) -> Result<Self, Illegal> {
        let illegal = || Illegal::new(stamp, State::Unknown.to_string(), event.kind().name());
        let Step::To(state) = step(State::Unknown, None, event.kind()) else { return Err(illegal()) };
        let blueprint = event.blueprint().filter(|_| stamp.version == 1).ok_or_else(illegal)?;
        let mut sandbox = Self {
            id,
            organization: stamp.organization,
            blueprint: blueprint.clone(),
            state,
            origin: None,
            version: stamp.version,
            seq: stamp.seq,
            correlation: stamp.correlation,
            created: stamp.at,
            since: stamp.at,
            updated: stamp.at,
            last_activity: stamp.at,
            stopped_since: None,
            host: None,
            refused: Vec::new(),
            work: None,
            errand: None,
            backup: None,
            unsaved: None,
            stored: Vec::new(),
            settings: Settings::Applied,
            boot: None,
            intent: None,
            forked: None,
            exit: None,
            fault: None,
        };
        sandbox.begin_work(stamp);
        sandbox.take_in(stamp, event);
        Ok(sandbox)
    }

    /// This sandbox after `event`. An event that is not legal here is an error and changes nothing.
    pub fn evolve(&mut self, stamp: &Stamp, event: &SandboxEvent) -> Result<(), Illegal> {
        let illegal = || Illegal::new(stamp, self.state.to_string(), event.kind().name());
        let follows = stamp.organization == self.organization
            && stamp.seq > self.seq
            && Some(stamp.version) == self.version.checked_add(1);
        // It has a blueprint since its birth.
        if !follows || event.blueprint().is_some() {
            return Err(illegal());
        }
        match step(self.state, self.origin, event.kind()) {
            Step::Illegal => return Err(illegal()),
            Step::To(state) => self.enter(state, stamp, event),
            Step::Stay => {}
        }
        self.version = stamp.version;
        self.seq = stamp.seq;
        self.correlation = stamp.correlation;
        self.updated = stamp.at;
        self.take_in(stamp, event);
        Ok(())
    }

    /// The number of the order its host owes it, if one is owed.
    #[must_use]
    pub fn order(&self) -> Option<OrderNumber> {
        self.work.map(|work| work.number)
    }

    /// Whether it is deleted as soon as it stops.
    #[must_use]
    pub fn is_ephemeral(&self) -> bool {
        self.blueprint.auto_delete == AutoDelete::AtOnce
    }

    /// Whether it is deleted, and nothing of it is left anywhere.
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.state == State::Deleted && self.stored.is_empty()
    }

    fn enter(&mut self, state: State, stamp: &Stamp, event: &SandboxEvent) {
        let from = self.state;
        self.leave(stamp, event);
        self.origin = state.is_in(State::EXCURSIONS).then_some(from);
        self.state = state;
        self.since = stamp.at;
        if state != State::Stopped {
            self.last_activity = stamp.at;
        }
        match state {
            State::Stopped | State::Archived => {
                self.stopped_since = self.stopped_since.or(Some(stamp.at));
                self.boot = None;
            }
            State::Starting | State::Restoring | State::Resuming => {
                self.stopped_since = None;
                self.unsaved = None;
                self.settings = Settings::Applied;
            }
            State::Creating => self.settings = Settings::Applied,
            State::Started => {
                self.stopped_since = None;
                // An excursion returns to the life that was running.
                self.boot = self.order().filter(|_| !from.is_in(State::EXCURSIONS)).or(self.boot);
            }
            // An intent that waited for what failed is still there: it settles by an event of its own.
            State::Paused | State::Error => self.boot = None,
            State::Deleting | State::Deleted => {
                self.boot = None;
                self.intent = None;
            }
            State::Unknown
            | State::PendingBuild
            | State::BuildingSnapshot
            | State::BuildFailed
            | State::PullingSnapshot
            | State::Stopping
            | State::Pausing
            | State::Archiving
            | State::Resizing
            | State::Snapshotting
            | State::Forking => {}
        }
        self.begin_work(stamp);
    }
}

#[cfg(test)]
mod tests;
