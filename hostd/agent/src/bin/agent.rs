//! PID 1 of a sandbox: keeps it alive, reaps, forwards signals, runs what its host asks for.
//!
//! `hourglass-agent NAME USER [ENTRYPOINT…]`. It makes no mount and opens no network; what confines the sandbox is
//! done by the host, except the system call filter, which it puts on itself before anything else runs.

#[path = "../pid1/children.rs"]
mod children;
#[path = "../pid1/command.rs"]
mod command;
#[path = "../pid1/confine.rs"]
mod confine;
#[path = "../pid1/home.rs"]
mod home;
#[path = "../pid1/serve.rs"]
mod serve;
#[path = "../pid1/users.rs"]
mod users;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use hourglass_agent::place;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use crate::children::Children;

/// Why the agent could not start or go on.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("usage: hourglass-agent NAME USER [ENTRYPOINT…]")]
    Usage,
    #[error("could not {doing}: {error}")]
    System { doing: &'static str, error: String },
    #[error("{program}: {error}")]
    Entrypoint { program: String, error: std::io::Error },
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let file = match error {
                Error::Usage | Error::System { .. } => place::FAILED,
                Error::Entrypoint { .. } => place::UNUSABLE,
            };
            // Standard error leads nowhere in a sandbox; the host reads this file when the agent is gone.
            let _ = std::fs::write(Path::new(place::SHARED).join(file), error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<u8, Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(user)) = (arguments.next(), arguments.next()) else { return Err(Error::Usage) };
    let entrypoint: Vec<String> = arguments.collect();

    home::settle(&name, &user)
        .map_err(|error| Error::System { doing: "settle in", error: error.to_string() })?;
    confine::deny().map_err(|error| Error::System { doing: "set the system call filter", error })?;
    let mut signals = Signals::new([SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2])
        .map_err(|error| Error::System { doing: "listen for signals", error: error.to_string() })?;

    let children = Arc::new(Children::default());
    let entry = start(&children, &user, &entrypoint)?;
    serve::start(&children, &user)
        .map_err(|error| Error::System { doing: "answer the host", error: error.to_string() })?;

    // Signals may have come before the loop; one look at the children makes up for a missed one.
    let mut last = 0;
    for signal in std::iter::once(SIGCHLD).chain(signals.forever()) {
        match signal {
            SIGCHLD => {}
            SIGTERM => children.leave(),
            other => children.forward(entry, other),
        }
        let reaped = children.reap(entry);
        last = reaped.entry.unwrap_or(last);
        if reaped.entry.is_some() && !children.leaving() || children.leaving() && reaped.none_left {
            let _ = std::fs::write(Path::new(place::SHARED).join(place::EXIT), last.to_string());
            return Ok(last);
        }
    }
    Ok(last)
}

/// Run the entrypoint, if there is one. Without one the agent itself is what keeps the sandbox alive.
fn start(children: &Children, user: &str, entrypoint: &[String]) -> Result<Option<i32>, Error> {
    let Some((program, arguments)) = entrypoint.split_first() else { return Ok(None) };
    let mut command = Command::new(program);
    command.args(arguments);
    let unusable = |error| Error::Entrypoint { program: program.clone(), error };
    command::dress(&mut command, user, &[], None).map_err(unusable)?;
    command.stdin(std::process::Stdio::null());
    children.spawn(&mut command).map(|(child, _)| Some(child)).map_err(unusable)
}
