//! sled and redb, each made durable the way it is meant to be, or has to be.

use std::fs::File;
use std::path::Path;

use redb::{Database, Durability, TableDefinition};

use super::Peer;

/// sled 0.34. Its `flush` is not a durable sync on Linux (sled #1351, #1452), so its file is synced after it.
pub(super) struct Sled {
    db: sled::Db,
    file: File,
    next: u64,
}

impl Sled {
    pub(super) fn open(dir: &Path) -> anyhow::Result<Self> {
        // It must not sync by itself beside what is measured.
        let db = sled::Config::new().path(dir).flush_every_ms(None).open()?;
        Ok(Self { db, file: File::open(dir.join("db"))?, next: 0 })
    }
}

impl Peer for Sled {
    fn name(&self) -> &'static str {
        "sled 0.34 + fsync"
    }

    fn store(&mut self, group: &[&[u8]]) -> anyhow::Result<()> {
        let mut batch = sled::Batch::default();
        for &record in group {
            batch.insert(&self.next.to_be_bytes(), record);
            self.next += 1;
        }
        self.db.apply_batch(batch)?;
        self.db.flush()?;
        Ok(self.file.sync_all()?)
    }
}

/// redb 4. A commit is durable when it returns.
pub(super) struct Redb {
    db: Database,
    next: u64,
}

const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");

impl Redb {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        Ok(Self { db: Database::create(path)?, next: 0 })
    }
}

impl Peer for Redb {
    fn name(&self) -> &'static str {
        "redb 4 (Immediate)"
    }

    fn store(&mut self, group: &[&[u8]]) -> anyhow::Result<()> {
        let mut write = self.db.begin_write()?;
        write.set_durability(Durability::Immediate)?;
        {
            let mut records = write.open_table(RECORDS)?;
            for &record in group {
                records.insert(self.next, record)?;
                self.next += 1;
            }
        }
        Ok(write.commit()?)
    }
}
