//! A disk in memory that fails the way disks do. For tests, here and in other crates; no product path uses it.
//!
//! It keeps two images: what a running process sees (the page cache) and what is on the medium. A sync moves bytes of
//! one file, or names of the directory, from the first to the second; a power cut leaves the second plus any part of
//! what was not synced: dropped, torn inside a 512-byte sector, or stored out of order, names and lengths apart from
//! bytes. It does not model a drive that destroys old bytes beside the ones it writes: the format relies on overwriting
//! a sector leaving each byte either old or new.

mod cut;
mod dice;
mod handle;
mod inode;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use cut::Cut;
pub use dice::Dice;
pub use handle::{SimulatedFile, SimulatedLock};

use inode::Inode;
use state::State;

/// Fault that a test plants to prove that it would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// A data sync answers at once and takes effect only when the file is next written: acknowledged too early.
    LateDataSync,
    /// A directory sync answers and does nothing.
    NoDirectorySync,
}

/// A disk with one directory. Clones are handles to the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

impl SimulatedDisk {
    /// An empty disk of unlimited size.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another disk with the same bytes on it, as of now, and nobody using it.
    #[must_use]
    pub fn image(&self) -> Self {
        let mut state = self.state().clone();
        state.held.clear();
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// How many steps (each write, sync, creation, rename or removal is one) were asked for since the last power-on.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Cut the power when that many further steps have been done: the step after them fails, and so does all else.
    pub fn cut_after(&self, steps: u64) {
        let mut state = self.state();
        state.cut_at = Some(state.steps + steps);
    }

    /// Come back after a power cut with what `cut` leaves of everything that was not synced.
    pub fn power_cycle(&self, cut: &mut Cut) {
        self.state().power_cycle(cut);
    }

    /// End the process that uses the disk, as `kill -9` does: locks go, the page cache stays. If the power had gone, it
    /// had not: the process ended at that step.
    pub fn kill(&self) {
        self.state().restart();
    }

    /// Make the data or directory sync after `syncs` further ones fail, storing any part (chosen by `kept`) of what it
    /// should have stored, and forgetting that the rest was not, as Linux does.
    pub fn fail_sync_after(&self, syncs: u64, kept: u64) {
        let mut state = self.state();
        state.fail_sync_at = Some(state.syncs + syncs);
        state.failed_sync_kept = kept;
        state.failed_sync_full = false;
    }

    /// The same, where the sync says that there is no room: a file system may find blocks for what is cached only when
    /// it stores it.
    pub fn fill_up_at_sync_after(&self, syncs: u64, kept: u64) {
        self.fail_sync_after(syncs, kept);
        self.state().failed_sync_full = true;
    }

    /// Run out of room in the middle of the write after `writes` further ones, as a file system may that never writes in
    /// place: part of it (chosen by `kept`) is cached, the rest is not.
    pub fn fill_up_after(&self, writes: u64, kept: u64) {
        let mut state = self.state();
        state.fill_up_at = Some(state.writes + writes);
        state.filled_up_kept = kept;
    }

    /// Forget every cached byte that is believed stored, so that reading asks the medium.
    pub fn evict(&self) {
        self.state().inodes.iter_mut().for_each(Inode::evict);
    }

    /// Let the disk hold no more than `bytes`, or anything at all.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Plant a fault, or take it out.
    pub fn plant(&self, plant: Option<Plant>) {
        self.state().plant = plant;
    }

    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// The bytes of a file; empty when there is none of that name.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.names.get(name).map(|&inode| state.inodes[inode].bytes().to_vec()).unwrap_or_default()
    }

    /// Put other bytes on the medium behind everyone's back, making the file if need be.
    pub fn set_bytes(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.state();
        state.inodes.push(Inode::stored(bytes));
        let inode = state.inodes.len() - 1;
        state.names.insert(name.to_owned(), inode);
        state.durable_names.insert(name.to_owned(), inode);
    }

    /// Turn over one bit of a file.
    pub fn flip(&self, name: &str, byte: usize, bit: u8) {
        let mut bytes = self.bytes(name);
        bytes[byte] ^= 1 << bit;
        self.set_bytes(name, bytes);
    }

    /// Let two files change places.
    pub fn swap(&self, one: &str, other: &str) {
        let bytes = self.bytes(one);
        self.set_bytes(one, self.bytes(other));
        self.set_bytes(other, bytes);
    }

    /// Lose a file.
    pub fn lose(&self, name: &str) {
        let mut state = self.state();
        state.names.remove(name);
        state.durable_names.remove(name);
    }
}
