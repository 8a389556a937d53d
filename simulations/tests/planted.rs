//! Defects planted in the world are found, each by a law that names it: a judge that has never condemned anybody proves
//! nothing.

#![allow(clippy::print_stdout, reason = "the figures are worth reading with --nocapture")]

use hourglass_simulations::invariants::Law;
use hourglass_simulations::{Plan, Planted, run};

/// How many seeds a planted defect may hide in.
const SEEDS: u64 = 25;
/// The same for a defect that shows only when a call is late enough: it does in one seed of five.
const MORE_SEEDS: u64 = 100;

/// The laws that noticed `planted` within the seeds, and in how many of them.
fn noticed(planted: Planted, seeds: u64) -> (Vec<Law>, u64) {
    let mut laws = Vec::new();
    let mut count = 0;
    for seed in 0..seeds {
        let report = run(Plan { planted: Some(planted), ..Plan::draw(seed) }, None);
        if let Some(failure) = report.failure {
            laws.push(failure.law());
            count += 1;
        }
    }
    laws.sort_unstable();
    laws.dedup();
    (laws, count)
}

#[track_caller]
fn check(planted: Planted, law: Law, least: u64) {
    check_in(SEEDS, planted, law, least);
}

#[track_caller]
fn check_in(seeds: u64, planted: Planted, law: Law, least: u64) {
    let (laws, count) = noticed(planted, seeds);
    println!("{planted:?}: noticed in {count} of {seeds} seeds by {laws:?}");
    assert!(laws.contains(&law), "{planted:?} was noticed by {laws:?} only");
    assert!(count >= least, "{planted:?} was noticed in {count} of {seeds} seeds");
}

#[test]
fn a_reply_before_durability_is_noticed() {
    check(Planted::EarlyReply, Law::NothingLeavesEarly, SEEDS);
}

#[test]
fn an_order_carried_out_twice_is_noticed() {
    check_in(MORE_SEEDS, Planted::EffectTwice, Law::DoneOnce, 8);
}

#[test]
fn an_acknowledged_record_that_is_gone_is_noticed() {
    check(Planted::FrameDropped, Law::NothingForgotten, 9);
}

#[test]
fn a_slot_given_to_a_second_writer_is_noticed() {
    check(Planted::FrameOverwritten, Law::NothingForgotten, 5);
}

#[test]
fn a_stop_on_wrong_ages_is_noticed() {
    check(Planted::AgesTooHigh, Law::NeverStoppedEarly, 6);
}

#[test]
fn a_removal_that_left_everything_is_noticed() {
    check(Planted::RemovalSkipped, Law::MachinesAgree, 10);
}
