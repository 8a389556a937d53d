//! Paths of sandboxes.

use super::table::Table;
use crate::document::parameter::Parameter;
use crate::operation::{Content, Kind, Operation, Verb};
use crate::sandboxes::{act, configure, create, fork, list, read, work};
use crate::wire;

/// What every answer with a sandbox is.
fn sandbox() -> Content {
    Content::json::<wire::sandbox::Sandbox>()
}

/// A change of one sandbox, answered with it.
fn change(verb: Verb, path: &str, summary: &str) -> Operation {
    Operation::new(Kind::Change, verb, path, summary).answers(200, sandbox())
}

pub(super) fn add(table: Table) -> Table {
    let table = life(table);
    let table = excursions(table);
    let table = forks(table);
    configuration(table)
}

fn life(table: Table) -> Table {
    let one = "/sandbox/{sandboxIdOrName}";
    table
        .on(
            Operation::new(Kind::Create, Verb::Post, "/sandbox", "Create a sandbox")
                .takes(Content::json::<wire::create::CreateSandbox>())
                .answers(200, sandbox())
                .refuses(&[404, 422]),
            create::create,
        )
        .on(
            Operation::new(Kind::Read, Verb::Get, "/sandbox", "List sandboxes, a page at a time")
                .query(list::parameters())
                .answers(200, Content::json::<wire::sandbox::Page>()),
            list::list,
        )
        .on(
            Operation::new(Kind::Read, Verb::Get, one, "Read a sandbox")
                .query([Parameter::flag("verbose", "Changes nothing.")])
                .answers(200, sandbox()),
            read::get,
        )
        .on(
            change(Verb::Delete, one, "Remove a sandbox, whatever it is doing, unless it has living forks")
                .query([Parameter::flag("force", "Changes nothing.")]),
            act::delete,
        )
        .on(change(Verb::Post, &format!("{one}/start"), "Run a stopped sandbox").refuses(&[422]), act::start)
        .on(
            change(Verb::Post, &format!("{one}/stop"), "End a running sandbox and keep its files")
                .query([Parameter::flag("force", "Kill it at once.")])
                .refuses(&[422]),
            act::stop,
        )
        .on(
            Operation::new(
                Kind::Read,
                Verb::Get,
                &format!("{one}/toolbox-proxy-url"),
                "Where the tools of a sandbox are",
            )
            .answers(200, Content::json::<wire::sandbox::Address>()),
            read::toolbox_url,
        )
}

/// What a sandbox sets out on and comes back from.
fn excursions(table: Table) -> Table {
    let of = |path: &str| format!("/sandbox/{{sandboxIdOrName}}/{path}");
    let pause = change(Verb::Post, &of("pause"), "Save the memory of a virtual machine and let it rest");
    let resize = change(Verb::Post, &of("resize"), "Give a sandbox other resources")
        .takes(Content::json::<wire::create::ResizeSandbox>());
    let archive = change(Verb::Post, &of("archive"), "Move the disk of a stopped sandbox to object storage");
    let recover = change(Verb::Post, &of("recover"), "Bring a sandbox back from an error")
        .query([Parameter::flag("skipStart", "Only false can be asked for.")])
        .refuses(&[422]);
    let backup = change(Verb::Post, &of("backup"), "Store a copy of the disk of a stopped sandbox");
    let snapshot = change(Verb::Post, &of("snapshot"), "Take a snapshot of a sandbox")
        .takes(Content::json::<wire::snapshot::TakeSnapshot>());
    table
        .on(backup.refuses(&[422, 500]), work::backup)
        .on(snapshot.refuses(&[422, 500]), work::snapshot)
        .on(pause.refuses(&[422, 500]), work::pause)
        .on(resize.refuses(&[422, 500]), work::resize)
        .on(archive.refuses(&[422, 500]), work::archive)
        .on(recover, act::recover)
}

/// Making forks, and who descends from whom.
fn forks(table: Table) -> Table {
    let of = |path: &str| format!("/sandbox/{{sandboxIdOrName}}/{path}");
    let list = |path: &str, summary: &str| {
        let operation = Operation::new(Kind::Read, Verb::Get, &of(path), summary);
        operation.answers(200, Content::json::<Vec<wire::sandbox::Sandbox>>())
    };
    let parent = Operation::new(Kind::Read, Verb::Get, &of("parent"), "What a sandbox was forked from");
    table
        .on(
            Operation::new(
                Kind::Create,
                Verb::Post,
                &of("fork"),
                "Make another sandbox of the files and the memory of a virtual machine that runs",
            )
            .takes(Content::json::<wire::create::ForkSandbox>())
            .answers(200, sandbox())
            .refuses(&[404, 422, 500]),
            fork::fork,
        )
        .on(list("forks", "The forks of a sandbox").query(fork::parameters()), fork::forks)
        .on(parent.answers(200, sandbox()), fork::parent)
        .on(list("ancestors", "What a sandbox descends from, nearest first"), fork::ancestors)
}

fn configuration(table: Table) -> Table {
    let of = |path: &str| format!("/sandbox/{{sandboxIdOrName}}/{path}");
    table
        .on(
            change(Verb::Put, &of("labels"), "Replace the labels, all of them")
                .takes(Content::json::<wire::create::ReplaceLabels>()),
            configure::labels,
        )
        .on(
            change(Verb::Post, &of("autostop/{interval}"), "Stop after so many minutes unused; 0 is never"),
            configure::auto_stop,
        )
        .on(
            change(
                Verb::Post,
                &of("autoarchive/{interval}"),
                "Archive after so many minutes stopped; 0 is 30 days",
            ),
            configure::auto_archive,
        )
        .on(
            change(
                Verb::Post,
                &of("autodelete/{interval}"),
                "Delete after so many minutes stopped; 0 is at once, -1 never",
            ),
            configure::auto_delete,
        )
        .on(
            change(
                Verb::Post,
                &of("autopause/{interval}"),
                "Pause after so many minutes unused; only 0, never, can be set",
            )
            .refuses(&[422]),
            configure::auto_pause,
        )
        .on(
            change(Verb::Post, &of("ttl/{minutes}"), "Delete at a set time; only 0, never, can be set")
                .refuses(&[422]),
            configure::ttl,
        )
        .on(
            change(
                Verb::Post,
                &of("network-settings"),
                "Change what a sandbox may reach, also while it runs",
            )
            .takes(Content::json::<wire::network::NetworkSettings>())
            .refuses(&[422, 500]),
            configure::network,
        )
        .on(
            change(Verb::Post, &of("public/{isPublic}"), "Let previews be seen without a key, or not"),
            configure::public,
        )
        .on(
            Operation::new(Kind::Change, Verb::Post, &of("last-activity"), "Say that a sandbox is in use")
                .may_take(Content::json::<wire::create::Activity>())
                .answers(201, sandbox()),
            configure::last_activity,
        )
}
