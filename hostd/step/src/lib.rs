//! The switch that kills this process right after a named step.
//!
//! For crash tests only. A program says of each thing it has done that it is [`done`]; outside such tests that costs
//! one load of a flag. Engine and host worker each have a list of their own steps and meet in this switch, because
//! neither may know the other and a process that runs both dies but once.
//!
//! With `HOURGLASS_KILL_AFTER=disk.mounted` in the environment the process kills itself with SIGKILL right after that
//! step, with `disk.mounted:3` after its third passing. A test that wants to begin later calls [`begin`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// The variable that names the step to die after.
pub const VARIABLE: &str = "HOURGLASS_KILL_AFTER";

/// Whether steps are counted.
static COUNTED: LazyLock<AtomicBool> = LazyLock::new(|| AtomicBool::new(lock().fatal.is_some()));

static COUNT: LazyLock<Mutex<Count>> = LazyLock::new(|| {
    let fatal = std::env::var(VARIABLE).ok().and_then(|text| Fatal::parse(&text));
    Mutex::new(Count { fatal, passed: Vec::new() })
});

#[derive(Debug, Default)]
struct Count {
    fatal: Option<Fatal>,
    passed: Vec<&'static str>,
}

/// The passing of a step to die after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fatal {
    /// The step.
    pub step: String,
    /// Which passing of it, from 1.
    pub passing: usize,
}

impl Fatal {
    /// A step and its passing, the first unless said otherwise.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        match text.rsplit_once(':') {
            Some((step, passing)) => Some(Self { step: step.to_owned(), passing: passing.parse().ok()? }),
            None => Some(Self { step: text.to_owned(), passing: 1 }),
        }
    }
}

/// Say that `step` is done.
pub fn done(step: &'static str) {
    tracing::trace!(step, "done");
    if !COUNTED.load(Ordering::Relaxed) {
        return;
    }
    let mut count = lock();
    count.passed.push(step);
    let passings = count.passed.iter().filter(|passed| **passed == step).count();
    if count.fatal.as_ref().is_some_and(|fatal| fatal.step == step && fatal.passing == passings) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal comes to some thread of the process; no other may pass a step meanwhile.
        loop {
            std::thread::park();
        }
    }
}

/// Count the steps from here on, and die at `fatal`.
pub fn begin(fatal: Option<Fatal>) {
    *lock() = Count { fatal, passed: Vec::new() };
    COUNTED.store(true, Ordering::Relaxed);
}

/// The steps passed since they are counted, in order.
#[must_use]
pub fn passed() -> Vec<&'static str> {
    lock().passed.clone()
}

fn lock() -> MutexGuard<'static, Count> {
    COUNT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_names_a_step_and_a_passing() {
        let fatal = |step: &str, passing| Some(Fatal { step: step.to_owned(), passing });
        assert_eq!(Fatal::parse("disk.made"), fatal("disk.made", 1));
        assert_eq!(Fatal::parse("disk.made:3"), fatal("disk.made", 3));
        assert_eq!(Fatal::parse(""), None);
        assert_eq!(Fatal::parse("disk.made:often"), None);
    }

    #[test]
    fn what_passes_is_counted_once_that_has_begun() {
        done("before");
        begin(None);
        done("first");
        done("second");
        assert_eq!(passed(), ["first", "second"]);
    }
}
