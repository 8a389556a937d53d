//! The one task of a shard: it waits for what happens next, lets the kernel decide, and does what the kernel wants.
//!
//! All waiting is in [`Writer::next_input`] and all change in the kernel. The writer adds no decision of its own.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hourglass_events::{HostCall, HostId, HostNews, ShardNumber};
use hourglass_kernel::{Entry, Halt, Input, Output, Reply, RequestId, Shard, Why};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::inbox::{Inbox, Message};
use crate::log::{EventLog, Outcome, ReadError, Slot};
use crate::step;
use crate::store::Checkpoints;
use crate::subscription::Recent;
use crate::telemetry as names;
use crate::vault::gone;
use crate::vault::keeper::Keeper;
use crate::view::View;

/// What is shared by the writers of a shard, one after the other, and by everybody who reads it.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    pub(crate) number: ShardNumber,
    pub(crate) clock: Clock,
    pub(crate) view: Arc<View>,
    pub(crate) recent: Arc<Recent>,
    pub(crate) inbox: Inbox,
    pub(crate) checkpoint_records: u64,
    pub(crate) vault: Arc<Keeper>,
}

/// Why a writer ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It was asked to, and everything it had accepted is durable.
    Shutdown,
    /// It was asked to while the log took nothing: who waits learns that the outcome is unknown.
    CutShort,
    /// The log has no room for the group that opens the epoch, and somebody waits for the shard to serve.
    Full,
    /// The kernel stopped: the log must be read again.
    Halted(Halt),
}

/// Something the storage was asked for.
type Pending = Pin<Box<dyn Future<Output = Input> + Send>>;

pub(crate) struct Writer {
    common: Common,
    shard: Shard,
    log: Arc<dyn EventLog>,
    checkpoints: Option<Checkpoints>,
    storage: Option<Pending>,
    waiting: BTreeMap<RequestId, oneshot::Sender<Reply>>,
    next_request: u64,
    hosts: BTreeMap<HostId, (mpsc::Sender<HostCall>, AbortHandle)>,
    saving: Option<JoinHandle<()>>,
    /// Records since the last checkpoint was begun.
    unsaved: u64,
    course: Course,
}

/// What the writer is about.
enum Course {
    /// It takes whatever comes.
    Serving,
    /// It takes nothing new and ends once all it accepted is durable.
    Draining,
    /// It has ended.
    Ended(End),
}

impl Writer {
    pub(crate) fn new(
        common: Common,
        shard: Shard,
        log: Arc<dyn EventLog>,
        checkpoints: Option<Checkpoints>,
    ) -> Self {
        Self {
            common,
            shard,
            log,
            checkpoints,
            storage: None,
            waiting: BTreeMap::new(),
            next_request: 0,
            hosts: BTreeMap::new(),
            saving: None,
            unsaved: 0,
            course: Course::Serving,
        }
    }

    /// Run until shutdown or until the kernel stops. `ready` is told when the shard serves, and taken by that.
    pub(crate) async fn run(
        mut self,
        inbox: &mut mpsc::Receiver<Message>,
        ready: &mut Option<oneshot::Sender<()>>,
    ) -> End {
        loop {
            while let Some(output) = self.shard.poll() {
                self.perform(output);
            }
            if ready.is_some() && self.shard.phase() == hourglass_kernel::shard::Phase::Serving {
                // Whoever waited may have gone away.
                let _ = ready.take().map(|ready| ready.send(()));
            }
            self.save_if_due();
            self.end_if_done(ready.is_some());
            if let Course::Ended(end) = self.course {
                return Self::leave(end, self.hosts, self.saving, self.shard, self.checkpoints, &self.common)
                    .await;
            }
            let Some(input) = self.next_input(inbox).await else { continue };
            let (begun, before) = (Instant::now(), self.shard.proposed().seq());
            self.shard.handle(self.common.clock.now(), input);
            metrics::histogram!(names::DECIDE_SECONDS).record(begun.elapsed());
            if self.shard.proposed().seq() > before {
                step::done("engine.decided");
            }
        }
    }

    /// End if nothing is left to do, or if what is left cannot be done. `awaited` says whether somebody waits for the
    /// shard to serve.
    fn end_if_done(&mut self, awaited: bool) {
        // While an append is under way, the log may find room after all.
        let full = self.storage.is_none() && self.shard.is_full();
        match self.course {
            Course::Serving if full && awaited => self.course = Course::Ended(End::Full),
            Course::Draining if self.shard.is_quiet() => self.course = Course::Ended(End::Shutdown),
            Course::Draining if full => self.course = Course::Ended(End::CutShort),
            Course::Serving | Course::Draining | Course::Ended(_) => {}
        }
    }

