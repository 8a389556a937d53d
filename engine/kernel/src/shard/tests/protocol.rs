//! Every interleaving of what the log may answer, crashes and a rival writer, over four groups.
//!
//! The first writer has four things to record, each in a group of its own: two creates, a host's report and a stop.
//! Before and after each of its appends anything may happen that a log can do. Every path is walked to its end; then
//! the faults stop, whoever is left (or a new writer) is asked everything again under the same keys, and the log must
//! tell one story.

mod frames;
mod writer;

use std::collections::BTreeSet;
use std::sync::Arc;

use hourglass_events::{
    Class, Command, Digest, Image, Request, Resources, ShardNumber, SnapshotContent, SnapshotId, Span,
};

use super::world::START;
use crate::log::{Outcome, Slot};
use crate::shard::{Input, Replay, RequestId, Shard};

use frames::{Frame, joined, keyed, pulled, report, request};
use writer::{Writer, see_it_dead};

/// The steps of the first writer, each a group of its own.
const STEPS: u64 = 4;

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// The log answers as it should.
    Answer,
    /// The frame is stored and the answer lost.
    DoubtStored,
    /// The frame is lost and the answer with it.
    DoubtLost,
    /// The answer is lost, and the frame arrives some time later.
    DoubtLate,
    /// A frame that was on its way arrives.
    Arrive,
    /// There is no room.
    NoSpace,
    /// The storage fails after storing the frame.
    BrokenStored,
    /// The storage fails before storing the frame.
    BrokenLost,
    /// A slot cannot be read.
    Unread,
    /// The writer is killed after the frame is stored.
    CrashStored,
    /// The writer is killed before the frame is stored.
    CrashLost,
    /// The rival starts, or its next append is answered.
    Rival,
}

/// The log and its writers.
#[derive(Debug, Clone)]
struct Model {
    frames: Vec<Frame>,
    /// A frame still on its way to a slot.
    late: Option<(Slot, Arc<[u8]>)>,
    first: Writer,
    rival: Option<Writer>,
    faults: u32,
    /// What was acknowledged to anybody: keys of requests, and the host's report.
    promised: BTreeSet<u64>,
}

impl Model {
    /// A log with a snapshot and a host on it, and a writer that serves.
    fn new(faults: u32) -> Self {
        let first = Writer::on(&[], 1, START);
        let promised = BTreeSet::new();
        let mut model = Self { frames: Vec::new(), late: None, first, rival: None, faults, promised };
        // Nothing of this is a step yet.
        model.first.asked = STEPS;
        model.settle_writer(false);
        let content = SnapshotContent {
            name: "default".to_owned(),
            class: Class::Container,
            resources: Resources::DEFAULT,
            gpu_types: hourglass_events::GpuTypes::default(),
            image: Image { digest: "cafe".to_owned() },
        };
        let command = Command::RegisterSnapshot(SnapshotId::from_u128(1), content);
        let registration = Request { key: None, command, ..request(1) };
        model.tell(false, joined());
        model.settle_writer(false);
        model.tell(false, Input::Request { id: RequestId(100), request: Box::new(registration) });
        model.settle_writer(false);
        model.first.asked = 0;
        model.first.step(&model.frames, &mut model.promised);
        model
    }

    fn writer(&mut self, rival: bool) -> Option<&mut Writer> {
        if rival { self.rival.as_mut() } else { Some(&mut self.first) }
    }

    /// Put `frame` into `slot` if the log takes it there.
    fn store(&mut self, slot: Slot, frame: &Arc<[u8]>) -> Outcome {
        let next = self.frames.len() as u64 + 1;
        if slot.0 == next {
            self.frames.push(Frame::new(frame));
            Outcome::Durable
        } else if slot.0 < next {
            Outcome::Occupied
        } else {
            Outcome::Doubtful
        }
    }

