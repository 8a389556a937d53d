//! Ways into running sandboxes: which host has one, and whether that host is there to open the way.
//!
//! The read model says where a sandbox runs and in which life; its host decides. What is said through a tunnel is not
//! known here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hourglass_events::{HostId, Sandbox, SandboxId, State};
use hourglass_tunnel::{Dial, Refused, Target, Tunnel};
use tokio::sync::mpsc;

/// How long a host may take to open a tunnel.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no tunnel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// There is no such sandbox.
    #[error("there is no sandbox {0}")]
    Unknown(SandboxId),
    /// It does not run.
    #[error("sandbox {sandbox} is {state}; start it first")]
    NotRunning {
        /// The sandbox.
        sandbox: SandboxId,
        /// Where it is.
        state: State,
    },
    /// It runs, and its host is not connected.
    #[error("the host of sandbox {sandbox} is not connected; try again once it is back")]
    Disconnected {
        /// The sandbox.
        sandbox: SandboxId,
        /// Its host.
        host: HostId,
    },
    /// Its host does not answer.
    #[error("the host of sandbox {sandbox} did not answer within {} s", after.as_secs())]
    Silent {
        /// The sandbox.
        sandbox: SandboxId,
        /// Its host.
        host: HostId,
        /// How long was waited.
        after: Duration,
    },
    /// Its host refused.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// The connected hosts, as far as tunnels are concerned.
#[derive(Debug, Default)]
pub(crate) struct Roads {
    hosts: Mutex<BTreeMap<HostId, mpsc::Sender<Dial>>>,
}

impl Roads {
    /// A host is connected, by a new link. The one before is used no more.
    pub(crate) fn open(&self, host: HostId, road: mpsc::Sender<Dial>) {
        self.hosts().insert(host, road);
    }

    /// The link that had brought `road` has ended.
    pub(crate) fn close(&self, host: HostId, road: &mpsc::Sender<Dial>) {
        let mut hosts = self.hosts();
        if hosts.get(&host).is_some_and(|present| present.same_channel(road)) {
            hosts.remove(&host);
        }
    }

    /// A tunnel into `sandbox`, which was looked up under `id`.
    pub(crate) async fn dial(
        &self,
        id: SandboxId,
        sandbox: Option<&Sandbox>,
        target: Target,
    ) -> Result<Tunnel, DialError> {
        let found = sandbox.ok_or(DialError::Unknown(id))?;
        let not_running = DialError::NotRunning { sandbox: id, state: found.state };
        let (Some(host), Some(boot), true) = (found.host, found.boot, is_open(found)) else {
            return Err(not_running);
        };
        let gone = DialError::Disconnected { sandbox: id, host };
        let road = self.hosts().get(&host).cloned().ok_or(gone.clone())?;
        let (dial, opening) = Dial::new(id, boot, target);
        let opened = async {
            road.send(dial).await.map_err(|_| gone)?;
            Ok(opening.opened().await?)
        };
        let silent = DialError::Silent { sandbox: id, host, after: PATIENCE };
        tokio::time::timeout(PATIENCE, opened).await.unwrap_or(Err(silent))
    }

    fn hosts(&self) -> MutexGuard<'_, BTreeMap<HostId, mpsc::Sender<Dial>>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the inside of a sandbox may be spoken with: it runs, and is not being ended.
fn is_open(sandbox: &Sandbox) -> bool {
    match sandbox.state {
        State::Started => true,
        State::Resizing | State::Snapshotting | State::Forking => sandbox.origin == Some(State::Started),
        State::Unknown
        | State::PendingBuild
        | State::BuildingSnapshot
        | State::BuildFailed
        | State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Stopping
        | State::Stopped
        | State::Pausing
        | State::Paused
        | State::Resuming
        | State::Archiving
        | State::Archived
        | State::Restoring
        | State::Deleting
        | State::Deleted
        | State::Error => false,
    }
}
