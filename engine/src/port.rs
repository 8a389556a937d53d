//! One shard of an engine: the ways to it, and the keeper that has it written.
//!
//! When storage fails under a writer, the keeper reads the log again and lets another writer take over. Inbox, read
//! model and recent records outlive the writers.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use hourglass_events::{Seq, ShardNumber, Span};
use hourglass_kernel::{Entry, Halt, ShardConfig};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::clock::Clock;
use crate::error::EngineError;
use crate::inbox::Message;
use crate::log::EventLog;
use crate::log::segments::OpenError;
use crate::settings::Settings;
use crate::store::{Opened, Store};
use crate::subscription::{Recent, Subscription};
use crate::vault::keeper::Keeper;
use crate::view::View;
use crate::writer::{Common, End, Writer};

/// The log a shard is written to now, as long as it is.
type PresentLog = Arc<RwLock<Weak<dyn EventLog>>>;

/// The ways to one shard.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) common: Common,
    log: PresentLog,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Port {
    /// Open and fold a shard's log and take it over. Returns once the shard takes requests.
    pub(crate) async fn open(
        store: &Store,
        settings: &Settings,
        number: ShardNumber,
        clock: Clock,
        vault: Arc<Keeper>,
    ) -> Result<Self, EngineError> {
        let opened = store.open(number, settings.shards, |_| {}).await?;
        let (inbox, receiver) = mpsc::channel(settings.inbox);
        let fleet = opened.replay.fleet().clone();
        let common = Common {
            number,
            clock,
            recent: Arc::new(Recent::new(settings.recent, fleet.seq())),
            view: Arc::new(View::new(fleet, opened.roster.clone())),
            inbox,
            checkpoint_records: settings.checkpoint_records,
            vault,
        };
        let log: PresentLog = Arc::new(RwLock::new(Arc::downgrade(&opened.log)));
        let (ready, served) = oneshot::channel();
        let writer = writer(opened, &common, settings)?;
        let (store, settings) = (store.clone(), settings.clone());
        let keeper = Attendant { store, settings, common: common.clone(), log: Arc::clone(&log) };
        let task = tokio::spawn(keeper.run(writer, receiver, ready));
        served.await.map_err(|_| EngineError::Ended(number))?;
        Ok(Self { common, log, keeper: Mutex::new(Some(task)) })
    }

    /// The shard's records from `from` on, and then every new one.
    pub(crate) fn subscribe(&self, from: Seq) -> Subscription {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner).clone();
        Subscription::new(from, Arc::clone(&self.common.recent), log)
    }

    /// Wait until the shard has ended, after it was told to.
    pub(crate) async fn ended(&self) {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeper) = keeper {
            // One that panicked has ended as well.
            let _ = keeper.await;
        }
    }
}

/// A writer for a log that was read to its end.
fn writer(opened: Opened, common: &Common, settings: &Settings) -> Result<Writer, EngineError> {
    let config = ShardConfig {
        terms: settings.terms.clone(),
        resync: Span(u64::try_from(settings.resync.as_micros()).unwrap_or(u64::MAX)),
        ..ShardConfig::new(Uuid::new_v4().as_u128())
    };
    let Opened { log, replay, roster: _, checkpoints } = opened;
    let shard = replay
        .open(config, common.clock.now())
        .map_err(|source| EngineError::Replay { shard: common.number, source })?;
    Ok(Writer::new(common.clone(), shard, log, checkpoints))
}

/// Keeps a shard written: when storage fails under a writer, the log is read again and another one takes over.
struct Attendant {
    store: Store,
    settings: Settings,
    common: Common,
    log: PresentLog,
}

impl Attendant {
    async fn run(self, first: Writer, inbox: mpsc::Receiver<Message>, ready: oneshot::Sender<()>) {
        // Also when a writer panics, nobody must wait for records that never come.
        let _ended = EndOnDrop(Arc::clone(&self.common.recent));
        self.keep(first, inbox, ready).await;
    }

    async fn keep(&self, first: Writer, mut inbox: mpsc::Receiver<Message>, ready: oneshot::Sender<()>) {
        let mut next = Some((first, Some(ready)));
        while let Some((writer, ready)) = next.take() {
            match writer.run(&mut inbox, ready).await {
                End::Shutdown => return,
                // Storage that failed may come back, and what it really holds is known only by reading it again.
                End::Halted(halt @ Halt::Broken { .. }) => {
                    tracing::warn!(shard = %self.common.number, %halt, "the log is read again");
                    next = self.reopen().await.map(|writer| (writer, None));
                }
                // Taking over from whoever took over would only begin a quarrel; a defect or damage does not pass.
                End::Halted(halt @ (Halt::Fenced { .. } | Halt::Defect(_) | Halt::Unreadable(_))) => {
                    tracing::error!(shard = %self.common.number, %halt, "this engine serves the shard no longer");
                    return;
                }
            }
        }
    }

    /// A new writer, as soon as the log can be opened. Damage is final.
    async fn reopen(&self) -> Option<Writer> {
        loop {
            tokio::time::sleep(self.settings.reopen).await;
            match self.try_reopen().await {
                Ok(writer) => return Some(writer),
                Err(
                    error @ (EngineError::Files { .. }
                    | EngineError::Open {
                        source: OpenError::Held { .. } | OpenError::Io { .. } | OpenError::NoSpace { .. },
                        ..
                    }),
                ) => {
                    tracing::warn!(shard = %self.common.number, %error, "the log cannot be opened yet");
                }
                Err(error) => {
                    tracing::error!(shard = %self.common.number, %error, "the shard stays closed");
                    return None;
                }
            }
        }
    }

    async fn try_reopen(&self) -> Result<Writer, EngineError> {
        let latest = self.common.recent.latest();
        let recent = Arc::clone(&self.common.recent);
        // What was durable but not yet known to be is new to everybody.
        let see = move |entry: Entry| {
            if entry.record.seq > latest {
                recent.publish(&[Arc::new(entry)]);
            }
        };
        let opened = self.store.open(self.common.number, self.settings.shards, see).await?;
        self.common.view.replace(opened.replay.fleet().clone(), opened.roster.clone());
        *self.log.write().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&opened.log);
        writer(opened, &self.common, &self.settings)
    }
}

/// Ends a shard's records when its keeper is gone.
struct EndOnDrop(Arc<Recent>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}
