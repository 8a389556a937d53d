//! Lists of sandboxes: filtered, sorted, a page at a time.

mod query;

pub(crate) use query::{VALUES_MOST, parameters};

use axum::Json;
use axum::extract::State;

use crate::caller::Caller;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::wire::sandbox::{Items, Page};

pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page>, Problem> {
    let query = query::read(caller.organization(), &mut parameters)?;
    parameters.end()?;
    let (sandboxes, next_cursor) = match query {
        Some(query) => {
            // The writer must not wait for a long list: it is made from a copy, which costs nothing to speak of.
            let roster = shared.engine.view_of(caller.organization()).roster(Clone::clone);
            let page = roster.list(&query)?;
            (page.sandboxes, page.next)
        }
        None => (Vec::new(), None),
    };
    Ok(Json(Page { items: Items { sandboxes, shared }, next_cursor }))
}
