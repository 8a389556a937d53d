//! Work on files, in a process that is the sandbox's user and answers one request.

mod change;
mod look;
mod search;
mod stream;

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::Builder;

use hourglass_agent::files::Request;
use hourglass_agent::frame::read;
use hourglass_agent::{Failure, Reply};
use serde::Serialize;

use crate::serve::say;

/// Answer the caller at standard input.
pub(crate) fn serve() -> ExitCode {
    let Ok(caller) = std::io::stdin().as_fd().try_clone_to_owned() else { return ExitCode::FAILURE };
    let caller = UnixStream::from(caller);
    match read::<Request>(&caller) {
        Ok(request) => answer(request, &caller),
        Err(error) => say::<Reply<()>>(&caller, &Err(Failure::wrong(error.to_string()))),
    }
    ExitCode::SUCCESS
}

fn answer(request: Request, caller: &UnixStream) {
    match request {
        Request::Write { path, mode, parents } => reply(caller, &stream::write(caller, &path, mode, parents)),
        Request::Read { path } => stream::read(caller, &path),
        Request::Info { path } => reply(caller, &look::info(&path)),
        Request::List { path, depth } => while_there(caller, || look::list(&path, depth)),
        Request::Delete { path, recursive } => reply(caller, &change::delete(&path, recursive)),
        Request::Move { from, to } => reply(caller, &change::rename(&from, &to)),
        Request::MakeFolder { path, mode } => reply(caller, &change::make_folder(&path, mode)),
        Request::SetPermissions { path, mode, owner, group } => {
            reply(caller, &change::set_permissions(&path, mode, owner.as_deref(), group.as_deref()));
        }
        Request::Find { path, text } => while_there(caller, || search::find(&path, &text)),
        Request::Search { path, pattern } => while_there(caller, || search::search(&path, &pattern)),
        Request::Replace { files, text, with } => reply(caller, &search::replace(&files, &text, &with)),
    }
}

fn reply<T: Serialize>(caller: &UnixStream, reply: &Reply<T>) {
    say(caller, reply);
}

/// Answer with what `work` finds, and do not go on looking for a caller that is gone.
fn while_there<T: Serialize>(caller: &UnixStream, work: impl FnOnce() -> Reply<T>) {
    if let Ok(mut watched) = caller.try_clone() {
        let _ = Builder::new().name("watch".to_owned()).spawn(move || {
            let _ = watched.read(&mut [0]);
            std::process::exit(1);
        });
    }
    reply(caller, &work());
}

/// `path` from the root. The process began at the place for work, from where relative paths lead.
fn whole(path: &str) -> Result<PathBuf, Failure> {
    if path.is_empty() || path.contains('\0') {
        return Err(Failure::wrong(format!(
            "{path:?} is no path; give one that is not empty and has no zero bytes"
        )));
    }
    std::path::absolute(path).map_err(|error| Failure::of(&error, "find", path))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Permissions as they may be asked for.
fn checked_mode(mode: u32) -> Result<u32, Failure> {
    if mode <= 0o7777 {
        return Ok(mode);
    }
    Err(Failure::wrong(format!("{mode:o} are no permissions; give octal digits up to 7777")))
}
