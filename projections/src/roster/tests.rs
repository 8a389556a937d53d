//! What the roster knows after which records.

mod lists;
mod properties;

use hourglass_events::arbitrary::blueprint;
use hourglass_events::{
    Actor, Blueprint, Cause, CorrelationId, DeleteReason, Digest, Event, HostId, Labels, Name,
    OrganizationId, Placement, Record, RecordId, SandboxEvent, SandboxId, Seq, ShardEvent, ShardNumber, Span,
    State, Subject, Target, Timestamp,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::{RETENTION, Roster};
use crate::{ApplyError, OutOfStep, Projection};

const OURS: OrganizationId = OrganizationId::from_u128(1);
const THEIRS: OrganizationId = OrganizationId::from_u128(2);

/// A roster with its feed: a minute passes with each record.
struct Story {
    roster: Roster,
    seq: Seq,
    now: Timestamp,
}

impl Story {
    fn new() -> Self {
        Self { roster: Roster::new(), seq: Seq(0), now: Timestamp(1_700_000_000_000_000) }
    }

    fn record(&self, subject: Subject, organization: OrganizationId, version: u64, event: Event) -> Record {
        Record {
            seq: self.seq.next(),
            id: RecordId::from_u128(self.seq.0.into()),
            at: self.now.after(Span::minutes(1)),
            subject,
            organization,
            version,
            actor: Actor::Engine,
            cause: Cause::Duty,
            correlation: CorrelationId::from_u128(1),
            prev: Digest::NONE,
            schema: 0,
            event,
        }
    }

    fn feed(&mut self, record: &Record) -> Result<(), ApplyError> {
        self.roster.apply(record)?;
        (self.seq, self.now) = (record.seq, record.at);
        Ok(())
    }

    fn create(&mut self, owner: OrganizationId, id: u128, name: &str, labels: &[(&str, &str)]) -> SandboxId {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let blueprint = Box::new(Blueprint {
            name: Name::new(name).unwrap(),
            labels: Labels::new(labels).unwrap(),
            ..any_blueprint()
        });
        let placement = Placement::only(HostId::from_u128(1));
        let event = SandboxEvent::PullBegan { blueprint, placement, deadline: Timestamp(0) };
        let id = SandboxId::from_u128(id);
        let record = self.record(Subject::Sandbox(id), owner, 1, Event::Sandbox(event));
        self.feed(&record).unwrap();
        id
    }

    fn happen(&mut self, id: SandboxId, events: &[SandboxEvent]) {
        for event in events {
            let sandbox = self.roster.by_id(id).unwrap();
            let (owner, version) = (sandbox.organization, sandbox.version + 1);
            let record = self.record(Subject::Sandbox(id), owner, version, Event::Sandbox(event.clone()));
            self.feed(&record).unwrap();
        }
    }

    fn delete(&mut self, id: SandboxId) {
        self.happen(id, &[SandboxEvent::DeleteBegan { reason: DeleteReason::Asked }, SandboxEvent::Removed]);
    }

    /// A record of nobody's sandbox, after this long.
    fn pass(&mut self, time: Span) {
        let event = Event::Shard(ShardEvent::SchemaRaised { schema: 0 });
        let mut record = self.record(Subject::Shard(ShardNumber(0)), OURS, 1, event);
        record.at = self.now.after(time);
        self.feed(&record).unwrap();
    }

    fn names(&self, owner: OrganizationId, name: &str) -> Option<SandboxId> {
        self.roster.by_name(owner, name).map(|sandbox| sandbox.id)
    }
}

fn any_blueprint() -> Blueprint {
    blueprint().new_tree(&mut TestRunner::deterministic()).unwrap().current()
}

#[test]
fn a_sandbox_is_found_by_its_id_and_by_its_name() {
    let mut story = Story::new();
    let id = story.create(OURS, 7, "a", &[]);
    assert_eq!(story.roster.by_id(id).unwrap().state, State::PullingSnapshot);
    assert_eq!(story.names(OURS, "a"), Some(id));
    assert_eq!(story.names(OURS, "A"), None);
    assert_eq!(story.names(OURS, "<no name at all>"), None);
}

#[test]
fn a_name_belongs_to_its_organization() {
    let mut story = Story::new();
    let ours = story.create(OURS, 7, "a", &[]);
    let theirs = story.create(THEIRS, 8, "a", &[]);
    assert_eq!((story.names(OURS, "a"), story.names(THEIRS, "a")), (Some(ours), Some(theirs)));
}

#[test]
fn an_id_is_sought_before_a_name_and_only_among_ones_own() {
    let mut story = Story::new();
    let id = story.create(OURS, 7, "a", &[]);
    let namesake = story.create(OURS, 8, &id.to_string(), &[]);
    let theirs = story.create(THEIRS, 9, "b", &[]);
    let find = |target: Target| story.roster.find(OURS, &target).map(|sandbox| sandbox.id);
    assert_eq!(find(Target::Text("a".to_owned())), Some(id));
    assert_eq!(find(Target::Text(id.to_string())), Some(id));
    assert_eq!(find(Target::Text("b".to_owned())), None);
    assert_eq!((find(theirs.into()), find(Target::Text(theirs.to_string()))), (None, None));
    assert_eq!(find(namesake.into()), Some(namesake));
}

#[test]
fn a_text_that_is_nobodys_id_may_still_be_a_name() {
    let mut story = Story::new();
    let text = SandboxId::from_u128(99).to_string();
    let named = story.create(OURS, 7, &text, &[]);
    assert_eq!(story.roster.find(OURS, &Target::Text(text)).map(|sandbox| sandbox.id), Some(named));
}

#[test]
fn a_name_is_free_as_soon_as_its_sandbox_is_being_deleted() {
    let mut story = Story::new();
    let first = story.create(OURS, 7, "a", &[]);
    story.happen(first, &[SandboxEvent::DeleteBegan { reason: DeleteReason::Asked }]);
    assert_eq!(story.names(OURS, "a"), None);
    let second = story.create(OURS, 8, "a", &[]);
    story.happen(first, &[SandboxEvent::Removed]);
    assert_eq!(story.names(OURS, "a"), Some(second), "the end of the first takes nothing from the second");
}

#[test]
fn a_deleted_sandbox_is_read_by_its_id_for_a_day() {
    let mut story = Story::new();
    let id = story.create(OURS, 7, "a", &[]);
    story.delete(id);
    assert_eq!(story.roster.by_id(id).unwrap().state, State::Deleted);
    story.pass(Span(RETENTION.0 - 1));
    assert!(story.roster.by_id(id).is_some());
    story.pass(Span(1));
    assert!(story.roster.by_id(id).is_none());
}

#[test]
fn what_a_forgotten_sandbox_left_behind_may_still_go() {
    let mut story = Story::new();
    let id = story.create(OURS, 7, "a", &[]);
    story.delete(id);
    story.pass(RETENTION);
    let removed = story.record(Subject::Sandbox(id), OURS, 4, Event::Sandbox(SandboxEvent::LeftoverRemoved));
    assert_eq!(story.feed(&removed), Ok(()));
    let booted = story.record(Subject::Sandbox(id), OURS, 5, Event::Sandbox(SandboxEvent::Booted));
    assert!(matches!(story.feed(&booted), Err(ApplyError::Illegal(_))));
}

#[test]
fn a_leftover_that_goes_renews_the_day() {
    let mut story = Story::new();
    let id = story.create(OURS, 7, "a", &[]);
    story.delete(id);
    story.pass(Span(RETENTION.0 / 2));
    story.happen(id, &[SandboxEvent::LeftoverRemoved]);
    story.pass(Span(RETENTION.0 - 1));
    assert!(story.roster.by_id(id).is_some());
}

#[test]
fn a_record_out_of_step_or_illegal_changes_nothing() {
    let mut story = Story::new();
    let id = story.create(OURS, 7, "a", &[]);
    let before = story.roster.clone();

    let fits = story.record(Subject::Sandbox(id), OURS, 2, Event::Sandbox(SandboxEvent::ActivityRefreshed));
    let again = Record { seq: Seq(1), ..fits.clone() };
    let ahead = Record { seq: Seq(3), ..fits.clone() };
    let illegal = Record { event: Event::Sandbox(SandboxEvent::Booted), ..fits.clone() };
    assert!(matches!(story.feed(&again), Err(ApplyError::OutOfStep(OutOfStep::Repeat { .. }))));
    assert!(matches!(story.feed(&ahead), Err(ApplyError::OutOfStep(OutOfStep::Gap { .. }))));
    assert!(matches!(story.feed(&illegal), Err(ApplyError::Illegal(_))));
    assert_eq!(story.roster, before);
    assert_eq!(story.feed(&fits), Ok(()));
}

#[test]
fn records_of_others_only_move_the_cursor() {
    let mut story = Story::new();
    story.create(OURS, 7, "a", &[]);
    let before = story.roster.clone();
    story.pass(Span::ZERO);
    assert_eq!(story.roster.applied(), Seq(2));
    assert!(story.roster.iter().eq(before.iter()));
}

#[test]
fn a_clone_does_not_see_what_follows() {
    let mut story = Story::new();
    let id = story.create(OURS, 7, "a", &[]);
    let snapshot = story.roster.clone();
    story.delete(id);
    assert_eq!(snapshot.by_id(id).unwrap().state, State::PullingSnapshot);
    assert_eq!(snapshot.by_name(OURS, "a").unwrap().id, id);
}
