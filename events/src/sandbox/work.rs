//! Between two operations: what the one that ends leaves behind, and what the host owes from there.

use super::{Backup, Errand, Sandbox, Settings, Work};
use crate::duty::{TaskKind, duties};
use crate::event::{SandboxEvent, SandboxEventKind};
use crate::fault::Fault;
use crate::record::Stamp;
use crate::state::State;
use crate::time::Span;

impl Sandbox {
    /// What the operation that ends leaves behind.
    pub(super) fn leave(&mut self, stamp: &Stamp, event: &SandboxEvent) {
        // Its removal takes away what is in object storage, too. Whoever is deleted without one leaves that behind.
        if self.state == State::Deleting && event.kind() == SandboxEventKind::Removed {
            self.stored.clear();
        }
        // What is kept as its backup has it keeps that one.
        let stored = event.kind() == SandboxEventKind::ArchiveStored && !self.keeps_backup();
        let errand = self.errand.take();
        if stored {
            self.unsaved = None;
            self.backup = self.order().map(|number| Backup { number, at: stamp.at });
        }
        if let (Some(Errand::Resize(resources)), SandboxEventKind::Resized) =
            (errand.as_deref(), event.kind())
        {
            self.blueprint.resources = *resources;
        }
        if let (Some(Errand::Restore(_)), SandboxEventKind::Failed) = (errand.as_deref(), event.kind()) {
            // There may be no whole disk: whoever recovers it has to know.
            self.errand = errand;
            return;
        }
        if let (Some(Errand::Fork { child, .. }), SandboxEventKind::Forked) =
            (errand.as_deref(), event.kind())
        {
            self.forked = Some(*child);
        }
        // Whoever was not heard of in time, or was not waited for, may still be at it, or be done: what runs is owed an
        // order that comes after.
        if let SandboxEvent::Abandoned { fault: Some(Fault::TimedOut { .. }) | None } = event
            && self.origin == Some(State::Started)
        {
            self.settings = match errand.as_deref() {
                Some(Errand::Resize(_)) => Settings::Doubtful,
                Some(
                    Errand::Restore(_)
                    | Errand::Fork { .. }
                    | Errand::Born(_)
                    | Errand::Capture { .. }
                    | Errand::Backup,
                )
                | None => self.settings.max(Settings::Changed),
            };
        }
    }

    pub(super) fn begin_work(&mut self, stamp: &Stamp) {
        let owed = duties(self.state).task.filter(|owed| match owed.task {
            TaskKind::Hold => self.settings != Settings::Applied,
            // A backup is stored when it is due or asked for; what that made useless is taken away.
            TaskKind::Backup => {
                self.host.is_some() && (self.is_backing_up() || self.stale().next().is_some())
            }
            TaskKind::Remove => !self.is_forgotten(),
            TaskKind::Pull
            | TaskKind::Build
            | TaskKind::Create
            | TaskKind::Boot
            | TaskKind::Stop
            | TaskKind::SaveMemory
            | TaskKind::Resume
            | TaskKind::Archive
            | TaskKind::Discard
            | TaskKind::Restore
            | TaskKind::Resize
            | TaskKind::Capture
            | TaskKind::Fork
            | TaskKind::Quiesce => true,
        });
        self.work = owed.map(|_| Work {
            number: stamp.seq.into(),
            began: stamp.at,
            deadline: None,
            grace: Span::ZERO,
            attempt: 0,
            retry_at: None,
        });
    }
}
