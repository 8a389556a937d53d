//! An engine, a host worker and a scripted machine, which a test can end and start again apart from each other.

use std::sync::Arc;
use std::time::Duration;

use hourglass_engine::{Client, Engine, HostLink, Settings, Store};
use hourglass_events::{
    Class, HostId, Image, OrganizationId, Resources, Sandbox, SandboxId, SnapshotContent, State,
};
use hourglass_hostd::ledger::MemoryLedger;
use hourglass_hostd::{Driver, Host, HostConfig, HostHandle, Link, Scripted};

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const ORGANIZATION: OrganizationId = OrganizationId::from_u128(1);
const HOST: HostId = HostId::from_u128(9);

pub(crate) struct World {
    pub(crate) machine: Arc<Scripted>,
    pub(crate) engine: Engine,
    pub(crate) host: HostHandle,
    pub(crate) client: Client,
}

impl World {
    pub(crate) async fn new(store: Store) -> Self {
        Self::with(store, Settings::default()).await
    }

    pub(crate) async fn with(store: Store, settings: Settings) -> Self {
        Self::on(Arc::new(Scripted::new()), MemoryLedger::default(), store, settings).await
    }

    /// A new engine and host worker on what is left of earlier ones.
    pub(crate) async fn on(
        machine: Arc<Scripted>,
        ledger: MemoryLedger,
        store: Store,
        settings: Settings,
    ) -> Self {
        let engine = Engine::builder(store).settings(settings).start().await.expect("the engine starts");
        let (link, end) = Link::pair(64);
        let driver: Arc<dyn Driver> = machine.clone();
        let host = Host::start(HostConfig::new(HOST, "local"), driver, Box::new(ledger), link).await;
        let host = host.expect("the host worker starts");
        let (mut first, again) = (Some(end), host.clone());
        engine.attach_host(HOST, move || {
            if again.is_ended() {
                return None;
            }
            let end = first.take().unwrap_or_else(|| {
                let (link, end) = Link::pair(64);
                again.connect(link);
                end
            });
            Some(HostLink { calls: end.calls, news: end.news, tunnels: end.tunnels })
        });
        engine.register_snapshot(snapshot()).await.expect("the snapshot is registered");
        let client = engine.client(ORGANIZATION, "test");
        Self { machine, engine, host, client }
    }

    /// A started sandbox.
    pub(crate) async fn started(&self) -> SandboxId {
        let sandbox = self.client.create(|_| {}).await.expect("it is accepted");
        self.reach(sandbox.id, State::Started).await;
        sandbox.id
    }

    pub(crate) async fn reach(&self, id: SandboxId, state: State) {
        self.engine.wait_for(id, state, PATIENCE).await.expect("it gets there");
    }

    pub(crate) fn sandbox(&self, id: SandboxId) -> Arc<Sandbox> {
        self.engine.sandbox(id).expect("it is there")
    }
}

/// What sandboxes are created from when they name no snapshot.
pub(crate) fn snapshot() -> SnapshotContent {
    SnapshotContent {
        name: "default".to_owned(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: Image { digest: "tiny".to_owned() },
    }
}
