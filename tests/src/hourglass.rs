//! The `hourglass` command as users run it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::needs::Need;

/// The ordinary user that tests run by root become.
const NOBODY: u32 = 65_534;

/// The command, with `arguments`, at which nobody types and nothing is coloured.
#[must_use]
pub fn hourglass(arguments: &[&str], data: &Path) -> Command {
    command(Command::new(built()), arguments, data)
}

/// Run it to its end.
#[must_use]
pub fn run(arguments: &[&str], data: &Path) -> Output {
    hourglass(arguments, data).output().unwrap()
}

/// Run it with nothing after `arguments`, as commands need that run others.
#[must_use]
pub fn run_bare(arguments: &[&str], data: &Path) -> Output {
    bare(Command::new(built()), arguments).env("HOURGLASS_DATA", data).output().unwrap()
}

/// The command as somebody who is not root.
#[derive(Debug)]
pub struct Ordinary {
    /// Holds a copy of the command, since a build directory may be closed to others.
    dir: tempfile::TempDir,
}

impl Ordinary {
    /// Somebody ordinary: the one who runs the tests or, if that is root, nobody.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::copy(built(), dir.path().join("hourglass")).unwrap();
        Self { dir }
    }

    /// The command, with `arguments`.
    #[must_use]
    pub fn hourglass(&self, arguments: &[&str], data: &Path) -> Command {
        let own = self.dir.path().join("hourglass");
        let program = if Need::Root.obstacle().is_none() {
            let mut become_nobody = Command::new("setpriv");
            become_nobody.args([
                &format!("--reuid={NOBODY}"),
                &format!("--regid={NOBODY}"),
                "--clear-groups",
            ]);
            become_nobody.arg(own);
            become_nobody
        } else {
            Command::new(own)
        };
        command(program, arguments, data)
    }

    /// Run it to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str], data: &Path) -> Output {
        self.hourglass(arguments, data).output().unwrap()
    }

    /// A directory of theirs.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        let dir = self.dir.path().join("own");
        fs::create_dir(&dir).unwrap();
        if Need::Root.obstacle().is_none() {
            chown(&dir, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        dir
    }
}

impl Default for Ordinary {
    fn default() -> Self {
        Self::new()
    }
}

/// What it printed.
#[must_use]
pub fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it complained of.
#[must_use]
pub fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn command(program: Command, arguments: &[&str], data: &Path) -> Command {
    let mut program = bare(program, arguments);
    program.arg("--data").arg(data);
    program
}

/// The command without what the environment of the tests would tell it.
fn bare(mut program: Command, arguments: &[&str]) -> Command {
    for variable in ["HOURGLASS_DATA", "HOURGLASS_KEY", "HOURGLASS_API_URL", "HOURGLASS_API_KEY"] {
        program.env_remove(variable);
    }
    program.args(arguments);
    program.env("NO_COLOR", "1").env("RUST_BACKTRACE", "0");
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program
}

/// Where cargo put the command. It is another package's, so cargo does not tell; it is built with that package's tests.
fn built() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.ancestors().nth(2).unwrap().join("hourglass");
    assert!(
        path.exists(),
        "{} is not there; run `cargo build -p hourglass`, or test the whole workspace",
        path.display()
    );
    path
}
