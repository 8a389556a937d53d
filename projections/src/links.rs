//! Which sandboxes are linked: networks of a parent and its children, and by which names they reach each other.
//!
//! A network is there while its parent and a child are. Who is deleted has left it, for good.

#[cfg(test)]
mod tests;

use hourglass_events::{Record, Sandbox, SandboxId, Seq, State};
use imbl::{OrdMap, OrdSet};

use crate::lives::Lives;
use crate::{ApplyError, Projection};

/// The link networks of one shard.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Links {
    lives: Lives,
    /// The children of each parent that has any.
    networks: OrdMap<SandboxId, OrdSet<SandboxId>>,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Whom the others are linked to.
    pub parent: Member,
    /// Who is linked to it, by id.
    pub children: Vec<Member>,
}

/// One on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The sandbox.
    pub sandbox: SandboxId,
    /// Where it is in its life. It answers while it runs.
    pub state: State,
    /// The names under which all others on the network find it: its own, and its id.
    pub aliases: [String; 2],
}

impl Member {
    fn of(sandbox: &Sandbox) -> Self {
        let aliases = [sandbox.blueprint.name.to_string(), sandbox.id.to_string()];
        Self { sandbox: sandbox.id, state: sandbox.state, aliases }
    }
}

impl Links {
    /// Nothing yet, to be fed from the shard's first record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The network that `id` is on, as its parent or as a child.
    #[must_use]
    pub fn of(&self, id: SandboxId) -> Option<Network> {
        let sandbox = self.lives.get(id)?;
        self.network(sandbox.blueprint.linked.unwrap_or(id))
    }

    /// Every network, by its parent's id.
    pub fn networks(&self) -> impl Iterator<Item = Network> {
        self.networks.keys().filter_map(|parent| self.network(*parent))
    }

    fn network(&self, parent: SandboxId) -> Option<Network> {
        let children = self.networks.get(&parent)?;
        let member = |id: &SandboxId| self.lives.get(*id).map(|sandbox| Member::of(sandbox));
        Some(Network { parent: member(&parent)?, children: children.iter().filter_map(member).collect() })
    }
}

impl Projection for Links {
    fn apply(&mut self, record: &Record) -> Result<(), ApplyError> {
        let Some(change) = self.lives.take_in(record, |_| ())? else { return Ok(()) };
        let sandbox = change.after;
        let Some(parent) = sandbox.blueprint.linked else { return Ok(()) };
        if change.before.is_none() {
            self.networks.entry(parent).or_default().insert(sandbox.id);
        } else if sandbox.state == State::Deleted
            && let Some(children) = self.networks.get_mut(&parent)
        {
            children.remove(&sandbox.id);
            if children.is_empty() {
                self.networks.remove(&parent);
            }
        }
        Ok(())
    }

    fn applied(&self) -> Seq {
        self.lives.applied()
    }
}
