//! An engine with a scripted machine, and its API under `/api`, asked without a socket.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use hourglass_api::auth::KeyHash;
use hourglass_api::{Api, Principal, Settings, StoredKeys};
use hourglass_engine::{Engine, HostLink, Store};
use hourglass_events::{Class, HostId, Image, OrganizationId, Resources, SandboxId, SnapshotContent, State};
use hourglass_hostd::ledger::MemoryLedger;
use hourglass_hostd::{Driver, Host, HostConfig, HostHandle, Link, Scripted};
use serde_json::Value;
use tower::ServiceExt as _;

pub(crate) const KEY: &str = "the key of one";
pub(crate) const OTHER_KEY: &str = "the key of another";
pub(crate) const ORGANIZATION: OrganizationId = OrganizationId::from_u128(1);
const OTHER: OrganizationId = OrganizationId::from_u128(2);
const HOST: HostId = HostId::from_u128(9);
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) machine: Arc<Scripted>,
    pub(crate) engine: Engine,
    pub(crate) api: Api,
    pub(crate) router: Router,
    _host: HostHandle,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_else(|| panic!("no text {field} in {}", self.body))
    }
}

impl World {
    /// The answer to a create, a start or a stop is held for as long as it takes.
    pub(crate) async fn new() -> Self {
        Self::holding(PATIENCE).await
    }

    pub(crate) async fn holding(hold: Duration) -> Self {
        Self::with(|settings| settings.hold = hold).await
    }

    /// Event sockets are pinged this often.
    pub(crate) async fn pinging(ping: Duration) -> Self {
        Self::with(|settings| settings.ping = ping).await
    }

    pub(crate) async fn with(set: impl FnOnce(&mut Settings)) -> Self {
        let machine = Arc::new(Scripted::new());
        let engine = Engine::builder(Store::memory()).start().await.expect("the engine starts");
        let (link, end) = Link::pair(64);
        let driver: Arc<dyn Driver> = machine.clone();
        let host =
            Host::start(HostConfig::new(HOST, "local"), driver, Box::new(MemoryLedger::default()), link)
                .await;
        let mut link = Some(HostLink { calls: end.calls, news: end.news, tunnels: end.tunnels });
        engine.attach_host(HOST, move || link.take());
        engine.register_snapshot(snapshot("default")).await.expect("it is registered");
        let principal = |organization| Principal { organization, name: "test".to_owned() };
        let keys = StoredKeys::new()
            .with(KeyHash::of(KEY), principal(ORGANIZATION))
            .with(KeyHash::of(OTHER_KEY), principal(OTHER));
        let mut settings = Settings::new("http://localhost/api");
        set(&mut settings);
        let api = Api::new(engine.clone(), Arc::new(keys), settings);
        let router = Router::new().nest("/api", api.router());
        Self { machine, engine, api, router, _host: host.expect("the host worker starts") }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Option<Value>) -> Answer {
        self.send(Method::POST, path, &[], body).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        self.raw(method, path, headers, body.map(|body| body.to_string()).unwrap_or_default()).await
    }

    pub(crate) async fn raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api{path}"));
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {KEY}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).expect("it is a request");
        let response = self.router.clone().oneshot(request).await.expect("a router always answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("the body ends");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, body, bytes: bytes.into() }
    }

    /// Create what `body` describes.
    pub(crate) async fn create(&self, body: Value) -> Answer {
        self.post("/sandbox", Some(body)).await
    }

    pub(crate) async fn reach(&self, id: &str, state: State) {
        let id: SandboxId = id.parse().expect("it is an id");
        self.engine.wait_for(id, state, PATIENCE).await.expect("it gets there");
    }
}

pub(crate) fn snapshot(name: &str) -> SnapshotContent {
    SnapshotContent {
        name: name.to_owned(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: Image { digest: "tiny".to_owned() },
    }
}