    /// Wait for whatever comes first: the storage, somebody who asks or reports, or the kernel's deadline.
    async fn next_input(&mut self, inbox: &mut mpsc::Receiver<Message>) -> Option<Input> {
        let deadline = self.shard.deadline();
        let alarm = deadline.map_or_else(Instant::now, |(at, _)| self.common.clock.moment(at));
        tokio::select! {
            biased;
            input = async { self.storage.as_mut().expect("guarded").await }, if self.storage.is_some() => {
                self.storage = None;
                Some(input)
            }
            () = sleep_until(alarm), if deadline.is_some() => {
                if let Some((_, why)) = deadline {
                    self.woken(alarm, why);
                }
                Some(Input::Tick)
            }
            message = inbox.recv() => match message {
                Some(message) => self.take_in(message),
                None => { self.course = Course::Draining; None }
            },
        }
    }

    fn woken(&self, due: Instant, why: Why) {
        match why {
            Why::Alarm(alarm, sandbox) => {
                let late = due.elapsed();
                metrics::histogram!(names::LATENESS_SECONDS).record(late);
                tracing::debug!(%alarm, %sandbox, ?late, "an alarm goes off");
            }
            Why::Resend | Why::Full | Why::Resync | Why::Silence(_) | Why::Losses | Why::Sweep(_) => {
                tracing::debug!(?why, "woken");
            }
        }
    }

    fn take_in(&mut self, message: Message) -> Option<Input> {
        match (message, &self.course) {
            (Message::Ask { request, answer }, Course::Serving) => {
                let id = RequestId(self.next_request);
                self.next_request += 1;
                self.waiting.insert(id, answer);
                Some(Input::Request { id, request })
            }
            // Dropping the answer tells the asker that the engine is going down.
            (Message::Ask { .. }, Course::Draining | Course::Ended(_)) => None,
            (Message::News { host, news }, _) => {
                if matches!(news, HostNews::Reported(_)) {
                    step::done("engine.report.received");
                }
                Some(Input::News { host, news })
            }
            (Message::Connected { host, calls, link }, _) => {
                self.hosts.insert(host, (calls, link));
                None
            }
            (Message::Disconnected { host }, _) => {
                self.hosts.remove(&host);
                Some(Input::HostGone { host })
            }
            (Message::Checkpointed { through, hash }, _) => Some(Input::StateHashed { through, hash }),
            (Message::Shutdown, _) => {
                self.course = Course::Draining;
                None
            }
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Append { slot, frame } => {
                let log = Arc::clone(&self.log);
                self.storage = Some(Box::pin(async move {
                    let begun = Instant::now();
                    step::done("engine.group.framed");
                    let outcome = log.append(slot, frame).await;
                    metrics::histogram!(names::APPEND_SECONDS).record(begun.elapsed());
                    if outcome == Outcome::Durable {
                        step::done("engine.group.durable");
                    } else {
                        metrics::counter!(names::APPEND_DOUBTS).increment(1);
                        tracing::warn!(%slot, ?outcome, "an append did not simply succeed");
                    }
                    Input::Appended { slot, outcome }
                }));
            }
            Output::Read { slot } => {
                let log = Arc::clone(&self.log);
                self.storage = Some(Box::pin(async move { read(&*log, slot).await }));
            }
            Output::Committed(entries) => self.committed(&entries),
            Output::Reply { request, reply } => {
                if let Err(refusal) = &reply {
                    metrics::counter!(names::REFUSALS).increment(1);
                    tracing::debug!(%refusal, "a request was refused");
                }
                // Whoever asked may have gone away; what was decided stands.
                let _ = self.waiting.remove(&request).map(|answer| answer.send(reply));
                step::done("engine.reply.sent");
            }
            Output::Call { host, call } => {
                metrics::counter!(names::HOST_CALLS).increment(1);
                if let Some((calls, link)) = self.hosts.get(&host) {
                    let sent = sending(&call);
                    // A link that just ended is reported as such; the next one starts from what is owed. So does the
                    // next one of a host that does not read.
                    if let Err(mpsc::error::TrySendError::Full(_)) = calls.try_send(call) {
                        tracing::error!(%host, "the host does not read what it is told, and is cut off");
                        link.abort();
                    }
                    sent.into_iter().for_each(step::done);
                }
            }
            Output::Halted(halt) => {
                tracing::error!(shard = %self.common.number, %halt, "the writer stops");
                self.course = Course::Ended(match self.course {
                    Course::Serving | Course::Ended(_) => End::Halted(halt),
                    // Whoever asked it to end waits for that, and not for the log to be read again.
                    Course::Draining => End::CutShort,
                });
            }
        }
    }

