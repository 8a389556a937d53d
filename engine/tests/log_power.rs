//! The power may go at any moment, and syncs may fail: what was acknowledged stays, and the log goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fmt::Debug;

use hourglass_engine::log::files::Files;
use hourglass_engine::log::files::simulated::{Cut, Dice, Plant, SimulatedDisk};
use hourglass_engine::log::segments::{Notice, OpenError, Options, Segments, Witness};
use hourglass_engine::log::{Outcome, Slot};

/// What a writer of the log was promised, across all its lives.
#[derive(Debug, Clone, Default)]
struct Promises {
    /// Frames that were acknowledged, or found by a later life: slot 1 first.
    kept: Vec<Vec<u8>>,
    /// The frame that was being appended when the last life ended. It may be there or not.
    in_flight: Option<Vec<u8>>,
    witness: Option<Witness>,
}

/// A promise that was not kept.
#[derive(Debug)]
struct Violation(String);

fn violation<T>(what: impl Debug) -> Result<T, Violation> {
    Err(Violation(format!("{what:?}")))
}

type Log = Segments<SimulatedDisk>;

impl Promises {
    fn next(&self) -> Slot {
        Slot(self.kept.len() as u64 + 1)
    }

    fn options(&self) -> Options {
        let witness = self.witness;
        Options { segment_bytes: 21 << 10, frame_bytes: 8_999, reserve_bytes: 0, witness, ..Options::new(3) }
    }

    fn open(&self, disk: &SimulatedDisk) -> Result<(Log, Vec<Notice>), OpenError> {
        Segments::open(disk, self.options())
    }

    /// Every kept frame is there, and at most the one that was in flight after them. What a life has found, and might
    /// have shown, is kept from then on.
    fn check(&mut self, log: &Log) -> Result<(), Violation> {
        let mut scan = log.reader().scan(Slot::FIRST);
        for (slot, frame) in (1..).map(Slot).zip(&self.kept) {
            match scan.next_frame() {
                Ok(Some(found)) if found.slot == slot && found.frame == frame => {}
                other => {
                    return violation(("an acknowledged frame", slot, other.map(|it| it.map(|it| it.slot))));
                }
            }
        }
        let beyond = scan.next_frame().map(|found| found.map(|found| found.frame.to_vec()));
        match (beyond, self.in_flight.take()) {
            (Ok(None), _) => {}
            (Ok(Some(found)), Some(sent)) if found == sent => self.kept.push(sent),
            (other, _) => return violation(("beyond the end", other.map(|it| it.map(|it| it.len())))),
        }
        if let Ok(Some(further)) = scan.next_frame() {
            return violation(("further beyond the end", further.slot));
        }
        if log.end() == self.next() { Ok(()) } else { violation(("the end", log.end(), self.next())) }
    }

    /// Append a frame that no other slot or try has. `None` once the life is over.
    fn append(&mut self, log: &mut Log, dice: &mut Dice) -> Result<Option<()>, Violation> {
        let largest = if dice.once_in(8) { 9_000 } else { 1_500 };
        let size = dice.index(largest);
        let mut bytes = dice.clone();
        let frame: Vec<u8> = (0..size).map(|_| bytes.roll().to_le_bytes()[0] | 1).collect();
        dice.roll();
        self.in_flight = Some(frame.clone());
        match log.append(self.next(), &frame) {
            Outcome::Durable => {
                self.kept.push(frame);
                self.in_flight = None;
                self.witness = log.witness();
                Ok(Some(()))
            }
            Outcome::Broken => Ok(None),
            other @ (Outcome::Occupied | Outcome::Doubtful | Outcome::NoSpace) => violation(other),
        }
    }
}

/// What a run may vary.
#[derive(Debug, Clone, Copy)]
struct Swarm {
    plant: Option<Plant>,
    failing_syncs: bool,
    witness: bool,
}

const HONEST: Swarm = Swarm { plant: None, failing_syncs: true, witness: true };

/// Several lives of one log, each ended by the power, by a failed sync or by a kill; then a last one in peace.
fn lives(seed: u64, swarm: Swarm) -> Result<usize, Violation> {
    let mut dice = Dice::new(seed);
    let disk = SimulatedDisk::new();
    disk.plant(swarm.plant);
    let mut promises = Promises::default();
    for _ in 0..=dice.below(5) {
        disk.cut_after(dice.below(60));
        if swarm.failing_syncs && dice.once_in(3) {
            let (syncs, kept) = (dice.below(15), dice.roll());
            if dice.once_in(2) {
                disk.fail_sync_after(syncs, kept);
            } else {
                disk.fill_up_at_sync_after(syncs, kept);
            }
        }
        life(&disk, &mut promises, &mut dice, swarm)?;
        if dice.once_in(4) {
            disk.kill();
            if dice.once_in(2) {
                disk.evict();
            }
        } else {
            disk.power_cycle(&mut Cut::from_seed(dice.roll()));
        }
    }
    disk.power_cycle(&mut Cut::from_seed(dice.roll()));
    peace(&disk, &mut promises, &mut dice)
}

