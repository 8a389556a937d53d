//! What happened in one shard, record by record, each with the state it led to: from its log, or from an export of it.

use std::path::Path;

use anyhow::{bail, ensure};
use hourglass_events::{Digest, Record, Seq, Subject, Timestamp, codec};
use hourglass_kernel::Fleet;

use super::exported::Exported;
use super::logged::LogReader;
use super::when::When;
use crate::paint;

/// A shard's past, read from its beginning. Nothing of it can be read twice.
pub(crate) enum Past {
    /// In a data directory.
    Log(Box<LogReader>),
    /// In a file.
    Export(Box<Exported>),
}

/// A record, and the state after it.
pub(crate) struct Moment<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) record: &'a Record,
    pub(crate) bytes: &'a [u8],
    pub(crate) digest: Digest,
}

impl Past {
    pub(super) fn of_export(path: &Path) -> anyhow::Result<Self> {
        Exported::open(path).map(|exported| Self::Export(Box::new(exported)))
    }

    /// Check and fold record after record, up to the first that is not `wanted`, and show each to `see`. The answer is
    /// whether all were.
    pub(super) fn walk(
        &mut self,
        wanted: impl FnMut(&Record) -> bool,
        see: impl FnMut(Moment<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        match self {
            Self::Log(log) => log.walk(wanted, see),
            Self::Export(exported) => exported.walk(wanted, see),
        }
    }

    /// The same with everything that is left.
    pub(super) fn each(&mut self, see: impl FnMut(Moment<'_>) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.walk(|_| true, see).map(drop)
    }

    /// The same up to `when`, to the end without it, which must be a moment of this past.
    pub(super) fn until(
        &mut self,
        when: Option<When>,
        mut see: impl FnMut(Moment<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(when) = when else { return self.each(see) };
        let mut first = None;
        let mut earliest = None;
        let whole = self.walk(
            |record| {
                earliest.get_or_insert(record.at);
                when.has(record)
            },
            |moment| {
                first.get_or_insert(moment.record.at);
                see(moment)
            },
        )?;
        if let (None, Some(begins)) = (first, earliest) {
            bail!("there is nothing at {when}: record 1, the first, is of {}", paint::time(begins));
        }
        self.holds(when, whole, first)
    }

    /// Whether `when` is not behind the end. The first record is of `first`.
    fn holds(&self, when: When, whole: bool, first: Option<Timestamp>) -> anyhow::Result<()> {
        let fleet = self.fleet();
        let (end, at) = (fleet.seq(), fleet.at());
        match when {
            When::Seq(last) => {
                ensure!(end >= last, "there is no record {last}: the log ends with record {end}");
            }
            When::Time { from, .. } if whole && from > at => {
                let begins = first.map_or_else(
                    || "it is empty".to_owned(),
                    |first| {
                        format!("it spans {} to {} (records 1 to {end})", paint::time(first), paint::time(at))
                    },
                );
                bail!("{when} is after the end of the log: {begins}");
            }
            When::Time { .. } => {}
        }
        Ok(())
    }

    /// Every record about the shard itself, of a past that was not begun to be read.
    pub(super) fn of_shard(&self, see: impl FnMut(Record)) -> anyhow::Result<()> {
        match self {
            Self::Log(log) => log.of_shard(see),
            Self::Export(exported) => exported.of_shard(see),
        }
    }

    /// The state so far.
    pub(super) fn fleet(&self) -> &Fleet {
        match self {
            Self::Log(log) => log.fleet(),
            Self::Export(exported) => exported.fleet(),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Log(log) => log.path(),
            Self::Export(exported) => exported.path(),
        }
    }
}

/// The record in `bytes` if it is about the shard itself and can be read.
pub(super) fn of_shard(bytes: &[u8]) -> Option<Record> {
    matches!(codec::subject(bytes), Ok(Subject::Shard(_))).then(|| codec::decode(bytes).ok())?
}

/// The state of a log before its first record.
pub(super) fn is_empty(fleet: &Fleet) -> bool {
    fleet.seq() == Seq(0)
}
