//! What can be done with sandboxes over the API, one verb a file.

pub(crate) mod completions;
pub(crate) mod configure;
pub(crate) mod cp;
pub(crate) mod create;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod list;
pub(crate) mod operate;
pub(crate) mod shell;
pub(crate) mod wait;

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::paint;
use crate::remote::{Api, Failure, Format, Sandbox, segment, table};

/// How long a sandbox may take to get where it was sent, unless somebody says otherwise.
const SETTLE_SECONDS: u64 = 120;
/// The waits between two looks: short at first, since most is done soon.
const LOOK: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// What commands end with that could not be run; what they end with themselves is passed on.
const COULD_NOT: u8 = 125;

/// Whether an operation is waited for.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Patience {
    /// Return as soon as it is accepted.
    #[arg(long)]
    no_wait: bool,
    /// Wait at most this many seconds for it to be done.
    #[arg(long, value_name = "SECONDS", default_value_t = SETTLE_SECONDS)]
    timeout: u64,
}

impl Patience {
    /// `sandbox` in the end: in one of `states`, failed, or as it was accepted.
    fn see_through(self, api: &Api, sandbox: Sandbox, states: &[&str]) -> anyhow::Result<Sandbox> {
        if self.no_wait {
            return Ok(sandbox);
        }
        let sandbox = reach(api, sandbox, states, self.timeout)?;
        match sandbox.fault() {
            Some(fault) => bail!(fault),
            None => Ok(sandbox),
        }
    }
}

/// Look at `sandbox` until it is in one of `states` or has failed. One that is gone is destroyed.
fn reach(api: &Api, mut sandbox: Sandbox, states: &[&str], seconds: u64) -> anyhow::Result<Sandbox> {
    let begun = Instant::now();
    let mut look = LOOK.0;
    while !states.contains(&sandbox.view.state.as_str()) && sandbox.fault().is_none() {
        if begun.elapsed() >= Duration::from_secs(seconds) {
            let (sandbox, state) = (sandbox.view.name, sandbox.view.state);
            return Err(Failure::TimedOut { sandbox, state, seconds }.into());
        }
        std::thread::sleep(look);
        look = (look * 3 / 2).min(LOOK.1);
        sandbox = match Sandbox::find(api, &sandbox.view.id) {
            Err(Failure::Refused { status: 404, .. }) => gone(sandbox),
            found => found?,
        };
    }
    Ok(sandbox)
}

/// The last that is known of a sandbox that is not there any more.
fn gone(mut sandbox: Sandbox) -> Sandbox {
    "destroyed".clone_into(&mut sandbox.view.state);
    if let Some(state) = sandbox.whole.get_mut("state") {
        *state = "destroyed".into();
    }
    sandbox
}

/// Show sandboxes, as a table or one JSON object a line.
fn show(format: Format, sandboxes: &[Sandbox]) {
    if format.json {
        for sandbox in sandboxes {
            paint::say(&sandbox.whole);
        }
    } else {
        table(sandboxes);
    }
}

/// The path of a tool inside a sandbox.
fn tool(sandbox: &str, tool: &str) -> String {
    format!("/toolbox/{}/{tool}", segment(sandbox))
}

/// `KEY=VALUE`, as for labels and environments.
fn pair(text: &str) -> anyhow::Result<(String, String)> {
    let (key, value) = text.split_once('=').context("write it as KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
