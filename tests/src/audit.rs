//! Reading a log that nobody writes to, with every check there is and without changing a byte.

use std::path::Path;

use anyhow::Context as _;
use hourglass_engine::Store;
use hourglass_engine::log::segments::{Inspection, Options};
use hourglass_events::{Digest, Record, ShardNumber};
use hourglass_kernel::{Fleet, Replay};

/// A log that is intact.
#[derive(Debug)]
pub struct Audit {
    /// Its records.
    pub records: Vec<Record>,
    /// The digest of each.
    pub digests: Vec<Digest>,
    /// The state they lead to.
    pub fleet: Fleet,
}

impl Audit {
    /// Check the only shard in `data`: every byte, the chain, every transition.
    pub fn of(data: &Path) -> anyhow::Result<Self> {
        let shard = ShardNumber(0);
        let path = Store::log_directory(data, shard);
        let inspection = Inspection::open(&path, &Options::new(0)).context("the log could not be opened")?;
        let mut replay = Replay::new(shard, 1);
        let (mut records, mut digests) = (Vec::new(), Vec::new());
        let reader = inspection.reader();
        let mut scan = reader.scan(replay.next_slot());
        while let Some(scanned) = scan.next_frame()? {
            replay.fold(scanned.frame, |record, _, digest| {
                records.push(record);
                digests.push(digest);
            })?;
        }
        Ok(Self { records, digests, fleet: replay.fleet().clone() })
    }

    /// What happened to sandboxes: whose id, and which kind of event.
    #[must_use]
    pub fn sandboxes(&self) -> Vec<(String, &'static str)> {
        let ours = |record: &&Record| matches!(record.event, hourglass_events::Event::Sandbox(_));
        let line = |record: &Record| (record.subject.to_string(), record.event.name());
        self.records.iter().filter(ours).map(line).collect()
    }
}
