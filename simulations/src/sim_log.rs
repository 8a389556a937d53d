//! The log: slots that hold what was stored first, for ever, and answers that may lie by omission.
//!
//! It outlives every writer. What it says is never false, only late, lost or doubtful; two planted defects excepted.

use std::sync::Arc;

use hourglass_events::Digest;
use hourglass_kernel::{Outcome, Slot};

use crate::agenda::Due;
use crate::plan::Planted;
use crate::sim_engine::EngineId;
use crate::world::World;

/// The slots.
#[derive(Debug, Default)]
pub(crate) struct SimLog {
    frames: Vec<Arc<[u8]>>,
    full: bool,
}

impl SimLog {
    /// Every frame, by slot.
    pub(crate) fn frames(&self) -> &[Arc<[u8]>] {
        &self.frames
    }

    pub(crate) fn read(&self, slot: Slot) -> Option<&Arc<[u8]>> {
        self.frames.get(usize::try_from(slot.0.checked_sub(1)?).ok()?)
    }

    fn end(&self) -> Slot {
        Slot(u64::try_from(self.frames.len()).expect("lengths fit") + 1)
    }

    pub(crate) fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// The planted defect: what was stored last is gone.
    pub(crate) fn forget_last(&mut self) {
        self.frames.pop();
    }
}

impl World {
    /// An append reaches the log.
    pub(crate) fn append(&mut self, engine: EngineId, slot: Slot, frame: Arc<[u8]>) {
        let faults = self.plan.log.clone();
        if self.log.full && self.stormy {
            self.say(format_args!("log full, {slot} is not stored"));
            return self.answer(engine, slot, Outcome::NoSpace);
        }
        let dice = &mut self.dice.log;
        let (lost, unanswered, late) =
            (dice.chance(faults.lost), dice.chance(faults.unanswered), dice.chance(faults.late));
        let (broken, stored) = (dice.chance(faults.broken), dice.chance(HALF));
        let stormy = self.stormy;
        if stormy && broken {
            self.say(format_args!("log ! breaks under e{} at slot {slot}", engine.0));
            if stored {
                self.fill(slot, &frame);
            }
            self.answer(engine, slot, Outcome::Broken);
        } else if stormy && lost {
            self.say(format_args!("log x slot {slot} of e{}", engine.0));
            self.answer(engine, slot, Outcome::Doubtful);
        } else if stormy && late {
            self.say(format_args!("log ~ slot {slot} of e{}", engine.0));
            let wait = self.dice.log.wait(LATE);
            self.agenda.put(self.now.after(wait), Due::Straggler { slot, frame });
            self.answer(engine, slot, Outcome::Doubtful);
        } else {
            let outcome = self.fill(slot, &frame);
            self.answer(engine, slot, if stormy && unanswered { Outcome::Doubtful } else { outcome });
        }
    }

    /// A frame that had been given up arrives after all.
    pub(crate) fn straggler(&mut self, slot: Slot, frame: &Arc<[u8]>) {
        self.fill(slot, frame);
    }

    /// A writer asks what a slot holds and is told so after a while.
    pub(crate) fn read(&mut self, engine: EngineId, slot: Slot) {
        let wait = self.dice.log.wait(self.plan.latency);
        self.agenda.put(self.now.after(wait), Due::Content { engine, slot });
    }

    /// What that slot holds, as far as the log says.
    pub(crate) fn content(&mut self, slot: Slot) -> Option<Arc<[u8]>> {
        let stale = self.dice.log.chance(self.plan.log.stale) && self.stormy;
        if stale { None } else { self.log.read(slot).cloned() }
    }

    fn answer(&mut self, engine: EngineId, slot: Slot, outcome: Outcome) {
        let again = self.dice.log.chance(self.plan.log.twice) && self.stormy;
        let (first, second) = (self.dice.log.wait(self.plan.latency), self.dice.log.wait(LATE));
        let at = self.now.after(first);
        self.agenda.put(at, Due::Answer { engine, slot, outcome });
        if again {
            self.agenda.put(at.after(second), Due::Answer { engine, slot, outcome });
        }
    }

    /// Store a frame if its slot is the next, and let the judge see it.
    fn fill(&mut self, slot: Slot, frame: &Arc<[u8]>) -> Outcome {
        if slot < self.log.end() {
            let foreign = self.log.read(slot).is_some_and(|held| held != frame);
            if foreign && self.plan.planted == Some(Planted::FrameOverwritten) {
                let at = usize::try_from(slot.0 - 1).expect("slots fit");
                self.log.frames[at] = Arc::clone(frame);
                return Outcome::Durable;
            }
            return Outcome::Occupied;
        }
        if slot > self.log.end() {
            return Outcome::Doubtful;
        }
        self.say(format_args!("log = slot {slot} {} bytes {}", frame.len(), Digest::of(frame)));
        self.trace.bytes(frame);
        self.log.frames.push(Arc::clone(frame));
        self.stored(frame);
        Outcome::Durable
    }
}

const HALF: crate::dice::Rate = crate::dice::Rate(5_000);
/// The longest that a frame or a second answer is on its way.
const LATE: hourglass_events::Span = hourglass_events::Span::seconds(3);
