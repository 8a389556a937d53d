//! Tools of the contract that are not served yet.

use axum::extract::Path;

use super::both;
use crate::caller::Caller;
use crate::capability::{self, Capability};
use crate::operation::{Kind, Operation, Verb};
use crate::problem::Problem;
use crate::routes::table::Table;

const LATER: &[(Kind, Verb, &str)] = &[
    (Kind::Tool, Verb::Get, "process/session/entrypoint"),
    (Kind::Tool, Verb::Get, "process/session/entrypoint/logs"),
    (Kind::Tool, Verb::Get, "process/interpreter/context"),
    (Kind::Tool, Verb::Post, "process/interpreter/context"),
    (Kind::Tool, Verb::Delete, "process/interpreter/context/{id}"),
    (Kind::Socket, Verb::Get, "process/interpreter/execute"),
    (Kind::Tool, Verb::Get, "env"),
    (Kind::Tool, Verb::Get, "port"),
    (Kind::Tool, Verb::Get, "port/{port}/in-use"),
    (Kind::Tool, Verb::Get, "system/metrics"),
    (Kind::Tool, Verb::Post, "git/add"),
    (Kind::Tool, Verb::Get, "git/branches"),
    (Kind::Tool, Verb::Post, "git/branches"),
    (Kind::Tool, Verb::Delete, "git/branches"),
    (Kind::Tool, Verb::Post, "git/checkout"),
    (Kind::Tool, Verb::Post, "git/clone"),
    (Kind::Tool, Verb::Post, "git/commit"),
    (Kind::Tool, Verb::Get, "git/history"),
    (Kind::Tool, Verb::Post, "git/pull"),
    (Kind::Tool, Verb::Post, "git/push"),
    (Kind::Tool, Verb::Get, "git/status"),
    (Kind::Tool, Verb::Post, "lsp/start"),
    (Kind::Tool, Verb::Post, "lsp/stop"),
    (Kind::Tool, Verb::Post, "lsp/completions"),
    (Kind::Tool, Verb::Post, "lsp/did-open"),
    (Kind::Tool, Verb::Post, "lsp/did-close"),
    (Kind::Tool, Verb::Get, "lsp/document-symbols"),
    (Kind::Tool, Verb::Get, "lsp/workspacesymbols"),
    (Kind::Tool, Verb::Post, "computeruse/start"),
    (Kind::Tool, Verb::Post, "computeruse/stop"),
    (Kind::Tool, Verb::Get, "computeruse/status"),
    (Kind::Tool, Verb::Get, "computeruse/screenshot"),
    (Kind::Tool, Verb::Post, "env"),
    (Kind::Tool, Verb::Post, "init"),
    (Kind::Tool, Verb::Get, "git/config"),
    (Kind::Tool, Verb::Post, "git/config"),
    (Kind::Tool, Verb::Post, "git/config/user"),
    (Kind::Tool, Verb::Post, "git/credentials"),
    (Kind::Tool, Verb::Post, "git/init"),
    (Kind::Tool, Verb::Get, "git/remotes"),
    (Kind::Tool, Verb::Post, "git/remotes"),
    (Kind::Tool, Verb::Post, "git/reset"),
    (Kind::Tool, Verb::Post, "git/restore"),
    (Kind::Tool, Verb::Get, "computeruse/screenshot/compressed"),
    (Kind::Tool, Verb::Get, "computeruse/screenshot/region"),
    (Kind::Tool, Verb::Get, "computeruse/screenshot/region/compressed"),
    (Kind::Tool, Verb::Get, "computeruse/process-status"),
    (Kind::Tool, Verb::Get, "computeruse/process/{processName}/errors"),
    (Kind::Tool, Verb::Get, "computeruse/process/{processName}/logs"),
    (Kind::Tool, Verb::Get, "computeruse/process/{processName}/status"),
    (Kind::Tool, Verb::Post, "computeruse/process/{processName}/restart"),
    (Kind::Tool, Verb::Get, "computeruse/recordings"),
    (Kind::Tool, Verb::Post, "computeruse/recordings/start"),
    (Kind::Tool, Verb::Post, "computeruse/recordings/stop"),
    (Kind::Tool, Verb::Get, "computeruse/recordings/{id}"),
    (Kind::Tool, Verb::Delete, "computeruse/recordings/{id}"),
    (Kind::Tool, Verb::Get, "computeruse/recordings/{id}/download"),
    (Kind::Tool, Verb::Get, "computeruse/display/info"),
    (Kind::Tool, Verb::Get, "computeruse/display/windows"),
    (Kind::Tool, Verb::Get, "computeruse/a11y/tree"),
    (Kind::Tool, Verb::Post, "computeruse/a11y/find"),
    (Kind::Tool, Verb::Post, "computeruse/a11y/node/focus"),
    (Kind::Tool, Verb::Post, "computeruse/a11y/node/invoke"),
    (Kind::Tool, Verb::Post, "computeruse/a11y/node/value"),
    (Kind::Tool, Verb::Post, "computeruse/keyboard/down"),
    (Kind::Tool, Verb::Post, "computeruse/keyboard/hotkey"),
    (Kind::Tool, Verb::Post, "computeruse/keyboard/key"),
    (Kind::Tool, Verb::Post, "computeruse/keyboard/type"),
    (Kind::Tool, Verb::Post, "computeruse/keyboard/up"),
    (Kind::Tool, Verb::Get, "computeruse/mouse/position"),
    (Kind::Tool, Verb::Post, "computeruse/mouse/click"),
    (Kind::Tool, Verb::Post, "computeruse/mouse/down"),
    (Kind::Tool, Verb::Post, "computeruse/mouse/drag"),
    (Kind::Tool, Verb::Post, "computeruse/mouse/move"),
    (Kind::Tool, Verb::Post, "computeruse/mouse/scroll"),
    (Kind::Tool, Verb::Post, "computeruse/mouse/up"),
];

pub(super) fn add(table: Table) -> Table {
    LATER.iter().fold(table, |table, &(kind, verb, path)| {
        let summary = format!("Not supported by this server yet: {}", Capability::Toolbox.phrase());
        both(table, &Operation::new(kind, verb, path, &summary).refuses(&[404, 422]), refuse)
    })
}

/// Refuses a tool of a sandbox, which must exist. It stands first in its path.
async fn refuse(caller: Caller, Path(path): Path<Vec<(String, String)>>) -> Problem {
    let sandbox = path.first().map_or("", |(_, id)| id.as_str());
    capability::of_sandbox(Capability::Toolbox, &caller, sandbox)
}
