//! Claims about commands run inside a sandbox.

use hourglass_events::Span;

use super::{BOX, Bench, GRACE, booted, command, fine, made, sh, while_asleep};
use crate::driver::{Command, ExecError, Ran};

/// What a program says and how it ends comes back unchanged.
pub async fn a_command_answers_with_its_output_and_code(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let driver = bench.driver();
    let echo = driver.exec(BOX, command(&["echo", "a  b", "c"])).await;
    let said = Ran { code: 0, stdout: b"a  b c\n".into(), stderr: vec![], dropped: 0, timed_out: false };
    assert_eq!(echo, Ok(said));
    let failed = driver.exec(BOX, command(&["cat", "/nowhere"])).await;
    assert!(failed.as_ref().is_ok_and(|ran| ran.code == 1 && !ran.stderr.is_empty()), "{failed:?}");
}

/// A sandbox can read what it was given.
pub async fn a_command_sees_its_limits_and_name(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    assert_eq!(sh(bench, BOX, "cat /sys/fs/cgroup/cpu.max").await, "100000 100000\n");
    assert_eq!(sh(bench, BOX, "cat /sys/fs/cgroup/memory.max").await, "1073741824\n");
    assert_eq!(sh(bench, BOX, "hostname").await.trim(), bench.plan().name);
}

/// No shell stands between, so a missing program is not an exit code.
pub async fn a_program_that_is_not_there_is_unusable(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let ran = bench.driver().exec(BOX, command(&["no-such-program"])).await;
    assert!(
        matches!(&ran, Err(ExecError::Unusable { program, .. }) if program == "no-such-program"),
        "{ran:?}"
    );
}

/// Nothing to run is a mistake of the caller.
pub async fn a_command_needs_a_program(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    assert_eq!(bench.driver().exec(BOX, command(&[])).await, Err(ExecError::Empty));
}

/// Neither before a boot nor after a halt is anything run.
pub async fn a_command_needs_a_running_sandbox(bench: &mut dyn Bench) {
    made(bench, BOX).await;
    let driver = bench.driver();
    assert_eq!(driver.exec(BOX, command(&["true"])).await, Err(ExecError::NotRunning(BOX)));
    booted(bench, BOX).await;
    fine(driver.halt(BOX, GRACE).await);
    assert_eq!(driver.exec(BOX, command(&["true"])).await, Err(ExecError::NotRunning(BOX)));
}

/// A time-out ends the command when it passes, not after.
pub async fn a_command_ends_at_its_time_out(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let nap = Command { timeout: Some(Span::seconds(1)), ..command(&["sleep", "100"]) };
    let ran = bench.driver().exec(BOX, nap).await;
    assert!(ran.as_ref().is_ok_and(|ran| ran.timed_out && ran.code != 0), "{ran:?}");
    sh(bench, BOX, "true").await;
}

/// A command does not outlive its sandbox, and its caller is not left waiting.
pub async fn a_command_is_interrupted_by_a_halt(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let halt = async {
        let _ = fine(bench.driver().halt(BOX, Span::ZERO).await);
    };
    let ran = while_asleep(bench, BOX, "100", halt).await;
    assert_eq!(ran, Err(ExecError::Interrupted(BOX)));
}

/// Output cannot fill the host's memory.
pub async fn output_beyond_the_most_is_dropped_and_counted(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let most = Ran::OUTPUT_MOST;
    let flood = command(&["head", "-c", &(most + 1_000).to_string(), "/dev/zero"]);
    let ran = bench.driver().exec(BOX, flood).await;
    let kept = ran.as_ref().map(|ran| (ran.code, ran.stdout.len(), ran.dropped));
    assert_eq!(kept, Ok((0, most, 1_000)));
}
