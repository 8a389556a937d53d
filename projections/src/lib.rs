//! Read models: what people ask about, folded from the records of one shard.
//!
//! A projection takes records in, in order, each exactly once, and answers questions without asking anybody. It
//! deliberately decides nothing, reads no log, keeps no clock (time passes when a record says so) and is never asked by
//! the kernel. Cloning one costs nothing to speak of: a clone is a checkpoint, or a snapshot for slow readers.

pub mod capacity;
pub mod cursor;
mod drawing;
pub mod forest;
pub mod links;
mod lives;
pub mod roster;
pub mod timeline;
pub mod usage;

use hourglass_events::{Illegal, Record, Seq};

pub use capacity::Capacity;
pub use cursor::{Cursor, OutOfStep};
pub use drawing::Clock;
pub use forest::Forest;
pub use links::Links;
pub use lives::Keep;
pub use roster::{Direction, Filter, Page, Query, QueryError, Roster, Sort, Within};
pub use timeline::Timeline;
pub use usage::Usage;

/// A read model of one shard.
pub trait Projection {
    /// Takes `record` in. An error changes nothing.
    fn apply(&mut self, record: &Record) -> Result<(), ApplyError>;

    /// The last record taken in: answers hold everything up to it.
    fn applied(&self) -> Seq;
}

/// Why a record cannot be taken in. Either the feed is wrong or the log and this build disagree; the projection is to be
/// built anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// It is not the next one.
    #[error(transparent)]
    OutOfStep(#[from] OutOfStep),
    /// It is not legal where its subject stands.
    #[error(transparent)]
    Illegal(#[from] Illegal),
}
