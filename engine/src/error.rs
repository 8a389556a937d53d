//! Why an engine could not start, or a request was not answered as hoped.

use std::path::PathBuf;

use hourglass_events::{Fault, Refusal, SandboxId, ShardNumber, Span, State};
use hourglass_kernel::{CheckpointError, Halt, ReplayError, Slot};

use crate::log::ReadError;
use crate::log::segments::OpenError;
use crate::vault::VaultError;

/// Why an engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The log could not be opened.
    #[error("the log of shard {shard} could not be opened")]
    Open {
        /// The shard.
        shard: ShardNumber,
        /// Why not.
        source: OpenError,
    },
    /// The log could not be read.
    #[error("the log of shard {shard} could not be read")]
    Read {
        /// The shard.
        shard: ShardNumber,
        /// Why not.
        source: ReadError,
    },
    /// The log could not be folded, or not be written to.
    #[error("the log of shard {shard} could not be taken over")]
    Replay {
        /// The shard.
        shard: ShardNumber,
        /// Why not.
        source: ReplayError,
    },
    /// A read model could not follow the log, which is a defect of this build.
    #[error("the read model of shard {shard} cannot follow its log, which is a defect")]
    Project {
        /// The shard.
        shard: ShardNumber,
        /// Why not.
        source: hourglass_projections::ApplyError,
    },
    /// The checkpoint knows more than the log.
    #[error(
        "the checkpoint of shard {shard} stands on slot {checkpoint}, but the log ends before slot {end}: acknowledged \
         records are missing; restore the log, or delete {path} to go on without them"
    )]
    CheckpointAhead {
        /// The shard.
        shard: ShardNumber,
        /// The slot it stands on.
        checkpoint: Slot,
        /// The first empty slot of the log.
        end: Slot,
        /// The checkpoint's file.
        path: PathBuf,
    },
    /// The checkpoint stands on a group that is not in the log.
    #[error(
        "the checkpoint of shard {shard} stands on another group than slot {slot} of the log holds: one of them is from \
         another log; restore what belongs together, or delete {path}"
    )]
    CheckpointForeign {
        /// The shard.
        shard: ShardNumber,
        /// The slot.
        slot: Slot,
        /// The checkpoint's file.
        path: PathBuf,
    },
    /// The checkpoint cannot be used.
    #[error("the checkpoint {path} cannot be read")]
    Checkpoint {
        /// Its file.
        path: PathBuf,
        /// Why not.
        source: CheckpointError,
    },
    /// The data directory cannot be used.
    #[error("{path} could not be {doing}: {source}; choose another data directory or mend this one")]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, as a participle.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The vault cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A request made while starting was refused.
    #[error(transparent)]
    Asked(#[from] AskError),
    /// The shard ended before it served.
    #[error("shard {shard} could not be taken over in {place}: {why}")]
    Ended {
        /// The shard.
        shard: ShardNumber,
        /// Where its log is.
        place: String,
        /// Why it ended.
        why: Ended,
    },
}

/// Why a shard is served no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// It was asked to end.
    #[error("the engine was told to end")]
    Shutdown,
    /// It could not be taken over, because that is written down first.
    #[error("its log has no room left; make some and start again, nothing was changed")]
    Full,
    /// The writer stopped, and another one would stop as well.
    #[error("{0}")]
    Halted(Halt),
    /// Storage failed, and the log could not be opened again afterwards.
    #[error("its storage failed, and then its log could not be opened: {why}")]
    Unopened {
        /// Why not.
        why: String,
    },
    /// The writer panicked.
    #[error("its writer failed, which is a defect of this build")]
    Defect,
}

/// Why a request was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The kernel refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The values of a sandbox's variables could not be kept, so it was not asked for.
    #[error("the environment could not be kept: {why}; mend that, then repeat the request")]
    Vault {
        /// Why not.
        why: String,
    },
    /// The engine is going down.
    #[error(
        "the engine is going down; what it had not answered may have been done or not, so repeat the request with its \
         idempotency key once it is back"
    )]
    Closed,
    /// The engine goes on, but not with this shard. It comes back when the engine is started again.
    #[error(
        "this engine serves shard {shard} no longer ({why}); what it had not answered may have been done or not, so \
         start it again and repeat the request with its idempotency key"
    )]
    Ended {
        /// The shard.
        shard: ShardNumber,
        /// Why it ended.
        why: Box<Ended>,
    },
}

/// Why waiting for a state ended without it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// Time ran out.
    #[error("sandbox {sandbox} is {state} after {after}")]
    TimedOut {
        /// The sandbox.
        sandbox: SandboxId,
        /// Where it is.
        state: State,
        /// How long was waited.
        after: Span,
    },
    /// It failed on the way.
    #[error("sandbox {sandbox} failed: {}", fault.as_ref().map_or_else(|| "no fault was recorded".to_owned(), ToString::to_string))]
    Failed {
        /// The sandbox.
        sandbox: SandboxId,
        /// What went wrong.
        fault: Option<Fault>,
    },
    /// It is gone, or never was.
    #[error("there is no sandbox {0}")]
    Gone(SandboxId),
    /// The engine is going down.
    #[error("the engine is going down")]
    Closed,
}
