//! The shell of a session: it reads one command after the other from a pipe, and says on another how each ended.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::Receiver;

use hourglass_agent::Failure;

use super::pipes::Pipes;
use crate::children::{Heard, Started};
use crate::command::spawn;
use crate::dress::dress;
use crate::users::Account;
use crate::world::World;

/// Whose language sessions speak, the first that is there. The user's own shell may be one that understands neither.
const SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];

/// The longest line the shell may say.
const LINE_MOST: u64 = 256;

/// A shell that waits for commands.
#[derive(Debug)]
pub(super) struct Shell {
    pub(super) pid: i32,
    script: ChildStdin,
    says: BufReader<ChildStdout>,
    heard: Receiver<Heard>,
}

impl Shell {
    pub(super) fn start(world: &World, account: &Account) -> Result<Self, Failure> {
        let program = SHELLS.into_iter().find(|shell| Path::new(shell).exists()).unwrap_or(SHELLS[1]);
        let mut command = Command::new(program);
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        dress(&mut command, account, &[], None)?;
        let (pid, Started { mut child, hang_up: _, heard }) = spawn(world, command, program)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(script), Some(says)) => Ok(Self { pid, script, says: BufReader::new(says), heard }),
            _ => Err(Failure::System {
                doing: "talk to the shell".to_owned(),
                error: "it has no pipes".to_owned(),
            }),
        }
    }

    /// Run `text` in the shell itself, on these pipes. Its code, or how the shell ended because of it.
    pub(super) fn run(&mut self, number: u64, text: &str, pipes: &Pipes) -> Result<u8, u8> {
        // `command` before `eval` keeps a mistake in the text from ending the shell.
        let quoted = text.replace('\'', r"'\''");
        let script =
            format!("{{ command eval '{quoted}'\n}} {}; command echo \"{number} $?\"\n", pipes.redirection());
        let code = self.script.write_all(script.as_bytes()).and_then(|()| self.code_of(number));
        code.map_err(|_| self.ended())
    }

    /// The code the shell says command `number` ended with.
    fn code_of(&mut self, number: u64) -> io::Result<u8> {
        loop {
            let mut line = String::new();
            let read = io::Read::take(&mut self.says, LINE_MOST).read_line(&mut line)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let said = line.trim_end().split_once(' ').filter(|(of, _)| *of == number.to_string());
            if let Some(code) = said.and_then(|(_, code)| code.parse().ok()) {
                return Ok(code);
            }
        }
    }

    /// How the shell ended.
    fn ended(&self) -> u8 {
        match self.heard.recv() {
            Ok(Heard::Ended(code)) => code,
            Ok(Heard::HungUp) | Err(_) => u8::MAX,
        }
    }
}
