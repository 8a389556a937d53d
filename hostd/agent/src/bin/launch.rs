//! Makes one container from a bundle and starts it: `hourglass-launch ID STATE BUNDLE [GROUP…]`.
//!
//! A program of its own, because making a container forks, changes directory and sets process attributes. In the
//! host worker, which has many threads, a fork could copy a held lock and hang, and would keep the worker's files
//! open, its locks with them, in a half-made container after the worker was killed. Here there is one thread, and
//! exec has closed everything.

use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::ExitCode;

use libcontainer::container::Container;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [id, state, bundle, groups @ ..] = arguments.as_slice() else {
        return fail(&"usage: hourglass-launch ID STATE BUNDLE [GROUP…]".into());
    };
    match join(groups).and_then(|()| launch(id, state, bundle)) {
        Ok(pid) => {
            #[allow(clippy::print_stdout, reason = "the answer of a program run by another")]
            {
                println!("{pid}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

#[allow(clippy::print_stderr, reason = "the answer of a program run by another")]
fn fail(error: &Error) -> ExitCode {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !message.contains(&cause_text) {
            message = format!("{message}: {cause_text}");
        }
        source = cause.source();
    }
    eprintln!("{message}");
    ExitCode::FAILURE
}

/// Be in the sandbox's control groups before anything of it is, so that nothing half-made is ever outside.
fn join(groups: &[String]) -> Result<(), Error> {
    for group in groups {
        let file = Path::new(group).join("cgroup.procs");
        std::fs::write(&file, "0").map_err(|error| format!("could not join {group}: {error}"))?;
    }
    Ok(())
}

fn launch(id: &str, state: &str, bundle: &str) -> Result<i32, Error> {
    let mut container = ContainerBuilder::new(id.to_owned(), SyscallType::default())
        .with_root_path(state)?
        // The container outlives whoever asked for it, so it must hold none of their pipes.
        .with_stdin(nowhere()?)
        .with_stdout(nowhere()?)
        .with_stderr(nowhere()?)
        .as_init(bundle)
        .with_systemd(false)
        .with_detach(true)
        .build()?;
    let pid = container.pid().ok_or("the container has no process")?.as_raw();
    let started = container.start();
    started.inspect_err(|_| abandon(&mut container))?;
    Ok(pid)
}

/// A container that cannot be started must not wait for ever to be.
fn abandon(container: &mut Container) {
    let _ = container.kill(nix_signal(), true);
}

fn nix_signal() -> libcontainer::signal::Signal {
    libcontainer::signal::Signal::try_from(9).unwrap_or_else(|_| std::process::abort())
}

fn nowhere() -> Result<OwnedFd, Error> {
    Ok(OpenOptions::new().read(true).write(true).open("/dev/null")?.into())
}
