//! Many seeds hold every law, come to rest, and between them take every edge this release can take.

#![allow(clippy::print_stdout, reason = "the figures are worth reading with --nocapture")]
#![allow(clippy::disallowed_methods, reason = "each world is alone in its thread")]

use std::collections::BTreeSet;

use hourglass_simulations::{Plan, Report, coverage, run};

/// How many worlds `cargo test` lives through.
const SEEDS: u64 = 400;

#[test]
fn no_seed_breaks_a_law_and_together_they_take_every_edge() {
    let reports = every_seed();
    let mut edges = BTreeSet::new();
    let (mut records, mut writers) = (0, 0);
    for (seed, report) in &reports {
        if let Some(failure) = &report.failure {
            panic!("seed {seed} failed: {failure}\nrepeat it with: simulate run --seed {seed} --verbose");
        }
        edges.extend(report.edges.iter().copied());
        records += report.records;
        writers += report.writers;
    }
    let reachable = coverage::reachable();
    let missing = reachable.difference(&edges).filter(|edge| !coverage::is_rare(edge));
    let missing: Vec<_> = missing.map(ToString::to_string).collect();
    println!(
        "{SEEDS} seeds: {records} records by {writers} writers, {} of {} edges",
        edges.len(),
        reachable.len()
    );
    assert!(missing.is_empty(), "edges not taken in {SEEDS} seeds: {missing:#?}");
    let unlisted: Vec<_> = edges.difference(&reachable).map(ToString::to_string).collect();
    assert!(unlisted.is_empty(), "these edges are listed as waiting for later operations: {unlisted:#?}");
}

/// Runs the seeds on as many threads as there are; each world is alone in its own.
fn every_seed() -> Vec<(u64, Report)> {
    let threads = std::thread::available_parallelism().map_or(2, |found| found.get() as u64);
    let lane = move |first: u64| {
        let seeds = (first..SEEDS).step_by(usize::try_from(threads).expect("threads are few"));
        seeds.map(|seed| (seed, run(Plan::draw(seed), None))).collect::<Vec<_>>()
    };
    let lanes: Vec<_> = (0..threads).map(|first| std::thread::spawn(move || lane(first))).collect();
    lanes.into_iter().flat_map(|lane| lane.join().expect("a lane reports its failures")).collect()
}
