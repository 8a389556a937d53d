//! The pretended agent of a scripted sandbox: the words of the real one, said about pretended files and commands.

mod files;
mod ptys;
mod run;
mod sessions;

use std::sync::{Arc, Mutex};

use hourglass_agent::client::{receive, send};
use hourglass_agent::{Failure, FrameError, Places, Pong, Reply, Request, VERSION};
use hourglass_events::{OrderNumber, Plan, SandboxId};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt, DuplexStream, duplex};
use tokio::sync::Notify;

pub(super) use self::ptys::Ptys;
pub(super) use self::sessions::Sessions;
use super::files::Files;
use super::machine::Machine;
use super::shell::{Setting, Stage, home};
use super::{Scripted, lock};

/// How many bytes may be on their way to or from a pretended agent.
const WINDOW: usize = 64 << 10;

/// A way into one life of a scripted sandbox.
#[derive(Debug, Clone)]
struct Door {
    machine: Arc<Mutex<Machine>>,
    changed: Arc<Notify>,
    sandbox: SandboxId,
    number: OrderNumber,
}

/// What there is in it.
#[derive(Debug)]
pub(super) struct Room<'a> {
    pub(super) files: &'a mut Files,
    pub(super) plan: &'a Plan,
    pub(super) sessions: &'a mut Sessions,
    pub(super) ptys: &'a mut Ptys,
}

impl Room<'_> {
    /// Where a command with this place of its own runs.
    fn setting<'a>(&'a mut self, stage: &'a mut Stage) -> Setting<'a> {
        Setting { files: &mut *self.files, plan: self.plan, stage }
    }
}

/// Why an answer ended early.
enum Stopped {
    /// The life is over: nothing more is said.
    Over,
    /// The caller is gone, or is not understood.
    Caller(FrameError),
}

impl From<FrameError> for Stopped {
    fn from(error: FrameError) -> Self {
        Self::Caller(error)
    }
}

/// A connection to the pretended agent of `sandbox`, in the life `number`. It breaks when that life is over.
pub(super) fn open(driver: &Scripted, sandbox: SandboxId, number: OrderNumber) -> DuplexStream {
    let (ours, mut theirs) = duplex(WINDOW);
    let (machine, changed) = (Arc::clone(&driver.machine), Arc::clone(&driver.changed));
    let door = Door { machine, changed, sandbox, number };
    tokio::spawn(async move {
        let over = door.until(|machine| (machine.running(sandbox) != Some(number)).then_some(()));
        tokio::select! {
            biased;
            () = over => {}
            answered = answer(&door, &mut theirs) => match answered {
                Ok(()) | Err(Stopped::Over) => {}
                Err(Stopped::Caller(error)) => tracing::debug!(%sandbox, %error, "a caller of a scripted agent"),
            },
        }
    });
    ours
}

async fn answer(door: &Door, caller: &mut DuplexStream) -> Result<(), Stopped> {
    match receive::<Request>(caller).await? {
        Request::Ping => Ok(send(caller, &Pong { version: VERSION }).await?),
        Request::Run(run) => run::to_its_end(door, &run, caller).await,
        Request::Start(program) => run::staying(door, &program, caller).await,
        Request::Places => {
            let places = door.with(|room| {
                let user = room.plan.user.clone();
                Places { home: home(&user), work: home(&user), user }
            })?;
            reply(caller, &Ok(places)).await
        }
        Request::Files => files::answer(door, caller).await,
        Request::Sessions(request) => sessions::answer(door, request, caller).await,
        Request::Ptys(request) => ptys::answer(door, request, caller).await,
        Request::Port(port) => {
            let failure = Failure::System {
                doing: format!("connect to port {port}"),
                error: "nothing listens in a scripted sandbox".to_owned(),
            };
            reply::<()>(caller, &Err(failure)).await
        }
    }
}

async fn reply<T: Serialize>(caller: &mut DuplexStream, reply: &Reply<T>) -> Result<(), Stopped> {
    Ok(send(caller, reply).await?)
}

/// Waits until a caller who says nothing more is gone.
async fn gone(caller: &mut (impl AsyncRead + Unpin)) {
    let _ = caller.read(&mut [0]).await;
}

impl Door {
    /// Look at what is inside, or change it.
    fn with<T>(&self, work: impl FnOnce(&mut Room<'_>) -> T) -> Result<T, Stopped> {
        let done = lock(&self.machine).inside(self.sandbox, self.number).map(|mut room| work(&mut room));
        self.changed.notify_waiters();
        done.ok_or(Stopped::Over)
    }

    /// Waits for `look` to find something on the machine.
    async fn until<T>(&self, mut look: impl FnMut(&mut Machine) -> Option<T>) -> T {
        super::wait(&self.changed, || look(&mut lock(&self.machine))).await
    }

    /// Waits for `look` to find something inside.
    async fn find<T>(&self, mut look: impl FnMut(&mut Room<'_>) -> Option<T>) -> Result<T, Stopped> {
        self.until(|machine| match machine.inside(self.sandbox, self.number) {
            Some(mut room) => look(&mut room).map(Ok),
            None => Some(Err(Stopped::Over)),
        })
        .await
    }
}
