//! Lists: what is in them, in which order, and page by page.

use std::collections::{BTreeMap, BTreeSet};

use hourglass_events::{Fault, SandboxEvent, State, Timestamp};

use super::{OURS, Story, THEIRS};
use crate::{Direction, Filter, Page, Query, QueryError, Sort, Within};

/// Created in this order: b, A, c; then b was used.
fn three() -> Story {
    let mut story = Story::new();
    let used = story.create(OURS, 0x10, "b", &[("team", "x"), ("env", "prod")]);
    story.create(OURS, 0x2f, "Alpha", &[("team", "x")]);
    story.create(OURS, 0x30, "c", &[("team", "y")]);
    story.create(THEIRS, 0x40, "d", &[("team", "x")]);
    story.happen(used, &[SandboxEvent::SnapshotReady { deadline: Timestamp(0) }, SandboxEvent::Booted]);
    story
}

fn names(page: &Page) -> Vec<&str> {
    page.sandboxes.iter().map(|sandbox| sandbox.blueprint.name.as_str()).collect()
}

fn listed(story: &Story, filter: Filter) -> Vec<String> {
    let query = Query { filter, sort: Sort::Name, direction: Direction::Ascending, ..Query::new(OURS) };
    names(&story.roster.list(&query).unwrap()).iter().map(ToString::to_string).collect()
}

#[test]
fn lists_are_sorted_either_way() {
    let story = three();
    for (sort, ascending) in [
        (Sort::Created, ["b", "Alpha", "c"]),
        (Sort::Name, ["Alpha", "b", "c"]),
        (Sort::LastActivity, ["Alpha", "c", "b"]),
    ] {
        let list = |direction| story.roster.list(&Query { sort, direction, ..Query::new(OURS) }).unwrap();
        assert_eq!(names(&list(Direction::Ascending)), ascending, "{sort:?}");
        let mut descending = ascending;
        descending.reverse();
        assert_eq!(names(&list(Direction::Descending)), descending, "{sort:?}");
    }
}

#[test]
fn a_list_is_of_one_organization() {
    let story = three();
    assert_eq!(names(&story.roster.list(&Query::new(THEIRS)).unwrap()), ["d"]);
    let nobody = hourglass_events::OrganizationId::from_u128(3);
    assert_eq!(story.roster.list(&Query::new(nobody)), Ok(Page { sandboxes: vec![], next: None }));
}

#[test]
fn a_list_is_filtered_by_state() {
    let story = three();
    let states = |states: &[State]| Some(states.iter().copied().collect::<BTreeSet<_>>());
    assert_eq!(listed(&story, Filter { states: states(&[State::Started]), ..Filter::default() }), ["b"]);
    let both = states(&[State::Started, State::PullingSnapshot]);
    assert_eq!(listed(&story, Filter { states: both, ..Filter::default() }), ["Alpha", "b", "c"]);
    assert!(listed(&story, Filter { states: states(&[]), ..Filter::default() }).is_empty());
}

#[test]
fn a_list_is_filtered_by_all_labels_given() {
    let story = three();
    let labels = |labels: &[(&str, &str)]| {
        let pairs = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Filter { labels: pairs.collect::<BTreeMap<_, _>>(), ..Filter::default() }
    };
    assert_eq!(listed(&story, labels(&[("team", "x")])), ["Alpha", "b"]);
    assert_eq!(listed(&story, labels(&[("team", "x"), ("env", "prod")])), ["b"]);
    assert!(listed(&story, labels(&[("team", "X")])).is_empty());
    assert!(listed(&story, labels(&[("tea", "x")])).is_empty());
}

#[test]
fn a_list_is_filtered_by_the_beginning_of_names_in_any_case() {
    let story = three();
    let prefix = |prefix: &str| Filter { name_prefix: Some(prefix.to_owned()), ..Filter::default() };
    assert_eq!(listed(&story, prefix("aL")), ["Alpha"]);
    assert_eq!(listed(&story, prefix("B")), ["b"]);
    assert_eq!(listed(&story, prefix("")), ["Alpha", "b", "c"]);
    assert!(listed(&story, prefix("bb")).is_empty());
}

#[test]
fn a_list_is_filtered_by_the_beginning_of_ids() {
    let story = three();
    let prefix = |prefix: &str| Filter { id_prefix: Some(prefix.to_owned()), ..Filter::default() };
    let full = "00000000-0000-0000-0000-00000000002F";
    assert_eq!(listed(&story, prefix(full)), ["Alpha"]);
    assert_eq!(listed(&story, prefix("00000000-")), ["Alpha", "b", "c"]);
    assert!(listed(&story, prefix("1")).is_empty());
}

#[test]
fn a_list_is_filtered_by_size_and_both_ends_of_a_range_belong_to_it() {
    let story = three();
    let cpu = story.roster.by_name(OURS, "b").unwrap().blueprint.resources.cpu;
    let sized = |least, most| listed(&story, Filter { cpu: Within { least, most }, ..Filter::default() });
    let all = ["Alpha", "b", "c"];
    assert_eq!(sized(Some(cpu), Some(cpu)), all);
    assert_eq!(sized(None, Some(cpu)), all);
    assert!(sized(Some(cpu + 1), None).is_empty());
    assert!(sized(None, Some(cpu - 1)).is_empty());
}

