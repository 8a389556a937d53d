//! The terms a shard decides on: time limits and defaults. Decisions copy what they use into their events, so that a
//! changed setting never changes the past.

use hourglass_events::{Blueprint, Span};

/// Time limits and defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How long a host may take to fetch a snapshot, waiting for a host included.
    pub pull: Span,
    /// How long it may take to make a disk and boot it.
    pub create: Span,
    /// How long a boot may take.
    pub boot: Span,
    /// How long processes may take to end when a stop does not say.
    pub grace: Span,
    /// How long a host may take to stop a sandbox beyond its grace.
    pub stop: Span,
    /// How long saving a sandbox's memory may take.
    pub pause: Span,
    /// How long bringing it back may take.
    pub resume: Span,
    /// How long changing its resources may take.
    pub resize: Span,
    /// How long making a fork of it may take.
    pub fork: Span,
    /// How long building an image may take.
    pub build: Span,
    /// How long taking a snapshot may take.
    pub capture: Span,
    /// How long after its stop a sandbox is backed up that is not archived before; none: only when somebody asks. Each
    /// costs the room of a disk, and what is archived or recovered afterwards is spared a copy.
    pub backup: Option<Span>,
    /// The most snapshots an organization may have.
    pub snapshots: usize,
    /// How long moving its disk to object storage may take.
    pub archive: Span,
    /// How long bringing it back may take, waiting for a host included.
    pub restore: Span,
    /// The wait before a removal is tried again; it doubles up to `retry_most`.
    pub retry: Span,
    /// The longest such wait.
    pub retry_most: Span,
    /// How long a host may be without a connection before it is suspected: it is given nothing new, and what runs there
    /// is let be. Connections come and go; this is to outlast that.
    pub suspect: Span,
    /// How long a suspected host may stay away before it is lost, and what ran there with it. It may be brought back
    /// elsewhere from then on, so by then nothing may run there any more: this has to be longer than it takes a host
    /// that is cut off to notice and to stop what it runs, or, if its worker died alone, an operator to end the machine.
    pub lose: Span,
    /// The snapshot of a sandbox that names none.
    pub snapshot: String,
    /// The region of a sandbox that names none.
    pub region: String,
    /// Who commands run as when nobody is named.
    pub user: String,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            pull: Span::minutes(30),
            create: Span::minutes(5),
            boot: Span::minutes(5),
            grace: Span::seconds(10),
            stop: Span::minutes(1),
            pause: Span::minutes(5),
            resume: Span::minutes(5),
            resize: Span::minutes(5),
            fork: Span::minutes(5),
            build: Span::minutes(60),
            capture: Span::minutes(60),
            backup: None,
            snapshots: 30,
            archive: Span::minutes(60),
            restore: Span::minutes(60),
            retry: Span::seconds(1),
            retry_most: Span::minutes(5),
            suspect: Span::seconds(30),
            lose: Span::minutes(5),
            snapshot: "default".to_owned(),
            region: Blueprint::REGION.to_owned(),
            user: "daytona".to_owned(),
        }
    }
}
