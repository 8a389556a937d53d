//! What a host worker remembers across its own restarts: which orders it has done, which reports were not yet
//! acknowledged, and when sandboxes were last used.
//!
//! Nothing lives here alone. Without a ledger the objects on the machine say what runs under which order, and the
//! engine sends again what is still owed; what is lost is precision (an exit's cause, an age). Only one thing must
//! never go back: the incarnation, from which the serials of reports are made. It is therefore also held up by the
//! wall clock.

mod memory;
#[cfg(feature = "host")]
mod sled;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use hourglass_events::{
    ExitCause, Finding, Incarnation, OrderNumber, Report, SandboxId, ShardNumber, TaskKind, Timestamp,
};
use serde::{Deserialize, Serialize};

pub use self::memory::MemoryLedger;
#[cfg(feature = "host")]
pub use self::sled::SledLedger;
use crate::activity::Use;

/// Where a host worker writes down what it wants to remember.
pub trait Ledger: Send {
    /// Begin a life of the worker: everything remembered, under an incarnation later than every one before.
    fn begin(&mut self, wall: Timestamp) -> Result<Memory, LedgerError>;

    /// Remember these together or not at all. They need not be durable when this returns.
    fn write(&mut self, writes: &[Write]) -> Result<(), LedgerError>;

    /// What makes durable what was written, for any thread. It may block, and does nothing once the ledger is gone.
    fn flusher(&self) -> Flush;
}

/// Makes durable what was written to a ledger.
pub type Flush = Arc<dyn Fn() -> Result<(), LedgerError> + Send + Sync>;

/// All that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// Which life of the worker this is.
    pub incarnation: Incarnation,
    /// The sandboxes it had orders for.
    pub sandboxes: BTreeMap<SandboxId, Entry>,
    /// The reports not yet acknowledged, by serial.
    pub reports: BTreeMap<u64, Report>,
    /// The use of those that ran.
    pub uses: BTreeMap<SandboxId, Use>,
}

/// What is remembered of one sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Entry {
    /// The shard it belongs to, once an order or a question named it.
    pub shard: Option<ShardNumber>,
    /// The newest order seen. Older ones are ignored.
    pub newest: OrderNumber,
    /// The latest order that ended here.
    pub settled: Option<Settled>,
    /// What runs.
    pub boot: Option<Boot>,
    /// How the last life ended, until the next begins.
    pub ended: Option<Ended>,
}

/// An order that ended, so that its report can be repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The order.
    pub number: OrderNumber,
    /// What it asked for.
    pub task: TaskKind,
    /// What was found.
    pub finding: Finding,
    /// The serial of its report. A repeat is the same fact and keeps it.
    pub serial: u64,
}

/// A life of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// The order that booted it.
    pub number: OrderNumber,
    /// Whether the engine was told. An exit before that is no news: the order is not done yet and boots it again.
    pub announced: bool,
}

/// The end of a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The order that had booted it.
    pub number: OrderNumber,
    /// Why it ended.
    pub cause: ExitCause,
}

/// One change to what is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// This is what is known of a sandbox.
    Sandbox(SandboxId, Entry),
    /// Nothing need be known of a sandbox any more.
    Forget(SandboxId),
    /// This report is to be repeated until it is acknowledged.
    Report(Report),
    /// The report with this serial need not be repeated.
    Drop(u64),
    /// When a running sandbox was last used.
    Use(SandboxId, Use),
    /// A sandbox does not run any more.
    Unused(SandboxId),
}

impl Memory {
    /// What is remembered after `write`.
    pub fn apply(&mut self, write: &Write) {
        match write {
            Write::Sandbox(sandbox, entry) => {
                self.sandboxes.insert(*sandbox, entry.clone());
            }
            Write::Forget(sandbox) => {
                self.sandboxes.remove(sandbox);
            }
            Write::Report(report) => {
                self.reports.insert(report.serial, report.clone());
            }
            Write::Drop(serial) => {
                self.reports.remove(serial);
            }
            Write::Use(sandbox, last) => {
                self.uses.insert(*sandbox, *last);
            }
            Write::Unused(sandbox) => {
                self.uses.remove(sandbox);
            }
        }
    }

    /// The incarnation after this one at the time `wall`: it grows with the clock too, so that a lost ledger does
    /// not bring an old one back.
    #[must_use]
    pub fn next_incarnation(&self, wall: Timestamp) -> Incarnation {
        Incarnation((self.incarnation.0 + 1).max(wall.0 / 1_000_000))
    }
}

/// Why a ledger cannot be used. A damaged one is no such reason: it is moved aside and built anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Somebody else has it open.
    #[error(
        "the host ledger {path} is in use; end the other host worker, or give this one its own directory"
    )]
    InUse {
        /// Where it is.
        path: PathBuf,
    },
    /// It could not be opened or read.
    #[error("the host ledger {path} could not be opened: {error}; check that its directory is writable")]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
    /// It could not be written.
    #[error("the host ledger {path} could not be written: {error}; free storage on the host")]
    Unwritable {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
}
