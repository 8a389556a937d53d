//! The `hourglass` command: see it run, and look into what it wrote.

mod audit;
mod bench;
mod demo;
mod durable;
mod key;
mod keys;
mod local;
mod offer;
mod paint;
mod place;
mod progress;
mod remote;
mod up;
mod verbs;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::remote::Failure;

/// Event-sourced lifecycle orchestration for sandboxes.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = remote::EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take one real sandbox through its life, with every step an event on a durable log.
    Demo(demo::Arguments),
    /// Serve the HTTP API, with engine, log and sandboxes all in this process, until Ctrl-C.
    Up(up::Arguments),
    /// Make, list and take away the keys that open the API.
    Key(key::Arguments),
    /// Create a sandbox.
    Create(verbs::create::Arguments),
    /// Show a sandbox.
    Get(verbs::list::Get),
    /// List sandboxes.
    List(verbs::list::List),
    /// Run stopped sandboxes.
    Start(verbs::operate::Start),
    /// End running sandboxes and keep their files.
    Stop(verbs::operate::Stop),
    /// Delete sandboxes and all they hold.
    Delete(verbs::operate::Delete),
    /// Set and take away labels of a sandbox.
    Label(verbs::configure::Label),
    /// Set after how long a sandbox is stopped, archived and deleted by itself.
    Interval(verbs::configure::Interval),
    /// Run a command in a sandbox.
    Exec(verbs::exec::Arguments),
    /// Open a terminal in a sandbox.
    Shell(verbs::shell::Arguments),
    /// Copy files and directories into a sandbox or out of it.
    Cp(verbs::cp::Arguments),
    /// Print what happened to sandboxes, and with --follow what happens.
    Events(verbs::events::Arguments),
    /// Wait until a sandbox is in a state.
    Wait(verbs::wait::Arguments),
    /// Print what a shell needs to complete this command's words.
    Completions(verbs::completions::Arguments),
    /// Print the records of a log.
    Log(audit::log::Arguments),
    /// Check a log: every byte, the chain, and that each record may follow the one before.
    Verify(audit::verify::Arguments),
    /// Fold a log from its beginning and print the state it leads to.
    Replay(audit::replay::Arguments),
    /// Say why a sandbox is in its state, and what is owed to it next.
    Why(audit::why::Arguments),
    /// Print who was forked from whom, and who is linked.
    Tree(audit::tree::Arguments),
    /// Print the states a sandbox went through, with who did it, why and how long each lasted.
    Timeline(audit::timeline::Arguments),
    /// Add up what sandboxes had, and for how long.
    Usage(audit::usage::Arguments),
    /// Write a log as lines of text, to be kept elsewhere and checked offline.
    Export(audit::export::Arguments),
    /// Find where this build begins to fold a log differently than the one that wrote it.
    Diverge(audit::diverge::Arguments),
    /// Measure how fast this machine does what Hourglass is made of.
    Bench(bench::Arguments),
}

/// Where everything is kept.
#[derive(Debug, Clone, clap::Args)]
struct Data {
    /// The data directory.
    #[arg(long, env = "HOURGLASS_DATA", default_value_os_t = default_data())]
    data: PathBuf,
}

fn default_data() -> PathBuf {
    match std::env::var_os("HOME") {
        Some(home) => PathBuf::from(home).join(".local/share/hourglass"),
        None => PathBuf::from("hourglass-data"),
    }
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("HOURGLASS_LOG").or_else(|_| EnvFilter::try_from_default_env());
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            paint::problem(&error);
            error.downcast_ref::<Failure>().map_or(ExitCode::FAILURE, Failure::exit_code)
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Demo(arguments) => demo::run(&arguments).map(done),
        Command::Up(arguments) => up::run(&arguments).map(done),
        Command::Key(arguments) => key::run(&arguments).map(done),
        Command::Create(arguments) => verbs::create::run(&arguments),
        Command::Get(arguments) => verbs::list::get(&arguments),
        Command::List(arguments) => verbs::list::list(&arguments),
        Command::Start(arguments) => verbs::operate::start(&arguments),
        Command::Stop(arguments) => verbs::operate::stop(&arguments),
        Command::Delete(arguments) => verbs::operate::delete(&arguments),
        Command::Label(arguments) => verbs::configure::label(&arguments),
        Command::Interval(arguments) => verbs::configure::interval(&arguments),
        Command::Exec(arguments) => Ok(verbs::exec::run(&arguments)),
        Command::Shell(arguments) => Ok(verbs::shell::run(&arguments)),
        Command::Cp(arguments) => verbs::cp::run(&arguments),
        Command::Events(arguments) => verbs::events::run(&arguments),
        Command::Wait(arguments) => verbs::wait::run(&arguments),
        Command::Completions(arguments) => {
            verbs::completions::run(&arguments);
            Ok(ExitCode::SUCCESS)
        }
        Command::Log(arguments) => audit::log::run(&arguments).map(done),
        Command::Verify(arguments) => audit::verify::run(&arguments).map(done),
        Command::Replay(arguments) => audit::replay::run(&arguments).map(done),
        Command::Why(arguments) => audit::why::run(&arguments).map(done),
        Command::Tree(arguments) => audit::tree::run(&arguments).map(done),
        Command::Timeline(arguments) => audit::timeline::run(&arguments).map(done),
        Command::Usage(arguments) => audit::usage::run(&arguments).map(done),
        Command::Export(arguments) => audit::export::run(&arguments).map(done),
        Command::Diverge(arguments) => audit::diverge::run(&arguments).map(done),
        Command::Bench(arguments) => bench::run(&arguments).map(done),
    }
}
