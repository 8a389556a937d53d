//! The steps of the native driver by name. A crash test kills the process after each of them.

pub use hourglass_step::VARIABLE;

/// Every step of pull, provision, boot, halt and erase, in that order.
pub const STEPS: &[&str] = &[
    "image.found",
    "pool.network.ready",
    "pool.disk.ready",
    "disk.taken",
    "disk.made",
    "disk.formatted",
    "disk.named",
    "network.taken",
    "run.made",
    "loop.attached",
    "disk.mounted",
    "overlay.mounted",
    "shared.mounted",
    "space.made",
    "port.made",
    "policy.set",
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
    "network.gone",
    "run.removed",
    "disk.removed",
    "lock.removed",
];

/// Say that `step` is done.
pub(crate) fn done(step: &'static str) {
    debug_assert!(STEPS.contains(&step), "{step} is not in the list of steps");
    hourglass_step::done(step);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_is_named_twice() {
        let mut sorted = STEPS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), STEPS.len());
    }
}
