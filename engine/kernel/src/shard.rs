//! One shard: the only place where its events are decided, put in order, made durable and acted on.
//!
//! Three states of the world lie behind each other. *Proposed* holds everything decided; the next decision stands on
//! it. *In flight* is the one group being appended. *Committed* is what the log holds; orders, replies and
//! acknowledgements stand on that alone, and the [`gate`] makes it a matter of types. What was decided is never taken
//! back: a writer that finds another's group in its slot has been replaced, and stops.
//!
//! After each [`Shard::handle`] the caller drains [`Shard::poll`] and sleeps until [`Shard::deadline`].

mod gate;
mod news;
mod replay;
mod requests;
mod timers;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use hourglass_events::{
    Actor, Alarm, Cause, CorrelationId, Digest, Event, HostCall, HostId, HostNews, Record, RecordId, Refusal,
    Request, Sandbox, SandboxId, Seq, ShardEvent, ShardNumber, Span, Subject, Timestamp, codec,
};

use crate::alarms::Alarms;
use crate::checkpoint::{Checkpoint, LAYOUT};
use crate::decide::Proposal;
use crate::dispatch::Dispatch;
use crate::fleet::{Fleet, FoldError, GENERAL};
use crate::log::{Outcome, Slot};
use crate::owe;
use crate::terms::Terms;

use gate::{Gate, Held};
pub use replay::{Replay, ReplayError};
use timers::{Barrier, Use};
pub use writer::Mark;
use writer::Writer;

/// The shell's number for a request that waits for its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What a shard is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// A client asks for something.
    Request {
        /// Under which number it waits.
        id: RequestId,
        /// What it asks.
        request: Box<Request>,
    },
    /// What became of an append.
    Appended {
        /// The slot.
        slot: Slot,
        /// What is known of it.
        outcome: Outcome,
    },
    /// What a slot holds.
    Read {
        /// The slot.
        slot: Slot,
        /// Its frame, or none if it is empty or could not be read.
        frame: Option<Arc<[u8]>>,
    },
    /// A host says something.
    News {
        /// The host.
        host: HostId,
        /// What it says.
        news: HostNews,
    },
    /// The connection to a host is gone.
    HostGone {
        /// The host.
        host: HostId,
    },
    /// The digest of the state as of a record, computed elsewhere from a checkpoint.
    StateHashed {
        /// The last record folded into it.
        through: Seq,
        /// The digest.
        hash: Digest,
    },
    /// Time has passed.
    Tick,
}

/// What a shard wants done.
#[derive(Debug, Clone)]
pub enum Output {
    /// Append a frame; answer with [`Input::Appended`].
    Append {
        /// The slot it is for.
        slot: Slot,
        /// Its bytes.
        frame: Arc<[u8]>,
    },
    /// Read a slot; answer with [`Input::Read`].
    Read {
        /// The slot.
        slot: Slot,
    },
    /// These records are durable. Apply them to read models before the replies that follow.
    Committed(Vec<Arc<Entry>>),
    /// Answer a client.
    Reply {
        /// The number it waits under.
        request: RequestId,
        /// The answer.
        reply: Reply,
    },
    /// Say something to a host.
    Call {
        /// The host.
        host: HostId,
        /// What to say.
        call: HostCall,
    },
    /// This shard has stopped for good; make another from the log.
    Halted(Halt),
}

/// A durable record and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub record: Record,
    /// Its bytes in the log.
    pub bytes: Vec<u8>,
    /// The digest of those bytes.
    pub digest: Digest,
}

/// What a client is told.
pub type Reply = Result<Accepted, Refusal>;

/// A request that was accepted and is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What it is about.
    pub subject: Subject,
    /// The state of the shard that the reply reflects.
    pub seq: Seq,
    /// The sandbox it is about, unless it is gone.
    pub sandbox: Option<Arc<Sandbox>>,
}

/// Why a shard stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// Another writer filled a slot of ours.
    #[error("another writer filled slot {slot}; this one is replaced")]
    Fenced {
        /// The slot.
        slot: Slot,
    },
    /// The log's storage failed and must be read again.
    #[error("the log's storage failed while slot {slot} was written; open the log again")]
    Broken {
        /// The slot.
        slot: Slot,
    },
    /// A decision could not be folded: a defect of this build. Nothing of it was written.
    #[error("a decision cannot be folded, which is a defect: {0}")]
    Defect(FoldError),
    /// A rival's records cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ReplayError),
}

/// Why a shard wants to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A doubtful append is to be sent again.
    Resend,
    /// Storage that was full is to be tried again.
    Full,
    /// Hosts have had their time to repeat their reports.
    Resync,
    /// An alarm goes off.
    Alarm(Alarm, SandboxId),
}

