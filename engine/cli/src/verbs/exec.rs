//! `hourglass exec`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Method;

use super::{COULD_NOT, pair, tool};
use crate::paint;
use crate::remote::{Ask, Format, Remote};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id or name.
    sandbox: String,
    /// The command. A single word is a line for the sandbox's shell; several are a program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
    /// Where it runs, unless in the work directory.
    #[arg(long, value_name = "DIR")]
    cwd: Option<String>,
    /// An environment variable. May be given several times.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// Kill it after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Executed {
    exit_code: u8,
    result: String,
    #[serde(default)]
    dropped_bytes: u64,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    execute(arguments).unwrap_or_else(|error| {
        paint::problem(&error);
        COULD_NOT.into()
    })
}

fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let api = arguments.remote.open()?;
    let mut ask = Ask::new(Method::POST, tool(&arguments.sandbox, "process/execute"));
    // The command takes the time it takes.
    ask.patience = None;
    let env: BTreeMap<_, _> = arguments.env.iter().cloned().collect();
    let mut body = json!({ "command": line(&arguments.command), "envs": env });
    if let Some(cwd) = &arguments.cwd {
        body["cwd"] = json!(cwd);
    }
    if let Some(timeout) = arguments.timeout {
        body["timeout"] = json!(timeout);
    }
    let answer: Value = api.ask(ask, Some(&body))?;
    let Executed { exit_code, result, dropped_bytes } = Executed::deserialize(&answer)?;
    if arguments.format.json {
        paint::say(&answer);
    } else {
        paint::raw(result.as_bytes());
        if dropped_bytes > 0 {
            paint::aside(format!("the output was longer; {dropped_bytes} bytes of it were dropped"));
        }
    }
    Ok(exit_code.into())
}

/// A command as a line for a shell.
fn line(words: &[String]) -> String {
    match words {
        [line] => line.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A word that a shell leaves as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[&str]) -> String {
        line(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn one_word_is_a_line_and_several_are_arguments() {
        assert_eq!(said(&["echo $HOME; ls"]), "echo $HOME; ls");
        assert_eq!(said(&["sh", "-c", "echo $HOME"]), "sh -c 'echo $HOME'");
        assert_eq!(said(&["echo", "it's", "", "a b", "--x=y"]), r"echo 'it'\''s' '' 'a b' --x=y");
    }
}
