//! PID 1 of a sandbox: keeps it alive, reaps, forwards signals, runs what its host asks for.
//!
//! `hourglass-agent NAME USER [ENTRYPOINT…]`. It makes no mount and opens no network; what confines the sandbox is
//! done by the host, except the system call filter, which it puts on itself before anything else runs.
//!
//! Not as PID 1 it is one of its own helpers, see `handover`.

mod children;
mod command;
mod confine;
mod dress;
mod files;
mod handover;
mod home;
mod ptys;
mod pump;
mod relay;
mod serve;
mod sessions;
mod starved;
mod streamed;
mod users;
mod world;

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use hourglass_agent::place;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use crate::starved::Starved;
use crate::world::World;

/// Why the agent could not start or go on.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("usage: hourglass-agent NAME USER [ENTRYPOINT…]")]
    Usage,
    #[error("could not {doing}: {error}")]
    System { doing: &'static str, error: String },
    #[error("{program}: {error}")]
    Entrypoint { program: String, error: String },
}

fn main() -> ExitCode {
    if std::process::id() != 1 {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        return handover::main(&arguments);
    }
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
    confine::confine().map_err(|error| Error::System { doing: "set the system call filter", error })?;
    let mut signals = Signals::new([SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2])
        .map_err(|error| Error::System { doing: "listen for signals", error: error.to_string() })?;

    let world = Arc::new(World::new(&user));
    let entry = start(&world, &entrypoint)?;
    serve::start(&world)
        .map_err(|error| Error::System { doing: "answer the host", error: error.to_string() })?;

    // Signals may have come before the loop; one look at the children makes up for a missed one.
    let children = &world.children;
    let mut starved = Starved::new();
    let mut last = 0;
    for signal in std::iter::once(SIGCHLD).chain(signals.forever()) {
        match signal {
            SIGCHLD => {}
            SIGTERM => {
                children.leave();
                // Shells that believe they are used by a person do not go when asked so. On a thread, because their
                // ends are taken here; without one they are killed when the grace is over.
                let told = Arc::clone(&world);
                let tell = move || told.ptys.hang_up(&told.children);
                let _ = std::thread::Builder::new().name("hang up".to_owned()).spawn(tell);
            }
            other => children.forward(entry, other),
        }
        let reaped = children.reap(entry);
        last = reaped.entry.unwrap_or(last);
        if reaped.entry.is_some() && !children.leaving() || children.leaving() && reaped.none_left {
            let shared = Path::new(place::SHARED);
            if reaped.entry.is_some() && starved.entry_ended() {
                let _ = std::fs::write(shared.join(place::STARVED), []);
            }
            let _ = std::fs::write(shared.join(place::EXIT), last.to_string());
            return Ok(last);
        }
        if reaped.entry.is_none() {
            starved.other_ended();
        }
    }
    Ok(last)
}

/// Run the entrypoint, if there is one. Without one the agent itself is what keeps the sandbox alive.
fn start(world: &World, entrypoint: &[String]) -> Result<Option<i32>, Error> {
    let Some((program, arguments)) = entrypoint.split_first() else { return Ok(None) };
    let unusable = |error: String| Error::Entrypoint { program: program.clone(), error };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    let dressed =
        dress::account(&world.user).and_then(|account| dress::dress(&mut command, &account, &[], None));
    dressed.map_err(|failure| unusable(failure.to_string()))?;
    let started = world.children.spawn(&mut command).map_err(|error| unusable(error.to_string()))?;
    Ok(Some(started.0))
}
