//! The same seed is the same story, byte for byte: within one process and in two of them.
#![expect(
    clippy::disallowed_types,
    reason = "another process is what shows that nothing depends on the process"
)]

use std::process::Command;

use hourglass_simulations::{Plan, run};

#[test]
fn a_seed_run_twice_tells_the_same_story() {
    for seed in 0..12 {
        let (first, second) = (run(Plan::draw(seed), None), run(Plan::draw(seed), None));
        assert_eq!(first.digest, second.digest, "seed {seed} went two ways");
        assert_eq!((first.records, first.lines), (second.records, second.lines));
    }
}

#[test]
fn two_processes_print_the_same_bytes() {
    let print = |seed: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_simulate"))
            .args(["run", "--verbose", "--seed", seed])
            .output()
            .expect("the binary was built beside this test");
        assert!(output.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&output.stdout));
        output.stdout
    };
    for seed in ["7", "21"] {
        let first = print(seed);
        assert!(first.len() > 10_000, "seed {seed} has hardly a story");
        assert_eq!(first, print(seed), "seed {seed}");
    }
}

#[test]
fn two_seeds_tell_different_stories() {
    assert_ne!(run(Plan::draw(1), None).digest, run(Plan::draw(2), None).digest);
}

#[test]
fn listening_to_a_story_does_not_change_it() {
    assert_eq!(run(Plan::draw(3), None).digest, run(Plan::draw(3), Some(|_| {})).digest);
}
