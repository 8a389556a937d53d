//! Nothing in a log can change without being noticed by whoever folds it.

use std::sync::Arc;

use hourglass_events::codec::GroupView;
use hourglass_events::{Command, Create, SandboxId, ShardNumber, Span};

use super::world::{ORGANIZATION, World};
use crate::log::{Outcome, Slot};
use crate::shard::{Input, Replay, ReplayError};

/// A log of an opening, a group of one record, one of several, and two more.
fn frames() -> Vec<Arc<[u8]>> {
    let mut world = World::new();
    let create = |number: u128| Command::Create(Create::new(SandboxId::from_u128(number)));
    world.ask(ORGANIZATION, None, super::limits::register("default"));
    world.log.hangs = true;
    for number in 1..=4 {
        world.ask(ORGANIZATION, None, create(number));
    }
    world.log.hangs = false;
    let slot = Slot(world.log.frames.len() as u64 + 1);
    world.feed(Input::Appended { slot, outcome: Outcome::Doubtful });
    world.pass(world.now.after(Span::seconds(1)));
    world.ask(ORGANIZATION, None, create(5));
    let groups =
        world.log.frames.iter().map(|frame| GroupView::decode(frame).expect("a group").records.len());
    assert!(groups.into_iter().any(|records| records > 1), "no group has several records");
    world.log.frames
}

fn fold(frames: &[Arc<[u8]>]) -> Result<Replay, ReplayError> {
    let mut replay = Replay::new(ShardNumber(0), 1);
    frames.iter().try_for_each(|frame| replay.feed(frame, |_| {}))?;
    Ok(replay)
}

#[test]
fn no_bit_of_a_group_changes_unnoticed() {
    let frames = frames();
    let whole = fold(&frames).expect("the log as it was written").mark();
    for (at, frame) in frames.iter().enumerate() {
        for bit in 0..frame.len() * 8 {
            let mut changed = frame.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut frames = frames.clone();
            frames[at] = changed.into();
            // The last group has no successor to name it: a checkpoint's mark does, or a head noted elsewhere.
            let unnoticed = fold(&frames).is_ok_and(|replay| replay.mark() == whole);
            assert!(!unnoticed, "bit {bit} of group {} was changed", at + 1);
        }
    }
}

#[test]
fn a_mark_knows_its_group() {
    let frames = frames();
    let mark = fold(&frames).expect("the log as it was written").mark();
    assert!(mark.holds(&frames[frames.len() - 1]));
    assert!(!mark.holds(&frames[frames.len() - 2]));
    assert!(!mark.holds(b"no group"));
}