/// Open, check, append until something gives.
fn life(
    disk: &SimulatedDisk,
    promises: &mut Promises,
    dice: &mut Dice,
    swarm: Swarm,
) -> Result<(), Violation> {
    if !swarm.witness {
        promises.witness = None;
    }
    let mut log = match promises.open(disk) {
        Ok((log, _)) => log,
        // Preparing the first segment may find no room in a sync; it is thrown away and made anew.
        Err(OpenError::Io { .. } | OpenError::NoSpace { .. }) => return Ok(()),
        Err(refused) => return violation(refused),
    };
    // The check itself needs no power, but a life without power has nothing to say.
    promises.check(&log)?;
    for _ in 0..dice.below(25) {
        if dice.once_in(5) && log.mark() == Outcome::Broken {
            return Ok(());
        }
        if dice.once_in(3)
            && let Some(Ok(spare)) = log.wants_spare().map(|order| order.prepare())
        {
            log.take_spare(spare);
        }
        if promises.append(&mut log, dice)?.is_none() {
            return Ok(());
        }
    }
    Ok(())
}

/// The power stays on: everything is there, and there is no end of appending.
fn peace(disk: &SimulatedDisk, promises: &mut Promises, dice: &mut Dice) -> Result<usize, Violation> {
    for _ in 0..2 {
        let (mut log, _) = promises.open(disk).map_err(|refused| Violation(format!("{refused:?}")))?;
        promises.check(&log)?;
        for _ in 0..12 {
            if promises.append(&mut log, dice)?.is_none() {
                return violation("the log broke without a fault");
            }
        }
    }
    Ok(promises.kept.len())
}

#[test]
fn an_acknowledged_frame_survives_power_cuts_and_failed_syncs() {
    let mut frames = 0;
    for seed in 0..2_000 {
        match lives(seed, HONEST) {
            Ok(kept) => frames += kept,
            Err(Violation(what)) => panic!("seed {seed}: {what}"),
        }
    }
    assert!(frames > 60_000, "the runs did too little: {frames} frames");
}

#[test]
fn a_planted_early_acknowledgement_is_caught() {
    let planted = Swarm { plant: Some(Plant::LateDataSync), failing_syncs: false, witness: false };
    let caught = (0..200).filter(|&seed| lives(seed, planted).is_err()).count();
    assert!(caught > 50, "only {caught} of 200 runs noticed");
}

#[test]
fn a_planted_missing_directory_sync_is_caught() {
    let planted = Swarm { plant: Some(Plant::NoDirectorySync), failing_syncs: false, witness: false };
    let caught = (0..200).filter(|&seed| lives(seed, planted).is_err()).count();
    assert!(caught > 50, "only {caught} of 200 runs noticed");
}

/// A fixed life: it rolls twice and marks now and then.
fn script(log: &mut Log, promises: &mut Promises) -> Result<(), Violation> {
    let mut dice = Dice::new(7);
    for turn in 0..16 {
        if turn % 5 == 4 && log.mark() == Outcome::Broken {
            return Ok(());
        }
        if promises.append(log, &mut dice)?.is_none() {
            return Ok(());
        }
    }
    Ok(())
}

/// Run the script with the power going after so many steps. Returns what was promised by then.
fn cut_script(steps: u64) -> (SimulatedDisk, Promises) {
    let disk = SimulatedDisk::new();
    let mut promises = Promises::default();
    disk.cut_after(steps);
    if let Ok((mut log, _)) = promises.open(&disk) {
        script(&mut log, &mut promises).unwrap();
    }
    (disk, promises)
}

fn steps_of_script() -> u64 {
    let disk = SimulatedDisk::new();
    let mut promises = Promises::default();
    let (mut log, _) = promises.open(&disk).unwrap();
    script(&mut log, &mut promises).unwrap();
    assert!(disk.list().unwrap().len() >= 4, "the script rolls twice");
    disk.steps()
}

/// Ways to lose the power at one moment: the two extremes, and many parts.
fn cuts(moment: u64) -> impl Iterator<Item = Cut> {
    let parts = (0..6).map(move |part| Cut::Scatter(Dice::new(moment * 100 + part)));
    let prefixes = (0..2).map(move |part| Cut::Prefix(Dice::new(moment * 100 + part)));
    [Cut::DropAll, Cut::KeepAll].into_iter().chain(parts).chain(prefixes)
}

#[test]
fn a_power_cut_at_any_step_loses_nothing_acknowledged() {
    let mut runs = 0;
    for moment in 0..steps_of_script() {
        let (before, promises) = cut_script(moment);
        for mut cut in cuts(moment) {
            let (disk, mut promises) = (before.image(), promises.clone());
            disk.power_cycle(&mut cut);
            peace(&disk, &mut promises, &mut Dice::new(moment)).unwrap_or_else(|Violation(what)| {
                panic!("power cut after step {moment}, {cut:?}: {what}");
            });
            runs += 1;
        }
    }
    assert!(runs >= 600, "only {runs} power cuts");
}

