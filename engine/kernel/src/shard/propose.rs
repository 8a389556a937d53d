//! Putting what was decided in order: an envelope, a place in the chain, and a fold of its own.

use std::sync::Arc;

use hourglass_events::{
    Actor, Cause, CorrelationId, Digest, Event, HostId, Record, RecordId, Refusal, Resources, Sandbox,
    SandboxId, Seq, ShardEvent, ShardNumber, SnapshotId, Source, State, Subject, Timestamp, codec,
};

use super::{Entry, Halt, Phase, Shard};
use crate::checkpoint::LAYOUT;
use crate::decide::Proposal;
use crate::fleet::{GENERAL, seeks};
use crate::owe::snapshots::bearer;

impl Shard {
    /// Put `proposal` in order and let the next decision stand on it.
    pub(super) fn propose(&mut self, now: Timestamp, proposal: Proposal) -> Result<Seq, Refusal> {
        let record = self.record(now, proposal);
        let bytes = codec::encode(&record);
        if bytes.len() > codec::RECORD_BYTES_MOST {
            return Err(Refusal::TooLarge { bytes: bytes.len(), most: codec::RECORD_BYTES_MOST });
        }
        let digest = Digest::of(&bytes);
        let (before, ties) = (self.housing(record.subject), self.ties(record.subject));
        let snapshots = self.snapshots_of(record.subject);
        if let Err(error) = self.proposed.apply(&record, digest) {
            self.halt(Halt::Defect(error));
            return Err(Refusal::NotReady);
        }
        let seq = record.seq;
        match record.subject {
            Subject::Sandbox(id) => {
                self.agenda.insert(id);
                self.see_relatives(id, ties);
                let after = self.snapshots_of(record.subject);
                if snapshots != after {
                    self.agenda
                        .extend([snapshots, after].into_iter().flatten().flatten().flatten().map(bearer));
                }
                if before != self.housing(record.subject) {
                    // It may have left room, or the head of the queue.
                    self.agenda.extend(self.proposed.first_waiting());
                }
            }
            Subject::Host(_) => {
                self.agenda.extend(self.proposed.first_waiting());
                self.agenda.extend(self.proposed.known_snapshots().busy().map(bearer));
            }
            Subject::Snapshot(id) => {
                self.agenda.insert(bearer(id));
                let source = self.proposed.snapshot_by_id(id).map(|snapshot| &snapshot.source);
                if let Some(Source::Sandbox(of)) = source {
                    self.agenda.insert(*of);
                }
            }
            Subject::Shard(_) | Subject::Organization(_) => {}
        }
        self.writer.stage(Arc::new(Entry { record, bytes, digest }));
        Ok(seq)
    }

    /// What of a sandbox decides who else finds a host: where it is, what it takes there, and whether it
    /// waits for one itself.
    fn housing(&self, subject: Subject) -> Option<(Option<HostId>, Resources, bool)> {
        let Subject::Sandbox(id) = subject else { return None };
        let sandbox = self.proposed.sandbox(id)?;
        Some((sandbox.host, sandbox.taken(), seeks(sandbox)))
    }

    /// The snapshots to which it matters what becomes of a sandbox: the one it is made of, and the one taken of it.
    fn snapshots_of(&self, subject: Subject) -> Option<[Option<SnapshotId>; 2]> {
        let Subject::Sandbox(id) = subject else { return None };
        let sandbox = self.proposed.sandbox(id)?;
        let fetched = sandbox.blueprint.made_of().filter(|_| sandbox.state == State::PullingSnapshot);
        Some([fetched, sandbox.capturing()])
    }

    fn ties(&self, subject: Subject) -> Option<Ties> {
        let Subject::Sandbox(id) = subject else { return None };
        self.proposed.sandbox(id).map(|sandbox| Ties::of(sandbox))
    }

    /// Look again at whoever is kept from something, or owed something, by what sandbox `id` has become.
    fn see_relatives(&mut self, id: SandboxId, before: Option<Ties>) {
        let after = self.ties(Subject::Sandbox(id));
        if before == after {
            return;
        }
        for ties in [before, after].into_iter().flatten() {
            self.agenda.extend([ties.forked_from, ties.linked, ties.forking].into_iter().flatten());
        }
        if after.is_none_or(|after| !after.lives) {
            self.agenda.extend(self.proposed.kin().linked(id));
        }
    }

    fn record(&self, now: Timestamp, proposal: Proposal) -> Record {
        let fleet = &self.proposed;
        let (seq, at) = (fleet.seq().next(), now.max(fleet.at()));
        let id = record_id(at, self.config.nonce, fleet.head(), seq);
        let Proposal { subject, organization, actor, cause, correlation, event } = proposal;
        let inherited = || match &cause {
            // What a timer begins is a story of its own; everything else belongs to what it follows from.
            Cause::Timer(_) => None,
            Cause::Request(_)
            | Cause::Report(_)
            | Cause::Cascade(_)
            | Cause::Intent
            | Cause::Duty
            | Cause::Host
            | Cause::Takeover => match subject {
                Subject::Sandbox(id) => fleet.sandbox(id).map(|sandbox| sandbox.correlation),
                Subject::Shard(_) | Subject::Organization(_) | Subject::Host(_) | Subject::Snapshot(_) => {
                    None
                }
            },
        };
        let correlation = correlation.or_else(inherited).unwrap_or(CorrelationId(id.0));
        let version = fleet.next_version(subject);
        let (prev, schema) = (fleet.head(), hourglass_events::record::SCHEMA);
        Record { seq, id, at, subject, organization, version, actor, cause, correlation, prev, schema, event }
    }

    pub(super) fn opened(&self, now: Timestamp) -> Proposal {
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

    pub(super) fn state_hashed(&mut self, now: Timestamp, through: Seq, hash: Digest) {
        if self.phase == Phase::Serving {
            let event = ShardEvent::StateHashed { layout: LAYOUT, hash: hash.0, through };
            // A fixed-size record cannot be too large, and a defect has halted the shard by itself.
            let _ = self.propose(now, own(self.proposed.shard(), Cause::Duty, event));
        }
    }
}

/// What of a sandbox its relatives look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ties {
    lives: bool,
    forking: Option<SandboxId>,
    forked_from: Option<SandboxId>,
    linked: Option<SandboxId>,
}

impl Ties {
    fn of(sandbox: &Sandbox) -> Self {
        Self {
            lives: !sandbox.state.is_in(State::NAMELESS),
            forking: sandbox.forking(),
            forked_from: sandbox.blueprint.forked_from,
            linked: sandbox.blueprint.linked,
        }
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
