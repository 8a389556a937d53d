//! Commands in a running sandbox, carried out by its agent.

use std::time::Duration;

use hourglass_agent::{Answer, FrameError, Request, Run};
use hourglass_events::{SandboxId, Span};

use super::Inner;
use super::place::Life;
use super::process::ended_within;
use super::talk;
use crate::driver::{Command, ExecError, Ran};

/// How much later than a command's own time-out the agent may answer.
const LATENESS: Duration = Duration::from_secs(10);

/// How long a broken connection may precede the end of the sandbox that broke it.
const DYING: Duration = Duration::from_secs(2);

impl Inner {
    pub(super) async fn exec(&self, sandbox: SandboxId, command: Command) -> Result<Ran, ExecError> {
        let Some(program) = command.argv.first().cloned() else { return Err(ExecError::Empty) };
        let running = self.running().get(&sandbox).cloned().ok_or(ExecError::NotRunning(sandbox))?;
        let life = Life { sandbox, number: running.number };
        let limit = command.timeout.map(|Span(micros)| Duration::from_micros(micros) + LATENESS);
        let request = Request::Run(Run {
            argv: command.argv,
            env: command.env,
            cwd: command.cwd,
            // The agent knows whom this sandbox belongs to.
            user: String::new(),
            timeout_micros: command.timeout.map(|Span(micros)| micros),
            keep: u64::try_from(Ran::OUTPUT_MOST).unwrap_or(u64::MAX),
        });
        let shared = self.places.life(life).shared();
        let asked = talk::ask(&shared, &request);
        let answer = match limit {
            None => asked.await,
            Some(limit) => tokio::time::timeout(limit, asked)
                .await
                .unwrap_or_else(|late| Err(FrameError::Broken(late.into()))),
        };
        match answer {
            Ok(Answer::Ran(ran)) => Ok(bounded(ran)),
            Ok(Answer::Unusable { program, error }) => Err(ExecError::Unusable { program, error }),
            Ok(Answer::Refused { why }) => Err(ExecError::Unusable { program, error: why }),
            Ok(Answer::Pong { .. }) => Err(ExecError::Agent("it answered another question".to_owned())),
            Err(error) => {
                let dying = move || ended_within(&*running.init, DYING);
                let ended = tokio::task::spawn_blocking(dying).await.unwrap_or(false);
                Err(if ended { ExecError::Interrupted(sandbox) } else { ExecError::Agent(error.to_string()) })
            }
        }
    }
}

/// What the agent says a command wrote, held to what was asked: the agent may be an impostor.
fn bounded(mut ran: hourglass_agent::Ran) -> Ran {
    ran.stdout.truncate(Ran::OUTPUT_MOST);
    ran.stderr.truncate(Ran::OUTPUT_MOST);
    Ran {
        code: ran.code,
        stdout: ran.stdout,
        stderr: ran.stderr,
        dropped: ran.dropped,
        timed_out: ran.timed_out,
    }
}
