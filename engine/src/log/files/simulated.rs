//! A disk in memory that fails the way disks do. For tests, here and in other crates; no product path uses it.
//!
//! It keeps two images: what a running process sees (the page cache) and what is on the medium. A sync moves bytes of
//! one file, or names of the directory, from the first to the second; a power cut leaves the second plus any part of
//! what was not synced: dropped, torn inside a 512-byte sector, or stored out of order, names and lengths apart from
//! bytes. It does not model a drive that destroys old bytes beside the ones it writes: the format relies on overwriting
//! a sector leaving each byte either old or new.

mod cut;
mod dice;
mod inode;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use cut::Cut;
pub use dice::Dice;

use inode::Inode;

use super::{File, Files};

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

/// A change of the directory that is not on the medium yet.
#[derive(Debug, Clone)]
enum Naming {
    Given { name: String, inode: usize },
    Moved { from: String, to: String, inode: usize },
    Taken { name: String },
}

#[derive(Debug, Clone, Default)]
struct State {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    pending_names: Vec<Naming>,
    held: BTreeSet<String>,
    /// Handles opened before the last power cut are dead.
    boot: u64,
    steps: u64,
    cut_at: Option<u64>,
    off: bool,
    syncs: u64,
    fail_sync_at: Option<u64>,
    failed_sync_kept: u64,
    capacity: Option<u64>,
    plant: Option<Plant>,
    nonces: u64,
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

    /// End the process that uses the disk, as `kill -9` does: locks go, the page cache stays.
    pub fn kill(&self) {
        let mut state = self.state();
        state.held.clear();
        state.boot += 1;
        state.steps = 0;
        state.cut_at = None;
    }

    /// Make the data or directory sync after `syncs` further ones fail, storing any part (chosen by `kept`) of what it
    /// should have stored, and forgetting that the rest was not, as Linux does.
    pub fn fail_sync_after(&self, syncs: u64, kept: u64) {
        let mut state = self.state();
        state.fail_sync_at = Some(state.syncs + syncs);
        state.failed_sync_kept = kept;
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

impl State {
    /// Count one step, and refuse it when the power is gone or goes now.
    fn step(&mut self) -> io::Result<()> {
        self.alive()?;
        self.off = self.cut_at.is_some_and(|at| self.steps >= at);
        self.alive()?;
        self.steps += 1;
        Ok(())
    }

    fn alive(&self) -> io::Result<()> {
        if self.off { Err(io::Error::other("the power is off")) } else { Ok(()) }
    }

    /// Whether this sync is the one that fails.
    fn sync_fails(&mut self) -> bool {
        let fails = self.fail_sync_at == Some(self.syncs);
        self.syncs += 1;
        if fails {
            self.fail_sync_at = None;
        }
        fails
    }

    fn used(&self) -> u64 {
        self.names.values().map(|&inode| self.inodes[inode].bytes().len() as u64).sum()
    }

    fn room(&self) -> u64 {
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used()))
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn power_cycle(&mut self, cut: &mut Cut) {
        for naming in cut.survivors(&std::mem::take(&mut self.pending_names)) {
            naming.apply(&mut self.durable_names);
        }
        self.names = self.durable_names.clone();
        for inode in &mut self.inodes {
            inode.power_cycle(cut);
        }
        self.held.clear();
        self.boot += 1;
        self.steps = 0;
        self.cut_at = None;
        self.fail_sync_at = None;
        self.off = false;
    }
}

impl Naming {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
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

/// A file of a simulated disk, opened in one of its lives.
#[derive(Debug)]
pub struct SimulatedFile {
    disk: SimulatedDisk,
    inode: usize,
    boot: u64,
}

/// The simulated directory is ours until this is dropped, or the process is killed.
#[derive(Debug)]
pub struct SimulatedLock {
    disk: SimulatedDisk,
    name: String,
    boot: u64,
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.boot == self.boot {
            state.held.remove(&self.name);
        }
    }
}

impl Files for SimulatedDisk {
    type File = SimulatedFile;
    type Lock = SimulatedLock;

