//! One file of the simulated disk: what is cached, what is stored, and the sector writes in between.

use super::cut::{Cut, Tear};
use super::dice::Dice;

/// The unit in which a disk stores.
const SECTOR: usize = 512;

/// A write to one sector that no sync has stored yet: its content afterwards.
#[derive(Debug, Clone)]
struct SectorWrite {
    sector: usize,
    content: Vec<u8>,
}

/// The bytes behind a name.
#[derive(Debug, Clone, Default)]
pub(super) struct Inode {
    cached: Vec<u8>,
    stored: Vec<u8>,
    /// In the order of writing; a sector may be there more than once.
    unsynced: Vec<SectorWrite>,
    late_sync: bool,
}

/// A place in a file that is kept in memory.
fn at(offset: u64) -> usize {
    usize::try_from(offset).expect("a simulated file fits in memory")
}

impl Inode {
    /// A file whose bytes are on the medium.
    pub(super) fn stored(bytes: Vec<u8>) -> Self {
        Self { cached: bytes.clone(), stored: bytes, unsynced: Vec::new(), late_sync: false }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.cached
    }

    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> usize {
        let start = at(offset).min(self.cached.len());
        let read = buffer.len().min(self.cached.len() - start);
        buffer[..read].copy_from_slice(&self.cached[start..start + read]);
        read
    }

    pub(super) fn lengthen(&mut self, bytes: u64) {
        let bytes = at(bytes).max(self.cached.len());
        self.cached.resize(bytes, 0);
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: u64) {
        let start = at(offset);
        let end = start + bytes.len();
        self.lengthen(end as u64);
        self.cached[start..end].copy_from_slice(bytes);
        for sector in start / SECTOR..end.div_ceil(SECTOR) {
            let from = sector * SECTOR;
            let to = (from + SECTOR).min(self.cached.len());
            self.unsynced.push(SectorWrite { sector, content: self.cached[from..to].to_vec() });
        }
    }

    pub(super) fn sync(&mut self) {
        self.stored.resize(self.cached.len(), 0);
        for write in std::mem::take(&mut self.unsynced) {
            self.store(&write);
        }
    }

    /// Fail: some sectors are stored, the cache keeps all of them, and none is remembered as missing.
    pub(super) fn fail_sync(&mut self, dice: &mut Dice) {
        let none = dice.once_in(3);
        if dice.once_in(2) {
            self.stored.resize(self.cached.len(), 0);
        }
        for write in std::mem::take(&mut self.unsynced) {
            if !none && dice.once_in(2) {
                self.store(&write);
            }
        }
    }

    /// Answer now, store at the next write.
    pub(super) const fn sync_late(&mut self) {
        self.late_sync = true;
    }

    pub(super) fn settle_late_sync(&mut self) {
        if std::mem::take(&mut self.late_sync) {
            self.sync();
        }
    }

    /// Only what is known to be unsynced stays cached.
    pub(super) fn evict(&mut self) {
        let length = self.cached.len();
        self.cached.clone_from(&self.stored);
        self.cached.resize(length, 0);
        for write in &self.unsynced {
            let from = write.sector * SECTOR;
            self.cached[from..from + write.content.len()].copy_from_slice(&write.content);
        }
    }

    pub(super) fn power_cycle(&mut self, cut: &mut Cut) {
        self.late_sync = false;
        if cut.keeps_length() {
            self.stored.resize(self.cached.len(), 0);
        }
        let unsynced = std::mem::take(&mut self.unsynced);
        for write in cut.survivors(&unsynced) {
            let torn = SectorWrite { content: self.torn(&write, cut), ..write };
            self.store(&torn);
        }
        self.cached.clone_from(&self.stored);
    }

    /// The content of a sector after a write that the power cut may have torn.
    fn torn(&self, write: &SectorWrite, cut: &mut Cut) -> Vec<u8> {
        let mut old = self.stored.get(write.sector * SECTOR..).unwrap_or_default().to_vec();
        old.resize(write.content.len(), 0);
        match cut.tear(write.content.len()) {
            None => write.content.clone(),
            Some(Tear::NewFirst(bytes)) => [&write.content[..bytes], &old[bytes..]].concat(),
            Some(Tear::OldFirst(bytes)) => [&old[..bytes], &write.content[bytes..]].concat(),
        }
    }

    /// Bytes past the stored length are lost with the length.
    fn store(&mut self, write: &SectorWrite) {
        let from = write.sector * SECTOR;
        if from < self.stored.len() {
            let to = (from + write.content.len()).min(self.stored.len());
            self.stored[from..to].copy_from_slice(&write.content[..to - from]);
        }
    }
}
