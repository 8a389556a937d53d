//! The terminals of the sandbox, and what is asked of them.

mod pty;

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hourglass_agent::ptys::{Create, PTYS_MOST, Pty as Described, Request, Stage};
use hourglass_agent::sessions::check_name;
use hourglass_agent::{Failure, Reply};
use serde::Serialize;

use self::pty::Pty;
use crate::children::Children;
use crate::serve::say;
use crate::world::{World, lock};

/// How soon a shell that has not ended is told again that its user is gone.
const AGAIN: Duration = Duration::from_millis(50);

/// All terminals, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Ptys {
    all: Mutex<Vec<Arc<Pty>>>,
}

/// Do what `caller` asks.
pub(crate) fn answer(world: &Arc<World>, request: Request, caller: &UnixStream) {
    match request {
        Request::Create(create) => reply(caller, &world.ptys.create(world, create)),
        Request::List => {
            let all = lock(&world.ptys.all).clone();
            reply(caller, &Ok(all.iter().map(|pty| pty.describe()).collect::<Vec<_>>()));
        }
        Request::Get { pty } => reply(caller, &world.ptys.find(&pty).map(|pty| pty.describe())),
        Request::Resize { pty, size } => {
            let resized = world.ptys.find(&pty).and_then(|pty| {
                pty.resize(size.checked()?)?;
                Ok(pty.describe())
            });
            reply(caller, &resized);
        }
        Request::Kill { pty } => reply(caller, &world.ptys.kill(world, &pty)),
        Request::Attach { pty } => match world.ptys.find(&pty).and_then(|pty| pty.start(world).map(|()| pty))
        {
            Ok(pty) => {
                reply(caller, &Ok(pty.describe()));
                pty.attend(caller);
            }
            Err(failure) => reply::<Described>(caller, &Err(failure)),
        },
    }
}

fn reply<T: Serialize>(caller: &UnixStream, reply: &Reply<T>) {
    say(caller, reply);
}

impl Ptys {
    fn create(&self, world: &Arc<World>, create: Create) -> Reply<Described> {
        check_name(&create.pty)?;
        create.size.checked()?;
        let mut all = lock(&self.all);
        if all.iter().any(|pty| pty.name() == create.pty) {
            return Err(Failure::Exists { what: what(&create.pty) });
        }
        let ended = |pty: &Arc<Pty>| matches!(pty.describe().stage, Stage::Ended(_));
        if all.len() >= PTYS_MOST {
            let Some(oldest) = all.iter().position(ended) else {
                return Err(Failure::TooMany { what: "terminals".to_owned(), most: PTYS_MOST as u64 });
            };
            all.remove(oldest);
        }
        let lazy = create.lazy;
        let pty = Arc::new(Pty::new(world, create)?);
        if !lazy {
            pty.start(world)?;
        }
        all.push(Arc::clone(&pty));
        Ok(pty.describe())
    }

    fn find(&self, name: &str) -> Reply<Arc<Pty>> {
        let found = lock(&self.all).iter().find(|pty| pty.name() == name).cloned();
        found.ok_or_else(|| Failure::Missing { what: what(name) })
    }

    fn kill(&self, world: &World, name: &str) -> Reply<()> {
        let pty = self.find(name)?;
        lock(&self.all).retain(|other| other.name() != name);
        pty.kill(&world.children);
        Ok(())
    }

    /// Tell the shells at terminals that their users are gone, and again until they have heard: one that is told while
    /// it turns to its next line reads on.
    pub(crate) fn hang_up(&self, children: &Children) {
        loop {
            let running: Vec<_> = lock(&self.all).iter().filter(|pty| pty.is_running()).cloned().collect();
            if running.is_empty() {
                return;
            }
            for pty in running {
                pty.hang_up(children);
            }
            std::thread::sleep(AGAIN);
        }
    }
}

fn what(name: &str) -> String {
    format!("the terminal {name:?}")
}