    fn place(&self) -> String {
        "the simulated disk".to_owned()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.state();
        state.alive()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<SimulatedFile> {
        let mut state = self.state();
        state.step()?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.inodes.push(Inode::default());
        let inode = state.inodes.len() - 1;
        state.names.insert(name.to_owned(), inode);
        state.pending_names.push(Naming::Given { name: name.to_owned(), inode });
        Ok(SimulatedFile { disk: self.clone(), inode, boot: state.boot })
    }

    fn open(&self, name: &str) -> io::Result<SimulatedFile> {
        let state = self.state();
        state.alive()?;
        Ok(SimulatedFile { disk: self.clone(), inode: state.find(name)?, boot: state.boot })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        let inode = state.find(from)?;
        let naming = Naming::Moved { from: from.to_owned(), to: to.to_owned(), inode };
        naming.clone().apply(&mut state.names);
        state.pending_names.push(naming);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.find(name)?;
        state.names.remove(name);
        state.pending_names.push(Naming::Taken { name: name.to_owned() });
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        if state.plant == Some(Plant::NoDirectorySync) {
            return Ok(());
        }
        let fails = state.sync_fails();
        let pending = std::mem::take(&mut state.pending_names);
        let all = pending.len();
        let kept = if fails { Dice::new(state.failed_sync_kept).index(all + 1) } else { all };
        for naming in pending.into_iter().take(kept) {
            naming.apply(&mut state.durable_names);
        }
        if fails { Err(io::Error::other("the directory sync failed")) } else { Ok(()) }
    }

    fn free_space(&self) -> io::Result<u64> {
        let state = self.state();
        state.alive()?;
        Ok(state.room())
    }

    fn lock(&self, name: &str) -> io::Result<Option<SimulatedLock>> {
        let mut state = self.state();
        state.alive()?;
        let boot = state.boot;
        let taken = state.held.insert(name.to_owned());
        Ok(taken.then(|| SimulatedLock { disk: self.clone(), name: name.to_owned(), boot }))
    }

    fn nonce(&self) -> u64 {
        let mut state = self.state();
        state.nonces += 1;
        Dice::new(state.nonces).roll()
    }
}

impl SimulatedFile {
    /// The disk, if this handle belongs to its present life.
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.boot == self.boot { Ok(state) } else { Err(io::Error::other("the process is dead")) }
    }
}

impl File for SimulatedFile {
    fn size(&self) -> io::Result<u64> {
        let state = self.state()?;
        state.alive()?;
        Ok(state.inodes[self.inode].bytes().len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.state()?;
        state.alive()?;
        Ok(state.inodes[self.inode].read(buffer, offset))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state()?;
        let was_on = !state.off;
        if let Err(error) = state.step() {
            if was_on {
                // The write under way when the power goes may have reached the medium in any part.
                state.inodes[self.inode].write(bytes, offset);
            }
            return Err(error);
        }
        if state.plant == Some(Plant::LateDataSync) {
            state.inodes[self.inode].settle_late_sync();
        }
        let grows =
            (offset + bytes.len() as u64).saturating_sub(state.inodes[self.inode].bytes().len() as u64);
        if grows > state.room() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.inodes[self.inode].write(bytes, offset);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state()?;
        state.step()?;
        if state.plant == Some(Plant::LateDataSync) {
            state.inodes[self.inode].sync_late();
            return Ok(());
        }
        if state.sync_fails() {
            let kept = state.failed_sync_kept;
            state.inodes[self.inode].fail_sync(&mut Dice::new(kept));
            return Err(io::Error::other("the data sync failed"));
        }
        state.inodes[self.inode].sync();
        Ok(())
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.state()?;
        state.step()?;
        if bytes > state.room() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.inodes[self.inode].lengthen(bytes);
        Ok(())
    }
}
