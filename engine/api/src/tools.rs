//! The tools inside a sandbox: commands, code, sessions, terminals, files.
//!
//! Each request is one tunnel to the sandbox's agent, opened when it is needed and closed with the answer. Bodies flow
//! through: nothing of a file is kept here, and whoever reads slowly slows down whoever writes. A client that goes away
//! ends its command.

pub(crate) mod bulk;
pub(crate) mod code;
pub(crate) mod files;
pub(crate) mod logs;
pub(crate) mod places;
pub(crate) mod process;
pub(crate) mod ptys;
pub(crate) mod sessions;
pub(crate) mod socket;
pub(crate) mod terminal;
pub(crate) mod transfer;

use hourglass_agent::client::{Agent, Error};
use hourglass_engine::{Target, Tunnel};

use crate::caller::Caller;
use crate::problem::{Area, Problem};
use crate::shared::Inner;

/// A connection to the agent of the sandbox with this id or name, for one request.
pub(crate) async fn agent(shared: &Inner, caller: &Caller, sandbox: &str) -> Result<Agent<Tunnel>, Problem> {
    let sandbox = caller.find(sandbox)?;
    let tunnel = shared.engine.dial(sandbox.id, Target::Agent).await?;
    Ok(Agent::over(tunnel))
}

/// What an agent's failure in `area` is to a client.
pub(crate) fn failed(area: Area) -> impl Fn(Error) -> Problem {
    move |error| match error {
        Error::Failed(failure) => Problem::Inside { area, failure },
        Error::Frame(error) => Problem::AgentBroke { error: error.to_string() },
    }
}

/// Bytes as text. What is no text is shown as well as it can be.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
