//! Running the programs the driver needs, quietly, with what they said if they failed.

use std::io;
use std::process::{Command, Stdio};

use hourglass_events::Fault;

use super::doing::fault;
use super::lock::Lock;

/// Run `command` to its end under the sandbox's lock; its standard output.
pub(super) fn run(command: &mut Command, lock: &Lock, doing: &str) -> Result<String, Fault> {
    let output = command.stdin(lock.held_by_child()?).stdout(Stdio::piped()).stderr(Stdio::piped()).output();
    let output = output.map_err(|error| fault(doing, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    // Helpers report a full disk only in words.
    if said.contains("No space left on device") {
        return Err(fault(doing, &io::ErrorKind::StorageFull.into()));
    }
    let program = command.get_program().to_string_lossy().into_owned();
    Err(Fault::System { doing: doing.to_owned(), error: format!("{program}: {} ({said})", output.status) })
}
