//! The steps of the engine by name. A crash test kills the process after each of them.

/// Every step, in the order in which one request passes them.
pub const STEPS: &[&str] = &[
    "engine.vault.stored",
    "engine.vault.copied",
    "engine.decided",
    "engine.group.framed",
    "engine.group.written",
    "engine.group.durable",
    "engine.group.published",
    "engine.reply.sent",
    "engine.order.sent",
    "engine.report.received",
    "engine.report.acknowledged",
];

/// Say that `step` is done.
pub(crate) fn done(step: &'static str) {
    debug_assert!(STEPS.contains(&step), "{step} is not in the list of steps");
    hourglass_step::done(step);
}
