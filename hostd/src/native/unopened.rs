//! Why a driver could not be opened.

use hourglass_events::Fault;

use super::net::NetworkError;
use super::preflight::Preflight;

/// Why there is no driver.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The machine cannot do it as it is.
    #[error(transparent)]
    Preflight(#[from] Preflight),
    /// Sandboxes could not have networks.
    #[error("sandboxes cannot have networks here: {0}")]
    Network(#[from] NetworkError),
    /// What an earlier host worker left could not be taken over.
    #[error("what is left of earlier sandboxes cannot be taken over: {0}")]
    Adopt(Fault),
}
