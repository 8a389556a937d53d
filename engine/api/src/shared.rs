//! What every handler knows.

use std::sync::Arc;

use hourglass_engine::Engine;
use hourglass_events::{OrganizationId, Sandbox, SandboxId};

use crate::auth::Authentication;
use crate::events::Hub;
use crate::gate::Gate;
use crate::rates::Counters;
use crate::settings::Settings;
use crate::wire;

pub(crate) type Shared = Arc<Inner>;

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) authentication: Arc<dyn Authentication>,
    pub(crate) settings: Settings,
    pub(crate) hub: Arc<Hub>,
    pub(crate) gate: Gate,
    pub(crate) counters: Counters,
}

impl Inner {
    pub(crate) fn new(engine: Engine, authentication: Arc<dyn Authentication>, settings: Settings) -> Shared {
        let hub = Arc::new(Hub::new(engine.clone(), settings.clone()));
        let (gate, counters) = (Gate::new(&settings), Counters::new(settings.rates));
        Arc::new(Self { engine, authentication, settings, hub, gate, counters })
    }

    /// `sandbox` as its owner reads it, with the values of its variables.
    pub(crate) async fn show(&self, sandbox: &Sandbox) -> wire::sandbox::Sandbox {
        let values = self.engine.values(sandbox).await;
        wire::sandbox::Sandbox::of(sandbox, &values, &self.settings)
    }

    /// The sandbox as last made durable, also if it was deleted not long ago.
    pub(crate) fn newest(&self, organization: OrganizationId, id: SandboxId) -> Option<Arc<Sandbox>> {
        self.engine.view_of(organization).roster(|roster| roster.by_id(id).cloned())
    }
}
