//! Paths of the tools inside a sandbox. Each is there twice: below the address that a sandbox names, and where older
//! clients look for it.

use axum::extract::Path;

use super::table::Table;
use crate::caller::Caller;
use crate::capability::{self, Capability};
use crate::operation::{Kind, Operation, Verb};
use crate::problem::Problem;

/// Where a sandbox's tools are, for clients that were told and for older ones.
const BELOW: [&str; 2] = ["/toolbox/{sandboxId}", "/toolbox/{sandboxId}/toolbox"];

/// Tools of the contract that are not served yet.
const LATER: &[(Kind, Verb, &str)] = &[
    (Kind::Tool, Verb::Post, "process/execute"),
    (Kind::Tool, Verb::Post, "process/code-run"),
    (Kind::Tool, Verb::Get, "process/session"),
    (Kind::Tool, Verb::Post, "process/session"),
    (Kind::Tool, Verb::Get, "process/session/{sessionId}"),
    (Kind::Tool, Verb::Delete, "process/session/{sessionId}"),
    (Kind::Tool, Verb::Post, "process/session/{sessionId}/exec"),
    (Kind::Tool, Verb::Get, "process/session/{sessionId}/command/{commandId}"),
    (Kind::Tool, Verb::Post, "process/session/{sessionId}/command/{commandId}/input"),
    (Kind::Tool, Verb::Get, "process/session/{sessionId}/command/{commandId}/logs"),
    (Kind::Tool, Verb::Get, "process/session/entrypoint"),
    (Kind::Tool, Verb::Get, "process/session/entrypoint/logs"),
    (Kind::Tool, Verb::Get, "process/pty"),
    (Kind::Tool, Verb::Post, "process/pty"),
    (Kind::Tool, Verb::Get, "process/pty/{sessionId}"),
    (Kind::Tool, Verb::Delete, "process/pty/{sessionId}"),
    (Kind::Tool, Verb::Post, "process/pty/{sessionId}/resize"),
    (Kind::Socket, Verb::Get, "process/pty/{sessionId}/connect"),
    (Kind::Tool, Verb::Get, "process/interpreter/context"),
    (Kind::Tool, Verb::Post, "process/interpreter/context"),
    (Kind::Tool, Verb::Delete, "process/interpreter/context/{id}"),
    (Kind::Socket, Verb::Get, "process/interpreter/execute"),
    (Kind::Tool, Verb::Get, "files"),
    (Kind::Tool, Verb::Delete, "files"),
    (Kind::Tool, Verb::Get, "files/download"),
    (Kind::Tool, Verb::Post, "files/bulk-download"),
    (Kind::Tool, Verb::Post, "files/upload-v2"),
    (Kind::Tool, Verb::Post, "files/bulk-upload"),
    (Kind::Tool, Verb::Get, "files/find"),
    (Kind::Tool, Verb::Post, "files/folder"),
    (Kind::Tool, Verb::Get, "files/info"),
    (Kind::Tool, Verb::Post, "files/move"),
    (Kind::Tool, Verb::Post, "files/permissions"),
    (Kind::Tool, Verb::Post, "files/replace"),
    (Kind::Tool, Verb::Get, "files/search"),
    (Kind::Tool, Verb::Get, "user-home-dir"),
    (Kind::Tool, Verb::Get, "work-dir"),
    (Kind::Tool, Verb::Get, "version"),
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
];

pub(super) fn add(table: Table) -> Table {
    LATER.iter().fold(table, |table, &(kind, verb, path)| {
        BELOW.iter().fold(table, |table, below| {
            let summary = format!("Not supported by this server yet: {}", Capability::Toolbox.phrase());
            let operation = Operation::new(kind, verb, &format!("{below}/{path}"), &summary).refuses(&[422]);
            table.on(operation, refuse)
        })
    })
}

/// Refuses a tool of a sandbox, which must exist. It stands first in its path.
async fn refuse(caller: Caller, Path(path): Path<Vec<(String, String)>>) -> Problem {
    let sandbox = path.first().map_or("", |(_, id)| id.as_str());
    capability::of_sandbox(Capability::Toolbox, &caller, sandbox)
}
