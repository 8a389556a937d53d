//! The state of a simulated disk, apart from what may be asked of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::Plant;
use super::cut::Cut;
use super::dice::Dice;
use super::inode::Inode;

/// A change of the directory that is not on the medium yet.
#[derive(Debug, Clone)]
pub(super) enum Naming {
    Given { name: String, inode: usize },
    Moved { from: String, to: String, inode: usize },
    Taken { name: String },
}

/// Everything about a disk.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) inodes: Vec<Inode>,
    pub(super) names: BTreeMap<String, usize>,
    pub(super) durable_names: BTreeMap<String, usize>,
    pub(super) pending_names: Vec<Naming>,
    pub(super) held: BTreeSet<String>,
    /// Handles opened before the last power cut are dead.
    pub(super) boot: u64,
    pub(super) steps: u64,
    pub(super) cut_at: Option<u64>,
    pub(super) off: bool,
    pub(super) syncs: u64,
    pub(super) fail_sync_at: Option<u64>,
    pub(super) failed_sync_kept: u64,
    pub(super) failed_sync_full: bool,
    pub(super) writes: u64,
    pub(super) fill_up_at: Option<u64>,
    pub(super) filled_up_kept: u64,
    pub(super) capacity: Option<u64>,
    pub(super) plant: Option<Plant>,
    pub(super) nonces: u64,
}

impl State {
    /// Count one step, and refuse it when the power is gone or goes now.
    pub(super) fn step(&mut self) -> io::Result<()> {
        self.alive()?;
        self.off = self.cut_at.is_some_and(|at| self.steps >= at);
        self.alive()?;
        self.steps += 1;
        Ok(())
    }

    pub(super) fn alive(&self) -> io::Result<()> {
        if self.off { Err(io::Error::other("the power is off")) } else { Ok(()) }
    }

    /// Whether this sync is the one that fails.
    pub(super) fn sync_fails(&mut self) -> bool {
        let fails = self.fail_sync_at == Some(self.syncs);
        self.syncs += 1;
        if fails {
            self.fail_sync_at = None;
        }
        fails
    }

    /// What the sync that fails says.
    pub(super) fn sync_error(&self, what: &str) -> io::Error {
        if self.failed_sync_full { io::ErrorKind::StorageFull.into() } else { io::Error::other(what) }
    }

    /// Of a write of `bytes`, how many are cached before the disk is full, if it is this one that finds it full.
    pub(super) fn fills_up(&mut self, bytes: usize) -> Option<usize> {
        let fills = self.fill_up_at == Some(self.writes);
        self.writes += 1;
        if fills {
            self.fill_up_at = None;
        }
        fills.then(|| Dice::new(self.filled_up_kept).index(bytes + 1))
    }

    pub(super) fn used(&self) -> u64 {
        self.names.values().map(|&inode| self.inodes[inode].bytes().len() as u64).sum()
    }

    pub(super) fn room(&self) -> u64 {
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used()))
    }

    pub(super) fn find(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn power_cycle(&mut self, cut: &mut Cut) {
        for naming in cut.survivors(&std::mem::take(&mut self.pending_names)) {
            naming.apply(&mut self.durable_names);
        }
        self.names = self.durable_names.clone();
        for inode in &mut self.inodes {
            inode.power_cycle(cut);
        }
        self.fail_sync_at = None;
        self.restart();
    }

    /// Nobody uses the disk any more.
    pub(super) fn restart(&mut self) {
        self.held.clear();
        self.boot += 1;
        self.steps = 0;
        self.cut_at = None;
        self.off = false;
    }
}

impl Naming {
    pub(super) fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Given { name, inode } => {
                names.insert(name, inode);
            }
            Self::Moved { from, to, inode } => {
                names.remove(&from);
                names.insert(to, inode);
            }
            Self::Taken { name } => {
                names.remove(&name);
            }
        }
    }
}