    /// What may happen next. Nothing, once the first writer has nothing in flight.
    fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        let faulty = self.faults > 0;
        if !self.first.dead {
            if self.first.reading.is_some() {
                choices.push(Choice::Answer);
                if faulty {
                    choices.push(Choice::Unread);
                }
            } else if self.first.pending.is_some() {
                choices.push(Choice::Answer);
                if faulty {
                    choices.extend([
                        Choice::DoubtStored,
                        Choice::DoubtLost,
                        Choice::NoSpace,
                        Choice::BrokenStored,
                        Choice::BrokenLost,
                        Choice::CrashStored,
                        Choice::CrashLost,
                    ]);
                    if self.late.is_none() {
                        choices.push(Choice::DoubtLate);
                    }
                }
            }
        }
        if self.late.is_some() {
            choices.push(Choice::Arrive);
        }
        match &self.rival {
            None if faulty => choices.push(Choice::Rival),
            Some(rival) if !rival.dead && (rival.pending.is_some() || rival.reading.is_some()) => {
                choices.push(Choice::Rival);
            }
            None | Some(_) => {}
        }
        choices
    }

    fn take(&mut self, choice: Choice) {
        match choice {
            Choice::Answer | Choice::Rival => {}
            Choice::Arrive => {
                let (slot, frame) = self.late.take().expect("a late frame");
                self.store(slot, &frame);
                return;
            }
            Choice::DoubtStored
            | Choice::DoubtLost
            | Choice::DoubtLate
            | Choice::NoSpace
            | Choice::BrokenStored
            | Choice::BrokenLost
            | Choice::Unread
            | Choice::CrashStored
            | Choice::CrashLost => self.faults -= 1,
        }
        if choice == Choice::Rival && self.rival.is_none() {
            self.faults -= 1;
            self.rival = Some(Writer::on(&self.frames, 2, self.first.now));
            // Its opening is proposed at once.
            return self.collect(true);
        }
        self.answer(choice == Choice::Rival, choice);
    }

    /// Take in what a freshly opened writer wants.
    fn collect(&mut self, rival: bool) {
        let frames = self.frames.clone();
        let mut promised = std::mem::take(&mut self.promised);
        if let Some(writer) = self.writer(rival) {
            writer.feed(&frames, &mut promised, Input::Tick);
        }
        self.promised = promised;
    }

    fn answer(&mut self, rival: bool, choice: Choice) {
        let Some(writer) = self.writer(rival) else { return };
        if let Some(slot) = writer.reading.take() {
            let index = usize::try_from(slot.0).expect("few slots") - 1;
            let frame = (choice != Choice::Unread).then(|| Arc::clone(&self.frames[index].bytes));
            return self.tell(rival, Input::Read { slot, frame });
        }
        let (slot, frame) = writer.pending.take().expect("an append");
        let outcome = match choice {
            Choice::Answer | Choice::Rival => self.store(slot, &frame),
            Choice::DoubtStored => {
                self.store(slot, &frame);
                Outcome::Doubtful
            }
            Choice::DoubtLate => {
                self.late = Some((slot, frame));
                Outcome::Doubtful
            }
            Choice::DoubtLost => Outcome::Doubtful,
            Choice::NoSpace => Outcome::NoSpace,
            Choice::BrokenStored => {
                self.store(slot, &frame);
                Outcome::Broken
            }
            Choice::BrokenLost => Outcome::Broken,
            Choice::CrashStored => {
                self.store(slot, &frame);
                self.first.dead = true;
                return;
            }
            Choice::CrashLost => {
                self.first.dead = true;
                return;
            }
            Choice::Unread | Choice::Arrive => unreachable!("not an append's"),
        };
        self.tell(rival, Input::Appended { slot, outcome });
    }

    /// Tell a writer something, let its clock run to what it waits for, and let it do its next step.
    fn tell(&mut self, rival: bool, input: Input) {
        let frames = self.frames.clone();
        let mut promised = std::mem::take(&mut self.promised);
        // Both live in one time.
        let now = self.rival.as_ref().map_or(self.first.now, |rival| rival.now.max(self.first.now));
        if let Some(writer) = self.writer(rival) {
            writer.now = now;
            writer.feed(&frames, &mut promised, input);
            let waits = |writer: &Writer| {
                writer.pending.is_none() && writer.reading.is_none() && !writer.shard.is_quiet()
            };
            if waits(writer)
                && let Some((at, _)) = writer.shard.deadline()
            {
                writer.now = writer.now.max(at);
                writer.feed(&frames, &mut promised, Input::Tick);
            }
            if !rival {
                writer.step(&frames, &mut promised);
            }
            if writer.halt.is_some() {
                see_it_dead(writer, &frames, &mut promised);
            }
        }
        self.promised = promised;
    }

    /// Answer everything of one writer as it should be, until it wants nothing more.
    fn settle_writer(&mut self, rival: bool) {
        self.collect(rival);
        for _ in 0..100 {
            let wants = |writer: &mut Writer| writer.pending.is_some() || writer.reading.is_some();
            if !self.writer(rival).is_some_and(wants) {
                return;
            }
            self.answer(rival, Choice::Answer);
        }
        panic!("a writer on a good log never comes to rest");
    }
}

