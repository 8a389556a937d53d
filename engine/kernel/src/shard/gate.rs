//! What waits for durability. Nothing comes out of the gate without a [`Durable`], and only the writer makes one.

use std::collections::VecDeque;

use hourglass_events::{HostId, Refusal, Seq, Subject};

use super::RequestId;

/// Proof that every record up to this one is in the log for good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Durable(Seq);

impl Durable {
    /// To be called by the writer alone, when a group has landed.
    pub(super) const fn through(seq: Seq) -> Self {
        Self(seq)
    }
}

/// Something that may be said only once what it stands on is durable.
#[derive(Debug, Clone)]
pub(super) enum Held {
    /// A client's request was accepted, or was so already.
    Accepted { request: RequestId, subject: Subject },
    /// A client's request was refused, because of records that may still be on their way.
    Refused { request: RequestId, refusal: Refusal },
    /// A host's report was taken in.
    Acknowledge { host: HostId, serial: u64 },
}

/// Everything that waits, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate {
    held: VecDeque<(Seq, Held)>,
}

impl Gate {
    /// Hold `what` back until record `after` is durable. `after` never falls from one call to the next.
    pub(super) fn hold(&mut self, after: Seq, what: Held) {
        self.held.push_back((after, what));
    }

    /// The next thing that may be said by now.
    pub(super) fn release(&mut self, durable: Durable) -> Option<Held> {
        self.held.pop_front_if(|(after, _)| *after <= durable.0).map(|(_, held)| held)
    }

    /// Everything that will never be said.
    pub(super) fn abandon(&mut self) -> impl Iterator<Item = Held> + use<> {
        std::mem::take(&mut self.held).into_iter().map(|(_, held)| held)
    }

    /// How much waits.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }
}