/// How a shard is set up.
#[derive(Debug, Clone)]
pub struct ShardConfig {
    /// Drawn at random for every writer, so that two writers' bytes never agree.
    pub nonce: u128,
    /// The build, as recorded at takeover.
    pub build: String,
    /// Time limits and defaults of decisions.
    pub terms: Terms,
    /// How far behind the last record a writer's clock may be (ε).
    pub drift: Span,
    /// How long hosts have to repeat their reports before alarms are armed.
    pub resync: Span,
    /// The wait before a doubtful append is sent again.
    pub resend: Span,
    /// The wait before full storage is tried again.
    pub full: Span,
    /// The most records that may wait for the group in flight; more requests are refused.
    pub staged: usize,
}

impl ShardConfig {
    /// The usual settings with this nonce.
    #[must_use]
    pub fn new(nonce: u128) -> Self {
        Self {
            nonce,
            build: env!("CARGO_PKG_VERSION").to_owned(),
            terms: Terms::default(),
            drift: Span::seconds(1),
            resync: Span::seconds(10),
            resend: Span::millis(30),
            full: Span::seconds(1),
            staged: 16 * codec::GROUP_RECORDS_MOST,
        }
    }
}

/// How far a shard has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It is committing the group that opens its epoch.
    Opening,
    /// It takes requests.
    Serving,
    /// It has stopped for good.
    Halted,
}

/// The decider of one shard.
#[derive(Debug)]
pub struct Shard {
    config: ShardConfig,
    phase: Phase,
    proposed: Fleet,
    committed: Fleet,
    writer: Writer,
    gate: Gate,
    dispatch: Dispatch,
    alarms: Alarms,
    uses: BTreeMap<SandboxId, Use>,
    barrier: Barrier,
    /// Sandboxes whose alarms and follow-ups are to be looked at.
    agenda: BTreeSet<SandboxId>,
    outputs: VecDeque<Output>,
}

