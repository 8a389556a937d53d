//! Paths of the contract that are not served yet. Asking for one is answered with 422 and a code, and what is not there
//! with 404.

use axum::extract::Path;
use axum::http::Uri;

use super::table::Table;
use crate::caller::Caller;
use crate::capability::{self, Capability};
use crate::operation::{Kind, Operation, Verb};
use crate::problem::Problem;

/// Of one sandbox.
const OF_SANDBOX: &[(Verb, &str, Capability)] = &[
    (Verb::Get, "build-logs", Capability::Build),
    (Verb::Get, "build-logs-url", Capability::Build),
    (Verb::Get, "ports/{port}/preview-url", Capability::Preview),
    (Verb::Get, "ports/{port}/signed-preview-url", Capability::Preview),
    (Verb::Post, "ports/{port}/signed-preview-url/{token}/expire", Capability::Preview),
    (Verb::Post, "ssh-access", Capability::Ssh),
    (Verb::Delete, "ssh-access", Capability::Ssh),
    (Verb::Get, "secrets", Capability::Secrets),
    (Verb::Put, "secrets", Capability::Secrets),
    (Verb::Get, "signing-key", Capability::SigningKey),
    (Verb::Post, "signing-key/rotate", Capability::SigningKey),
    (Verb::Get, "organization", Capability::Management),
    (Verb::Get, "region-quota", Capability::Management),
    (Verb::Get, "telemetry/logs", Capability::Telemetry),
    (Verb::Get, "telemetry/metrics", Capability::Telemetry),
    (Verb::Get, "telemetry/traces", Capability::Telemetry),
    (Verb::Get, "telemetry/traces/{traceId}", Capability::Telemetry),
];

/// Of nothing that is here.
const OF_NOTHING: &[(Verb, &str, Capability)] = &[
    (Verb::Get, "/config", Capability::Configuration),
    (Verb::Get, "/sandbox/ssh-access/validate", Capability::Ssh),
    (Verb::Get, "/object-storage/push-access", Capability::ObjectStorage),
    (Verb::Get, "/volumes", Capability::Volumes),
    (Verb::Post, "/volumes", Capability::Volumes),
    (Verb::Get, "/volumes/{volumeId}", Capability::Volumes),
    (Verb::Delete, "/volumes/{volumeId}", Capability::Volumes),
    (Verb::Get, "/volumes/by-name/{name}", Capability::Volumes),
    (Verb::Get, "/secret", Capability::Secrets),
    (Verb::Post, "/secret", Capability::Secrets),
    (Verb::Get, "/secret/paginated", Capability::Secrets),
    (Verb::Get, "/secret/{secretId}", Capability::Secrets),
    (Verb::Patch, "/secret/{secretId}", Capability::Secrets),
    (Verb::Delete, "/secret/{secretId}", Capability::Secrets),
    (Verb::Get, "/warm-pools", Capability::WarmPools),
    (Verb::Post, "/warm-pools", Capability::WarmPools),
    (Verb::Patch, "/warm-pools/{id}", Capability::WarmPools),
    (Verb::Delete, "/warm-pools/{id}", Capability::WarmPools),
];

/// Where the paths begin on which the contract keeps the books of a whole service: whose it is, who may use it, what it
/// runs on. There are more of them than of all others together, and nothing about sandboxes is asked there.
const FAMILIES: &[(&str, Capability)] = &[
    ("admin", Capability::Management),
    ("api-keys", Capability::Management),
    ("audit", Capability::Management),
    ("docker-registry", Capability::Management),
    ("jobs", Capability::Management),
    ("organizations", Capability::Management),
    ("preview", Capability::Preview),
    ("regions", Capability::Management),
    ("runners", Capability::Management),
    ("shared-regions", Capability::Management),
    ("users", Capability::Management),
    ("webhooks", Capability::Management),
];

pub(super) fn add(table: Table) -> Table {
    let table = OF_SANDBOX.iter().fold(table, |table, &(verb, path, capability)| {
        let operation = operation(verb, &format!("/sandbox/{{sandboxIdOrName}}/{path}"), capability);
        table.on(operation, of_sandbox(capability))
    });
    OF_NOTHING.iter().fold(table, |table, &(verb, path, capability)| {
        let refuse = move |_: Caller| std::future::ready(Problem::Unsupported(capability));
        table.on(operation(verb, path, capability), refuse)
    })
}

/// Answers what no path is for: it is not supported where the contract has something, and else not there.
pub(super) async fn elsewhere(uri: Uri, caller: Result<Caller, Problem>) -> Problem {
    let first = uri.path().split('/').find(|part| !part.is_empty());
    let family = FAMILIES.iter().find(|(name, _)| Some(*name) == first);
    match (family, caller) {
        (None, _) => Problem::NoRoute,
        (Some(_), Err(problem)) => problem,
        (Some((_, capability)), Ok(_)) => Problem::Unsupported(*capability),
    }
}

/// The description of an operation that is refused.
pub(super) fn operation(verb: Verb, path: &str, capability: Capability) -> Operation {
    let summary = format!("Not supported by this server yet: {}", capability.phrase());
    Operation::new(Kind::Read, verb, path, &summary).refuses(&[422])
}

/// Refuses what is asked of a sandbox, which must exist. It stands first in its path.
fn of_sandbox(
    capability: Capability,
) -> impl Fn(Caller, Path<Vec<(String, String)>>) -> std::future::Ready<Problem> + Clone + Send + Sync + 'static
{
    move |caller, Path(path)| {
        let sandbox = path.first().map_or("", |(_, id)| id.as_str());
        std::future::ready(capability::of_sandbox(capability, &caller, sandbox))
    }
}
