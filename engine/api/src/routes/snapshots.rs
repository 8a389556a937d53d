//! Paths of snapshots.

use axum::extract::{Path, State};

use super::table::Table;
use crate::caller::Caller;
use crate::capability::{self, Capability};
use crate::operation::{Content, Kind, Operation, Verb};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::snapshots::{self, change};
use crate::wire;

pub(super) fn add(table: Table) -> Table {
    let table = table
        .on(
            Operation::new(Kind::Read, Verb::Get, "/snapshots", "List snapshots, a page at a time")
                .query(snapshots::parameters())
                .answers(200, Content::json::<wire::snapshot::Page>()),
            snapshots::list,
        )
        .on(
            Operation::new(Kind::Read, Verb::Get, "/snapshots/{id}", "Read a snapshot")
                .answers(200, Content::json::<wire::snapshot::Snapshot>()),
            snapshots::get,
        );
    let new = Operation::new(Kind::Create, Verb::Post, "/snapshots", "Make a snapshot of an image")
        .takes(Content::json::<wire::snapshot::CreateSnapshot>())
        .answers(200, Content::json::<wire::snapshot::Snapshot>())
        .refuses(&[422]);
    let of = |path: &str| format!("/snapshots/{{id}}{path}");
    let change = |verb, path: &str, summary| Operation::new(Kind::Change, verb, &of(path), summary);
    let table = table
        .on(new, change::create)
        .on(
            change(Verb::Delete, "", "Remove a snapshot that nothing is made of").answers(204, None),
            change::remove,
        )
        .on(
            change(Verb::Post, "/activate", "Bring back a snapshot that was laid aside")
                .answers(200, Content::json::<wire::snapshot::Snapshot>()),
            change::activate,
        )
        .on(
            change(Verb::Post, "/deactivate", "Lay a snapshot aside until it is used").answers(204, None),
            change::deactivate,
        );
    later(table)
}

/// What is done with a snapshot that exists, and is not done yet.
fn later(table: Table) -> Table {
    let of_one = [(Verb::Get, "/build-logs"), (Verb::Get, "/build-logs-url")];
    let refuse = async |State(shared): State<Shared>, caller: Caller, Path(id): Path<String>| -> Problem {
        capability::of_snapshot(Capability::Build, &shared, &caller, &id)
    };
    of_one.into_iter().fold(table, |table, (verb, path)| {
        table
            .on(super::later::operation(verb, &format!("/snapshots/{{id}}{path}"), Capability::Build), refuse)
    })
}
