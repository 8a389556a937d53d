//! What a process may ask of a simulated disk: the same as of a real one.

use std::io;
use std::sync::MutexGuard;

use crate::log::files::{File, Files};

use super::dice::Dice;
use super::inode::Inode;
use super::state::{Naming, State};
use super::{Plant, SimulatedDisk};

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
        if fails { Err(state.sync_error("the directory sync failed")) } else { Ok(()) }
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
        let full = state.fills_up(bytes.len());
        state.inodes[self.inode].write(&bytes[..full.unwrap_or(bytes.len())], offset);
        if full.is_some() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
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
            return Err(state.sync_error("the data sync failed"));
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
