//! Lists of an organization's sandboxes: filtered, sorted, a page at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use hourglass_events::{OrganizationId, Sandbox, SandboxId, State};
use imbl::OrdSet;

use super::Roster;
use super::mark;
use super::shelf::{Key, Place};

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

/// Which sandboxes are meant: those that fit every part that is given. Deleted ones are in no list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// In one of these states.
    pub states: Option<BTreeSet<State>>,
    /// With all these labels.
    pub labels: BTreeMap<String, String>,
    /// With a name that begins so, in any case.
    pub name_prefix: Option<String>,
    /// With an id that begins so.
    pub id_prefix: Option<String>,
}

impl Filter {
    /// Whether `sandbox` is meant.
    #[must_use]
    pub fn fits(&self, sandbox: &Sandbox) -> bool {
        let Self { states, labels, name_prefix, id_prefix } = self;
        states.as_ref().is_none_or(|states| states.contains(&sandbox.state))
            && labels.iter().all(|(key, value)| sandbox.blueprint.labels.get(key) == Some(value))
            && name_prefix.as_ref().is_none_or(|prefix| begins(sandbox.blueprint.name.as_str(), prefix))
            && id_prefix.as_ref().is_none_or(|prefix| begins(&sandbox.id.to_string(), prefix))
    }
}

fn begins(text: &str, prefix: &str) -> bool {
    let mut text = text.chars().flat_map(char::to_lowercase);
    prefix.chars().flat_map(char::to_lowercase).all(|sought| text.next() == Some(sought))
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
}

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The least.
    Ascending,
    /// The greatest.
    Descending,
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
        let Query { organization, filter, sort, direction, limit, cursor } = query;
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
        let ids = behind(shelf.order(*sort), *direction, place);
        let fitting = ids.filter_map(|id| self.by_id(id)).filter(|sandbox| filter.fits(sandbox));
        // One more than fits the page tells whether there is another.
        let mut sandboxes: Vec<_> = fitting.take(limit + 1).cloned().collect();
        let more = sandboxes.len() > limit;
        sandboxes.truncate(limit);
        let last = sandboxes.last().filter(|_| more);
        let next = last.map(|last| mark::encode(&(Key::of(last, *sort), last.id), *sort, *direction));
        Ok(Page { sandboxes, next })
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
