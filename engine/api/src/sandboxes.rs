//! What can be done with sandboxes.

pub(crate) mod act;
pub(crate) mod configure;
pub(crate) mod create;
pub(crate) mod fork;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod work;

use std::sync::Arc;

use hourglass_events::{Command, Refusal, Sandbox, State, Subject};

use hourglass_kernel::Accepted;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::shared::Inner;

/// Ask for `command` and give the sandbox it is about, as it is then; with `hold`, as it is once it has got there or
/// failed, or the time for that is over.
async fn ask(
    shared: &Inner,
    caller: &Caller,
    command: Command,
    hold: Option<State>,
) -> Result<Arc<Sandbox>, Problem> {
    follow(shared, caller, caller.ask(command).await?, hold).await
}

/// The sandbox that what was accepted is about, as [`ask`] gives it.
async fn follow(
    shared: &Inner,
    caller: &Caller,
    accepted: Accepted,
    hold: Option<State>,
) -> Result<Arc<Sandbox>, Problem> {
    let id = match accepted.subject {
        Subject::Sandbox(id) => id,
        // Only what is about a sandbox is asked for here.
        Subject::Snapshot(_) | Subject::Host(_) | Subject::Organization(_) | Subject::Shard(_) => {
            return Err(Problem::NotReady);
        }
    };
    if let Some(state) = hold {
        // How the wait ended is read off the sandbox: clients look at its state, not at how they learned it.
        let _ = shared.engine.wait_for(id, state, shared.settings.hold).await;
    }
    let newest = shared.newest(caller.organization(), id).or(accepted.sandbox);
    newest.ok_or_else(|| Refusal::NoSuchSandbox(id.to_string()).into())
}
