//! The sessions of the sandbox, and what is asked of them.

mod pipes;
mod session;
mod shell;

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use hourglass_agent::frame::write;
use hourglass_agent::sessions::{Request, SESSIONS_MOST, check_name};
use hourglass_agent::{End, Failure, Output, Reply};
use serde::Serialize;

use self::session::Session;
use crate::serve::say;
use crate::world::{World, lock};

/// All sessions, by name.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    all: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    sessions: BTreeMap<String, Arc<Session>>,
    /// How many there ever were: each has a number of its own.
    made: u64,
}

/// Do what `caller` asks.
pub(crate) fn answer(world: &Arc<World>, request: Request, caller: &UnixStream) {
    match request {
        Request::Create { session } => reply(caller, &world.sessions.create(world, &session)),
        Request::List => {
            let all = world.sessions.list();
            reply(caller, &Ok(all.iter().map(|session| session.describe()).collect::<Vec<_>>()));
        }
        Request::Get { session } => {
            reply(caller, &world.sessions.find(&session).map(|session| session.describe()));
        }
        Request::Delete { session } => reply(caller, &world.sessions.delete(world, &session)),
        Request::Execute { session, command, wait } => {
            let begun = world.sessions.find(&session).and_then(|session| {
                let number = session.enqueue(command)?;
                if wait {
                    session.await_end(number, caller);
                }
                session.executed(number)
            });
            reply(caller, &begun);
        }
        Request::Command { session, command } => {
            let found = world.sessions.find(&session);
            reply(caller, &found.and_then(|session| session.command(session.number(&command)?)));
        }
        Request::Logs { session, command } => {
            let found = world.sessions.find(&session);
            reply(caller, &found.and_then(|session| session.logs(session.number(&command)?)));
        }
        Request::Input { session, command, data } => {
            let found = world.sessions.find(&session);
            reply(
                caller,
                &found.and_then(|session| session.input(session.number(&command)?, &data.0, caller)),
            );
        }
        Request::Follow { session, command } => {
            let found = world.sessions.find(&session).and_then(|session| {
                let number = session.number(&command)?;
                Ok((session, number))
            });
            match found {
                Ok((session, number)) => follow(&session, number, caller),
                Err(failure) => reply::<()>(caller, &Err(failure)),
            }
        }
    }
}

fn reply<T: Serialize>(caller: &UnixStream, reply: &Reply<T>) {
    say(caller, reply);
}

/// Say what a command wrote and writes, until it has ended or the caller is gone.
fn follow(session: &Session, number: u64, caller: &UnixStream) {
    reply(caller, &Ok(()));
    let mut position = 0;
    while let Some(next) = session.next(number, position, caller) {
        let (said, last) = match next {
            Ok((said, after)) => {
                position = after;
                (said, false)
            }
            Err(code) => (Output::Ended(End { code, timed_out: false }), true),
        };
        if write(caller, &said).is_err() || last {
            return;
        }
    }
}

impl Sessions {
    fn create(&self, world: &Arc<World>, name: &str) -> Reply<()> {
        check_name(name)?;
        let mut all = lock(&self.all);
        if all.sessions.contains_key(name) {
            return Err(Failure::Exists { what: what(name) });
        }
        if all.sessions.len() >= SESSIONS_MOST {
            return Err(Failure::TooMany { what: "sessions".to_owned(), most: SESSIONS_MOST as u64 });
        }
        all.made += 1;
        let session = Session::begin(world, name, all.made)?;
        all.sessions.insert(name.to_owned(), session);
        Ok(())
    }

    fn list(&self) -> Vec<Arc<Session>> {
        lock(&self.all).sessions.values().cloned().collect()
    }

    fn find(&self, name: &str) -> Reply<Arc<Session>> {
        let missing = || Failure::Missing { what: what(name) };
        lock(&self.all).sessions.get(name).cloned().ok_or_else(missing)
    }

    fn delete(&self, world: &World, name: &str) -> Reply<()> {
        let removed = lock(&self.all).sessions.remove(name);
        let session = removed.ok_or_else(|| Failure::Missing { what: what(name) })?;
        session.end(world);
        Ok(())
    }
}

fn what(name: &str) -> String {
    format!("the session {name:?}")
}
