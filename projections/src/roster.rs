//! Who is there: the sandboxes of one shard by id, by name, and in order.
//!
//! A deleted sandbox leaves names and lists at once and can still be read by its id for a day of record time. Forks,
//! links and usage are other projections'; hosts are not here at all.

mod filter;
mod list;
mod mark;
mod shelf;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use hourglass_events::lifecycle::{Step, step};
use hourglass_events::{
    Event, Illegal, OrganizationId, Record, Sandbox, SandboxEvent, SandboxId, Seq, Span, Stamp, State,
    Subject, Target, Timestamp,
};
use imbl::{OrdMap, OrdSet};

use crate::cursor::Cursor;
use crate::{ApplyError, Projection};
pub use filter::{Filter, Within};
pub use list::{Direction, LIMIT_DEFAULT, LIMIT_MOST, Page, Query, QueryError, Sort};
use shelf::{Filed, Shelf};

/// How long a deleted sandbox can still be read by its id, from its last record on.
pub const RETENTION: Span = Span::minutes(24 * 60);

/// The sandboxes of one shard.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Roster {
    cursor: Cursor,
    sandboxes: OrdMap<SandboxId, Arc<Sandbox>>,
    shelves: OrdMap<OrganizationId, Shelf>,
    /// Deleted ones, by when their last record was decided.
    deleted: OrdSet<(Timestamp, SandboxId)>,
}

impl Roster {
    /// A roster of nothing, to be fed from the shard's first record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A roster as of record `applied`, when these sandboxes were there, to be fed from the next record on.
    #[must_use]
    pub fn resume(applied: Seq, sandboxes: impl IntoIterator<Item = Arc<Sandbox>>) -> Self {
        let mut roster = Self { cursor: Cursor::at(applied), ..Self::default() };
        for sandbox in sandboxes {
            roster.file(&sandbox);
            roster.sandboxes.insert(sandbox.id, sandbox);
        }
        roster
    }

    /// The sandbox with this id, whoever owns it, also if it was deleted not long ago.
    #[must_use]
    pub fn by_id(&self, id: SandboxId) -> Option<&Arc<Sandbox>> {
        self.sandboxes.get(&id)
    }

    /// The sandbox of `organization` that has this name.
    #[must_use]
    pub fn by_name(&self, organization: OrganizationId, name: &str) -> Option<&Arc<Sandbox>> {
        self.by_id(self.shelves.get(&organization)?.named(name)?)
    }

    /// The sandbox of `organization` that is meant: by id first, then by name. Another's is not there.
    #[must_use]
    pub fn find(&self, organization: OrganizationId, target: &Target) -> Option<&Arc<Sandbox>> {
        let owned = |id| self.by_id(id).filter(|sandbox| sandbox.organization == organization);
        match target {
            Target::Id(id) => owned(*id),
            Target::Text(text) => {
                text.parse().ok().and_then(owned).or_else(|| self.by_name(organization, text))
            }
        }
    }

    /// Every sandbox, by id, deleted ones that are still kept included.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Sandbox>> {
        self.sandboxes.values()
    }

    fn fold(&mut self, id: SandboxId, stamp: &Stamp, event: &SandboxEvent) -> Result<(), Illegal> {
        let Some(kept) = self.sandboxes.get_mut(&id) else {
            return self.admit(id, stamp, event);
        };
        let before = Filed::of(kept);
        // Copies the sandbox only while a reader holds it.
        Arc::make_mut(kept).evolve(stamp, event)?;
        let after = Arc::clone(kept);
        self.refile(before, &after);
        Ok(())
    }

    fn admit(&mut self, id: SandboxId, stamp: &Stamp, event: &SandboxEvent) -> Result<(), Illegal> {
        match Sandbox::born(id, stamp, event) {
            Ok(sandbox) => {
                self.file(&sandbox);
                self.sandboxes.insert(id, Arc::new(sandbox));
                Ok(())
            }
            // What is deleted and forgotten here may still lose what it left elsewhere.
            Err(_) if stamp.version > 1 && step(State::Deleted, None, event.kind()) == Step::Stay => Ok(()),
            Err(illegal) => Err(illegal),
        }
    }

    fn file(&mut self, sandbox: &Sandbox) {
        if sandbox.state == State::Deleted {
            self.deleted.insert((sandbox.updated, sandbox.id));
        } else {
            self.shelves.entry(sandbox.organization).or_default().put(sandbox);
        }
    }

    fn refile(&mut self, before: Filed, sandbox: &Sandbox) {
        if before.state == State::Deleted {
            self.deleted.remove(&(before.updated, sandbox.id));
            self.file(sandbox);
            return;
        }
        let shelf = self.shelves.entry(sandbox.organization).or_default();
        if sandbox.state == State::Deleted {
            shelf.take(before, sandbox);
            if shelf.is_empty() {
                self.shelves.remove(&sandbox.organization);
            }
            self.file(sandbox);
        } else {
            shelf.shift(before, sandbox);
        }
    }

    /// Forgets what was deleted longer ago than the retention.
    fn expire(&mut self, now: Timestamp) {
        while let Some((deleted, id)) = self.deleted.get_min().copied() {
            if deleted.after(RETENTION) > now {
                break;
            }
            self.deleted.remove_min();
            self.sandboxes.remove(&id);
        }
    }
}

impl Projection for Roster {
    fn apply(&mut self, record: &Record) -> Result<(), ApplyError> {
        let cursor = self.cursor.after(record.seq)?;
        if let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) {
            self.fold(id, &record.stamp(), event)?;
        }
        self.cursor = cursor;
        self.expire(record.at);
        Ok(())
    }

    fn applied(&self) -> Seq {
        self.cursor.applied()
    }
}
