//! Requests in, replies out.

use hourglass_events::{Event, Refusal, Request, SandboxEvent, Seq, Subject, Timestamp};

use super::gate::{Durable, Held};
use super::{Accepted, Output, Phase, RequestId, Shard};
use crate::decide::{Decision, decide};
use crate::fleet::answered;

/// The most requests that may wait for their replies.
const WAITING_MOST: usize = 65_536;

impl Shard {
    pub(super) fn request(&mut self, now: Timestamp, id: RequestId, request: &Request) {
        let held = match self.admit() {
            Err(refusal) => {
                return self.outputs.push_back(Output::Reply { request: id, reply: Err(refusal) });
            }
            Ok(()) => self.decided(now, id, request),
        };
        self.gate.hold(self.proposed.seq(), held);
        self.release();
    }

    /// Whether there is room to decide at all.
    fn admit(&self) -> Result<(), Refusal> {
        match self.phase {
            Phase::Opening => Err(Refusal::NotReady),
            Phase::Halted => Err(Refusal::Fenced),
            Phase::Serving if self.writer.is_full() => Err(Refusal::StorageFull),
            Phase::Serving if self.gate.len() >= WAITING_MOST || self.is_laden() => {
                Err(Refusal::Overloaded { waiting: self.gate.len().max(self.writer.staged()) })
            }
            Phase::Serving => Ok(()),
        }
    }

    fn decided(&mut self, now: Timestamp, id: RequestId, request: &Request) -> Held {
        match decide(&self.proposed, &self.config.terms, request, now) {
            Decision::Record(proposal) => {
                let (about, subject) = (proposal.subject, answered(proposal.subject, &proposal.event));
                let gives = matches!(proposal.event, Event::Sandbox(SandboxEvent::SnapshotBegan { .. }));
                match self.propose(now, *proposal) {
                    Ok(_) => {
                        if about != subject || gives {
                            // Whoever asks for a fork or a snapshot is told of it once it is there.
                            self.follow(now, about);
                        }
                        Held::Accepted { request: id, subject }
                    }
                    Err(refusal) => Held::Refused { request: id, refusal },
                }
            }
            Decision::Already(subject) => Held::Accepted { request: id, subject },
            Decision::Refused(refusal) => Held::Refused { request: id, refusal },
        }
    }

    /// Say everything that committed state allows.
    pub(super) fn release(&mut self) {
        let seq = self.committed.seq();
        let durable = Durable::through(seq);
        while let Some(held) = self.gate.release(durable) {
            let output = self.said(held, seq);
            self.outputs.push_back(output);
        }
    }

    fn said(&self, held: Held, seq: Seq) -> Output {
        match held {
            Held::Accepted { request, subject } => {
                let sandbox = match subject {
                    Subject::Sandbox(id) => self.committed.sandbox(id).cloned(),
                    Subject::Shard(_)
                    | Subject::Organization(_)
                    | Subject::Host(_)
                    | Subject::Snapshot(_) => None,
                };
                Output::Reply { request, reply: Ok(Accepted { subject, seq, sandbox }) }
            }
            Held::Refused { request, refusal } => Output::Reply { request, reply: Err(refusal) },
            Held::Acknowledge { host, serial } => {
                Output::Call { host, call: hourglass_events::HostCall::Acknowledge { serial } }
            }
        }
    }
}