impl Shard {
    /// Take in what happened at `now`.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        match input {
            Input::Request { id, request } => self.request(now, id, &request),
            Input::Appended { slot, outcome } => self.appended(now, slot, outcome),
            Input::Read { slot, frame } => self.slot_read(now, slot, frame),
            Input::News { host, news } => self.news(now, host, news),
            Input::HostGone { host } => self.host_gone(host),
            Input::StateHashed { through, hash } => self.state_hashed(now, through, hash),
            Input::Tick => {}
        }
        if self.phase == Phase::Halted {
            return;
        }
        self.settle(now);
        self.ring(now);
        self.send(now);
    }

    /// The next thing to be done, if there is one.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the shard wants [`Input::Tick`] if nothing happens before, and why.
    #[must_use]
    pub fn deadline(&self) -> Option<(Timestamp, Why)> {
        if self.phase == Phase::Halted {
            return None;
        }
        [self.writer.deadline(), self.timers_deadline()].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// How far the shard has come.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// What the log holds, folded.
    #[must_use]
    pub const fn committed(&self) -> &Fleet {
        &self.committed
    }

    /// What was decided, folded: the log and what is on its way there.
    #[must_use]
    pub const fn proposed(&self) -> &Fleet {
        &self.proposed
    }

    /// Whether the resync barrier is down, so that alarms go off.
    #[must_use]
    pub fn is_resynced(&self) -> bool {
        matches!(self.barrier, Barrier::Down)
    }

    /// How many records wait for the group in flight.
    #[must_use]
    pub fn staged(&self) -> usize {
        self.writer.staged()
    }

    /// Whether nothing is on its way: no group in flight, no record staged, nobody waiting for a reply.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.phase == Phase::Halted || (self.writer.is_idle() && self.gate.len() == 0)
    }

    /// The committed state, to be written out elsewhere. Costs nothing to speak of.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { mark: self.writer.mark(), fleet: self.committed.clone() }
    }

    /// Put `proposal` in order and let the next decision stand on it.
    fn propose(&mut self, now: Timestamp, proposal: Proposal) -> Result<Seq, Refusal> {
        let record = self.record(now, proposal);
        let bytes = codec::encode(&record);
        if bytes.len() > codec::RECORD_BYTES_MOST {
            return Err(Refusal::TooLarge { bytes: bytes.len(), most: codec::RECORD_BYTES_MOST });
        }
        let digest = Digest::of(&bytes);
        if let Err(error) = self.proposed.apply(&record, digest) {
            self.halt(Halt::Defect(error));
            return Err(Refusal::NotReady);
        }
        let seq = record.seq;
        match record.subject {
            Subject::Sandbox(id) => {
                self.agenda.insert(id);
            }
            Subject::Host(_) => self.agenda.extend(self.proposed.waiting()),
            Subject::Shard(_) | Subject::Organization(_) | Subject::Snapshot(_) => {}
        }
        self.writer.stage(Arc::new(Entry { record, bytes, digest }));
        Ok(seq)
    }

    fn record(&self, now: Timestamp, proposal: Proposal) -> Record {
        let fleet = &self.proposed;
        let (seq, at) = (fleet.seq().next(), now.max(fleet.at()));
        let id = record_id(at, self.config.nonce, fleet.head(), seq);
        let Proposal { subject, organization, actor, cause, correlation, event } = proposal;
        let inherited = || match (&cause, subject) {
            // What a timer begins is a story of its own; everything else belongs to what it follows from.
            (Cause::Timer(_), _) => None,
            (_, Subject::Sandbox(id)) => fleet.sandbox(id).map(|sandbox| sandbox.correlation),
            _ => None,
        };
        let correlation = correlation.or_else(inherited).unwrap_or(CorrelationId(id.0));
        let version = fleet.next_version(subject);
        let (prev, schema) = (fleet.head(), hourglass_events::record::SCHEMA);
        Record { seq, id, at, subject, organization, version, actor, cause, correlation, prev, schema, event }
    }

    fn opened(&self, now: Timestamp) -> Proposal {
        let (shard, shards) = (self.proposed.shard(), self.proposed.shards());
        let event = ShardEvent::Opened {
            build: self.config.build.clone(),
            schema: hourglass_events::record::SCHEMA,
            clock: now,
            shards,
            shard,
        };
        own(shard, Cause::Takeover, event)
    }

    fn state_hashed(&mut self, now: Timestamp, through: Seq, hash: Digest) {
        if self.phase == Phase::Serving {
            let event = ShardEvent::StateHashed { layout: LAYOUT, hash: hash.0, through };
            // A fixed-size record cannot be too large, and a defect has halted the shard by itself.
            let _ = self.propose(now, own(self.proposed.shard(), Cause::Duty, event));
        }
    }

    /// Look at every sandbox on the agenda: arm its alarms and record the event it is owed, until nothing is owed or
    /// enough waits for the log.
    fn settle(&mut self, now: Timestamp) {
        while self.phase == Phase::Serving && self.writer.staged() < self.config.staged {
            let Some(id) = self.agenda.pop_first() else { return };
            self.arm(id);
            let Some(sandbox) = self.proposed.sandbox(id) else { continue };
            if let Some(proposal) = owe::follow_up(&self.proposed, &self.config.terms, sandbox, now) {
                // Follow-ups are small; a defect has halted the shard by itself.
                let _ = self.propose(now, proposal);
            }
        }
    }

    /// Send the order that each of `sandboxes` is owed by committed state, unless it went out already.
    fn order(&mut self, now: Timestamp, sandboxes: impl IntoIterator<Item = SandboxId>) {
        for id in sandboxes {
            let Some(sandbox) = self.committed.sandbox(id) else {
                self.dispatch.forget(id);
                continue;
            };
            let Some((host, order)) = owe::order(self.committed.shard(), sandbox, now) else { continue };
            if self.dispatch.claim(host, id, order.number) {
                self.outputs.push_back(Output::Call { host, call: HostCall::Do(order) });
            }
        }
    }

    fn halt(&mut self, why: Halt) {
        if self.phase == Phase::Halted {
            return;
        }
        self.phase = Phase::Halted;
        for held in self.gate.abandon() {
            match held {
                Held::Accepted { request, .. } | Held::Refused { request, .. } => {
                    self.outputs.push_back(Output::Reply { request, reply: Err(Refusal::Fenced) });
                }
                // The host repeats what was not acknowledged to the next writer.
                Held::Acknowledge { .. } => {}
            }
        }
        self.outputs.push_back(Output::Halted(why));
    }
}

/// Something the shard does to itself.
fn own(shard: ShardNumber, cause: Cause, event: ShardEvent) -> Proposal {
    Proposal {
        subject: Subject::Shard(shard),
        organization: GENERAL,
        actor: Actor::Engine,
        cause,
        correlation: None,
        event: Event::Shard(event),
    }
}

/// A UUIDv7 whose random part is drawn from what makes the record unique: its writer, its predecessor, its place.
fn record_id(at: Timestamp, nonce: u128, head: Digest, seq: Seq) -> RecordId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&nonce.to_le_bytes()).update(&head.0).update(&seq.0.to_le_bytes());
    let mut bytes = [0; 10];
    hasher.finalize_xof().fill(&mut bytes);
    RecordId(uuid::Builder::from_unix_timestamp_millis(at.0 / 1_000, &bytes).into_uuid())
}
