//! A writer under suspicion: everything it says is checked against the log as it is at that moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use hourglass_events::{HostCall, Refusal, ShardNumber, Span, Timestamp};

use super::STEPS;
use super::frames::{Frame, keyed, pulled, records, report, reported, request, stored};
use crate::log::{Outcome, Slot};
use crate::shard::{Halt, Input, Output, Phase, Replay, RequestId, Shard, ShardConfig};

/// A writer, and what it has said.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pub(super) shard: Shard,
    pub(super) nonce: u128,
    pub(super) pending: Option<(Slot, Arc<[u8]>)>,
    pub(super) reading: Option<Slot>,
    pub(super) asked: u64,
    /// Which of its steps were answered with success.
    pub(super) granted: BTreeSet<u64>,
    pub(super) replied: BTreeSet<u64>,
    pub(super) halt: Option<Halt>,
    pub(super) dead: bool,
    pub(super) now: Timestamp,
}

impl Writer {
    pub(super) fn on(frames: &[Frame], nonce: u128, now: Timestamp) -> Self {
        let mut replay = Replay::new(ShardNumber(0), 1);
        for frame in frames {
            replay.feed(&frame.bytes, |_| {}).expect("the log can be read");
        }
        let mut config = ShardConfig::new(nonce);
        config.resend = Span::millis(1);
        let shard = replay.open(config, now).expect("the log can be opened");
        let (granted, replied) = (BTreeSet::new(), BTreeSet::new());
        Self {
            shard,
            nonce,
            pending: None,
            reading: None,
            asked: 0,
            granted,
            replied,
            halt: None,
            dead: false,
            now,
        }
    }

    /// Tell the writer something. Everything it says is checked against the log as it is at this moment.
    pub(super) fn feed(&mut self, frames: &[Frame], promised: &mut BTreeSet<u64>, input: Input) {
        assert!(!self.dead);
        self.shard.handle(self.now, input);
        while let Some(output) = self.shard.poll() {
            assert!(
                self.halt.is_none() || matches!(output, Output::Reply { .. }),
                "the dead do not act: {output:?}"
            );
            match output {
                Output::Append { slot, frame } => {
                    assert!(self.pending.is_none() && self.reading.is_none(), "one group is in flight");
                    self.pending = Some((slot, frame));
                }
                Output::Read { slot } => self.reading = Some(slot),
                Output::Committed(entries) => {
                    for entry in entries {
                        assert!(stored(frames, &entry.record), "committed and not in the log: {entry:?}");
                    }
                }
                Output::Reply { request, reply } => self.replied(frames, promised, request, &reply),
                Output::Call { call, .. } => self.called(frames, promised, &call),
                Output::Halted(halt) => self.halt = Some(halt),
            }
        }
    }

    fn replied(
        &mut self,
        frames: &[Frame],
        promised: &mut BTreeSet<u64>,
        RequestId(step): RequestId,
        reply: &crate::shard::Reply,
    ) {
        assert!(self.replied.insert(step), "one request has one reply");
        match reply {
            Ok(_) if step > STEPS => {}
            Ok(_) => {
                assert!(
                    keyed(frames).contains_key(&step),
                    "step {step} was acknowledged and is not in the log"
                );
                promised.insert(step);
                self.granted.insert(step);
            }
            Err(refusal) => assert!(
                matches!(refusal, Refusal::Fenced | Refusal::StorageFull | Refusal::NotReady)
                    || step == STEPS
                        && matches!(refusal, Refusal::WrongState { .. } | Refusal::NoSuchSandbox(_)),
                "{refusal}"
            ),
        }
    }

    fn called(&self, frames: &[Frame], promised: &mut BTreeSet<u64>, call: &HostCall) {
        match call {
            HostCall::Do(order) => {
                assert!(
                    records(frames).any(|record| record.seq.0 == order.number.0),
                    "{order:?} stands on nothing durable"
                );
            }
            HostCall::Acknowledge { serial } => {
                assert!(reported(frames), "report {serial} was acknowledged and is not in the log");
                promised.insert(3);
            }
            HostCall::AskUse { .. } => {}
        }
    }

    /// Do the next step, if it can be done by now: the next group forms while one is in flight.
    pub(super) fn step(&mut self, frames: &[Frame], promised: &mut BTreeSet<u64>) {
        let busy = self.shard.staged() > 0 || self.shard.phase() != Phase::Serving;
        if self.dead || self.asked == STEPS || busy {
            return;
        }
        let step = self.asked + 1;
        if step == 3 {
            // The report needs its order, which stands on the first group.
            let Some(number) = pulled(frames) else { return };
            self.asked = step;
            return self.feed(frames, promised, report(number));
        }
        self.asked = step;
        self.feed(frames, promised, Input::Request { id: RequestId(step), request: Box::new(request(step)) });
    }
}

/// A writer that has stopped says why, says so to whoever asks, and does nothing else.
pub(super) fn see_it_dead(writer: &mut Writer, frames: &[Frame], promised: &mut BTreeSet<u64>) {
    assert!(matches!(writer.halt, Some(Halt::Fenced { .. } | Halt::Broken { .. })), "{:?}", writer.halt);
    let promises = promised.len();
    for slot in 1..=frames.len() as u64 + 1 {
        let (slot, outcome) = (Slot(slot), Outcome::Durable);
        writer.feed(frames, promised, Input::Appended { slot, outcome });
    }
    writer.feed(frames, promised, Input::Tick);
    writer.feed(frames, promised, Input::Request { id: RequestId(99), request: Box::new(request(1)) });
    assert!(writer.replied.contains(&99) && !writer.granted.contains(&99), "it answers that it is replaced");
    for step in (1..=writer.asked).filter(|step| *step != 3) {
        assert!(writer.replied.contains(&step), "step {step} was never answered");
    }
    assert!(writer.pending.is_none() && writer.reading.is_none() && writer.shard.deadline().is_none());
    assert_eq!(promised.len(), promises, "it promises nothing more");
    writer.dead = true;
}