#[test]
fn a_power_cut_at_any_step_of_recovering_loses_nothing_acknowledged() {
    for moment in 0..steps_of_script() {
        let (before, promises) = cut_script(moment);
        // The first life is ended by a kill too, after which everything is cached and nothing more is stored.
        for (cut, again) in cuts(moment).map(Some).take(4).chain([None]).zip(0..) {
            let crashed = before.image();
            match cut.clone() {
                Some(mut cut) => crashed.power_cycle(&mut cut),
                None => crashed.kill(),
            }
            let mut recovering = 0;
            loop {
                let (disk, mut promises) = (crashed.image(), promises.clone());
                disk.cut_after(recovering);
                let finished = promises.open(&disk).is_ok();
                disk.power_cycle(&mut Cut::from_seed(moment * 1_000 + recovering * 10 + again));
                peace(&disk, &mut promises, &mut Dice::new(moment)).unwrap_or_else(|Violation(what)| {
                    panic!("ended after step {moment}, {cut:?}, then after step {recovering}: {what}");
                });
                if finished {
                    break;
                }
                recovering += 1;
            }
        }
    }
}

#[test]
fn a_failed_sync_breaks_the_handle_for_good_and_a_fresh_one_goes_on() {
    for (kept, evicted) in (0..64).flat_map(|kept| [(kept, false), (kept, true)]) {
        let disk = SimulatedDisk::new();
        let mut promises = Promises::default();
        let (mut log, _) = promises.open(&disk).unwrap();
        promises.append(&mut log, &mut Dice::new(1)).unwrap().unwrap();
        disk.fail_sync_after(0, kept);
        assert!(promises.append(&mut log, &mut Dice::new(2)).unwrap().is_none());
        assert_eq!(log.append(Slot(2), b"again"), Outcome::Broken);
        assert_eq!(log.append(Slot(1), b"again"), Outcome::Broken);
        assert_eq!(log.mark(), Outcome::Broken);
        assert_eq!(log.end(), Slot(2), "an unsynced frame is never shown");
        drop(log);
        if evicted {
            disk.evict();
        }
        let (log, _) = promises.open(&disk).unwrap();
        promises.check(&log).unwrap();
        drop(log);
        disk.power_cycle(&mut Cut::DropAll);
        peace(&disk, &mut promises, &mut Dice::new(3)).unwrap();
    }
}

/// One way in which a life that a failed sync has spoilt can end.
#[derive(Debug, Clone, Copy)]
enum End {
    Kill,
    LoseAll,
    KeepAll,
}

impl End {
    const ALL: [Self; 3] = [Self::Kill, Self::LoseAll, Self::KeepAll];

    fn come(self, disk: &SimulatedDisk) {
        match self {
            Self::Kill => disk.kill(),
            Self::LoseAll => disk.power_cycle(&mut Cut::DropAll),
            Self::KeepAll => disk.power_cycle(&mut Cut::KeepAll),
        }
    }
}

#[test]
fn any_two_failed_syncs_in_a_row_lose_nothing_acknowledged() {
    // The system forgets what a failed sync should have stored, names as well as bytes, so a name that was taken away
    // can come back much later.
    let mut runs = 0;
    for (first, second) in (0..24).flat_map(|first| (0..6).map(move |second| (first, second))) {
        for (between, after) in End::ALL.into_iter().flat_map(|end| End::ALL.map(|other| (end, other))) {
            let disk = SimulatedDisk::new();
            let mut promises = Promises::default();
            for (failing, end) in [(first, between), (second, End::Kill), (1_000, after)] {
                disk.fail_sync_after(failing, runs);
                if let Ok((mut log, _)) = promises.open(&disk) {
                    promises.check(&log).unwrap();
                    script(&mut log, &mut promises).unwrap();
                }
                end.come(&disk);
            }
            peace(&disk, &mut promises, &mut Dice::new(1)).unwrap_or_else(|Violation(what)| {
                panic!("syncs {first} and {second} failed, {between:?}, {after:?}: {what}");
            });
            runs += 1;
        }
    }
}

#[test]
fn a_torn_tail_is_cut_with_a_notice() {
    let mut notices = 0;
    for moment in 0..steps_of_script() {
        let (disk, promises) = cut_script(moment);
        disk.power_cycle(&mut Cut::Scatter(Dice::new(moment)));
        let (_, found) = promises.open(&disk).unwrap();
        notices += found.iter().filter(|notice| matches!(notice, Notice::TornTailCut { .. })).count();
        let (_, found) = promises.open(&disk).unwrap();
        assert_eq!(found, [], "the second opening finds nothing left to mend");
    }
    assert!(notices > 5, "only {notices} torn tails");
}
