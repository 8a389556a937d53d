//! The sandboxes that are not deleted, folded: what read models of what became of them begin with.
//!
//! It keeps no more than the folds themselves, and of a deleted sandbox nothing once nothing of it is left anywhere.
//! What a change means is for whoever feeds it.

use std::sync::Arc;

use hourglass_events::lifecycle::{Step, step};
use hourglass_events::{Event, Record, Sandbox, SandboxId, Seq, State, Subject, Timestamp};
use imbl::OrdMap;

use crate::ApplyError;
use crate::cursor::Cursor;

/// Which sandboxes a read model remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Everyone there ever was: for audits, which fold a log once and are done. It grows with the log.
    Everyone,
    /// Those that are not deleted, and what they need to be understood: for what lives as long as the engine does.
    Living,
}

/// Sandboxes by id, as of some record.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Lives {
    cursor: Cursor,
    at: Timestamp,
    living: OrdMap<SandboxId, Arc<Sandbox>>,
}

/// What a record did to a sandbox.
pub(crate) struct Change<T> {
    /// What was seen of it before; nothing at its birth.
    pub(crate) before: Option<T>,
    /// What it is now, deleted perhaps.
    pub(crate) after: Arc<Sandbox>,
}

impl Lives {
    /// Take `record` in. If it is of a sandbox, the answer is what `glance` saw of that before, and what it is now.
    pub(crate) fn take_in<T>(
        &mut self,
        record: &Record,
        glance: impl FnOnce(&Sandbox) -> T,
    ) -> Result<Option<Change<T>>, ApplyError> {
        let cursor = self.cursor.after(record.seq)?;
        let change = self.fold(record, glance)?;
        self.cursor = cursor;
        self.at = self.at.max(record.at);
        Ok(change)
    }

    /// A sandbox that is not deleted.
    pub(crate) fn get(&self, id: SandboxId) -> Option<&Arc<Sandbox>> {
        self.living.get(&id).filter(|sandbox| sandbox.state != State::Deleted)
    }

    pub(crate) const fn applied(&self) -> Seq {
        self.cursor.applied()
    }

    /// When the latest record was decided.
    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    fn fold<T>(
        &mut self,
        record: &Record,
        glance: impl FnOnce(&Sandbox) -> T,
    ) -> Result<Option<Change<T>>, ApplyError> {
        let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) else {
            return Ok(None);
        };
        let stamp = record.stamp();
        let (before, after) = if let Some(kept) = self.living.get_mut(&id) {
            let before = glance(kept);
            Arc::make_mut(kept).evolve(&stamp, event)?;
            (Some(before), Arc::clone(kept))
        } else {
            match Sandbox::born(id, &stamp, event) {
                Ok(sandbox) => (None, Arc::new(sandbox)),
                // Of what is deleted and forgotten, somebody may still say that nothing is left.
                Err(_) if stamp.version > 1 && step(State::Deleted, None, event.kind()) == Step::Stay => {
                    return Ok(None);
                }
                Err(illegal) => return Err(illegal.into()),
            }
        };
        if after.is_forgotten() {
            self.living.remove(&id);
        } else if before.is_none() {
            self.living.insert(id, Arc::clone(&after));
        }
        Ok(Some(Change { before, after }))
    }
}
