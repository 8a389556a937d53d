//! Typed ids. Each is minted in a shell and passed in; nothing here draws randomness.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id with this number, for tests and fixed ids.
            #[must_use]
            pub const fn from_u128(number: u128) -> Self {
                Self(Uuid::from_u128(number))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A machine that runs sandboxes.
    HostId,
    /// What joins the records of one cause: a request and all that followed from it.
    CorrelationId,
    /// Who owns sandboxes, and within whom names are unique.
    OrganizationId,
    /// One record of the log (a UUIDv7).
    RecordId,
    /// One sandbox, for ever: ids are never used again.
    SandboxId,
    /// One snapshot: what sandboxes are created from.
    SnapshotId,
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

numbers! {
    /// Which life of a host this is: it grows each time the host worker starts.
    Incarnation,
    /// The number of an order: the sequence of the record that set the duty it carries out.
    OrderNumber,
    /// The place of a record in its shard's log, from 1, without gaps.
    Seq,
    /// A shard of the log.
    ShardNumber,
}

impl Seq {
    /// The sequence after this one. After the last there is none, and whoever asks for gapless ones refuses the repeat.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl From<Seq> for OrderNumber {
    fn from(seq: Seq) -> Self {
        Self(seq.0)
    }
}
