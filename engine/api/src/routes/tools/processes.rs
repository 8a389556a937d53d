//! Paths of commands, sessions and terminals.

use super::{both, socket, tool};
use crate::document::parameter::Parameter;
use crate::operation::{Content, Verb};
use crate::routes::table::Table;
use crate::tools::{code, logs, process, ptys, sessions, terminal};
use crate::wire::tools::process::{Execute, Executed, Ran, Run};
use crate::wire::tools::{Done, pty, session};

const SESSION: &str = "process/session/{sessionId}";
const COMMAND: &str = "process/session/{sessionId}/command/{commandId}";
const PTY: &str = "process/pty/{sessionId}";

pub(super) fn add(table: Table) -> Table {
    let table = commands(table);
    let table = shells(table);
    let table = in_shells(table);
    terminals(table)
}

fn commands(table: Table) -> Table {
    let execute = tool(Verb::Post, "process/execute", "Run a command to its end")
        .takes(Content::json::<Execute>())
        .answers(200, Content::json::<Executed>());
    let run = tool(Verb::Post, "process/code-run", "Run code in the language of the sandbox")
        .takes(Content::json::<Run>())
        .answers(200, Content::json::<Ran>());
    both(both(table, &execute, process::execute), &run, code::run_code)
}

fn shells(table: Table) -> Table {
    let list = tool(Verb::Get, "process/session", "All sessions")
        .answers(200, Content::json::<Vec<session::Session>>());
    let create =
        tool(Verb::Post, "process/session", "Begin a session: a shell that goes on between commands")
            .takes(Content::json::<session::Create>())
            .answers(201, None);
    let get = tool(Verb::Get, SESSION, "A session").answers(200, Content::json::<session::Session>());
    let delete = tool(Verb::Delete, SESSION, "End a session and all that runs in it").answers(204, None);
    let table = both(table, &list, sessions::list);
    let table = both(table, &create, sessions::create);
    let table = both(table, &get, sessions::get);
    both(table, &delete, sessions::delete)
}

fn in_shells(table: Table) -> Table {
    let execute = tool(Verb::Post, &format!("{SESSION}/exec"), "Run a command in a session")
        .takes(Content::json::<session::Execute>())
        .answers(200, Content::json::<session::Executed>())
        .answers(202, Content::json::<session::Executed>());
    let command =
        tool(Verb::Get, COMMAND, "A command of a session").answers(200, Content::json::<session::Command>());
    let input =
        tool(Verb::Post, &format!("{COMMAND}/input"), "Give a command of a session something to read")
            .takes(Content::json::<session::Input>())
            .answers(204, None);
    let says = "Go on until it ends: over a WebSocket if that is asked for, else as plain text.";
    let logs = tool(Verb::Get, &format!("{COMMAND}/logs"), "What a command of a session wrote")
        .query([Parameter::flag("follow", says)])
        .answers(200, Content::json::<session::Logs>())
        .answers(200, Content::bytes("text/plain"))
        .answers(101, None);
    let table = both(table, &execute, sessions::execute);
    let table = both(table, &command, sessions::command);
    let table = both(table, &input, sessions::input);
    both(table, &logs, logs::logs)
}

fn terminals(table: Table) -> Table {
    let list = tool(Verb::Get, "process/pty", "All terminals").answers(200, Content::json::<pty::Ptys>());
    let create = tool(Verb::Post, "process/pty", "Make a terminal")
        .takes(Content::json::<pty::Create>())
        .answers(201, Content::json::<pty::Created>());
    let get = tool(Verb::Get, PTY, "A terminal").answers(200, Content::json::<pty::Pty>());
    let kill = tool(Verb::Delete, PTY, "End a terminal and all that runs in it")
        .answers(200, Content::json::<Done>());
    let resize = tool(Verb::Post, &format!("{PTY}/resize"), "Give a terminal another size")
        .takes(Content::json::<pty::Size>())
        .answers(200, Content::json::<pty::Pty>());
    let connect = socket(&format!("{PTY}/connect"), "Use a terminal, over a WebSocket");
    let made = socket("process/pty/create-connect", "Make a terminal and use it, over a WebSocket")
        .query(terminal::parameters());
    let table = both(table, &list, ptys::list);
    let table = both(table, &create, ptys::create);
    let table = both(table, &get, ptys::get);
    let table = both(table, &kill, ptys::kill);
    let table = both(table, &resize, ptys::resize);
    let table = both(table, &connect, terminal::connect);
    both(table, &made, terminal::create)
}
