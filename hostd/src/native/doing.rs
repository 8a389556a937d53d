//! What was being done when the system refused, so that a fault reads as a sentence.

use std::io;

use hourglass_events::Fault;

/// Says what a failing call was for.
pub(super) trait Doing<T> {
    /// The value, or a fault that says what could not be done. `what` follows "could not".
    fn doing(self, what: &str) -> Result<T, Fault>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &str) -> Result<T, Fault> {
        self.map_err(|error| fault(what, &error))
    }
}

impl<T> Doing<T> for rustix::io::Result<T> {
    fn doing(self, what: &str) -> Result<T, Fault> {
        self.map_err(|error| fault(what, &error.into()))
    }
}

/// The fault of failing at `what`.
pub(super) fn fault(what: &str, error: &io::Error) -> Fault {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    if full {
        return Fault::NoSpace { doing: what.to_owned() };
    }
    Fault::System { doing: what.to_owned(), error: error.to_string() }
}
