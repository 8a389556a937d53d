//! What is due, and when. Things due at the same moment happen in the order they were put down.

use std::collections::BTreeMap;
use std::sync::Arc;

use hourglass_events::{HostCall, HostNews, OrderNumber, Request, SandboxId, Timestamp};
use hourglass_hostd::agent::RunId;
use hourglass_kernel::{Outcome, Reply, Slot};

use crate::sim_engine::EngineId;
use crate::sim_link::LinkId;

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Due {
    /// A frame reaches the log, and what the world does to it is drawn.
    Append {
        engine: EngineId,
        slot: Slot,
        frame: Arc<[u8]>,
    },
    /// A frame that was thought lost reaches the log.
    Straggler {
        slot: Slot,
        frame: Arc<[u8]>,
    },
    /// A writer is told what became of its append.
    Answer {
        engine: EngineId,
        slot: Slot,
        outcome: Outcome,
    },
    /// A writer is told what a slot holds.
    Content {
        engine: EngineId,
        slot: Slot,
    },
    /// The log has room again, or runs out of it.
    Full,
    Roomy,
    /// A writer is started, if none is alive.
    Open,
    /// A rival takes over, whoever is alive.
    Rival,
    /// A writer that was replaced is ended.
    Retire(EngineId),
    /// Somebody writes a checkpoint.
    Checkpoint,
    /// A host tries to connect.
    Link {
        host: usize,
    },
    /// A connection breaks.
    Unlink {
        host: usize,
    },
    /// A writer learns that a connection is gone.
    Gone {
        engine: EngineId,
        host: usize,
        link: LinkId,
    },
    /// A writer hears news.
    News {
        engine: EngineId,
        host: usize,
        link: LinkId,
        news: Box<HostNews>,
    },
    /// A host hears a call.
    Call {
        host: usize,
        life: u64,
        link: LinkId,
        call: Box<HostCall>,
    },
    /// A step of a host's driver ends.
    StepEnds {
        host: usize,
        life: u64,
        run: RunId,
    },
    /// A life ends by itself.
    Exits {
        host: usize,
        sandbox: SandboxId,
        spawn: u64,
    },
    /// A host tells how long ago its sandboxes were used.
    Ages {
        host: usize,
        life: u64,
    },
    /// Somebody runs a command in a sandbox of a host.
    Command {
        host: usize,
    },
    /// That command ends.
    CommandEnds {
        host: usize,
        life: u64,
        sandbox: SandboxId,
        number: OrderNumber,
    },
    /// A host dies.
    Die {
        host: usize,
    },
    /// A host comes back.
    Rise {
        host: usize,
    },
    /// A client does something.
    Act {
        client: usize,
    },
    /// A request reaches a writer.
    Request {
        client: usize,
        attempt: u64,
        engine: EngineId,
        request: Box<Request>,
    },
    /// A client is told.
    Told {
        client: usize,
        attempt: u64,
        reply: Box<Reply>,
    },
    /// A client has waited long enough.
    Impatient {
        client: usize,
        attempt: u64,
    },
}

/// Everything that is due.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    due: BTreeMap<(Timestamp, u64), Due>,
    put: u64,
}

impl Agenda {
    /// Let `due` happen at `at`.
    pub(crate) fn put(&mut self, at: Timestamp, due: Due) {
        self.put += 1;
        self.due.insert((at, self.put), due);
    }

    /// When the next thing is due.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many things were ever put down.
    pub(crate) fn put_count(&self) -> u64 {
        self.put
    }

    /// The next thing due.
    pub(crate) fn take(&mut self) -> Option<Due> {
        self.due.pop_first().map(|(_, due)| due)
    }
}
