//! Orders owed minus orders sent, per host connection. Which orders are owed is read from committed state elsewhere.

use std::collections::BTreeMap;

use hourglass_events::{HostId, OrderNumber, SandboxId};

/// The connections to hosts and what went out on each.
#[derive(Debug, Clone, Default)]
pub struct Dispatch {
    links: BTreeMap<HostId, Link>,
}

/// One connection.
#[derive(Debug, Clone, Default)]
struct Link {
    stage: Stage,
    sent: BTreeMap<SandboxId, OrderNumber>,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    /// There is none.
    #[default]
    Absent,
    /// It repeats what it had to report.
    Syncing,
    /// All it had to report was heard.
    Synced,
}

impl Dispatch {
    /// A host has connected anew: nothing counts as sent.
    pub fn join(&mut self, host: HostId) {
        self.links.insert(host, Link { stage: Stage::Syncing, sent: BTreeMap::new() });
    }

    /// A host has repeated everything.
    pub fn synced(&mut self, host: HostId) {
        if let Some(link) = self.links.get_mut(&host) {
            link.stage = Stage::Synced;
        }
    }

    /// A host's connection is gone.
    pub fn leave(&mut self, host: HostId) {
        self.links.remove(&host);
    }

    /// How far the connection to `host` has come.
    #[must_use]
    pub fn stage(&self, host: HostId) -> Stage {
        self.links.get(&host).map_or(Stage::Absent, |link| link.stage)
    }

    /// Whether order `number` has yet to go to `host`; from here on it counts as sent.
    pub fn claim(&mut self, host: HostId, sandbox: SandboxId, number: OrderNumber) -> bool {
        let Some(link) = self.links.get_mut(&host) else { return false };
        link.sent.insert(sandbox, number) != Some(number)
    }

    /// A sandbox is owed nothing any more, by nobody.
    pub fn forget(&mut self, sandbox: SandboxId) {
        for link in self.links.values_mut() {
            link.sent.remove(&sandbox);
        }
    }
}
