//! Waiting for something the kernel does in its own time, with an end.

use std::time::{Duration, Instant};

use hourglass_events::Fault;

/// The longest the kernel is given to finish what was asked of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Wait until `there` holds. `doing` follows "could not".
pub(super) fn until(doing: &str, there: impl FnMut() -> bool) -> Result<(), Fault> {
    if within(PATIENCE, there) {
        return Ok(());
    }
    let error = format!("the kernel had not finished after {} s", PATIENCE.as_secs());
    Err(Fault::System { doing: doing.to_owned(), error })
}

/// Whether `there` comes to hold within `time`.
pub(super) fn within(time: Duration, mut there: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + time;
    let mut pause = Duration::from_micros(200);
    while !there() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    true
}
