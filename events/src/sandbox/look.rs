//! What a sandbox answers about itself beside its fields.

use super::Sandbox;
use crate::fault::Fault;
use crate::state::State;

impl Sandbox {
    /// Whether there is something that it can be brought back from an error from.
    #[must_use]
    pub fn recoverable(&self) -> bool {
        let fault = self.fault.as_ref().is_some_and(Fault::recoverable);
        self.state == State::Error && (fault || self.backup.is_some())
    }
}