    fn committed(&mut self, entries: &[Arc<Entry>]) {
        let fleet = self.shard.committed().clone();
        metrics::counter!(names::RECORDS).increment(entries.len() as u64);
        metrics::counter!(names::GROUPS).increment(1);
        #[expect(clippy::cast_precision_loss, reason = "groups and fleets are far below 2^52")]
        {
            metrics::histogram!(names::GROUP_RECORDS).record(entries.len() as f64);
            metrics::gauge!(names::STAGED).set(self.shard.staged() as f64);
            metrics::gauge!(names::SANDBOXES).set(fleet.len() as f64);
        }
        for entry in entries {
            let record = &entry.record;
            tracing::debug!(seq = %record.seq, subject = %record.subject, event = record.event.name(), cause = %record.cause, "committed");
        }
        self.common.view.publish(entries, fleet);
        self.common.recent.publish(entries);
        self.common.vault.forget(entries.iter().filter_map(|entry| gone::sandbox(&entry.record)));
        step::done("engine.group.published");
        self.unsaved += entries.len() as u64;
    }

    /// Write a checkpoint in the background if enough has happened since the last one.
    fn save_if_due(&mut self) {
        let busy = self.saving.as_ref().is_some_and(|saving| !saving.is_finished());
        if busy || self.unsaved < self.common.checkpoint_records {
            return;
        }
        self.unsaved = 0;
        self.saving =
            save(&self.shard, self.checkpoints.as_ref(), &self.common, Some(self.common.inbox.clone()));
    }

    /// Let go of hosts, finish the checkpoint under way, and leave a last one behind after an orderly end.
    async fn leave(
        end: End,
        hosts: BTreeMap<HostId, (mpsc::Sender<HostCall>, AbortHandle)>,
        saving: Option<JoinHandle<()>>,
        shard: Shard,
        checkpoints: Option<Checkpoints>,
        common: &Common,
    ) -> End {
        if let Some(saving) = saving {
            let _ = saving.await;
        }
        match end {
            End::Shutdown => {
                if let Some(saving) = save(&shard, checkpoints.as_ref(), common, None) {
                    let _ = saving.await;
                }
            }
            // What is decided and not durable comes to nothing: the checkpoint before it is as good.
            End::CutShort | End::Full => {}
            // The next writer must hear everything from the beginning.
            End::Halted(_) => hosts.into_values().for_each(|(_, link)| link.abort()),
        }
        end
    }
}

/// The step that sending `call` is.
fn sending(call: &HostCall) -> Option<&'static str> {
    match call {
        HostCall::Do(_) => Some("engine.order.sent"),
        HostCall::Acknowledge { .. } => Some("engine.report.acknowledged"),
        HostCall::AskUse { .. } => None,
    }
}

/// Begin to write a checkpoint of `shard`, and tell `report` the digest of its state afterwards.
fn save(
    shard: &Shard,
    checkpoints: Option<&Checkpoints>,
    common: &Common,
    report: Option<Inbox>,
) -> Option<JoinHandle<()>> {
    let Checkpoints { file, log } = checkpoints?;
    let (file, log, checkpoint) = (file.clone(), log.clone(), shard.checkpoint());
    let roster = common.view.roster(Clone::clone);
    let through = checkpoint.fleet.seq();
    Some(tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        match file.write(&checkpoint, &roster, &log) {
            Ok(hash) => {
                metrics::histogram!(names::CHECKPOINT_SECONDS).record(begun.elapsed());
                // A full inbox is no reason to wait: the next checkpoint brings the next digest.
                let _ = report.map(|inbox| inbox.try_send(Message::Checkpointed { through, hash }));
            }
            Err(error) => tracing::warn!(path = %file.path().display(), %error, "no checkpoint was written"),
        }
    }))
}

/// What a slot holds. A log that cannot be reached is asked again; damage stays, and the shard must be told.
async fn read(log: &dyn EventLog, slot: Slot) -> Input {
    match log.read(slot).await {
        Ok(frame) => Input::Read { slot, frame },
        Err(error @ ReadError::Unavailable { .. }) => {
            tracing::warn!(%slot, %error, "a slot could not be read");
            Input::Read { slot, frame: None }
        }
        Err(error @ ReadError::Damaged { .. }) => {
            tracing::error!(%slot, %error, "a slot is damaged");
            Input::Damaged { slot }
        }
    }
}
