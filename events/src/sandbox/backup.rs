//! Copies of a sandbox's disk in object storage: which one is its backup, and which are of no use any more.

use super::{Backup, Errand, Sandbox, Unsaved};
use crate::id::OrderNumber;
use crate::record::Stamp;
use crate::state::State;
use crate::time::Timestamp;

impl Sandbox {
    /// Whether its backup is its disk as it is: nothing of it has run since.
    #[must_use]
    pub fn is_backed_up(&self) -> bool {
        self.backup.zip(self.stopped_since).is_some_and(|(backup, since)| backup.at >= since)
    }

    /// Whether what is being archived is kept as its backup has it, so that there is nothing to store: it has failed, or
    /// has not run since.
    #[must_use]
    pub fn keeps_backup(&self) -> bool {
        self.state == State::Archiving && (self.origin == Some(State::Error) || self.is_backed_up())
    }

    /// Whether a backup of it is being stored.
    #[must_use]
    pub fn is_backing_up(&self) -> bool {
        self.errand.as_deref() == Some(&Errand::Backup)
    }

    /// The orders whose copies in object storage, whole or half, are of no use any more. Never its backup, which is of use
    /// until the next one is in the log.
    pub fn stale(&self) -> impl Iterator<Item = OrderNumber> {
        let backup = self.backup.map(|backup| backup.number);
        let storing = self.order().filter(|_| self.is_backing_up());
        self.stored.iter().copied().filter(move |number| Some(*number) != backup && Some(*number) != storing)
    }

    pub(super) fn begin_backup(&mut self, stamp: &Stamp, deadline: Timestamp) {
        self.errand = Some(Box::new(Errand::Backup));
        self.begin_work(stamp);
        self.stored.extend(self.order());
        self.set_deadline(deadline);
    }

    /// From here on the one before is of no use; that it is to go is owed under the number of this record.
    pub(super) fn backup_taken(&mut self, stamp: &Stamp) {
        self.backup = self.order().map(|number| Backup { number, at: stamp.at }).or(self.backup);
        self.unsaved = None;
        self.errand = None;
        self.begin_work(stamp);
    }

    pub(super) fn backup_failed(&mut self, stamp: &Stamp, unsaved: Unsaved) {
        self.unsaved = Some(Box::new(unsaved));
        self.errand = None;
        self.begin_work(stamp);
    }

    pub(super) fn leftover_removed(&mut self, stamp: &Stamp) {
        self.drop_stale();
        self.begin_work(stamp);
    }

    /// Only its backup is in object storage.
    pub(super) fn drop_stale(&mut self) {
        let backup = self.backup.map(|backup| backup.number);
        self.stored.retain(|number| Some(*number) == backup);
    }
}
