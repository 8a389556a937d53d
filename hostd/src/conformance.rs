//! What every driver must do, as claims that run against any of them.
//!
//! A claim panics when it does not hold, so each is the body of a test. It uses only [`Driver`] and the few things no
//! driver offers, which a [`Bench`] does: a plan that works there, an end from outside, a restart of the host worker.
//! How fast a driver is, and what is left in the kernel after it, are not judged here.

mod commands;
mod inside;
mod lives;

use std::sync::Arc;

use async_trait::async_trait;
use hourglass_events::{Fault, OrderNumber, Plan, SandboxId, Span};

pub use self::commands::*;
pub use self::inside::*;
pub use self::lives::*;
use crate::driver::{Command, DiskFound, Driver, Present, Ran};

/// A machine of its own with a driver on it.
#[async_trait]
pub trait Bench: Send {
    /// The driver.
    fn driver(&self) -> Arc<dyn Driver>;

    /// A plan whose image can be pulled here, for 1 vCPU and 1 GiB of memory.
    fn plan(&self) -> Plan;

    /// Ends what runs of a sandbox from outside, as if by itself.
    async fn end(&mut self, sandbox: SandboxId);

    /// Replaces the driver by another on the same machine, as a restart of the host worker does.
    async fn reopen(&mut self);
}

/// Calls a macro with the name of every claim, for a test of each:
///
/// ```ignore
/// macro_rules! tests {
///     ($($claim:ident),+ $(,)?) => {$(
///         #[tokio::test]
///         async fn $claim() {
///             hourglass_hostd::conformance::$claim(&mut bench().await).await;
///         }
///     )+};
/// }
/// hourglass_hostd::each_driver_claim!(tests);
/// ```
#[macro_export]
macro_rules! each_driver_claim {
    ($callback:ident) => {
        $callback! {
            an_empty_machine_shows_nothing,
            an_image_is_pulled_twice_without_harm,
            a_disk_is_not_made_without_its_image,
            a_disk_made_again_is_the_same_disk,
            a_survey_shows_the_numbers_on_the_objects,
            a_sandbox_without_a_disk_does_not_boot,
            a_boot_under_the_same_number_leaves_it_running,
            a_boot_under_another_number_ends_the_first,
            a_stop_keeps_files,
            a_stop_within_its_grace_is_called_stopped,
            a_stop_without_grace_is_called_killed,
            a_halt_of_nothing_says_vanished,
            force_wins_over_a_stop_that_was_dropped,
            an_erase_wins_over_a_stop_that_was_dropped,
            an_erase_leaves_nothing_of_a_running_sandbox,
            an_erase_leaves_nothing_of_a_stopped_sandbox,
            an_erase_of_nothing_is_no_fault,
            a_step_dropped_anywhere_leaves_nothing_after_an_erase,
            a_step_dropped_anywhere_can_be_taken_again,
            an_end_of_its_own_is_told_once_under_its_boot,
            a_halt_is_not_told_as_an_end,
            an_end_nobody_was_told_of_shows_after_a_restart,
            a_restart_finds_what_runs,
            a_command_answers_with_its_output_and_code,
            a_command_sees_its_limits_and_name,
            a_program_that_is_not_there_is_unusable,
            a_command_needs_a_program,
            a_command_needs_a_running_sandbox,
            a_command_ends_at_its_time_out,
            a_command_is_interrupted_by_a_halt,
            output_beyond_the_most_is_dropped_and_counted,
            a_connection_leads_to_an_agent_of_these_words,
            a_connection_needs_a_running_sandbox,
            a_connection_breaks_when_its_sandbox_is_halted,
            a_port_where_nobody_listens_is_refused,
            a_command_somebody_stays_with_reads_and_writes,
            a_command_somebody_stays_with_gets_signals,
            output_is_merged_when_asked_for,
            files_are_written_read_and_described,
            an_upload_that_is_given_up_changes_nothing,
            files_are_listed_moved_and_removed,
            files_that_cannot_be_say_why,
            files_are_searched_and_text_is_replaced,
            a_session_keeps_its_place_and_its_variables,
            a_session_command_goes_on_by_itself,
            a_session_that_exits_is_over,
            a_terminal_echoes_and_knows_its_size,
            a_terminal_goes_on_without_anybody,
        }
    };
}

