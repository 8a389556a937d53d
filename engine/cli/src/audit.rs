//! Looking into a log in a data directory, with no engine running on it, or into an export of one. Nothing in the
//! directory is changed.

mod cast;
mod chain;
pub(crate) mod diverge;
pub(crate) mod export;
mod exported;
mod fields;
pub(crate) mod log;
mod logged;
mod past;
mod picture;
pub(crate) mod replay;
mod states;
pub(crate) mod timeline;
pub(crate) mod tree;
pub(crate) mod usage;
pub(crate) mod verify;
mod view;
mod when;
pub(crate) mod why;

use std::path::PathBuf;

use hourglass_events::ShardNumber;

use crate::Data;
pub(crate) use logged::LogReader;
use past::Past;

/// Which log is meant.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Which {
    #[command(flatten)]
    data: Data,
    /// The shard.
    #[arg(long, default_value_t = 0)]
    shard: u64,
    /// Look into this file, which `hourglass export` wrote, and into no data directory.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

impl Which {
    /// Open it.
    pub(crate) fn past(&self) -> anyhow::Result<Past> {
        match &self.export {
            Some(path) => Past::of_export(path),
            None => self.log().map(|log| Past::Log(Box::new(log))),
        }
    }

    /// The log in the data directory, whatever else is meant.
    fn log(&self) -> anyhow::Result<LogReader> {
        LogReader::open(&self.data.data, ShardNumber(self.shard))
    }

    /// The same, or the export `file` if that is given.
    fn or(&self, file: Option<&PathBuf>) -> Self {
        let mut which = self.clone();
        which.export = file.or(self.export.as_ref()).cloned();
        which
    }
}
