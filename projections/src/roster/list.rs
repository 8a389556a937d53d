//! Lists of an organization's sandboxes: filtered, sorted, a page at a time.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use hourglass_events::{OrganizationId, Sandbox, SandboxId};
use imbl::OrdSet;

use super::Roster;
use super::filter::Filter;
use super::mark;
use super::shelf::{Key, Place, Shelf};

/// How many sandboxes a page has when nobody says.
pub const LIMIT_DEFAULT: usize = 100;
/// The most a page may have.
pub const LIMIT_MOST: usize = 200;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Whose sandboxes.
    pub organization: OrganizationId,
    /// Which of them.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Which end first.
    pub direction: Direction,
    /// How many at most: 1 to 200; 100 when not given.
    pub limit: Option<usize>,
    /// Where to go on: the `next` of the page in front; from the beginning when not given.
    pub cursor: Option<String>,
}

impl Query {
    /// The first page of everything, newest first.
    #[must_use]
    pub fn new(organization: OrganizationId) -> Self {
        Self {
            organization,
            filter: Filter::default(),
            sort: Sort::Created,
            direction: Direction::Descending,
            limit: None,
            cursor: None,
        }
    }
}

/// What a list is sorted by. Equal ones follow in order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// When it was created.
    Created,
    /// Its name, in any case.
    Name,
    /// When it was last used. A sandbox that is used between two pages moves.
    LastActivity,
    /// How many vCPUs it has. No order is kept of this and the next two: each page looks at the whole list.
    Cpu,
    /// How much memory it has.
    Memory,
    /// How much disk it has.
    Disk,
}

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The least.
    Ascending,
    /// The greatest.
    Descending,
}

impl Direction {
    fn follows(self, one: &Place, other: &Place) -> bool {
        match self {
            Self::Ascending => one > other,
            Self::Descending => one < other,
        }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What it has.
    pub sandboxes: Vec<Arc<Sandbox>>,
    /// The cursor of the page behind it, if there is more.
    pub next: Option<String>,
}

/// Why a list cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A limit out of range.
    #[error("{found} is not a page's limit; send 1 to {LIMIT_MOST}")]
    BadLimit {
        /// What was sent.
        found: usize,
    },
    /// A cursor that no list gave.
    #[error("this cursor was not given by a list; send the one of the page in front, or none to begin anew")]
    BadCursor,
    /// A cursor of a list in another order.
    #[error(
        "this cursor belongs to a list in another order; send the same order with it, or none to begin anew"
    )]
    OtherOrder,
}

impl Roster {
    /// A page of the list that `query` describes.
    pub fn list(&self, query: &Query) -> Result<Page, QueryError> {
        let Query { organization, filter: _, sort, direction, limit, cursor } = query;
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MOST).contains(&limit) {
            return Err(QueryError::BadLimit { found: limit });
        }
        let place = match cursor {
            Some(text) => Some(mark::decode(text, *sort, *direction)?),
            None => None,
        };
        let Some(shelf) = self.shelves.get(organization) else {
            return Ok(Page { sandboxes: Vec::new(), next: None });
        };
        // One more than fits the page tells whether there is another.
        let mut sandboxes = match shelf.order(*sort) {
            Some(order) => self.first(order, query, place, limit + 1),
            None => self.least(shelf, query, place.as_ref(), limit + 1),
        };
        let more = sandboxes.len() > limit;
        sandboxes.truncate(limit);
        let last = sandboxes.last().filter(|_| more);
        let next = last.map(|last| mark::encode(&(Key::of(last, *sort), last.id), *sort, *direction));
        Ok(Page { sandboxes, next })
    }

    /// The first `most` behind `place` in an order that is kept.
    fn first(
        &self,
        order: &OrdSet<Place>,
        query: &Query,
        place: Option<Place>,
        most: usize,
    ) -> Vec<Arc<Sandbox>> {
        let ids = behind(order, query.direction, place).filter_map(|id| self.by_id(id));
        ids.filter(|sandbox| query.filter.fits(sandbox)).take(most).cloned().collect()
    }

    /// The first `most` behind `place` in an order that is not kept: the best found so far are.
    fn least(&self, shelf: &Shelf, query: &Query, place: Option<&Place>, most: usize) -> Vec<Arc<Sandbox>> {
        let mut best = BTreeSet::new();
        let fitting =
            shelf.ids().filter_map(|id| self.by_id(id)).filter(|sandbox| query.filter.fits(sandbox));
        for sandbox in fitting {
            let found = (Key::of(sandbox, query.sort), sandbox.id);
            if place.is_none_or(|place| query.direction.follows(&found, place)) {
                best.insert(found);
            }
            if best.len() > most {
                let _ = match query.direction {
                    Direction::Ascending => best.pop_last(),
                    Direction::Descending => best.pop_first(),
                };
            }
        }
        let ids: Box<dyn Iterator<Item = &Place>> = match query.direction {
            Direction::Ascending => Box::new(best.iter()),
            Direction::Descending => Box::new(best.iter().rev()),
        };
        ids.filter_map(|(_, id)| self.by_id(*id)).cloned().collect()
    }
}

/// The ids behind `place` in `order`, all of them without one.
fn behind(
    order: &OrdSet<Place>,
    direction: Direction,
    place: Option<Place>,
) -> Box<dyn Iterator<Item = SandboxId> + '_> {
    let place = place.map_or(Bound::Unbounded, Bound::Excluded);
    match direction {
        Direction::Ascending => Box::new(order.range((place, Bound::Unbounded)).map(|(_, id)| *id)),
        Direction::Descending => Box::new(order.range((Bound::Unbounded, place)).rev().map(|(_, id)| *id)),
    }
}
