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

use hourglass_agent::frame::{read, write};
use hourglass_agent::{Failure, Places, Pong, Reply, Request, VERSION, place};
use serde::Serialize;

use crate::world::World;
use crate::{command, dress, handover, ptys, relay, sessions, streamed};

/// Listen, and answer from now on.
pub(crate) fn start(world: &Arc<World>) -> io::Result<()> {
    let path = Path::new(place::SHARED).join(place::SOCKET);
    let listener = UnixListener::bind(&path)?;
    let world = Arc::clone(world);
    Builder::new().name("door".to_owned()).spawn(move || {
        for caller in listener.incoming().flatten() {
            let world = Arc::clone(&world);
            let kept = caller.try_clone();
            let inside = Builder::new().name("caller".to_owned()).spawn(move || answer(&world, caller));
            // A sandbox out of processes cannot start a thread either; its host should hear why.
            if let (Err(error), Ok(caller)) = (inside, kept) {
                say(&caller, &no_room(&error));
            }
        }
    })?;
    Ok(())
}

fn no_room(error: &io::Error) -> Reply<()> {
    Err(Failure::System { doing: "make room for the request".to_owned(), error: error.to_string() })
}

fn answer(world: &Arc<World>, caller: UnixStream) {
    match read::<Request>(&caller) {
        Ok(Request::Ping) => say(&caller, &Pong { version: VERSION }),
        Ok(Request::Run(run)) => say(&caller, &command::run(world, &run, &caller)),
        Ok(Request::Start(program)) => streamed::start(world, &program, &caller),
        Ok(Request::Places) => say(&caller, &places(world)),
        // The connection is another process's from here on.
        Ok(Request::Files) => return handover::files(world, caller),
        Ok(Request::Sessions(request)) => sessions::answer(world, request, &caller),
        Ok(Request::Ptys(request)) => ptys::answer(world, request, &caller),
        Ok(Request::Port(port)) => relay::port(port, &caller),
        Err(error) => say::<Reply<()>>(&caller, &Err(Failure::wrong(error.to_string()))),
    }
    let _ = caller.shutdown(Shutdown::Both);
}

/// Say something to a caller, who may be gone.
pub(crate) fn say<T: Serialize>(caller: &UnixStream, message: &T) {
    let _ = write(caller, message);
}

fn places(world: &World) -> Reply<Places> {
    let account = dress::account(&world.user)?;
    let home = dress::home(&account).to_owned();
    Ok(Places { user: account.name, work: home.clone(), home })
}
