//! Whether a host can do what is asked. What it cannot is refused before anything is recorded; a sandbox that has no
//! host yet finds one that can.

use hourglass_events::{Capability, Operation, Refusal, Sandbox};

use crate::fleet::Fleet;
use crate::place::Needs;

/// Whether the host of `sandbox` can do what `operation` takes. Nobody knows of a host that was never seen.
pub(crate) fn able(
    fleet: &Fleet,
    sandbox: &Sandbox,
    capability: Capability,
    operation: Operation,
) -> Result<(), Refusal> {
    let host = sandbox.host.and_then(|host| fleet.hosts().get(host));
    match host {
        Some(host) if !host.capabilities.has(capability) => Err(Refusal::Unsupported(operation)),
        Some(_) | None => Ok(()),
    }
}

/// Whether there may ever be a host for what is new: if its region has hosts, one of them, whatever its present
/// state, can do what is needed.
pub(crate) fn creatable(fleet: &Fleet, needs: &Needs, operation: Operation) -> Result<(), Refusal> {
    let mut near = fleet.hosts().iter().filter(|host| host.region == needs.region).peekable();
    if near.peek().is_none() || near.any(|host| host.capabilities.cover(&needs.capabilities)) {
        Ok(())
    } else {
        Err(Refusal::Unsupported(operation))
    }
}
