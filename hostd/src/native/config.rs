//! What a native driver is told.

use std::path::PathBuf;

use hourglass_events::Span;

use super::net::{Bridged, Network};
use super::pool::Pool;

/// Where a native driver keeps things, and what it grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Disks, images and programs; survives the machine's restart.
    pub data_dir: PathBuf,
    /// Mount points, sockets and marks of what runs.
    pub run_dir: PathBuf,
    /// The most processes and threads one sandbox may have.
    pub pids_most: u32,
    /// How long an agent may take to answer after its sandbox was started.
    pub agent_patience: Span,
    /// What sandboxes are joined to.
    pub network: Network,
    /// What is kept ready beforehand.
    pub pool: Pool,
}

impl Config {
    /// Everything below `data_dir`, 4096 processes a sandbox, half a minute for an agent, a network for each sandbox,
    /// nothing kept ready.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        let run_dir = data_dir.join("run");
        Self {
            data_dir,
            run_dir,
            pids_most: 4096,
            agent_patience: Span::seconds(30),
            network: Network::Bridged(Bridged::default()),
            pool: Pool::default(),
        }
    }
}
