//! What the log holds, folded as it is stored: the judge's own copy, which no writer touches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hourglass_events::codec::{self, Group};
use hourglass_events::{
    Cause, Digest, Event, OrderNumber, Record, Sandbox, SandboxEvent, SandboxId, Seq, ShardNumber, Subject,
};
use hourglass_kernel::{Fleet, Replay, Slot};

use crate::invariants::{Checked, Law, Violation, broken, folds_agree};

/// The only shard of the world.
pub(crate) const SHARD: ShardNumber = ShardNumber(0);

/// A durable record, with its sandbox in front of it and after it.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) record: Record,
    pub(crate) before: Option<Arc<Sandbox>>,
    pub(crate) after: Option<Arc<Sandbox>>,
    /// The nonce of the writer whose group it came in.
    pub(crate) nonce: u128,
}

/// The log, folded.
#[derive(Debug)]
pub(crate) struct Truth {
    frames: Vec<Arc<[u8]>>,
    /// The kernel's own replay, group by group.
    replay: Replay,
    /// The state after each slot.
    history: Vec<Fleet>,
    subjects: Vec<Subject>,
    versions: BTreeMap<Subject, u64>,
    /// Who wrote in each epoch, and the newest of them.
    epochs: BTreeMap<u64, u128>,
    done: BTreeSet<(SandboxId, OrderNumber)>,
    removed: BTreeSet<SandboxId>,
}

impl Truth {
    pub(crate) fn new() -> Self {
        let replay = Replay::new(SHARD, 1);
        Self {
            frames: Vec::new(),
            history: vec![replay.fleet().clone()],
            replay,
            subjects: Vec::new(),
            versions: BTreeMap::new(),
            epochs: BTreeMap::new(),
            done: BTreeSet::new(),
            removed: BTreeSet::new(),
        }
    }

    /// A frame was stored in the next slot. The answer is what it says, to be judged record by record.
    pub(crate) fn store(&mut self, frame: &Arc<[u8]>) -> Result<Vec<Fact>, Violation> {
        let group = Group::decode(frame).map_err(|error| broken(Law::ChainIntact, error.to_string()))?;
        self.one_writer(&group)?;
        let mut fleet = self.fleet().clone();
        let mut facts = Vec::new();
        for bytes in &group.records {
            let record = codec::decode(bytes).map_err(|error| broken(Law::ChainIntact, error.to_string()))?;
            let sandbox = |fleet: &Fleet| match record.subject {
                Subject::Sandbox(id) => fleet.sandbox(id).cloned(),
                Subject::Shard(_) | Subject::Organization(_) | Subject::Host(_) | Subject::Snapshot(_) => {
                    None
                }
            };
            let before = sandbox(&fleet);
            fleet
                .apply(&record, Digest::of(bytes))
                .map_err(|error| broken(Law::ChainIntact, error.to_string()))?;
            let after = sandbox(&fleet);
            facts.push(Fact { record, before, after, nonce: group.nonce });
        }
        self.replay.fold(frame, |_, _, _| {}).map_err(|error| broken(Law::ChainIntact, error.to_string()))?;
        folds_agree(&fleet, self.replay.fleet(), "replay by record and by group")?;
        self.frames.push(Arc::clone(frame));
        self.history.push(fleet);
        Ok(facts)
    }

    /// Take note of a fact once it was judged. The answer is the sequence and version in front of it.
    pub(crate) fn note(&mut self, fact: &Fact) -> (Seq, u64) {
        let record = &fact.record;
        let last = Seq(u64::try_from(self.subjects.len()).expect("lengths fit"));
        let version = self.versions.insert(record.subject, record.version).unwrap_or(0);
        self.subjects.push(record.subject);
        if let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) {
            if let (Cause::Report(number), SandboxEvent::Booted) = (&record.cause, event) {
                self.done.insert((id, *number));
            }
            if matches!(event, SandboxEvent::Removed) {
                self.removed.insert(id);
            }
        }
        (last, version)
    }

    /// Groups come from one writer per epoch, and epochs only grow.
    fn one_writer(&mut self, group: &Group) -> Checked {
        let newest = self.epochs.last_key_value().map_or(0, |(epoch, _)| *epoch);
        let nonce = *self.epochs.entry(group.epoch).or_insert(group.nonce);
        if group.epoch < newest || nonce != group.nonce {
            let what = format!("a group of epoch {} was accepted after epoch {newest} began", group.epoch);
            return Err(broken(Law::OneWriter, what));
        }
        Ok(())
    }

    /// The state now.
    pub(crate) fn fleet(&self) -> &Fleet {
        self.history.last().expect("there is a state before the first slot")
    }

    /// The last record the log holds.
    pub(crate) fn seq(&self) -> Seq {
        self.fleet().seq()
    }

    /// The state after `slot`.
    pub(crate) fn after(&self, slot: Slot) -> Option<&Fleet> {
        self.history.get(usize::try_from(slot.0).ok()?)
    }

    /// The state as of `seq`, if a group ends there.
    pub(crate) fn as_of(&self, seq: Seq) -> Option<&Fleet> {
        let found = self.history.binary_search_by_key(&seq, Fleet::seq).ok()?;
        self.history.get(found)
    }

    /// What record `seq` happened to.
    pub(crate) fn subject(&self, seq: Seq) -> Option<Subject> {
        self.subjects.get(usize::try_from(seq.0.checked_sub(1)?).ok()?).copied()
    }

    /// Whether the log knows that order `number` booted `sandbox`.
    pub(crate) fn is_done(&self, sandbox: SandboxId, number: OrderNumber) -> bool {
        self.done.contains(&(sandbox, number))
    }

    /// Whether the log knows that nothing is left of `sandbox`.
    pub(crate) fn is_removed(&self, sandbox: SandboxId) -> bool {
        self.removed.contains(&sandbox)
    }

    /// What was first stored in `slot`.
    pub(crate) fn frame(&self, slot: Slot) -> Option<&Arc<[u8]>> {
        self.frames.get(usize::try_from(slot.0.checked_sub(1)?).ok()?)
    }

    /// Every frame that was ever stored.
    pub(crate) fn frames(&self) -> &[Arc<[u8]>] {
        &self.frames
    }
}
