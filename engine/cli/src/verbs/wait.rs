//! `hourglass wait`.

use std::process::ExitCode;

use anyhow::bail;

use super::{SETTLE_SECONDS, reach, show};
use crate::remote::{Format, Remote, Sandbox};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id or name.
    sandbox: String,
    /// The state to wait for, such as stopped. Unless given, any in which nothing is under way. May be given several
    /// times.
    #[arg(long = "for", value_name = "STATE")]
    states: Vec<String>,
    /// Wait at most this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = SETTLE_SECONDS)]
    timeout: u64,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let api = arguments.remote.open()?;
    let sandbox = Sandbox::find(&api, &arguments.sandbox)?;
    let given: Vec<&str> = arguments.states.iter().map(String::as_str).collect();
    let states = if given.is_empty() { Sandbox::SETTLED } else { &given };
    let sandbox = reach(&api, sandbox, states, arguments.timeout)?;
    if let Some(fault) = sandbox.fault().filter(|_| !states.contains(&sandbox.view.state.as_str())) {
        bail!(fault);
    }
    show(arguments.format, &[sandbox]);
    Ok(ExitCode::SUCCESS)
}
