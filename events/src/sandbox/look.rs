//! What a sandbox answers about itself beside its fields.

use super::{Errand, Sandbox};
use crate::fault::Fault;
use crate::id::{SandboxId, SnapshotId};
use crate::resources::Resources;
use crate::state::State;

impl Sandbox {
    /// The fork of it that is being made.
    #[must_use]
    pub fn forking(&self) -> Option<SandboxId> {
        match self.errand.as_deref()? {
            Errand::Fork { child, .. } => Some(*child),
            Errand::Resize(_)
            | Errand::Restore(_)
            | Errand::Born(_)
            | Errand::Capture { .. }
            | Errand::Backup => None,
        }
    }

    /// The snapshot that is being taken of it.
    #[must_use]
    pub fn capturing(&self) -> Option<SnapshotId> {
        if let Some(Errand::Capture { snapshot, .. }) = self.errand.as_deref() {
            Some(*snapshot)
        } else {
            None
        }
    }

    /// Whether it was born of a fork that is still to be made.
    #[must_use]
    pub fn awaits_fork(&self) -> bool {
        self.work.is_none() && matches!(self.errand.as_deref(), Some(Errand::Born(_)))
    }

    /// Whether there is something that it can be brought back from an error from.
    #[must_use]
    pub fn recoverable(&self) -> bool {
        let fault = self.fault.as_ref().is_some_and(Fault::recoverable);
        self.state == State::Error && (fault || self.backup.is_some())
    }

    /// What it takes of its host: all it is given while something of it runs or is about to, and its disk for as long as
    /// the host keeps that.
    #[must_use]
    pub fn taken(&self) -> Resources {
        let Resources { mut cpu, mut memory_gib, mut disk_gib, mut gpu } = match self.errand.as_deref() {
            // Until it is known what came of it, there has to be room for either.
            Some(Errand::Resize(asked)) => self.blueprint.resources.most(*asked),
            Some(
                Errand::Restore(_)
                | Errand::Fork { .. }
                | Errand::Born(_)
                | Errand::Capture { .. }
                | Errand::Backup,
            )
            | None => self.blueprint.resources,
        };
        if !self.state.computes(self.origin) {
            (cpu, memory_gib, gpu) = (0, 0, 0);
        }
        // An archived sandbox has its disk until its host has dropped it.
        if !self.state.has_disk() && self.state != State::Archived {
            disk_gib = 0;
        }
        Resources { cpu, memory_gib, disk_gib, gpu }
    }
}
