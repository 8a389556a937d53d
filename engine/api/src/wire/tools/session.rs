//! Sessions.

use hourglass_agent::sessions as agent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tools::text;

/// A session to begin.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Create {
    #[schemars(length(min = 1, max = 128))]
    pub(crate) session_id: String,
}

/// A session.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    session_id: String,
    commands: Vec<Command>,
}

impl From<agent::Session> for Session {
    fn from(agent::Session { id, commands, open: _ }: agent::Session) -> Self {
        Self { session_id: id, commands: commands.into_iter().map(Command::from).collect() }
    }
}

/// A command of a session.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Command {
    id: String,
    command: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
}

impl From<agent::Command> for Command {
    fn from(agent::Command { id, command, code }: agent::Command) -> Self {
        Self { id, command, exit_code: code }
    }
}

/// A command to run in a session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Execute {
    #[schemars(length(min = 1))]
    pub(crate) command: String,
    /// Whether to answer before it has ended.
    run_async: Option<bool>,
    /// What older clients call it.
    r#async: Option<bool>,
    /// Input is not echoed in either case.
    #[serde(rename = "suppressInputEcho")]
    _suppress_input_echo: Option<bool>,
}

impl Execute {
    /// Whether its end is waited for.
    pub(crate) fn waits(&self) -> bool {
        self.run_async != Some(true) && self.r#async != Some(true)
    }
}

/// A command that was begun, or has ended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Executed {
    cmd_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(flatten)]
    logs: Option<Logs>,
}

impl Executed {
    /// Begun, and not waited for.
    pub(crate) fn begun(executed: agent::Executed) -> Self {
        Self { cmd_id: executed.command.id, exit_code: None, logs: None }
    }

    /// Ended.
    pub(crate) fn ended(executed: agent::Executed) -> Self {
        let agent::Executed { command, logs } = executed;
        Self { cmd_id: command.id, exit_code: command.code, logs: Some(Logs::from(&logs)) }
    }
}

/// What a command wrote, as far as it is kept.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Logs {
    output: String,
    stdout: String,
    stderr: String,
}

impl From<&agent::Logs> for Logs {
    fn from(logs: &agent::Logs) -> Self {
        Self { output: text(&logs.output()), stdout: text(&logs.stdout()), stderr: text(&logs.stderr()) }
    }
}

/// Something for a command to read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    pub(crate) data: String,
}
