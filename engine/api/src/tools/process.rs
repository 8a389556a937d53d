//! Running a command to its end.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use hourglass_agent::client::Agent;
use hourglass_agent::{Failure, Program, Ran, Run};
use hourglass_engine::Tunnel;

use super::{agent, failed, text};
use crate::body::Body;
use crate::caller::Caller;
use crate::problem::{Area, Problem};
use crate::shared::{Inner, Shared};
use crate::wire::tools::process::{Execute, Executed};

/// The longest command, which the shell gets as one argument; Linux takes no longer ones than this.
pub(crate) const COMMAND_MOST: usize = 120 * 1024;

/// The most bytes of what a command writes that are answered; what it writes beyond is counted and dropped.
pub(crate) const OUTPUT_MOST: u64 = 8 * 1024 * 1024;

/// The shells that run commands, best first: the first that is installed does.
const SHELLS: [&str; 2] = ["bash", "sh"];

pub(crate) async fn execute(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    Body(asked): Body<Execute>,
) -> Result<Json<Executed>, Problem> {
    let Execute { command, cwd, envs, timeout } = asked;
    if command.trim().is_empty() {
        return Err(Problem::Empty("command"));
    }
    short_enough("the command", &command)?;
    let programs = SHELLS.map(|shell| vec![shell.to_owned(), "-c".to_owned(), command.clone()]);
    let how = How { cwd, envs, timeout };
    Ok(Json(run_first(&shared, &caller, &sandbox, &programs, &how).await?))
}

/// How a program is run.
pub(super) struct How {
    pub(super) cwd: Option<String>,
    pub(super) envs: Option<BTreeMap<String, String>>,
    /// In seconds; 0 is none.
    pub(super) timeout: Option<u32>,
}

/// Runs the first of `programs` that can be run. One that could not be has done nothing.
pub(super) async fn run_first(
    shared: &Inner,
    caller: &Caller,
    sandbox: &str,
    programs: &[Vec<String>],
    how: &How,
) -> Result<Executed, Problem> {
    let mut last = Problem::Empty("command");
    for argv in programs {
        match run(agent(shared, caller, sandbox).await?, program(argv, how)).await {
            Err(problem @ Problem::Inside { failure: Failure::Unusable { .. }, .. }) => last = problem,
            answered => return answered,
        }
    }
    Err(last)
}

/// Refuses what cannot be an argument.
pub(super) fn short_enough(what: &'static str, text: &str) -> Result<(), Problem> {
    match text.len() > COMMAND_MOST {
        true => Err(Problem::TooLong { what, found: text.len(), most: COMMAND_MOST }),
        false => Ok(()),
    }
}

fn program(argv: &[String], how: &How) -> Program {
    let How { cwd, envs, timeout } = how;
    Program {
        argv: argv.to_vec(),
        env: envs.iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect(),
        cwd: cwd.clone().filter(|cwd| !cwd.is_empty()),
        timeout_micros: timeout.filter(|seconds| *seconds > 0).map(|seconds| u64::from(seconds) * 1_000_000),
    }
}

/// Runs `program`, its streams together in the order they were written.
async fn run(agent: Agent<Tunnel>, program: Program) -> Result<Executed, Problem> {
    let after = program.timeout_micros.unwrap_or(0) / 1_000_000;
    let run = Run { program, merged: true, keep: OUTPUT_MOST };
    let Ran { code, stdout, stderr: _, dropped, timed_out } =
        agent.run(run).await.map_err(failed(Area::Processes))?;
    match timed_out {
        true => Err(Problem::CommandTimedOut { after }),
        false => Ok(Executed { exit_code: code, result: text(&stdout.0), dropped_bytes: dropped }),
    }
}
