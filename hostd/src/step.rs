//! The steps of the native driver by name, and the switch that kills the process after one of them.
//!
//! For crash tests only: with `HOURGLASS_KILL_AFTER=disk.mounted` in the environment the process kills itself with
//! SIGKILL right after that step, with `disk.mounted:3` after its third passing. Unset, which is always outside such
//! tests, a step costs one load of a flag.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// The variable that names the step to die after.
pub const VARIABLE: &str = "HOURGLASS_KILL_AFTER";

/// Every step of pull, provision, boot, halt and erase, in that order. Steps of the engine, if any, begin with
/// `engine.`: they are not the driver's to sweep.
pub const STEPS: &[&str] = &[
    "image.found",
    "disk.made",
    "disk.formatted",
    "disk.named",
    "run.made",
    "loop.attached",
    "disk.mounted",
    "overlay.mounted",
    "shared.mounted",
    "cgroup.made",
    "bundle.written",
    "container.started",
    "agent.answered",
    "boot.marked",
    "halt.marked",
    "processes.ended",
    "mounts.gone",
    "loop.released",
    "cgroup.removed",
    "run.removed",
    "disk.removed",
    "lock.removed",
];

/// The step to die after, and at which passing.
static FATAL: LazyLock<Option<(String, u32)>> = LazyLock::new(|| parse(&std::env::var(VARIABLE).ok()?));

/// How often each step was passed; kept only when one is fatal.
static PASSED: Mutex<BTreeMap<&'static str, u32>> = Mutex::new(BTreeMap::new());

/// Say that `step` is done.
pub fn done(step: &'static str) {
    debug_assert!(STEPS.contains(&step), "{step} is not in the list of steps");
    tracing::trace!(step, "done");
    let Some((fatal, nth)) = &*FATAL else { return };
    if fatal != step {
        return;
    }
    let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    let times = passed.entry(step).or_default();
    *times += 1;
    if *times == *nth {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal comes to some thread of the process; no other may pass it meanwhile.
        loop {
            std::thread::park();
        }
    }
}

/// A step and its passing, the first unless said otherwise.
fn parse(text: &str) -> Option<(String, u32)> {
    if text.is_empty() {
        return None;
    }
    match text.rsplit_once(':') {
        Some((step, nth)) => Some((step.to_owned(), nth.parse().ok()?)),
        None => Some((text.to_owned(), 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_names_a_step_and_a_passing() {
        assert_eq!(parse("disk.made"), Some(("disk.made".to_owned(), 1)));
        assert_eq!(parse("disk.made:3"), Some(("disk.made".to_owned(), 3)));
        assert_eq!(parse(""), None);
        assert_eq!(parse("disk.made:often"), None);
    }

    #[test]
    fn no_step_is_named_twice() {
        let mut sorted = STEPS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), STEPS.len());
    }
}
