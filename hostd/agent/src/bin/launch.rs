//! Makes one container from a bundle and starts it: `hourglass-launch ID STATE BUNDLE [GROUP…]`.
//!
//! A program of its own, because making a container forks, changes directory and sets process attributes. In the
//! host worker, which has many threads, a fork could copy a held lock and hang, and would keep the worker's files
//! open, its locks with them, in a half-made container after the worker was killed. Here there is one thread, and
//! exec has closed everything.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

use libcontainer::container::Container;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

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
    let mut finish = || -> Result<(), Error> {
        raise_loopback(pid)?;
        container.start()?;
        Ok(())
    };
    finish().inspect_err(|_| abandon(&mut container))?;
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

/// Bring up the loopback device of the container's network, which is born down.
fn raise_loopback(pid: i32) -> Result<(), Error> {
    setns(File::open(format!("/proc/{pid}/ns/net"))?, CloneFlags::CLONE_NEWNET)?;
    let netlink =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    // The first device of every network is its loopback.
    let message = link_up(1);
    send(netlink.as_raw_fd(), &message, MsgFlags::empty())?;
    let mut answer = [0; 256];
    let read = recv(netlink.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    let code = answer.get(16..20).filter(|_| read >= 20).and_then(|bytes| bytes.try_into().ok());
    match code.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(error) => Err(std::io::Error::from_raw_os_error(-error).into()),
        None => Err("the kernel's answer about the loopback device was cut short".into()),
    }
}

/// The request "set this link up, and say so": a netlink header and an interface message, as `rtnetlink(7)` has them.
fn link_up(index: i32) -> Vec<u8> {
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_AND_ACKNOWLEDGE: u16 = 1 | 4;
    const UP: u32 = 1;
    let mut message = Vec::with_capacity(32);
    message.extend(32_u32.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(REQUEST_AND_ACKNOWLEDGE.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([0; 4]);
    message.extend(index.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message
}
