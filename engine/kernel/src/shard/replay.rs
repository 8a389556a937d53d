//! Folding a log from its beginning or from a checkpoint, group by group, with every check there is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hourglass_events::codec::{self, DecodeError, GroupView};
use hourglass_events::{Digest, Event, Record, ShardEvent, ShardNumber, Span, Timestamp};

use super::gate::Gate;
use super::news::Early;
use super::timers::Barrier;
use super::writer::{Mark, Writer};
use super::{Entry, Phase, Shard, ShardConfig};
use crate::alarms::Alarms;
use crate::checkpoint::Checkpoint;
use crate::dispatch::Dispatch;
use crate::fleet::{Fleet, FoldError};
use crate::log::Slot;

/// A log being folded.
#[derive(Debug, Clone)]
pub struct Replay {
    fleet: Fleet,
    mark: Mark,
}

/// Why a log cannot be folded further, or not be written to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A frame is not a group.
    #[error("slot {slot}: {source}")]
    Frame {
        /// Where.
        slot: Slot,
        /// Why not.
        source: DecodeError,
    },
    /// A group does not follow the one in front of it.
    #[error("the group in slot {slot} does not follow the one in front of it: {what}")]
    Order {
        /// Where.
        slot: Slot,
        /// What is wrong.
        what: &'static str,
    },
    /// A record cannot be folded.
    #[error("slot {slot}: {source}")]
    Record {
        /// Where.
        slot: Slot,
        /// Why not.
        source: FoldError,
    },
    /// The clock is behind the log.
    #[error(
        "this machine's clock is {behind} behind the last record, more than the {most} allowed; set the clock"
    )]
    ClockBehind {
        /// By how much.
        behind: Span,
        /// What is allowed.
        most: Span,
    },
}

impl Replay {
    /// An empty log of shard `shard` of `shards`.
    #[must_use]
    pub fn new(shard: ShardNumber, shards: u64) -> Self {
        Self { fleet: Fleet::new(shard, shards), mark: Mark::START }
    }

    /// A log folded up to a checkpoint.
    #[must_use]
    pub fn from_checkpoint(checkpoint: Checkpoint) -> Self {
        Self { fleet: checkpoint.fleet, mark: checkpoint.mark }
    }

    pub(super) const fn resume(fleet: Fleet, mark: Mark) -> Self {
        Self { fleet, mark }
    }