/// Checks every claim, each on a bench of its own.
pub async fn run_all<B: Bench>(make: impl AsyncFn() -> B) {
    macro_rules! run {
        ($($claim:ident),+ $(,)?) => {$(
            tracing::info!(claim = stringify!($claim), "conformance");
            $claim(&mut make().await).await;
        )+};
    }
    each_driver_claim!(run);
}

const BOX: SandboxId = SandboxId::from_u128(0xb0c5);
const OTHER: SandboxId = SandboxId::from_u128(0xb0c6);
const FIRST: OrderNumber = OrderNumber(3);
const SECOND: OrderNumber = OrderNumber(5);
const GRACE: Span = Span::seconds(20);

/// The value of a step that must succeed.
#[track_caller]
fn fine<T>(done: Result<T, Fault>) -> T {
    match done {
        Ok(value) => value,
        Err(fault) => panic!("a step failed: {fault}"),
    }
}

/// Makes the disk of `sandbox` by order 3.
async fn made(bench: &mut dyn Bench, sandbox: SandboxId) {
    let (driver, plan) = (bench.driver(), bench.plan());
    fine(driver.pull(&plan.image).await);
    fine(driver.provision(sandbox, FIRST, &plan).await);
}

/// Makes and boots `sandbox` by order 3.
async fn booted(bench: &mut dyn Bench, sandbox: SandboxId) {
    made(bench, sandbox).await;
    fine(bench.driver().boot(sandbox, FIRST, &bench.plan()).await);
}

/// What a survey shows of `sandbox`.
async fn found(bench: &dyn Bench, sandbox: SandboxId) -> Option<(DiskFound, Option<OrderNumber>)> {
    let survey = fine(bench.driver().survey().await);
    let present = survey.into_iter().find(|present| present.sandbox == sandbox);
    present.map(|Present { sandbox: _, disk, running, saved: _ }| (disk, running))
}

fn command(argv: &[&str]) -> Command {
    let argv = argv.iter().map(|&word| word.to_owned()).collect();
    Command { argv, env: Vec::new(), cwd: None, timeout: Some(Span::minutes(2)) }
}

/// Runs a shell script that must succeed, and answers with what it printed.
async fn sh(bench: &dyn Bench, sandbox: SandboxId, script: &str) -> String {
    match bench.driver().exec(sandbox, command(&["sh", "-c", script])).await {
        Ok(Ran { code: 0, stdout, .. }) => String::from_utf8_lossy(&stdout).into_owned(),
        other => panic!("{script:?} did not run: {other:?}"),
    }
}

/// Runs `during` while a command sleeps in `sandbox`, and answers with how the command ended.
async fn while_asleep(
    bench: &dyn Bench,
    sandbox: SandboxId,
    seconds: &str,
    during: impl Future<Output = ()>,
) -> Result<Ran, crate::driver::ExecError> {
    while_runs(bench, sandbox, &format!("echo on > /tmp/asleep && sleep {seconds}"), during).await
}

/// Runs `during` once `script`, run in `sandbox`, has marked itself as asleep; answers with how the script ended.
async fn while_runs(
    bench: &dyn Bench,
    sandbox: SandboxId,
    script: &str,
    during: impl Future<Output = ()>,
) -> Result<Ran, crate::driver::ExecError> {
    let driver = bench.driver();
    let sleeps = driver.exec(sandbox, command(&["sh", "-c", script]));
    let rest = async {
        // It is asleep once its mark is there.
        while !matches!(driver.exec(sandbox, command(&["cat", "/tmp/asleep"])).await, Ok(Ran { code: 0, .. }))
        {
        }
        during.await;
    };
    let (ran, ()) = tokio::join!(sleeps, rest);
    ran
}
