//! Connections to hosts: orders out, news in, over a pair of channels.
//!
//! A host speaks to all shards over one link. News about a sandbox goes to the shard that gave the order; who a host
//! is, that it has repeated everything, and what was used go to every shard, each of which knows its own sandboxes.

use hourglass_events::{HostCall, HostId, HostNews, Report};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::inbox::{Inbox, Message};

/// How many calls or news may be under way on one link.
pub const LINK_CAPACITY: usize = 1_024;

/// The engine's end of a connection to a host.
#[derive(Debug)]
pub struct HostLink {
    /// To the host.
    pub calls: mpsc::Sender<HostCall>,
    /// From the host. Its first word is who it is.
    pub news: mpsc::Receiver<HostNews>,
}

impl HostLink {
    /// A link and the host's two ends of it.
    #[must_use]
    pub fn pair() -> (Self, mpsc::Receiver<HostCall>, mpsc::Sender<HostNews>) {
        let (calls, calls_out) = mpsc::channel(LINK_CAPACITY);
        let (news_in, news) = mpsc::channel(LINK_CAPACITY);
        (Self { calls, news }, calls_out, news_in)
    }
}

/// Keep one host connected to every shard, until `connect` has no further link to give or the engine ends.
///
/// A link ends when the host drops its end, or when a writer lets go of it because it was replaced: the next one must
/// hear everything from the beginning.
pub(crate) async fn keep(
    host: HostId,
    shards: Vec<Inbox>,
    mut connect: impl FnMut() -> Option<HostLink> + Send,
) {
    while let Some(link) = connect() {
        tracing::info!(%host, "host connected");
        if serve(host, &shards, link).await.is_none() {
            return;
        }
        tracing::warn!(%host, "host disconnected");
    }
}

/// Carry calls and news until the link ends. `None` says that the engine has.
async fn serve(host: HostId, shards: &[Inbox], link: HostLink) -> Option<()> {
    let HostLink { calls, news } = link;
    // Writers never wait for a host, so what they say is gathered here; it is bounded by one order a sandbox and one
    // acknowledgement a report.
    let (gathered, mut waiting) = mpsc::unbounded_channel();
    let outward = tokio::spawn(async move {
        while let Some(call) = waiting.recv().await {
            if calls.send(call).await.is_err() {
                return;
            }
        }
    });
    let (tell, told) = oneshot::channel();
    let inward = tokio::spawn(listen(host, shards.to_vec(), news, gathered, told));
    // The listener waits for this; it has not ended.
    let _ = tell.send(inward.abort_handle());
    let _ = inward.await;
    outward.abort();
    for shard in shards {
        shard.send(Message::Disconnected { host }).await.ok()?;
    }
    Some(())
}

/// Introduce the host to every shard, then hand on what it says.
async fn listen(
    host: HostId,
    shards: Vec<Inbox>,
    mut news: mpsc::Receiver<HostNews>,
    calls: mpsc::UnboundedSender<HostCall>,
    told: oneshot::Receiver<AbortHandle>,
) -> Option<()> {
    let link = told.await.ok()?;
    for shard in &shards {
        let (calls, link) = (calls.clone(), link.clone());
        shard.send(Message::Connected { host, calls, link }).await.ok()?;
    }
    drop(calls);
    while let Some(said) = news.recv().await {
        route(host, &shards, said).await?;
    }
    Some(())
}

async fn route(host: HostId, shards: &[Inbox], news: HostNews) -> Option<()> {
    let to_one = match &news {
        HostNews::Reported(Report { shard, .. }) => Some(shard.0),
        HostNews::Joined(_) | HostNews::Used(_) | HostNews::Synced => None,
    };
    match to_one.map(|shard| usize::try_from(shard).ok().and_then(|shard| shards.get(shard))) {
        Some(Some(shard)) => shard.send(Message::News { host, news }).await.ok(),
        // A report for a shard this log does not have cannot be taken in; the host keeps and repeats it.
        Some(None) => {
            tracing::error!(%host, ?news, "a host reports to a shard that does not exist");
            Some(())
        }
        None => {
            for shard in shards {
                shard.send(Message::News { host, news: news.clone() }).await.ok()?;
            }
            Some(())
        }
    }
}
