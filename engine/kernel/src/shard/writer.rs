//! The append protocol: one group in flight, everything decided meanwhile forms the next.
//!
//! A slot's outcome is known only once it is occupied. On any doubt the identical bytes go to the same slot again,
//! until the log holds ours (committed) or a foreign group (replaced). What was sent is never framed anew, dropped,
//! renumbered or decided again.

use std::collections::VecDeque;
use std::sync::Arc;

use hourglass_events::codec::{GROUP_BYTES_MOST, GROUP_RECORDS_MOST, GroupView};
use hourglass_events::{Digest, Event, Fault, HostEvent, SandboxEvent, SandboxId, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use super::timers::Barrier;
use super::{Entry, Halt, Output, Phase, Shard, Why};
use crate::log::{Outcome, Slot};
use crate::owe::snapshots::bearer;

/// A place in the log: the last group of a folded state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The slot of that group; 0 before the first.
    pub slot: Slot,
    /// Its digest, as [`GroupView::digest`] says.
    pub group: Digest,
    /// Its number.
    pub number: u64,
    /// Its epoch: the slot of the group that opened it.
    pub epoch: u64,
}

impl Mark {
    /// Before the first group.
    pub const START: Self = Self { slot: Slot(0), group: Digest::NONE, number: 0, epoch: 0 };

    /// The group of `records` that comes next, as the frame of its slot, and the place after it; `last` is the digest of
    /// the last of them. A group that opens an epoch names its own slot as that epoch.
    #[must_use]
    pub fn frame(self, opens: bool, nonce: u128, records: Vec<&[u8]>, last: Digest) -> (Self, Arc<[u8]>) {
        let (slot, number) = (self.slot.next(), self.number + 1);
        let epoch = if opens { slot.0 } else { self.epoch };
        let group = GroupView { epoch, number, nonce, previous: self.group, records };
        let frame = group.encode();
        (Self { slot, group: group.digest(&frame, last), number, epoch }, frame.into())
    }

    /// Whether `frame` is the group that stands here.
    #[must_use]
    pub fn holds(&self, frame: &[u8]) -> bool {
        GroupView::decode(frame).is_ok_and(|group| {
            let last = group.records.last().map_or(Digest::NONE, |record| Digest::of(record));
            group.digest(frame, last) == self.group
        })
    }
}

/// What is on its way into the log.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    mark: Mark,
    nonce: u128,
    staged: VecDeque<Arc<Entry>>,
    flight: Option<Flight>,
}

/// The one group in flight.
#[derive(Debug, Clone)]
struct Flight {
    mark: Mark,
    frame: Arc<[u8]>,
    entries: Vec<Arc<Entry>>,
    step: Step,
}

/// What is being waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// For the outcome of an append.
    Sent,
    /// For the outcome of an append to a log that had no room when it was last tried.
    Knocked,
    /// For what the slot holds.
    Reading,
    /// For the moment to send the same bytes again, after doubt.
    Doubting(Timestamp),
    /// For the moment to try whether there is room.
    Full(Timestamp),
}

impl Writer {
    pub(super) const fn new(mark: Mark, nonce: u128) -> Self {
        Self { mark, nonce, staged: VecDeque::new(), flight: None }
    }

    pub(super) const fn mark(&self) -> Mark {
        self.mark
    }

    pub(super) fn stage(&mut self, entry: Arc<Entry>) {
        self.staged.push_back(entry);
    }

    pub(super) fn staged(&self) -> usize {
        self.staged.len()
    }

    /// Whether everything decided is in the log.
    pub(super) fn is_idle(&self) -> bool {
        self.flight.is_none() && self.staged.is_empty()
    }

    /// Whether the log had no room when it was last tried.
    pub(super) fn is_full(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| matches!(flight.step, Step::Full(_) | Step::Knocked))
    }

    pub(super) fn deadline(&self) -> Option<(Timestamp, Why)> {
        match self.flight.as_ref()?.step {
            Step::Sent | Step::Knocked | Step::Reading => None,
            Step::Doubting(at) => Some((at, Why::Resend)),
            Step::Full(at) => Some((at, Why::Full)),
        }
    }

    /// As many staged entries as one group holds.
    fn take_group(&mut self) -> Vec<Arc<Entry>> {
        let mut bytes = 0;
        let fits = |entry: &&Arc<Entry>| {
            bytes += entry.bytes.len();
            bytes <= GROUP_BYTES_MOST
        };
        let count = self.staged.iter().take(GROUP_RECORDS_MOST).take_while(fits).count();
        self.staged.drain(..count).collect()
    }

    /// Frame the next group.
    fn launch(&mut self, phase: Phase) -> Option<Output> {
        if self.flight.is_some() || self.staged.is_empty() {
            return None;
        }
        let entries = self.take_group();
        let last = entries.last().map_or(Digest::NONE, |entry| entry.digest);
        let records = entries.iter().map(|entry| entry.bytes.as_slice()).collect();
        let (mark, frame) = self.mark.frame(phase == Phase::Opening, self.nonce, records, last);
        self.flight = Some(Flight { mark, frame: Arc::clone(&frame), entries, step: Step::Sent });
        Some(Output::Append { slot: mark.slot, frame })
    }

    /// Send what waits for its moment again, byte for byte.
    fn resend(&mut self, now: Timestamp) -> Option<Output> {
        let flight = self.flight.as_mut()?;
        match flight.step {
            Step::Doubting(at) if at <= now => flight.step = Step::Sent,
            Step::Full(at) if at <= now => flight.step = Step::Knocked,
            Step::Doubting(_) | Step::Full(_) | Step::Sent | Step::Knocked | Step::Reading => return None,
        }
        Some(Output::Append { slot: flight.mark.slot, frame: Arc::clone(&flight.frame) })
    }

    /// The flight for `slot`, if one of `steps` is what is being waited for.
    fn awaiting(&mut self, slot: Slot, steps: &[Step]) -> Option<&mut Flight> {
        self.flight.as_mut().filter(|flight| flight.mark.slot == slot && steps.contains(&flight.step))
    }
}

