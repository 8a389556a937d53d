//! Work that blocks and may be called off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hourglass_events::Fault;

/// Whether somebody still waits for a work. Work that was dropped while it waited for its turn must not be done after
/// what was asked for later.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted(Arc<AtomicBool>);

/// Waits for a work; when dropped, nobody does.
#[derive(Debug)]
pub(super) struct Asker(pub(super) Wanted);

impl Drop for Asker {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}

impl Wanted {
    /// An error if nobody waits, which nobody will see.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if !self.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        Err(Fault::System { doing: "go on".to_owned(), error: "nobody waits for it any more".to_owned() })
    }
}
