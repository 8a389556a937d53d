//! Answering the host: a thread for each connection, one request on each.
//!
//! The socket lies in a directory only root may enter. It offers nothing that root in the sandbox could not do
//! anyway.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::Builder;

use hourglass_agent::{Answer, Request, VERSION, place, read, write};

use crate::children::Children;
use crate::command;

/// Listen, and answer from now on.
pub(crate) fn start(children: &Arc<Children>, user: &str) -> io::Result<()> {
    let path = Path::new(place::SHARED).join(place::SOCKET);
    let listener = UnixListener::bind(&path)?;
    let (children, user) = (Arc::clone(children), user.to_owned());
    Builder::new().name("door".to_owned()).spawn(move || {
        for caller in listener.incoming().flatten() {
            let (children, user) = (Arc::clone(&children), user.clone());
            let kept = caller.try_clone();
            let inside =
                Builder::new().name("caller".to_owned()).spawn(move || answer(&children, &user, &caller));
            // A sandbox out of processes cannot start a thread either; its host should hear why.
            if let (Err(error), Ok(caller)) = (inside, kept) {
                let _ = write(
                    &caller,
                    &Answer::Refused { why: format!("the sandbox has no room for it: {error}") },
                );
            }
        }
    })?;
    Ok(())
}

fn answer(children: &Children, user: &str, caller: &UnixStream) {
    let answer = match read::<Request>(caller) {
        Ok(Request::Ping) => Answer::Pong { version: VERSION },
        Ok(Request::Run(mut asked)) => {
            if asked.user.is_empty() {
                user.clone_into(&mut asked.user);
            }
            command::run(children, &asked, caller)
        }
        Err(error) => Answer::Refused { why: error.to_string() },
    };
    let _ = write(caller, &answer);
    let _ = caller.shutdown(Shutdown::Both);
}