impl Shard {
    /// Put the next thing for the log on its way.
    pub(super) fn send(&mut self, now: Timestamp) {
        if self.phase == Phase::Halted {
            return;
        }
        let output = self.writer.resend(now).or_else(|| self.writer.launch(self.phase));
        self.outputs.extend(output);
    }

    pub(super) fn appended(&mut self, now: Timestamp, slot: Slot, outcome: Outcome) {
        let (resend, full) = (now.after(self.config.resend), now.after(self.config.full));
        let Some(flight) = self.writer.awaiting(slot, &[Step::Sent, Step::Knocked]) else { return };
        match outcome {
            Outcome::Durable => self.land(now),
            Outcome::Occupied => {
                flight.step = Step::Reading;
                self.outputs.push_back(Output::Read { slot });
            }
            Outcome::Doubtful => flight.step = Step::Doubting(resend),
            Outcome::NoSpace => flight.step = Step::Full(full),
            Outcome::Broken => self.halt(Halt::Broken { slot }),
        }
    }

    pub(super) fn slot_read(&mut self, now: Timestamp, slot: Slot, frame: Option<Arc<[u8]>>) {
        let resend = now.after(self.config.resend);
        let Some(flight) = self.writer.awaiting(slot, &[Step::Reading]) else { return };
        match frame {
            None => flight.step = Step::Doubting(resend),
            Some(frame) if frame == flight.frame => self.land(now),
            Some(frame) if self.phase == Phase::Opening => self.give_way(now, &frame),
            Some(_) => self.halt(Halt::Fenced { slot }),
        }
    }

    /// Whether the slot holds the group in flight cannot be told from here: the log must be read again from its files.
    pub(super) fn slot_damaged(&mut self, slot: Slot) {
        if self.writer.awaiting(slot, &[Step::Reading]).is_some() {
            self.halt(Halt::Broken { slot });
        }
    }

    /// The group in flight is durable: fold it, tell everybody, and act on it.
    fn land(&mut self, now: Timestamp) {
        let Some(flight) = self.writer.flight.take() else { return };
        self.writer.mark = flight.mark;
        let (mut touched, mut doubtful) = (Vec::new(), Vec::new());
        for entry in &flight.entries {
            let forking = self.forking(entry.record.subject);
            if let Err(error) = self.committed.apply(&entry.record, entry.digest) {
                return self.halt(Halt::Defect(error));
            }
            if let Subject::Sandbox(id) = entry.record.subject {
                touched.push(id);
                // Nothing was asked about its fork before it was made or given up.
                touched.extend(forking);
                doubtful.extend(lacked(&entry.record.event).then_some(id));
            }
            if let Subject::Snapshot(id) = entry.record.subject {
                touched.push(bearer(id));
            }
            if let Event::Host(HostEvent::SweepFailed { sandbox, .. }) = entry.record.event {
                touched.push(sandbox);
            }
        }
        self.outputs.push_back(Output::Committed(flight.entries));
        let opened = self.phase == Phase::Opening;
        if opened {
            self.serve(now);
        }
        self.release();
        self.sweep_after(now, &touched);
        self.order(now, touched);
        self.ask_if_running(doubtful);
        if opened {
            self.catch_up(now);
        }
    }

    /// The fork that is being made of a sandbox, as far as the log knows.
    fn forking(&self, subject: Subject) -> Option<SandboxId> {
        let Subject::Sandbox(id) = subject else { return None };
        self.committed.sandbox(id)?.forking()
    }

    /// The epoch is ours: look at everything once, and wait for the hosts.
    fn serve(&mut self, now: Timestamp) {
        self.phase = Phase::Serving;
        let hosts = self.committed.hosts();
        let missing =
            hosts.iter().filter(|host| hosts.residents(host.id).next().is_some()).map(|host| host.id);
        self.barrier = Barrier::raise(missing.collect(), now.after(self.config.resync));
        self.agenda = self.committed.sandboxes().map(|sandbox| sandbox.id).collect();
        self.agenda.extend(self.committed.snapshots().map(|snapshot| bearer(snapshot.id)));
        self.unheard_of_all(now);
    }

    /// Somebody else filled the slot this writer wanted to open its epoch in: follow them, then open the next.
    /// Nothing but the opening was decided yet, and its slot is lost for certain.
    fn give_way(&mut self, now: Timestamp, frame: &[u8]) {
        self.writer.flight = None;
        self.writer.staged.clear();
        let mut replay = super::Replay::resume(self.committed.clone(), self.writer.mark);
        let mut entries = Vec::new();
        if let Err(error) = replay.feed(frame, |entry| entries.push(Arc::new(entry))) {
            return self.halt(Halt::Unreadable(error));
        }
        if let Err(error) = replay.check_clock(&self.config, now) {
            return self.halt(Halt::Unreadable(error));
        }
        (self.committed, self.writer.mark) = replay.into_parts();
        self.proposed = self.committed.clone();
        self.outputs.push_back(Output::Committed(entries));
        let opened = self.opened(now);
        let _ = self.propose(now, opened);
    }
}

/// Whether a host gave something up for want of what it needed, which may be all that is heard of a life that ended
/// while the host remembered nothing.
fn lacked(event: &Event) -> bool {
    matches!(event, Event::Sandbox(SandboxEvent::Abandoned { fault: Some(Fault::Missing { .. }) }))
}
