//! Records as they become durable, from any position, without gap or repeat.
//!
//! A subscriber that starts in the past reads the log until it reaches what is kept in memory. From then on it must
//! keep up: one that falls out of memory is told where it was and may subscribe again from there. The writer never
//! waits for anybody.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use hourglass_events::codec::{self, GroupView};
use hourglass_events::{Digest, Seq};
use hourglass_kernel::{Entry, Slot};
use tokio::sync::watch;

use crate::log::{EventLog, ReadError};

/// The newest records of a shard, and word of each new one.
#[derive(Debug)]
pub(crate) struct Recent {
    kept: Mutex<VecDeque<Arc<Entry>>>,
    most: usize,
    latest: watch::Sender<Latest>,
}

/// How far a shard has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Latest {
    /// This is its newest record, and more may follow.
    Open(Seq),
    /// This is its newest record, and this engine writes no more.
    Ended(Seq),
}

impl Latest {
    pub(crate) const fn seq(self) -> Seq {
        match self {
            Self::Open(seq) | Self::Ended(seq) => seq,
        }
    }
}

impl Recent {
    pub(crate) fn new(most: usize, latest: Seq) -> Self {
        Self { kept: Mutex::default(), most, latest: watch::Sender::new(Latest::Open(latest)) }
    }

    /// Keep `entries`, which follow what was kept before, and wake those who wait.
    pub(crate) fn publish(&self, entries: &[Arc<Entry>]) {
        let Some(last) = entries.last() else { return };
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(entries.iter().cloned());
            let surplus = kept.len().saturating_sub(self.most);
            kept.drain(..surplus);
        }
        self.latest.send_replace(Latest::Open(last.record.seq));
    }

    /// Tell those who wait that nothing more comes.
    pub(crate) fn end(&self) {
        self.latest.send_modify(|latest| *latest = Latest::Ended(latest.seq()));
    }

    /// The newest record.
    pub(crate) fn latest(&self) -> Seq {
        self.latest.borrow().seq()
    }

    fn find(&self, seq: Seq) -> Found {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = kept.front().map(|entry| entry.record.seq) else {
            return if seq > self.latest() { Found::NotYet } else { Found::Older };
        };
        match seq.0.checked_sub(first.0) {
            None => Found::Older,
            Some(index) => usize::try_from(index)
                .ok()
                .and_then(|index| kept.get(index))
                .map_or(Found::NotYet, |entry| Found::Kept(Arc::clone(entry))),
        }
    }
}

enum Found {
    Kept(Arc<Entry>),
    Older,
    NotYet,
}

/// A reader of one shard's records.
#[derive(Debug)]
pub struct Subscription {
    next: Seq,
    recent: Arc<Recent>,
    latest: watch::Receiver<Latest>,
    past: Option<Past>,
}

/// The part of the log a subscriber still reads from storage.
#[derive(Debug)]
struct Past {
    /// Not held for longer than a read, so that a log that failed can be closed and opened again.
    log: Weak<dyn EventLog>,
    slot: Option<Slot>,
    read: VecDeque<Arc<Entry>>,
}

/// Why a subscription ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lagged {
    /// The subscriber was too slow for what is kept in memory.
    #[error("this subscriber fell behind; subscribe again from record {seq}")]
    Behind {
        /// The first record it has not seen.
        seq: Seq,
    },
    /// The past could not be read.
    #[error("record {seq} could not be read from the log: {source}")]
    Unreadable {
        /// The first record it has not seen.
        seq: Seq,
        /// Why not.
        source: ReadError,
    },
    /// The shard's writer has ended.
    #[error("the shard has ended; subscribe again from record {seq} once it is back")]
    Ended {
        /// The first record it has not seen.
        seq: Seq,
    },
}

impl Subscription {
    pub(crate) fn new(from: Seq, recent: Arc<Recent>, log: Weak<dyn EventLog>) -> Self {
        let latest = recent.latest.subscribe();
        let next = from.max(Seq(1));
        Self { next, recent, latest, past: Some(Past { log, slot: None, read: VecDeque::new() }) }
    }

    /// The first record not yet given.
    #[must_use]
    pub const fn position(&self) -> Seq {
        self.next
    }

    /// The next record, once it is durable. Safe to drop while waiting: nothing is skipped.
    pub async fn next(&mut self) -> Result<Arc<Entry>, Lagged> {
        loop {
            // Looked at first: what is published from here on wakes the wait below.
            let latest = *self.latest.borrow_and_update();
            match self.recent.find(self.next) {
                Found::Kept(entry) => {
                    self.past = None;
                    return Ok(self.give(entry));
                }
                Found::Older => {
                    let Some(past) = &mut self.past else {
                        metrics::counter!(crate::telemetry::LAGGED).increment(1);
                        return Err(Lagged::Behind { seq: self.next });
                    };
                    let seq = self.next;
                    let entry = past.entry(seq).await.map_err(|source| Lagged::Unreadable { seq, source })?;
                    return Ok(self.give(entry));
                }
                Found::NotYet => {
                    let ended = Lagged::Ended { seq: self.next };
                    match latest {
                        Latest::Ended(_) => return Err(ended),
                        Latest::Open(_) => self.latest.changed().await.map_err(|_| ended)?,
                    }
                }
            }
        }
    }

    fn give(&mut self, entry: Arc<Entry>) -> Arc<Entry> {
        self.next = entry.record.seq.next();
        entry
    }
}

impl Past {
    /// Record `seq`, read from the log. The first one is searched for, the others follow it.
    async fn entry(&mut self, seq: Seq) -> Result<Arc<Entry>, ReadError> {
        loop {
            while let Some(entry) = self.read.pop_front() {
                if entry.record.seq == seq {
                    return Ok(entry);
                }
            }
            let slot = match self.slot {
                Some(slot) => slot.next(),
                None => self.search(seq).await?,
            };
            self.read = self.entries(slot).await?.into();
            self.slot = Some(slot);
        }
    }

    /// The slot that holds `seq`: the last one that does not begin after it.
    async fn search(&self, seq: Seq) -> Result<Slot, ReadError> {
        let (mut low, mut high) = (1, self.log()?.end().await?.0);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let first = self.entries(Slot(middle)).await?.first().map(|entry| entry.record.seq);
            if first.is_some_and(|first| first <= seq) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(Slot(low))
    }

    fn log(&self) -> Result<Arc<dyn EventLog>, ReadError> {
        self.log.upgrade().ok_or_else(|| ReadError::Unavailable { why: "the shard has ended".to_owned() })
    }

    async fn entries(&self, slot: Slot) -> Result<Vec<Arc<Entry>>, ReadError> {
        let damaged = |what: String| ReadError::Damaged { slot, what };
        let frame = self.log()?.read(slot).await?.ok_or_else(|| damaged("the slot is empty".to_owned()))?;
        let group = GroupView::decode(&frame).map_err(|error| damaged(error.to_string()))?;
        let entry = |bytes: &&[u8]| {
            let record = codec::decode(bytes).map_err(|error| damaged(error.to_string()))?;
            Ok(Arc::new(Entry { record, bytes: bytes.to_vec(), digest: Digest::of(bytes) }))
        };
        group.records.iter().map(entry).collect()
    }
}
