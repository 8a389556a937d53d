//! What goes on inside sandboxes right now on somebody's behalf: commands and tunnels.
//!
//! Each is a task of its own and a use of its sandbox from before its first byte until it is over, however it ends.
//! Whether one may begin is the agent's to say; here they are only carried, counted and closed.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hourglass_events::{OrderNumber, SandboxId};
use hourglass_tunnel::{Dial, Tunnel, WINDOW};
use tokio::io::{AsyncWriteExt, BufReader, copy_buf, split};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, Id, JoinSet};

use crate::driver::{Command, Driver, ExecError, Ran, Stream};
use crate::ledger::Flush;

/// The most tunnels and commands at once.
pub(super) const TRAFFIC_MOST: usize = 4_096;

/// How long the inside may go on talking to a caller that says nothing more. Whoever is root inside could otherwise
/// hold on to a tunnel that nobody uses, and count as used for ever.
const LINGER: Duration = Duration::from_secs(60);

/// Everything under way.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    tasks: JoinSet<()>,
    flows: BTreeMap<Id, Flow>,
}

/// One command or tunnel.
#[derive(Debug)]
struct Flow {
    sandbox: SandboxId,
    number: OrderNumber,
    /// What closes it when its sandbox is to end. A command has none: it ends with its sandbox, and may finish in the
    /// sandbox's grace.
    close: Option<AbortHandle>,
}

/// What carrying something needs.
#[derive(Debug)]
pub(super) struct Road {
    pub(super) driver: Arc<dyn Driver>,
    pub(super) flush: Remember,
}

/// Makes a use durable before it begins.
#[derive(Clone)]
pub(super) struct Remember(pub(super) Flush);

impl Traffic {
    pub(super) fn is_full(&self) -> bool {
        self.flows.len() >= TRAFFIC_MOST
    }

    /// Run `command` in the life `number` of a sandbox, and answer. When nobody waits for the answer, it is given up.
    pub(super) fn command(
        &mut self,
        (sandbox, number): (SandboxId, OrderNumber),
        command: Command,
        mut answer: oneshot::Sender<Result<Ran, ExecError>>,
        road: Road,
    ) {
        let work = async move {
            road.flush.remember().await;
            tokio::select! {
                ran = road.driver.exec(sandbox, command) => {
                    // Whoever gave up meanwhile does not need to know.
                    let _ = answer.send(ran);
                }
                () = answer.closed() => {}
            }
        };
        let task = self.tasks.spawn(work);
        self.flows.insert(task.id(), Flow { sandbox, number, close: None });
    }

    /// Open a tunnel into the life `number` of a sandbox, say so, and carry its bytes.
    pub(super) fn tunnel(&mut self, number: OrderNumber, dial: Dial, road: Road) {
        let sandbox = dial.sandbox;
        let task = self.tasks.spawn(open(dial, road));
        self.flows.insert(task.id(), Flow { sandbox, number, close: Some(task) });
    }

    /// Close the tunnels of a sandbox, but for those into the life `open`.
    pub(super) fn close(&self, sandbox: SandboxId, open: Option<OrderNumber>) {
        let closed = |flow: &&Flow| flow.sandbox == sandbox && Some(flow.number) != open;
        for task in self.flows.values().filter(closed).filter_map(|flow| flow.close.as_ref()) {
            task.abort();
        }
    }

    /// The next one that is over. Waits for one; dropping the future loses none.
    pub(super) async fn ended(&mut self) -> (SandboxId, OrderNumber) {
        loop {
            let Some(ended) = self.tasks.join_next_with_id().await else { return pending().await };
            let id = match ended {
                Ok((id, ())) => id,
                Err(error) => {
                    if error.is_panic() {
                        tracing::error!(%error, "a tunnel or command panicked");
                    }
                    error.id()
                }
            };
            if let Some(flow) = self.flows.remove(&id) {
                return (flow.sandbox, flow.number);
            }
        }
    }
}

async fn open(dial: Dial, road: Road) {
    let Dial { sandbox, number: _, target, stream, mut answer } = dial;
    road.flush.remember().await;
    let opened = tokio::select! {
        opened = road.driver.connect(sandbox, target) => opened,
        () = answer.closed() => return,
    };
    match opened {
        Ok(inside) => {
            if answer.send(Ok(())).is_ok() {
                carry(stream, inside).await;
            }
        }
        Err(refused) => {
            let _ = answer.send(Err(refused));
        }
    }
}

/// Carry bytes both ways until the inside has said its last, or the caller has and the inside does not come to an end.
async fn carry(caller: Tunnel, inside: Box<dyn Stream>) {
    let (from_caller, mut to_caller) = split(caller);
    let (from_inside, mut to_inside) = split(inside);
    let inward = async {
        let mut from = BufReader::with_capacity(WINDOW / 4, from_caller);
        // However it came about: the caller says nothing more.
        let _: io::Result<u64> = copy_buf(&mut from, &mut to_inside).await;
        let _ = to_inside.shutdown().await;
        tokio::time::sleep(LINGER).await;
    };
    let outward = async {
        let mut from = BufReader::with_capacity(WINDOW / 4, from_inside);
        let _: io::Result<u64> = copy_buf(&mut from, &mut to_caller).await;
        let _ = to_caller.shutdown().await;
    };
    tokio::select! {
        () = inward => {}
        () = outward => {}
    }
}

impl Remember {
    /// A use must be remembered before it begins: were it lost with the process, the sandbox would be told to be idle
    /// for longer than it is, and stopped too early.
    async fn remember(&self) {
        let flush = Arc::clone(&self.0);
        // Without a ledger the worker goes on; what is lost then is said where it is lost.
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || flush()).await {
            tracing::error!("{error}");
        }
    }
}

impl std::fmt::Debug for Remember {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remember").finish_non_exhaustive()
    }
}
