//! What waits for a shard's writer.

use hourglass_events::{Digest, HostCall, HostId, HostNews, Request, Seq};
use hourglass_kernel::Reply;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

/// One thing for a writer to take in.
#[derive(Debug)]
pub(crate) enum Message {
    /// A client asks.
    Ask { request: Box<Request>, answer: oneshot::Sender<Reply> },
    /// A host speaks.
    News { host: HostId, news: HostNews },
    /// A host connected; calls to it go here, and aborting `link` makes it connect anew.
    Connected { host: HostId, calls: mpsc::Sender<HostCall>, link: AbortHandle },
    /// A host's connection is gone.
    Disconnected { host: HostId },
    /// A checkpoint was written; this is the digest of its state.
    Checkpointed { through: Seq, hash: Digest },
    /// Finish what is under way, then end.
    Shutdown,
}

/// The way to a shard's writer, which outlives the writers themselves.
pub(crate) type Inbox = mpsc::Sender<Message>;
