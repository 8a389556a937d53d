//! Every path of the API.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::middleware;
use axum::routing::{MethodRouter, any, delete, get, post, put};

use crate::caller::Caller;
use crate::capability::{self, Capability};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::{envelope, events, health, sandboxes, snapshots};

pub(crate) fn all(shared: &Shared) -> Router {
    Router::new()
        .merge(sandboxes())
        .merge(sandboxes_later())
        .merge(snapshots())
        .merge(later())
        .route("/socket.io/", get(events::connect))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .fallback(async || Problem::NoRoute)
        .method_not_allowed_fallback(async || Problem::WrongMethod)
        .layer(DefaultBodyLimit::max(shared.settings.body))
        .layer(middleware::from_fn_with_state(Shared::clone(shared), envelope::put_on))
        .with_state(Shared::clone(shared))
}

fn sandboxes() -> Router<Shared> {
    use sandboxes::{act, configure, create, list, read};
    Router::new()
        .route("/sandbox", post(create::create).get(list::list))
        .route("/sandbox/{id}", get(read::get).delete(act::delete))
        .route("/sandbox/{id}/start", post(act::start))
        .route("/sandbox/{id}/stop", post(act::stop))
        .route("/sandbox/{id}/labels", put(configure::labels))
        .route("/sandbox/{id}/autostop/{minutes}", post(configure::auto_stop))
        .route("/sandbox/{id}/autoarchive/{minutes}", post(configure::auto_archive))
        .route("/sandbox/{id}/autodelete/{minutes}", post(configure::auto_delete))
        .route("/sandbox/{id}/autopause/{minutes}", post(configure::auto_pause))
        .route("/sandbox/{id}/ttl/{minutes}", post(configure::ttl))
        .route("/sandbox/{id}/last-activity", post(configure::last_activity))
        .route("/sandbox/{id}/toolbox-proxy-url", get(read::toolbox_url))
}

/// What the public contract has of a sandbox and is not done yet.
fn sandboxes_later() -> Router<Shared> {
    let later = [
        ("pause", Capability::Pause),
        ("archive", Capability::Archive),
        ("backup", Capability::Backup),
        ("recover", Capability::Recover),
        ("resize", Capability::Resize),
        ("fork", Capability::Fork),
        ("forks", Capability::Fork),
        ("parent", Capability::Fork),
        ("ancestors", Capability::Fork),
        ("snapshot", Capability::Snapshot),
        ("public/{public}", Capability::Public),
        ("network-settings", Capability::Network),
        ("build-logs", Capability::Build),
        ("build-logs-url", Capability::Build),
        ("ports/{port}/preview-url", Capability::Preview),
        ("ports/{port}/signed-preview-url", Capability::Preview),
        ("ports/{port}/signed-preview-url/{token}/expire", Capability::Preview),
        ("ssh-access", Capability::Ssh),
        ("secrets", Capability::Secrets),
        ("signing-key", Capability::SigningKey),
        ("signing-key/rotate", Capability::SigningKey),
        ("telemetry/{*what}", Capability::Telemetry),
    ];
    let router = Router::new().route("/toolbox/{id}/{*what}", of_sandbox(Capability::Toolbox));
    later.into_iter().fold(router, |router, (path, capability)| {
        router.route(&format!("/sandbox/{{id}}/{path}"), of_sandbox(capability))
    })
}

fn snapshots() -> Router<Shared> {
    Router::new()
        .route("/snapshots", get(snapshots::list).post(unsupported(Capability::Snapshot)))
        .route("/snapshots/{id}", get(snapshots::get).merge(delete(refused_snapshot)))
        .route("/snapshots/{id}/activate", post(refused_snapshot))
        .route("/snapshots/{id}/deactivate", post(refused_snapshot))
        .route("/snapshots/{id}/build-logs", get(refused_snapshot))
        .route("/snapshots/{id}/build-logs-url", get(refused_snapshot))
}

/// What the public contract has beside sandboxes and snapshots, and is not done yet.
fn later() -> Router<Shared> {
    Router::new()
        .route("/config", any(unsupported(Capability::Configuration)))
        .route("/object-storage/push-access", any(unsupported(Capability::ObjectStorage)))
        .route("/volumes", any(unsupported(Capability::Volumes)))
        .route("/volumes/{*what}", any(unsupported(Capability::Volumes)))
        .route("/secret", any(unsupported(Capability::Secrets)))
        .route("/secret/{*what}", any(unsupported(Capability::Secrets)))
}

fn of_sandbox(capability: Capability) -> MethodRouter<Shared> {
    any(async move |caller: Caller, Path(path): Path<Vec<(String, String)>>| {
        capability::of_sandbox(capability, &caller, &path)
    })
}

async fn refused_snapshot(
    State(shared): State<Shared>,
    caller: Caller,
    Path(path): Path<Vec<(String, String)>>,
) -> Problem {
    capability::of_snapshot(Capability::Snapshot, &shared, &caller, &path)
}

/// A handler that refuses whoever is known.
fn unsupported(
    capability: Capability,
) -> impl Fn(Caller) -> std::future::Ready<Problem> + Clone + Send + Sync + 'static {
    move |_| std::future::ready(Problem::Unsupported(capability))
}
