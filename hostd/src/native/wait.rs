//! Waiting for something the kernel does in its own time, with an end.

use std::time::{Duration, Instant};

use hourglass_events::Fault;

/// The longest the kernel is given to finish what was asked of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Wait until `there` holds. `doing` follows "could not".
pub(super) fn until(doing: &str, mut there: impl FnMut() -> bool) -> Result<(), Fault> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(200);
    while !there() {
        if Instant::now() >= deadline {
            let error = format!("the kernel had not finished after {} s", PATIENCE.as_secs());
            return Err(Fault::System { doing: doing.to_owned(), error });
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    Ok(())
}