    /// The state so far.
    #[must_use]
    pub const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The place so far.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        self.mark
    }

    /// The slot whose frame comes next.
    #[must_use]
    pub const fn next_slot(&self) -> Slot {
        self.mark.slot.next()
    }

    pub(super) fn into_parts(self) -> (Fleet, Mark) {
        (self.fleet, self.mark)
    }

    /// Fold the frame of the next slot and show each record to `see`.
    ///
    /// An error leaves the state as it was before the record that could not be folded.
    pub fn feed(&mut self, frame: &[u8], mut see: impl FnMut(Entry)) -> Result<(), ReplayError> {
        self.fold(frame, |record, bytes, digest| see(Entry { record, bytes: bytes.to_vec(), digest }))
    }

    /// Fold the frame of the next slot and show each record to `see`, without keeping its bytes.
    pub fn fold(
        &mut self,
        frame: &[u8],
        mut see: impl FnMut(Record, &[u8], Digest),
    ) -> Result<(), ReplayError> {
        let slot = self.next_slot();
        let group = GroupView::decode(frame).map_err(|source| ReplayError::Frame { slot, source })?;
        self.follows(slot, &group)?;
        let mut last = Digest::NONE;
        for (index, bytes) in group.records.iter().enumerate() {
            let record = self.read(slot, &group, index, bytes)?;
            last = self.take_in(slot, &record, bytes)?;
            see(record, bytes, last);
        }
        let (number, epoch) = (group.number, group.epoch);
        self.mark = Mark { slot, group: group.digest(frame, last), number, epoch };
        Ok(())
    }

    /// Fold the frame of the next slot up to the first record that is not `wanted`, and show each to `see` with the state
    /// after it. The answer is whether all of it was: otherwise this is a state that a shard may never rest in, and
    /// nothing can go on from it.
    pub fn fold_while(
        &mut self,
        frame: &[u8],
        mut wanted: impl FnMut(&Record) -> bool,
        mut see: impl FnMut(&Fleet, &Record, &[u8], Digest),
    ) -> Result<bool, ReplayError> {
        let slot = self.next_slot();
        let group = GroupView::decode(frame).map_err(|source| ReplayError::Frame { slot, source })?;
        self.follows(slot, &group)?;
        let mut last = Digest::NONE;
        for (index, bytes) in group.records.iter().enumerate() {
            let record = self.read(slot, &group, index, bytes)?;
            if !wanted(&record) {
                return Ok(false);
            }
            last = self.take_in(slot, &record, bytes)?;
            see(&self.fleet, &record, bytes, last);
        }
        let (number, epoch) = (group.number, group.epoch);
        self.mark = Mark { slot, group: group.digest(frame, last), number, epoch };
        Ok(true)
    }

    fn read(
        &self,
        slot: Slot,
        group: &GroupView<'_>,
        index: usize,
        bytes: &[u8],
    ) -> Result<Record, ReplayError> {
        let after = self.fleet.seq();
        let unreadable =
            |source| ReplayError::Record { slot, source: FoldError::Unreadable { after, source } };
        let record = codec::decode(bytes).map_err(unreadable)?;
        let opened = matches!(record.event, Event::Shard(ShardEvent::Opened { .. }));
        let opens = index == 0 && group.epoch == slot.0;
        if opened != opens {
            let what = "an epoch begins with its opening, and nothing else does";
            return Err(ReplayError::Order { slot, what });
        }
        Ok(record)
    }

    fn take_in(&mut self, slot: Slot, record: &Record, bytes: &[u8]) -> Result<Digest, ReplayError> {
        let digest = Digest::of(bytes);
        let failed = |source| ReplayError::Record { slot, source };
        self.fleet.apply(record, digest).map_err(failed)?;
        Ok(digest)
    }

    fn follows(&self, slot: Slot, group: &GroupView<'_>) -> Result<(), ReplayError> {
        let wrong = |what| Err(ReplayError::Order { slot, what });
        if group.previous != self.mark.group {
            return wrong("it names another group before it");
        }
        if group.number != self.mark.number + 1 {
            return wrong("its number is not the next one");
        }
        if group.epoch != slot.0 && (group.epoch != self.mark.epoch || self.mark == Mark::START) {
            return wrong("its epoch is neither the present one nor its own");
        }
        Ok(())
    }

    /// A writer for this log: it opens an epoch of its own before it takes requests.
    pub fn open(self, config: ShardConfig, now: Timestamp) -> Result<Shard, ReplayError> {
        self.check_clock(&config, now)?;
        let mut shard = Shard {
            writer: Writer::new(self.mark, config.nonce),
            phase: Phase::Opening,
            proposed: self.fleet.clone(),
            committed: self.fleet,
            gate: Gate::default(),
            dispatch: Dispatch::default(),
            alarms: Alarms::default(),
            uses: BTreeMap::new(),
            early: Early::default(),
            ended: BTreeMap::new(),
            barrier: Barrier::Down,
            watch: super::watch::Watch::default(),
            agenda: BTreeSet::new(),
            outputs: VecDeque::new(),
            farewell: None,
            config,
        };
        let opened = shard.opened(now);
        // The opening of a build with a name of sane length fits a record; a defect halts the shard by itself.
        let _ = shard.propose(now, opened);
        shard.send(now);
        shard.part();
        Ok(shard)
    }

    /// Time never goes back in a log, so a writer whose clock is behind it would have to invent the time.
    pub(super) fn check_clock(&self, config: &ShardConfig, now: Timestamp) -> Result<(), ReplayError> {
        let (behind, most) = (self.fleet.at().since(now), config.drift);
        if behind > most { Err(ReplayError::ClockBehind { behind, most }) } else { Ok(()) }
    }
}
