//! Ways into a running sandbox: connections to its agent, and commands carried out by it.

use std::time::Duration;

use hourglass_agent::client::{Agent, Error};
use hourglass_events::SandboxId;
use hourglass_tunnel::{Refused, Target};

use super::place::Life;
use super::process::ended_within;
use super::{Inner, Running, talk};
use crate::driver::{Command, ExecError, Ran, Stream};
use crate::exec::{self, Went};

/// How long a broken connection may precede the end of the sandbox that broke it.
const DYING: Duration = Duration::from_secs(2);

/// How long an agent may take to connect to a port inside.
const KNOCKING: Duration = Duration::from_secs(10);

impl Inner {
    pub(super) async fn connect(
        &self,
        sandbox: SandboxId,
        target: Target,
    ) -> Result<Box<dyn Stream>, Refused> {
        let running = self.running().get(&sandbox).cloned().ok_or(Refused::NotRunning(sandbox))?;
        let unreachable = |error: &dyn ToString| Refused::Agent(error.to_string());
        let stream = self.reach(sandbox, &running).map_err(|error| unreachable(&error))?;
        let Target::Port(port) = target else { return Ok(Box::new(stream)) };
        match tokio::time::timeout(KNOCKING, Agent::over(stream).port(port)).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(Error::Failed(failure))) => Err(Refused::Port { port, why: failure.to_string() }),
            Ok(Err(Error::Frame(error))) => Err(unreachable(&error)),
            Err(late) => Err(unreachable(&late)),
        }
    }

    pub(super) async fn exec(&self, sandbox: SandboxId, command: Command) -> Result<Ran, ExecError> {
        if command.argv.is_empty() {
            return Err(ExecError::Empty);
        }
        let running = self.running().get(&sandbox).cloned().ok_or(ExecError::NotRunning(sandbox))?;
        let error = match self.reach(sandbox, &running) {
            Ok(stream) => match exec::run(Box::new(stream), command).await {
                Went::Said(said) => return said,
                Went::Broke(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        let dying = move || ended_within(&*running.init, DYING);
        let ended = tokio::task::spawn_blocking(dying).await.unwrap_or(false);
        Err(if ended { ExecError::Interrupted(sandbox) } else { ExecError::Agent(error) })
    }

    fn reach(&self, sandbox: SandboxId, running: &Running) -> std::io::Result<tokio::net::UnixStream> {
        let life = Life { sandbox, number: running.number };
        talk::connect(&self.places.life(life).shared())
    }
}
