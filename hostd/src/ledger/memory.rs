//! A ledger that lives as long as its holders. It outlives a host worker, not the process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hourglass_events::Timestamp;

use super::{Flush, Ledger, LedgerError, Memory, Write};

/// Remembers in memory. Clones share what they remember, as two openings of one directory would.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger {
    memory: Arc<Mutex<Memory>>,
}

impl MemoryLedger {
    /// What is remembered right now.
    #[must_use]
    pub fn memory(&self) -> Memory {
        self.lock().clone()
    }

    /// Lose everything, as when the ledger's directory is deleted.
    pub fn lose(&self) {
        *self.lock() = Memory::default();
    }

    /// Go back to what was remembered before, as when the latest writes were not durable yet.
    pub fn restore(&self, memory: Memory) {
        *self.lock() = memory;
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        // A panic elsewhere cannot leave a half-applied write: each is one map operation.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for MemoryLedger {
    fn begin(&mut self, wall: Timestamp) -> Result<Memory, LedgerError> {
        let mut memory = self.lock();
        memory.incarnation = memory.next_incarnation(wall);
        Ok(memory.clone())
    }

    fn write(&mut self, writes: &[Write]) -> Result<(), LedgerError> {
        let mut memory = self.lock();
        for write in writes {
            memory.apply(write);
        }
        Ok(())
    }

    fn flusher(&self) -> Flush {
        Arc::new(|| Ok(()))
    }
}
