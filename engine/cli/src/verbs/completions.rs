//! `hourglass completions`: what a shell needs to complete this command's words.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{Arguments as Whole, paint};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Whole::command(), "hourglass", &mut script);
    paint::say(String::from_utf8_lossy(&script).trim_end());
}
