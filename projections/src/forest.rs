//! Who was forked from whom: a forest of every sandbox that was forked or is a fork.
//!
//! A sandbox without kin is not in it. Deleted ones stay, with when they were created and that they are deleted, if
//! everyone is kept; otherwise a deleted sandbox stays for as long as a descendant of it is there. The forest is read,
//! and nobody decides by it: which forks keep their parent from being deleted is the kernel's own to know.

pub mod drawing;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use hourglass_events::{OrganizationId, Record, Sandbox, SandboxId, Seq, State, Timestamp};
use imbl::OrdMap;
use petgraph::Direction;
use petgraph::stable_graph::{NodeIndex, StableDiGraph};

use crate::lives::{Keep, Lives};
use crate::{ApplyError, Projection};

/// The fork forest of one shard.
#[derive(Debug, Clone)]
pub struct Forest {
    keep: Keep,
    lives: Lives,
    /// Shared with clones, and copied when a fork is born while there are any.
    graph: Arc<StableDiGraph<SandboxId, ()>>,
    members: OrdMap<SandboxId, (NodeIndex, Arc<Member>)>,
}

/// A sandbox in the forest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The sandbox.
    pub sandbox: SandboxId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is called.
    pub name: String,
    /// Where it is in its life.
    pub state: State,
    /// When it was created.
    pub created: Timestamp,
    /// Whom it was forked from, if it was.
    pub parent: Option<SandboxId>,
}

impl Member {
    fn of(sandbox: &Sandbox) -> Self {
        Self {
            sandbox: sandbox.id,
            organization: sandbox.organization,
            name: sandbox.blueprint.name.to_string(),
            state: sandbox.state,
            created: sandbox.created,
            parent: sandbox.blueprint.forked_from,
        }
    }
}

impl Forest {
    /// Nothing yet, to be fed from the shard's first record.
    #[must_use]
    pub fn new(keep: Keep) -> Self {
        let graph = Arc::new(StableDiGraph::new());
        Self { keep, lives: Lives::default(), graph, members: OrdMap::new() }
    }

    /// The sandbox with this id, if it has kin.
    #[must_use]
    pub fn get(&self, id: SandboxId) -> Option<&Member> {
        self.members.get(&id).map(|(_, member)| member.as_ref())
    }

