//! Paths of snapshots.

use axum::extract::{Path, State};

use super::table::Table;
use crate::caller::Caller;
use crate::capability::{self, Capability};
use crate::operation::{Content, Kind, Operation, Verb};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::{snapshots, wire};

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
    later(table)
}

/// What is done with a snapshot that exists, and is not done yet.
fn later(table: Table) -> Table {
    let of_one = [
        (Verb::Delete, ""),
        (Verb::Post, "/activate"),
        (Verb::Post, "/deactivate"),
        (Verb::Get, "/build-logs"),
        (Verb::Get, "/build-logs-url"),
    ];
    let refuse = async |State(shared): State<Shared>, caller: Caller, Path(id): Path<String>| -> Problem {
        capability::of_snapshot(Capability::Snapshot, &shared, &caller, &id)
    };
    of_one.into_iter().fold(table, |table, (verb, path)| {
        table.on(
            super::later::operation(verb, &format!("/snapshots/{{id}}{path}"), Capability::Snapshot),
            refuse,
        )
    })
}
