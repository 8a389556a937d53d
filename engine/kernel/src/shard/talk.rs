//! What a shard and its shell say to each other.

use std::sync::Arc;

use hourglass_events::{
    Alarm, Digest, HostCall, HostId, HostNews, Record, Refusal, Request, Sandbox, SandboxId, Seq, Subject,
};

use super::ReplayError;
use crate::fleet::FoldError;
use crate::log::{Outcome, Slot};

/// The shell's number for a request that waits for its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What a shard is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// A client asks for something.
    Request {
        /// Under which number it waits.
        id: RequestId,
        /// What it asks.
        request: Box<Request>,
    },
    /// What became of an append.
    Appended {
        /// The slot.
        slot: Slot,
        /// What is known of it.
        outcome: Outcome,
    },
    /// What a slot holds.
    Read {
        /// The slot.
        slot: Slot,
        /// Its frame, or none if it is empty or cannot be read for the moment.
        frame: Option<Arc<[u8]>>,
    },
    /// What a slot holds is damaged: asking again gives the same answer.
    Damaged {
        /// The slot.
        slot: Slot,
    },
    /// A host says something.
    News {
        /// The host.
        host: HostId,
        /// What it says.
        news: HostNews,
    },
    /// The connection to a host is gone.
    HostGone {
        /// The host.
        host: HostId,
    },
    /// The digest of the state as of a record, computed elsewhere from a checkpoint.
    StateHashed {
        /// The last record folded into it.
        through: Seq,
        /// The digest.
        hash: Digest,
    },
    /// Time has passed.
    Tick,
}

/// What a shard wants done.
#[derive(Debug, Clone)]
pub enum Output {
    /// Append a frame; answer with [`Input::Appended`].
    Append {
        /// The slot it is for.
        slot: Slot,
        /// Its bytes.
        frame: Arc<[u8]>,
    },
    /// Read a slot; answer with [`Input::Read`] or [`Input::Damaged`].
    Read {
        /// The slot.
        slot: Slot,
    },
    /// These records are durable. Apply them to read models before the replies that follow.
    Committed(Vec<Arc<Entry>>),
    /// Answer a client.
    Reply {
        /// The number it waits under.
        request: RequestId,
        /// The answer.
        reply: Reply,
    },
    /// Say something to a host.
    Call {
        /// The host.
        host: HostId,
        /// What to say.
        call: HostCall,
    },
    /// This shard has stopped for good; make another from the log.
    Halted(Halt),
}

/// A durable record and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub record: Record,
    /// Its bytes in the log.
    pub bytes: Vec<u8>,
    /// The digest of those bytes.
    pub digest: Digest,
}

/// What a client is told.
pub type Reply = Result<Accepted, Refusal>;

/// A request that was accepted and is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What it is about.
    pub subject: Subject,
    /// The state of the shard that the reply reflects.
    pub seq: Seq,
    /// The sandbox it is about, unless it is gone.
    pub sandbox: Option<Arc<Sandbox>>,
}

/// Why a shard stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// Another writer filled a slot of ours.
    #[error("another writer filled slot {slot}; this one is replaced")]
    Fenced {
        /// The slot.
        slot: Slot,
    },
    /// The log's storage failed and must be read again.
    #[error("the log's storage failed while slot {slot} was written; open the log again")]
    Broken {
        /// The slot.
        slot: Slot,
    },
    /// A decision could not be folded: a defect of this build. Nothing of it was written.
    #[error("a decision cannot be folded, which is a defect: {0}")]
    Defect(FoldError),
    /// A rival's records cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ReplayError),
}

/// Why a shard wants to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A doubtful append is to be sent again.
    Resend,
    /// Storage that was full is to be tried again.
    Full,
    /// Hosts have had their time to repeat their reports.
    Resync,
    /// A host was out of reach for as long as there is patience for.
    Silence(HostId),
    /// More sandboxes of lost hosts can be told so.
    Losses,
    /// What a host could not remove is to be tried again.
    Sweep(HostId),
    /// An alarm goes off.
    Alarm(Alarm, SandboxId),
}
