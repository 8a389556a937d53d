//! `simulate`: run seeds, one or thousands, and say which one is to be repeated. The legend is in the crate's docs.

#![allow(clippy::print_stdout, reason = "telling people is what this binary is for")]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "how long a swarm took is measured around it, and no world sees it"
)]

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use hourglass_simulations::{Plan, Report, coverage, run};

/// Runs the Hourglass kernel and host agent in a virtual world.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run one seed.
    Run {
        /// The seed.
        #[arg(long)]
        seed: u64,
        /// Print one line per event.
        #[arg(long)]
        verbose: bool,
    },
    /// Run many seeds and say what they covered.
    Swarm {
        /// How many.
        #[arg(long)]
        seeds: u64,
        /// The first.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Go on after a failure and count them.
        #[arg(long)]
        keep_going: bool,
    },
    /// Run one seed twice and compare.
    Twice {
        /// The seed.
        #[arg(long)]
        seed: u64,
    },
}

/// The same seed went two ways.
const DIVERGED: u8 = 13;
/// Something panicked.
const PANICKED: u8 = 14;

fn main() -> ExitCode {
    ExitCode::from(match Arguments::parse().what {
        What::Run { seed, verbose } => one(seed, verbose),
        What::Swarm { seeds, from, keep_going } => swarm(from, seeds, keep_going),
        What::Twice { seed } => twice(seed),
    })
}

fn one(seed: u64, verbose: bool) -> u8 {
    let plan = Plan::draw(seed);
    println!("{plan:#?}");
    match attempt(seed, verbose.then_some(|line| println!("{line}"))) {
        Ok(report) => {
            println!("{}", summary(seed, &report));
            verdict(seed, &report)
        }
        Err(code) => code,
    }
}

fn attempt(seed: u64, listener: Option<fn(&str)>) -> Result<Report, u8> {
    catch_unwind(|| run(Plan::draw(seed), listener)).map_err(|_| {
        println!("seed {seed} panicked; repeat it with: simulate run --seed {seed} --verbose");
        PANICKED
    })
}

fn verdict(seed: u64, report: &Report) -> u8 {
    let Some(failure) = &report.failure else { return 0 };
    println!("seed {seed} failed: {failure}");
    println!("repeat it with: simulate run --seed {seed} --verbose");
    failure.exit_code()
}

fn summary(seed: u64, report: &Report) -> String {
    let Report { digest, records, inputs, lines, writers, passed, edges, failure: _ } = report;
    format!(
        "seed {seed}: {records} records, {inputs} inputs, {lines} lines, {writers} writers, {} edges, {passed}, {digest}",
        edges.len()
    )
}

fn swarm(from: u64, seeds: u64, keep_going: bool) -> u8 {
    let began = Instant::now();
    let (mut records, mut inputs, mut code, mut failures) = (0, 0, 0, 0);
    let mut edges = BTreeSet::new();
    for seed in from..from.saturating_add(seeds) {
        let found = match attempt(seed, None) {
            Ok(report) => {
                records += report.records;
                inputs += report.inputs;
                edges.extend(report.edges.iter().copied());
                verdict(seed, &report)
            }
            Err(code) => code,
        };
        if found != 0 {
            failures += 1;
            code = found;
            if !keep_going {
                break;
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let reachable = coverage::reachable();
    for missing in reachable.difference(&edges) {
        println!("not taken: {missing}");
    }
    println!(
        "{seeds} seeds from {from}, {failures} failed; {} of {} reachable edges; {records} records, {inputs} inputs in {seconds:.1} s",
        edges.intersection(&reachable).count(),
        reachable.len(),
    );
    code
}

fn twice(seed: u64) -> u8 {
    let (Ok(first), Ok(second)) = (attempt(seed, None), attempt(seed, None)) else { return PANICKED };
    println!("{}", summary(seed, &first));
    if first.digest == second.digest {
        verdict(seed, &first)
    } else {
        println!("seed {seed} went two ways: {} and {}", first.digest, second.digest);
        DIVERGED
    }
}