    /// Everybody in the forest, by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values().map(|(_, member)| member.as_ref())
    }

    /// Those that were not forked from anybody, oldest first.
    #[must_use]
    pub fn roots(&self) -> Vec<&Member> {
        let root = |member: &&Member| self.ancestors(member.sandbox).next().is_none();
        in_order(self.members().filter(root))
    }

    /// Whom `id` was forked from, whom that one was, and so on to the root.
    pub fn ancestors(&self, id: SandboxId) -> impl Iterator<Item = &Member> {
        let mut at = self.place(id);
        std::iter::from_fn(move || {
            at = self.graph.neighbors_directed(at?, Direction::Incoming).next();
            self.at(at?)
        })
    }

    /// The forks of `id` itself, oldest first.
    #[must_use]
    pub fn children(&self, id: SandboxId) -> Vec<&Member> {
        let children = self.place(id).into_iter().flat_map(|at| self.graph.neighbors(at));
        in_order(children.filter_map(|at| self.at(at)))
    }

    /// The root of the tree that `id` is in.
    #[must_use]
    pub fn root(&self, id: SandboxId) -> Option<&Member> {
        self.ancestors(id).last().or_else(|| self.get(id))
    }

    /// `id` and all its forks, theirs and so on: each before its own, with how many generations it is away and whether
    /// it is the last of its parent's.
    #[must_use]
    pub fn descent(&self, id: SandboxId) -> Vec<Branch<'_>> {
        let mut found = Vec::new();
        let root = self.get(id).map(|member| Branch { member, depth: 0, last: true });
        let mut ahead: Vec<_> = root.into_iter().collect();
        while let Some(branch) = ahead.pop() {
            let children = self.children(branch.member.sandbox);
            let depth = branch.depth + 1;
            let count = children.len();
            let branches = children.into_iter().enumerate();
            ahead.extend(
                branches.map(|(place, member)| Branch { member, depth, last: place + 1 == count }).rev(),
            );
            found.push(branch);
        }
        found
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody was ever forked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn place(&self, id: SandboxId) -> Option<NodeIndex> {
        self.members.get(&id).map(|(place, _)| *place)
    }

    fn at(&self, place: NodeIndex) -> Option<&Member> {
        self.graph.node_weight(place).and_then(|id| self.get(*id))
    }

    fn enter(&mut self, sandbox: &Sandbox) -> NodeIndex {
        if let Some(place) = self.place(sandbox.id) {
            return place;
        }
        let place = Arc::make_mut(&mut self.graph).add_node(sandbox.id);
        self.members.insert(sandbox.id, (place, Arc::new(Member::of(sandbox))));
        place
    }

    fn bear(&mut self, child: &Sandbox) {
        let Some(parent) = child.blueprint.forked_from else { return };
        // Nobody descends from who comes later, or is born twice: so there is no circle, whatever a log says.
        if parent == child.id || self.members.contains_key(&child.id) {
            return;
        }
        let child = self.enter(child);
        let known = self.lives.get(parent).cloned();
        let parent = known.map(|parent| self.enter(&parent)).or_else(|| self.place(parent));
        if let Some(parent) = parent {
            Arc::make_mut(&mut self.graph).add_edge(parent, child, ());
        }
    }

    fn become_of(&mut self, sandbox: &Sandbox) {
        let Some((_, member)) = self.members.get_mut(&sandbox.id) else { return };
        if member.state != sandbox.state {
            Arc::make_mut(member).state = sandbox.state;
        }
        if sandbox.state == State::Deleted && self.keep == Keep::Living {
            self.forget(sandbox.id);
        }
    }

    /// Let go of `id`, and then of its ancestors, as far as they are deleted and nobody there descends from them.
    fn forget(&mut self, id: SandboxId) {
        let mut next = Some(id);
        while let Some((id, place)) = next.and_then(|id| Some((id, self.place(id)?))) {
            let deleted = self.get(id).is_some_and(|member| member.state == State::Deleted);
            if !deleted || self.graph.neighbors(place).next().is_some() {
                break;
            }
            next = self.ancestors(id).next().map(|parent| parent.sandbox);
            Arc::make_mut(&mut self.graph).remove_node(place);
            self.members.remove(&id);
        }
    }
}

/// Equal if the same sandboxes are each other's kin in the same way.
impl PartialEq for Forest {
    fn eq(&self, other: &Self) -> bool {
        let kin = |forest: &Self, id| forest.ancestors(id).next().map(|parent| parent.sandbox);
        (self.keep, &self.lives) == (other.keep, &other.lives)
            && self.members().eq(other.members())
            && self.members.keys().all(|id| kin(self, *id) == kin(other, *id))
    }
}

/// One of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch<'a> {
    /// Who.
    pub member: &'a Member,
    /// How many generations it is away from where the tree begins.
    pub depth: usize,
    /// Whether it is the youngest of its parent's.
    pub last: bool,
}

fn in_order<'a>(members: impl Iterator<Item = &'a Member>) -> Vec<&'a Member> {
    let mut members: Vec<_> = members.collect();
    members.sort_by_key(|member| (member.created, member.sandbox));
    members
}

impl Projection for Forest {
    fn apply(&mut self, record: &Record) -> Result<(), ApplyError> {
        if let Some(change) = self.lives.take_in(record, |_| ())? {
            if change.before.is_none() {
                self.bear(&change.after);
            }
            self.become_of(&change.after);
        }
        Ok(())
    }

    fn applied(&self) -> Seq {
        self.lives.applied()
    }
}