/// The end of a path: faults stop, what is on its way is lost, and the log must tell one story.
fn finish(mut model: Model) {
    let first_alive = !model.first.dead;
    model.late = None;
    if model.rival.is_some() {
        model.settle_writer(true);
    }
    if first_alive && !model.first.dead {
        model.settle_writer(false);
    }
    // Only one of them can still be at it: a takeover fences whoever was there before.
    let owner = model.frames.last().map(|frame| frame.group.nonce);
    let mut survivor = [Some(model.first.clone()), model.rival.clone()]
        .into_iter()
        .flatten()
        .find(|writer| !writer.dead && Some(writer.nonce) == owner)
        .unwrap_or_else(|| Writer::on(&model.frames, 3, START.after(Span::minutes(1))));
    survivor.replied.clear();
    let mut rest = Model {
        first: survivor,
        rival: None,
        faults: 0,
        frames: model.frames,
        late: None,
        promised: model.promised,
    };
    rest.settle_writer(false);
    // Everybody asks again under their keys, the host reports again, and nothing happens twice.
    rest.tell(false, joined());
    rest.settle_writer(false);
    rest.first.asked = STEPS;
    for step in [1, 2] {
        rest.first.replied.remove(&step);
        rest.tell(false, Input::Request { id: RequestId(step), request: Box::new(request(step)) });
        rest.settle_writer(false);
    }
    let number = pulled(&rest.frames).expect("the first sandbox is there");
    rest.tell(false, report(number));
    rest.settle_writer(false);
    rest.first.replied.remove(&STEPS);
    rest.tell(false, Input::Request { id: RequestId(STEPS), request: Box::new(request(STEPS)) });
    rest.settle_writer(false);
    let keyed = keyed(&rest.frames);
    for step in [1, 2, 4] {
        assert_eq!(keyed.get(&step), Some(&1), "step {step} happened once");
    }
    assert_eq!(rest.promised, BTreeSet::from([1, 2, 3, 4]), "everything was granted in the end");
    one_story(&rest.frames, &rest.first.shard);
}

/// The chain holds, epochs do not return, and replaying gives what the survivor knows.
fn one_story(frames: &[Frame], survivor: &Shard) {
    let mut replay = Replay::new(ShardNumber(0), 1);
    let mut before = Digest::NONE;
    for frame in frames {
        let see = |entry: crate::shard::Entry| {
            assert_eq!(entry.record.prev, before);
            before = entry.digest;
        };
        replay.feed(&frame.bytes, see).expect("the chain holds");
    }
    assert_eq!(replay.fleet().to_bytes(), survivor.committed().to_bytes());
    let groups: Vec<_> = frames.iter().map(|frame| &frame.group).collect();
    assert!(groups.is_sorted_by_key(|group| group.epoch), "an epoch came back");
    for pair in groups.windows(2) {
        assert!(pair[0].epoch != pair[1].epoch || pair[0].nonce == pair[1].nonce, "an epoch has one writer");
    }
}

fn walk(model: &Model, paths: &mut u64, longest: &mut usize, depth: usize) {
    let choices = model.choices();
    // The path ends where nothing is in flight any more; a rival that never started makes no further path.
    let over = choices.iter().all(|choice| *choice == Choice::Rival && model.rival.is_none());
    if over || depth > 60 {
        assert!(depth <= 60, "a path without end");
        *paths += 1;
        *longest = (*longest).max(depth);
        finish(model.clone());
    }
    for choice in choices {
        let mut next = model.clone();
        next.take(choice);
        walk(&next, paths, longest, depth + 1);
    }
}

/// Walk everything that can happen with up to `faults` faults, the start of a rival included.
fn walk_all(faults: u32) -> u64 {
    let (mut paths, mut longest) = (0, 0);
    walk(&Model::new(faults), &mut paths, &mut longest, 0);
    println!("{paths} interleavings of up to {longest} steps, with up to {faults} faults each");
    paths
}

#[test]
fn every_interleaving_of_four_groups_tells_one_story() {
    assert!(walk_all(2) > 10_000);
}

#[test]
#[ignore = "takes more than ten minutes; cargo test --release -p hourglass-kernel three_faults -- --ignored --nocapture"]
fn every_interleaving_of_four_groups_with_three_faults_tells_one_story() {
    assert!(walk_all(3) > 100_000);
}
