//! Connections to hosts: orders and dials out, news in, over channels. Secrets are put into orders here.
//!
//! A host speaks to all shards over one link. News about a sandbox goes to the shard that gave the order; who a host
//! is, that it has repeated everything, and what was used go to every shard, each of which knows its own sandboxes.

use std::sync::Arc;
use std::time::Duration;

use hourglass_events::{HostCall, HostId, HostNews, Report};
use hourglass_tunnel::{DIALS, Dial};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::inbox::{Inbox, Message};
use crate::tunnels::Roads;
use crate::vault::keeper::Keeper;

/// How many calls or news may be under way on one link.
pub const LINK_CAPACITY: usize = 1_024;
/// How many calls may wait for a host that does not read, before it is cut off.
const GATHERED_MOST: usize = 65_536;
/// The wait before a host is connected again; it doubles each time the link did not last.
const PAUSE_LEAST: Duration = Duration::from_millis(10);
/// The longest such wait.
const PAUSE_MOST: Duration = Duration::from_secs(5);

/// The engine's end of a connection to a host.
#[derive(Debug)]
pub struct HostLink {
    /// To the host.
    pub calls: mpsc::Sender<HostCall>,
    /// From the host. Its first word is who it is.
    pub news: mpsc::Receiver<HostNews>,
    /// To the host: tunnels that are wished for.
    pub tunnels: mpsc::Sender<Dial>,
}

impl HostLink {
    /// A link and the host's three ends of it.
    #[must_use]
    pub fn pair() -> (Self, mpsc::Receiver<HostCall>, mpsc::Sender<HostNews>, mpsc::Receiver<Dial>) {
        let (calls, calls_out) = mpsc::channel(LINK_CAPACITY);
        let (news_in, news) = mpsc::channel(LINK_CAPACITY);
        let (tunnels, tunnels_out) = mpsc::channel(DIALS);
        (Self { calls, news, tunnels }, calls_out, news_in, tunnels_out)
    }
}

/// Keep one host connected to every shard, until `connect` has no further link to give or the engine ends.
///
/// A link ends when the host drops its end, or when a writer lets go of it because it was replaced: the next one must
/// hear everything from the beginning.
pub(crate) async fn keep(
    host: HostId,
    shards: Vec<Inbox>,
    vault: Arc<Keeper>,
    roads: Arc<Roads>,
    mut connect: impl FnMut() -> Option<HostLink> + Send,
) {
    let mut pause = PAUSE_LEAST;
    while let Some(link) = connect() {
        tracing::info!(%host, "host connected");
        let begun = Instant::now();
        {
            let _open = Open::begin(&roads, host, link.tunnels.clone());
            serve(host, &shards, &vault, link).await;
        }
        if shards.iter().all(Inbox::is_closed) {
            return;
        }
        // A host that cannot be kept is not worth a busy loop.
        pause = if begun.elapsed() > PAUSE_MOST { PAUSE_LEAST } else { (pause * 2).min(PAUSE_MOST) };
        tracing::warn!(%host, ?pause, "host disconnected");
        tokio::time::sleep(pause).await;
    }
}

/// Lets tunnels be dialled over a link for as long as this is held, also when the keeper is aborted.
struct Open<'a> {
    roads: &'a Roads,
    host: HostId,
    road: mpsc::Sender<Dial>,
}

impl<'a> Open<'a> {
    fn begin(roads: &'a Roads, host: HostId, road: mpsc::Sender<Dial>) -> Self {
        roads.open(host, road.clone());
        Self { roads, host, road }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.roads.close(self.host, &self.road);
    }
}

/// Carry calls and news until the link ends.
async fn serve(host: HostId, shards: &[Inbox], vault: &Arc<Keeper>, link: HostLink) {
    let HostLink { calls, news, tunnels: _ } = link;
    // Writers never wait for a host. What they say is gathered here, and a host that lets it overflow is cut off: it
    // hears all that is owed when it comes back.
    let (gathered, mut waiting) = mpsc::channel(GATHERED_MOST);
    let vault = Arc::clone(vault);
    let outward = tokio::spawn(async move {
        while let Some(call) = waiting.recv().await {
            if calls.send(vault.fill(call).await).await.is_err() {
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
        // A shard that has ended has forgotten the host already.
        let _ = shard.send(Message::Disconnected { host }).await;
    }
}

/// Introduce the host to every shard, then hand on what it says.
async fn listen(
    host: HostId,
    shards: Vec<Inbox>,
    mut news: mpsc::Receiver<HostNews>,
    calls: mpsc::Sender<HostCall>,
    told: oneshot::Receiver<AbortHandle>,
) {
    let Ok(link) = told.await else { return };
    for shard in &shards {
        let (calls, link) = (calls.clone(), link.clone());
        // What a shard that has ended does not hear is not lost: the host repeats it to the next writer.
        let _ = shard.send(Message::Connected { host, calls, link }).await;
    }
    drop(calls);
    while let Some(said) = news.recv().await {
        route(host, &shards, said).await;
    }
}

async fn route(host: HostId, shards: &[Inbox], news: HostNews) {
    let to_one = match &news {
        HostNews::Reported(Report { shard, .. }) => Some(shard.0),
        HostNews::Joined(_) | HostNews::Used(_) | HostNews::Synced => None,
    };
    match to_one.map(|shard| usize::try_from(shard).ok().and_then(|shard| shards.get(shard))) {
        Some(Some(shard)) => {
            let _ = shard.send(Message::News { host, news }).await;
        }
        // A report for a shard this log does not have cannot be taken in; the host keeps and repeats it.
        Some(None) => tracing::error!(%host, ?news, "a host reports to a shard that does not exist"),
        None => {
            for shard in shards {
                let _ = shard.send(Message::News { host, news: news.clone() }).await;
            }
        }
    }
}
