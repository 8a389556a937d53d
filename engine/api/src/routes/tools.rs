//! Paths of the tools inside a sandbox. Each is there twice: below the address that a sandbox names, and where older
//! clients look for it.

mod files;
mod later;
mod processes;

use axum::handler::Handler;

use super::table::Table;
use crate::operation::{Content, Kind, Operation, Verb};
use crate::shared::Shared;
use crate::tools::places;
use crate::wire::tools::{Directory, Version};

/// Where a sandbox's tools are, for clients that were told and for older ones.
const BELOW: [&str; 2] = ["/toolbox/{sandboxId}", "/toolbox/{sandboxId}/toolbox"];

/// What may be wrong with the use of any tool: the sandbox does not run, is on its way, has ended, or its host is away.
const REFUSALS: &[u16] = &[404, 409, 410, 422, 500, 502];

pub(super) fn add(table: Table) -> Table {
    let table = places(table);
    let table = files::add(table);
    let table = processes::add(table);
    later::add(table)
}

/// A tool below a sandbox.
fn tool(verb: Verb, path: &str, summary: &str) -> Operation {
    Operation::new(Kind::Tool, verb, path, summary).refuses(REFUSALS)
}

/// A tool that becomes a socket.
fn socket(path: &str, summary: &str) -> Operation {
    Operation::new(Kind::Socket, Verb::Get, path, summary).refuses(REFUSALS).answers(101, None)
}

/// Serves a tool at both its places.
fn both<T: 'static>(table: Table, operation: &Operation, handler: impl Handler<T, Shared>) -> Table {
    let [told, older] = BELOW.map(|below| {
        let path = format!("{below}/{}", operation.path);
        Operation { path, ..operation.clone() }
    });
    table.on(told, handler.clone()).on(older, handler)
}

fn places(table: Table) -> Table {
    let home = tool(Verb::Get, "user-home-dir", "The home of the sandbox's user")
        .answers(200, Content::json::<Directory>());
    let work = tool(Verb::Get, "work-dir", "Where commands run and relative paths lead from")
        .answers(200, Content::json::<Directory>());
    let version = tool(Verb::Get, "version", "The version of what serves the tools")
        .answers(200, Content::json::<Version>());
    let table = both(table, &home, places::home);
    let table = both(table, &work, places::work);
    both(table, &version, places::version)
}
