//! What the stories of sandboxes say.

use std::collections::BTreeMap;

use hourglass_events::arbitrary::{history, offers};
use hourglass_events::{Event, Record, Sandbox, Span, State, Subject, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::{Timeline, drawing};
use crate::{Keep, Projection};

fn fed(keep: Keep, records: &[Record]) -> Timeline {
    let mut timeline = Timeline::new(keep);
    records.iter().for_each(|record| timeline.apply(record).unwrap());
    timeline
}

/// Each sandbox's states with the moments they began, by folding it alone.
fn alone(records: &[Record]) -> BTreeMap<Subject, Vec<(State, Timestamp)>> {
    let mut folded = BTreeMap::<Subject, Sandbox>::new();
    let mut stories = BTreeMap::<Subject, Vec<(State, Timestamp)>>::new();
    for record in records {
        let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) else { continue };
        let sandbox = match folded.remove(&record.subject) {
            None => Sandbox::born(id, &record.stamp(), event).unwrap(),
            Some(mut sandbox) => {
                sandbox.evolve(&record.stamp(), event).unwrap();
                sandbox
            }
        };
        let story = stories.entry(record.subject).or_default();
        if story.last().is_none_or(|(state, _)| *state != sandbox.state) {
            story.push((sandbox.state, record.at));
        }
        folded.insert(record.subject, sandbox);
    }
    stories
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_story_is_the_states_of_its_sandbox_and_survives_its_deletion(offers in offers(6, 150)) {
        let records = history(&offers);
        let timeline = fed(Keep::Everyone, &records);
        let told: BTreeMap<_, Vec<_>> = timeline
            .iter()
            .map(|story| {
                let steps = story.steps().map(|step| (step.state, step.at)).collect();
                (Subject::Sandbox(story.sandbox), steps)
            })
            .collect();
        prop_assert_eq!(told, alone(&records));
    }

    #[test]
    fn the_stays_of_a_story_fill_its_time_without_gap_or_overlap(offers in offers(6, 150), more in 0..10_u64) {
        let timeline = fed(Keep::Everyone, &history(&offers));
        let until = timeline.at().after(Span::seconds(more));
        for story in timeline.iter() {
            let stays: Vec<_> = story.stays(until).collect();
            let (first, last) = (stays.first().unwrap(), stays.last().unwrap());
            let end = if last.step.state == State::Deleted { last.step.at } else { until };
            let filled: u64 = stays.iter().map(|stay| stay.length.0).sum();
            prop_assert_eq!(filled, end.since(first.step.at).0);
            prop_assert!(stays[..stays.len() - 1].iter().all(|stay| !stay.lasts));
            prop_assert_eq!(last.lasts, last.step.state != State::Deleted);
        }
    }

    #[test]
    fn who_keeps_the_living_forgets_only_the_deleted(offers in offers(6, 150)) {
        let records = history(&offers);
        let (all, living) = (fed(Keep::Everyone, &records), fed(Keep::Living, &records));
        let deleted = |story: &&super::Story| story.steps().any(|step| step.state == State::Deleted);
        prop_assert!(living.iter().eq(all.iter().filter(|story| !deleted(story))));
    }

    #[test]
    fn any_story_can_be_drawn(offers in offers(3, 60)) {
        let timeline = fed(Keep::Everyone, &history(&offers));
        for story in timeline.iter() {
            let svg = drawing::svg(story, timeline.at(), &|at, _| at.0.to_string());
            let bars = svg.matches("<title>").count();
            prop_assert_eq!(bars, story.steps().count());
            prop_assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        }
    }
}

#[test]
fn a_record_that_does_not_fit_changes_nothing() {
    let mut timeline = Timeline::new(Keep::Everyone);
    let before = timeline.clone();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let record = hourglass_events::arbitrary::record();
    for _ in 0..50 {
        let drawn = record.new_tree(&mut runner).unwrap().current();
        assert!(timeline.apply(&Record { seq: hourglass_events::Seq(7), ..drawn }).is_err());
        assert_eq!(timeline, before);
    }
}
