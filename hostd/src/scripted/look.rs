//! What tests ask a scripted machine about.

use hourglass_events::{Image, NetworkPolicy, OrderNumber, Resources, SandboxId, Values};

use super::{Scripted, lock};

impl Scripted {
    /// The order that booted what runs of `sandbox`, if something runs.
    #[must_use]
    pub fn running(&self, sandbox: SandboxId) -> Option<OrderNumber> {
        lock(&self.machine).running(sandbox)
    }

    /// What that which runs of `sandbox` may reach, if something runs.
    #[must_use]
    pub fn network(&self, sandbox: SandboxId) -> Option<NetworkPolicy> {
        lock(&self.machine).plan(sandbox).map(|plan| plan.network.clone())
    }

    /// Whether nothing of `sandbox` is in the object storage of this machine.
    #[must_use]
    pub fn stores_nothing_of(&self, sandbox: SandboxId) -> bool {
        lock(&self.machine).stores_nothing_of(sandbox)
    }

    /// What is given to that which runs of `sandbox`, if something runs.
    #[must_use]
    pub fn resources(&self, sandbox: SandboxId) -> Option<Resources> {
        lock(&self.machine).plan(sandbox).map(|plan| plan.resources)
    }

    /// The variables that what runs of `sandbox` was booted with, if something runs.
    #[must_use]
    pub fn environment(&self, sandbox: SandboxId) -> Option<Values> {
        lock(&self.machine).plan(sandbox).map(|plan| plan.values.clone())
    }

    /// Whether nothing of `sandbox` is here, not even a half.
    #[must_use]
    pub fn is_clear_of(&self, sandbox: SandboxId) -> bool {
        lock(&self.machine).is_clear_of(sandbox)
    }

    /// How often a life of `sandbox` began, over all its boots.
    #[must_use]
    pub fn lives(&self, sandbox: SandboxId) -> u32 {
        lock(&self.machine).lives(sandbox)
    }

    /// Whether an image is on this machine, such as a snapshot's.
    #[must_use]
    pub fn has_image(&self, image: &Image) -> bool {
        lock(&self.machine).has_image(image)
    }
}
