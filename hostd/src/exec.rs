//! Commands run to their end over a connection to a sandbox's agent.

use std::time::Duration;

use hourglass_agent::client::{Agent, Error};
use hourglass_agent::{Failure, FrameError, Program, Run};
use hourglass_events::Span;

use crate::driver::{Command, ExecError, Ran, Stream};

/// How much later than a command's own time-out the agent may answer.
const LATENESS: Duration = Duration::from_secs(10);

/// How it went.
#[derive(Debug)]
pub(crate) enum Went {
    /// The agent had its say.
    Said(Result<Ran, ExecError>),
    /// The connection broke. Who knows the sandbox can tell whether it stopped.
    Broke(FrameError),
}

/// Run `command` over `stream`.
pub(crate) async fn run(stream: Box<dyn Stream>, command: Command) -> Went {
    let Some(program) = command.argv.first().cloned() else { return Went::Said(Err(ExecError::Empty)) };
    let limit = command.timeout.map(|Span(micros)| Duration::from_micros(micros) + LATENESS);
    let asked = Agent::over(stream).run(request(command));
    let answer = match limit {
        None => asked.await,
        Some(limit) => tokio::time::timeout(limit, asked)
            .await
            .unwrap_or_else(|late| Err(std::io::Error::from(late).into())),
    };
    match answer {
        Ok(ran) => Went::Said(Ok(ran.into())),
        Err(Error::Failed(Failure::Unusable { program, error })) => {
            Went::Said(Err(ExecError::Unusable { program, error }))
        }
        Err(Error::Failed(failure)) => {
            Went::Said(Err(ExecError::Unusable { program, error: failure.to_string() }))
        }
        Err(Error::Frame(error)) => Went::Broke(error),
    }
}

fn request(command: Command) -> Run {
    let Command { argv, env, cwd, timeout } = command;
    let timeout_micros = timeout.map(|Span(micros)| micros);
    let keep = u64::try_from(Ran::OUTPUT_MOST).unwrap_or(u64::MAX);
    Run { program: Program { argv, env, cwd, timeout_micros }, merged: false, keep }
}

impl From<hourglass_agent::Ran> for Ran {
    fn from(ran: hourglass_agent::Ran) -> Self {
        let hourglass_agent::Ran { code, stdout, stderr, dropped, timed_out } = ran;
        Self { code, stdout: stdout.0, stderr: stderr.0, dropped, timed_out }
    }
}