#[test]
fn a_list_is_filtered_by_when_it_was_created_and_last_changed() {
    let story = three();
    let born = |name: &str| story.roster.by_name(OURS, name).unwrap().created;
    let created =
        |least, most| listed(&story, Filter { created: Within { least, most }, ..Filter::default() });
    assert_eq!(created(Some(born("Alpha")), None), ["Alpha", "c"]);
    assert_eq!(created(None, Some(born("Alpha"))), ["Alpha", "b"]);
    let changed = Within { least: Some(born("c").after(hourglass_events::Span(1))), most: None };
    assert_eq!(
        listed(&story, Filter { updated: changed, ..Filter::default() }),
        ["b"],
        "it was started last"
    );
}

#[test]
fn a_list_is_filtered_by_snapshot_class_and_whether_recovering_may_help() {
    let mut story = three();
    let blueprint = story.roster.by_name(OURS, "b").unwrap().blueprint.clone();
    let from = |text: &str| Some(BTreeSet::from([text.to_owned()]));
    for known in [blueprint.snapshot_name.clone(), blueprint.snapshot.to_string()] {
        let filter = Filter { snapshots: from(&known), ..Filter::default() };
        assert_eq!(listed(&story, filter).len(), 3, "{known}");
    }
    assert!(listed(&story, Filter { snapshots: from("another"), ..Filter::default() }).is_empty());
    let class = |class| Filter { classes: Some(BTreeSet::from([class])), ..Filter::default() };
    assert_eq!(listed(&story, class(blueprint.class)).len(), 3);
    let fault = Fault::NoSpace { doing: "make the disk".to_owned() };
    let id = story.names(OURS, "c").unwrap();
    story.happen(id, &[SandboxEvent::Failed { fault }]);
    let recoverable = |wanted| Filter { recoverable: Some(wanted), ..Filter::default() };
    assert_eq!(listed(&story, recoverable(true)), ["c"]);
    assert_eq!(listed(&story, recoverable(false)), ["Alpha", "b"]);
}

#[test]
fn a_deleted_sandbox_is_in_no_list() {
    let mut story = three();
    let id = story.names(OURS, "c").unwrap();
    story.happen(id, &[SandboxEvent::DeleteBegan { reason: hourglass_events::DeleteReason::Asked }]);
    assert_eq!(listed(&story, Filter::default()), ["Alpha", "b", "c"], "while it is being deleted it is");
    story.happen(id, &[SandboxEvent::Removed]);
    assert_eq!(listed(&story, Filter::default()), ["Alpha", "b"]);
}

#[test]
fn a_page_has_at_most_200_and_unless_asked_100() {
    let mut story = Story::new();
    for id in 0..201 {
        story.create(OURS, id, &format!("s{id}"), &[]);
    }
    let length =
        |limit| story.roster.list(&Query { limit, ..Query::new(OURS) }).map(|page| page.sandboxes.len());
    assert_eq!((length(None), length(Some(1)), length(Some(200))), (Ok(100), Ok(1), Ok(200)));
    for found in [0, 201, usize::MAX] {
        assert_eq!(length(Some(found)), Err(QueryError::BadLimit { found }));
    }
}

#[test]
fn the_last_page_has_no_next() {
    let story = three();
    let page = |limit| story.roster.list(&Query { limit: Some(limit), ..Query::new(OURS) }).unwrap();
    assert!(page(2).next.is_some());
    assert_eq!((page(3).next, page(4).next), (None, None));
}

#[test]
fn pages_go_on_where_the_last_one_ended_whatever_came_meanwhile() {
    let mut story = three();
    let first =
        Query { limit: Some(2), sort: Sort::Name, direction: Direction::Ascending, ..Query::new(OURS) };
    let page = story.roster.list(&first).unwrap();
    assert_eq!(names(&page), ["Alpha", "b"]);
    story.create(OURS, 0x50, "aa", &[]);
    story.create(OURS, 0x51, "bb", &[]);
    let b = story.names(OURS, "b").unwrap();
    story.delete(b);
    let second = story.roster.list(&Query { cursor: page.next, ..first }).unwrap();
    assert_eq!(names(&second), ["bb", "c"]);
}

#[test]
fn a_cursor_of_another_order_is_told_from_a_bad_one() {
    let story = three();
    let first = Query { limit: Some(1), ..Query::new(OURS) };
    let cursor = story.roster.list(&first).unwrap().next;
    let answer = |sort, direction, cursor: Option<String>| {
        story.roster.list(&Query { sort, direction, cursor, ..first.clone() }).map(drop)
    };
    assert_eq!(answer(Sort::Created, Direction::Descending, cursor.clone()), Ok(()));
    assert_eq!(answer(Sort::Created, Direction::Ascending, cursor.clone()), Err(QueryError::OtherOrder));
    assert_eq!(answer(Sort::Name, Direction::Descending, cursor.clone()), Err(QueryError::OtherOrder));
    let whole = cursor.unwrap();
    let short = &whole[..whole.len() - 2];
    for bad in ["", "x", "0", "zz", "ü", short, &format!("{whole}00"), &format!("02{}", &whole[2..])] {
        let answer = answer(Sort::Created, Direction::Descending, Some(bad.to_owned()));
        assert_eq!(answer, Err(QueryError::BadCursor), "{bad:?}");
    }
}

#[test]
fn query_errors_say_what_to_do() {
    assert_eq!(QueryError::BadLimit { found: 0 }.to_string(), "0 is not a page's limit; send 1 to 200");
    for error in [QueryError::BadCursor, QueryError::OtherOrder] {
        assert!(error.to_string().ends_with("to begin anew"), "{error}");
    }
}
