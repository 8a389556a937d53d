//! Tunnels: bytes between an engine and the inside of a sandbox, through the sandbox's host.
//!
//! Orders and news are facts and meet in `events`; this is what else an engine and a host must agree on, and nothing
//! more. An engine makes a [`Dial`] and sends it to a host, over whatever connects the two; the host opens the way
//! into the sandbox and says so, or refuses. From then on bytes flow, never more than [`WINDOW`] ahead of whoever
//! reads them. What they mean is not known here: the words spoken with a sandbox's agent are the agent's.

use hourglass_events::{OrderNumber, SandboxId};
use serde::{Deserialize, Serialize};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::oneshot;

/// The most bytes on their way in a tunnel, each way. Whoever writes more waits.
pub const WINDOW: usize = 256 << 10;

/// How many dials may wait on one link for a host to take them in.
pub const DIALS: usize = 256;

/// An open tunnel, as bytes to read and to write. It is closed by dropping it, and by the host when the sandbox ends.
pub type Tunnel = DuplexStream;

/// Where a tunnel leads inside the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Target {
    /// To its agent, for one request.
    Agent,
    /// To this TCP port on its loopback.
    Port(u16),
}

/// An engine's wish for a tunnel, with the host's end of it.
#[derive(Debug)]
pub struct Dial {
    /// The sandbox.
    pub sandbox: SandboxId,
    /// The life of it that is meant: the order that booted it.
    pub number: OrderNumber,
    /// Where to inside.
    pub target: Target,
    /// The host's end.
    pub stream: DuplexStream,
    /// Where the host says that the tunnel is open, or why it is not.
    pub answer: oneshot::Sender<Result<(), Refused>>,
}

/// An engine's end of a tunnel that a host has not opened yet.
#[derive(Debug)]
pub struct Opening {
    stream: DuplexStream,
    answered: oneshot::Receiver<Result<(), Refused>>,
}

impl Dial {
    /// A wish, and the engine's end of the tunnel it is for.
    #[must_use]
    pub fn new(sandbox: SandboxId, number: OrderNumber, target: Target) -> (Self, Opening) {
        let (ours, stream) = duplex(WINDOW);
        let (answer, answered) = oneshot::channel();
        (Self { sandbox, number, target, stream, answer }, Opening { stream: ours, answered })
    }
}

impl Opening {
    /// The tunnel, once the host has opened it. Dropping the future takes the wish back.
    pub async fn opened(self) -> Result<Tunnel, Refused> {
        match self.answered.await {
            Ok(Ok(())) => Ok(self.stream),
            Ok(Err(refused)) => Err(refused),
            Err(_) => Err(Refused::Gone),
        }
    }
}

/// Why a host did not open a tunnel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    /// Nothing of that sandbox runs there in that life, or it is being ended.
    #[error("sandbox {0} is not running on its host")]
    NotRunning(SandboxId),
    /// The agent inside cannot be reached.
    #[error("the agent inside the sandbox cannot be reached: {0}")]
    Agent(String),
    /// Nobody answers at that port.
    #[error("nothing inside the sandbox answers on port {port}: {why}")]
    Port {
        /// The port.
        port: u16,
        /// What the system inside said.
        why: String,
    },
    /// The host carries as many tunnels and commands as it may.
    #[error("the host carries {most} tunnels and commands at once, which is the most; try again later")]
    Busy {
        /// How many it may carry.
        most: usize,
    },
    /// The host went away before it answered.
    #[error("the sandbox's host went away before it answered")]
    Gone,
}
