//! One shard of an engine: the ways to it, and the keeper that has it written.
//!
//! When storage fails under a writer, the keeper reads the log again and lets another writer take over. Inbox, read
//! model and recent records outlive the writers.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use hourglass_events::{Seq, ShardNumber, Span};
use hourglass_kernel::{Entry, Halt, ShardConfig};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::clock::Clock;
use crate::error::{AskError, Ended, EngineError};
use crate::inbox::Message;
use crate::log::segments::OpenError;
use crate::log::{EventLog, ReadError};
use crate::notice::Notice;
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
    /// Told when the shard is to end, for when no writer is there to read it in the inbox.
    closing: Arc<Notify>,
    ended: watch::Receiver<Option<Ended>>,
    /// What was found when the shard was opened.
    pub(crate) notices: Vec<Notice>,
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
        let mut opened = store.open(number, settings.shards, |_| {}).await?;
        let notices = std::mem::take(&mut opened.notices);
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
        let closing = Arc::new(Notify::new());
        let (end, ended) = watch::channel(None);
        let keeper = Attendant {
            store: store.clone(),
            settings: settings.clone(),
            common: common.clone(),
            log: Arc::clone(&log),
            closing: Arc::clone(&closing),
        };
        let task = tokio::spawn(keeper.run(writer, receiver, ready, end));
        if served.await.is_err() {
            // It lets go of the log, so that the engine can be started again.
            let _ = task.await;
            let why = ended.borrow().clone().unwrap_or(Ended::Defect);
            return Err(EngineError::Ended { shard: number, place: store.place(number), why });
        }
        Ok(Self { common, log, keeper: Mutex::new(Some(task)), closing, ended, notices })
    }

    /// Ask the shard to make durable what it accepted, and to end.
    pub(crate) async fn close(&self) {
        self.closing.notify_one();
        // A shard that has ended already needs no telling.
        let _ = self.common.inbox.send(Message::Shutdown).await;
    }

    /// Why the shard does not answer.
    pub(crate) fn closed(&self) -> AskError {
        let shard = self.common.number;
        match self.ended.borrow().clone() {
            // A keeper that has gone without a word.
            None if self.ended.has_changed().is_err() => {
                AskError::Ended { shard, why: Box::new(Ended::Defect) }
            }
            None | Some(Ended::Shutdown) => AskError::Closed,
            Some(why) => AskError::Ended { shard, why: Box::new(why) },
        }
    }

    /// Wait until the shard is served no longer, and say why.
    pub(crate) async fn end(&self) -> Ended {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or(Ended::Defect),
            // Its keeper has gone without a word.
            Err(_) => Ended::Defect,
        }
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
    // Those of a log that is read again stand in the program's own log.
    let Opened { log, replay, roster: _, checkpoints, notices: _ } = opened;
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
    closing: Arc<Notify>,
}

impl Attendant {
    async fn run(
        self,
        first: Writer,
        mut inbox: mpsc::Receiver<Message>,
        ready: oneshot::Sender<()>,
        end: watch::Sender<Option<Ended>>,
    ) {
        // Also when a writer panics, nobody must wait for records that never come.
        let _ended = EndOnDrop(Arc::clone(&self.common.recent));
        let mut ready = Some(ready);
        let why = self.keep(first, &mut inbox, &mut ready).await;
        if !matches!(why, Ended::Shutdown) {
            tracing::error!(shard = %self.common.number, %why, "this engine serves the shard no longer");
        }
        // Said before the inbox closes: whoever finds it closed asks why.
        end.send_replace(Some(why));
    }

    /// Have the shard written until that is over.
    async fn keep(
        &self,
        first: Writer,
        inbox: &mut mpsc::Receiver<Message>,
        ready: &mut Option<oneshot::Sender<()>>,
    ) -> Ended {
        let mut writer = first;
        loop {
            let halt = match writer.run(inbox, ready).await {
                End::Shutdown | End::CutShort => return Ended::Shutdown,
                End::Full => return Ended::Full,
                End::Halted(halt) => halt,
            };
            match halt {
                // Storage that failed may come back, and what it really holds is known only by reading it again. Whoever
                // still waits for the engine to start is told instead, and decides.
                Halt::Broken { .. } if ready.is_none() => {
                    tracing::warn!(shard = %self.common.number, %halt, "the log is read again");
                    match self.reopen().await {
                        Ok(next) => writer = next,
                        Err(why) => return why,
                    }
                }
                // Taking over from whoever took over would only begin a quarrel; a defect or damage does not pass.
                Halt::Broken { .. } | Halt::Fenced { .. } | Halt::Defect(_) | Halt::Unreadable(_) => {
                    return Ended::Halted(halt);
                }
            }
        }
    }

    /// A new writer, as soon as the log can be opened. Damage is final.
    async fn reopen(&self) -> Result<Writer, Ended> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.settings.reopen) => {}
                () = self.closing.notified() => return Err(Ended::Shutdown),
            }
            match self.try_reopen().await {
                Ok(writer) => return Ok(writer),
                Err(
                    error @ (EngineError::Files { .. }
                    | EngineError::Read { source: ReadError::Unavailable { .. }, .. }
                    | EngineError::Open {
                        source: OpenError::Held { .. } | OpenError::Io { .. } | OpenError::NoSpace { .. },
                        ..
                    }),
                ) => {
                    tracing::warn!(shard = %self.common.number, %error, "the log cannot be opened yet");
                }
                Err(error) => return Err(Ended::Unopened { why: chain(&error) }),
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

/// What `error` says, with what is behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let behind = std::iter::successors(error.source(), |&error| error.source());
    behind.fold(error.to_string(), |said, error| format!("{said}: {error}"))
}

/// Ends a shard's records when its keeper is gone.
struct EndOnDrop(Arc<Recent>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}
