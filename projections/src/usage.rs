//! What sandboxes had, and for how long: exact to the microsecond, from the times of their records.
//!
//! What a sandbox has is measured in four phases that are never added up: see [`Phase`]. It is measured as it counts
//! towards quotas: from the record that gives it to the record that takes it, whether or not it is used. What an
//! operation is about to give (a resize under way, a fork's child before its birth) counts once it is given. Nothing is
//! a floating number here, and no price.
//!
//! For sums over an organization no interval is ever walked hour by hour: each change is noted once, in its hour, and
//! hours are made of that when they are asked for.

pub mod drawing;
mod hours;
mod meter;

#[cfg(test)]
mod tests;

use hourglass_events::{OrganizationId, Record, Resources, Sandbox, SandboxId, Seq, Timestamp};
use imbl::OrdMap;

use crate::lives::{Keep, Lives};
use crate::{ApplyError, Projection};

use hours::Flow;
pub use hours::{HOUR, Hours};
pub use meter::{Meter, Phase, Tally};

/// Usage of one shard.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    keep: Keep,
    lives: Lives,
    accounts: OrdMap<SandboxId, Account>,
    flows: OrdMap<OrganizationId, Flow>,
}

/// What is known of one sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Account {
    organization: OrganizationId,
    name: String,
    /// What it had up to `since`.
    sums: Tally,
    /// What it has had since then.
    standing: Option<Standing>,
    since: Timestamp,
}

/// What a sandbox has at a moment, and in which phase.
type Standing = (Phase, Resources);

fn standing(sandbox: &Sandbox) -> Option<Standing> {
    Some((Phase::of(sandbox)?, sandbox.blueprint.resources))
}

/// What one sandbox had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The sandbox.
    pub sandbox: SandboxId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is called.
    pub name: String,
    /// What it had.
    pub tally: Tally,
}

impl Usage {
    /// Nothing yet, to be fed from the shard's first record. Without everyone, what a deleted sandbox had is only in its
    /// organization's sums.
    #[must_use]
    pub fn new(keep: Keep) -> Self {
        Self { keep, lives: Lives::default(), accounts: OrdMap::new(), flows: OrdMap::new() }
    }

    /// When the latest record was decided. Nothing can be asked of an earlier moment.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.lives.at()
    }

    /// What each sandbox had up to `until`, by id.
    pub fn sandboxes(&self, until: Timestamp) -> impl Iterator<Item = Used> {
        let until = until.max(self.at());
        self.accounts.iter().map(move |(id, account)| {
            let mut tally = account.sums;
            if let Some((phase, resources)) = account.standing {
                tally.add(phase, resources, until.since(account.since));
            }
            let (organization, name) = (account.organization, account.name.clone());
            Used { sandbox: *id, organization, name, tally }
        })
    }

    /// What each organization's sandboxes had up to `until`, deleted ones included.
    pub fn organizations(&self, until: Timestamp) -> impl Iterator<Item = (OrganizationId, Tally)> {
        let until = until.max(self.at());
        self.flows.iter().map(move |(id, flow)| (*id, flow.total(until)))
    }

    /// What the sandboxes of `organization`, or of everybody, had in each hour up to `until` in which they had
    /// anything. There may be as many as hours have passed: take what you need.
    #[must_use]
    pub fn hours(&self, organization: Option<OrganizationId>, until: Timestamp) -> Hours {
        let mut flow = Flow::default();
        let meant = self.flows.iter().filter(|(id, _)| organization.is_none_or(|meant| meant == **id));
        meant.for_each(|(_, other)| flow.merge(other));
        flow.hours(until.max(self.at()))
    }

    fn change(&mut self, at: Timestamp, before: Option<Standing>, sandbox: &Sandbox) {
        let after = standing(sandbox);
        let gone = sandbox.state == hourglass_events::State::Deleted;
        if before != after || !self.accounts.contains_key(&sandbox.id) {
            let flow = self.flows.entry(sandbox.organization).or_default();
            flow.change(at, before, after);
            let account = self.accounts.entry(sandbox.id).or_insert_with(|| Account {
                organization: sandbox.organization,
                name: sandbox.blueprint.name.to_string(),
                sums: Tally::default(),
                standing: None,
                since: at,
            });
            if let Some((phase, resources)) = account.standing {
                account.sums.add(phase, resources, at.since(account.since));
            }
            (account.standing, account.since) = (after, at);
        }
        if gone && self.keep == Keep::Living {
            self.accounts.remove(&sandbox.id);
        }
    }
}

impl Projection for Usage {
    fn apply(&mut self, record: &Record) -> Result<(), ApplyError> {
        if let Some(change) = self.lives.take_in(record, standing)? {
            self.change(record.at, change.before.flatten(), &change.after);
        }
        Ok(())
    }

    fn applied(&self) -> Seq {
        self.lives.applied()
    }
}
