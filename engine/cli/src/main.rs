//! The `hourglass` command: see it run, and look into what it wrote.

mod audit;
mod bench;
mod demo;
mod key;
mod keys;
mod local;
mod paint;
mod place;
mod progress;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Event-sourced lifecycle orchestration for sandboxes.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
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
    /// Print the records of a log.
    Log(audit::log::Arguments),
    /// Check a log: every byte, the chain, and that each record may follow the one before.
    Verify(audit::verify::Arguments),
    /// Fold a log from its beginning and print the state it leads to.
    Replay(audit::replay::Arguments),
    /// Measure how fast this machine does what Hourglass is made of.
    Bench(bench::Arguments),
}

/// Where everything is kept.
#[derive(Debug, clap::Args)]
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
    let result = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Up(arguments) => up::run(&arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::Log(arguments) => audit::log::run(&arguments),
        Command::Verify(arguments) => audit::verify::run(&arguments),
        Command::Replay(arguments) => audit::replay::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            paint::problem(&error);
            ExitCode::FAILURE
        }
    }
}
