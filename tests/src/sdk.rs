//! The public SDKs, unmodified, from where their makers publish them; fetched once and kept in the build directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::up::Up;

/// The Python SDK that is meant.
const PYTHON: &str = "daytona==0.226.1";
/// The TypeScript SDK that is meant: the newest there was.
const TYPESCRIPT: &str = "@daytonaio/sdk@0.218.0";

/// The languages there is an SDK for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    /// Python, synchronous and not.
    Python,
    /// JavaScript and TypeScript.
    TypeScript,
}

impl Sdk {
    /// Run `script` of `tests/sdk` with this SDK, as somebody whose sandboxes are at `up`.
    #[must_use]
    pub fn run(self, script: &str, environment: &[(&str, &str)], up: &Up) -> Output {
        let mut command = self.command(script);
        command.envs(environment.iter().copied()).envs(up.environment());
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// The command that runs `script`, and whose environment says nothing of any server yet.
    #[must_use]
    pub fn command(self, script: &str) -> Command {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk").join(script);
        let home = self.home().unwrap();
        let mut command = match self {
            Self::Python => {
                let mut command = Command::new(home.join("bin/python"));
                command.arg(source);
                command
            }
            Self::TypeScript => {
                // Modules are looked for beside the script.
                let copy = home.join(script);
                fs::copy(source, &copy).unwrap();
                let mut command = Command::new("node");
                command.arg(copy);
                command
            }
        };
        // The SDKs read settings out of files in the directory they run in.
        command.current_dir(&home);
        command
            .env_remove("DAYTONA_TARGET")
            .env_remove("DAYTONA_JWT_TOKEN")
            .env_remove("CONTAINERS")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Why it is not to be had here, if it is not.
    pub(crate) fn obstacle(self) -> Option<String> {
        self.home().err()
    }

    /// The directory it is in, fetched if need be.
    fn home(self) -> Result<PathBuf, String> {
        static HOMES: [OnceLock<Result<PathBuf, String>>; 2] = [OnceLock::new(), OnceLock::new()];
        let index = match self {
            Self::Python => 0,
            Self::TypeScript => 1,
        };
        HOMES[index].get_or_init(|| self.fetch()).clone()
    }

    fn fetch(self) -> Result<PathBuf, String> {
        let package = match self {
            Self::Python => PYTHON,
            Self::TypeScript => TYPESCRIPT,
        };
        let home = directory().join(package.replace(['/', '@', '='], "-").trim_matches('-'));
        let told = |error: std::io::Error| format!("{} cannot be made: {error}", home.display());
        fs::create_dir_all(&home).map_err(told)?;
        let lock = File::create(home.join("lock")).map_err(told)?;
        lock.lock().map_err(told)?;
        // Only what was fetched to its end has this mark.
        let mark = home.join("complete");
        if !mark.exists() {
            match self {
                Self::Python => python(&home, package)?,
                Self::TypeScript => typescript(&home, package)?,
            }
            File::create(&mark).map_err(told)?;
        }
        Ok(home)
    }
}

fn python(home: &Path, package: &str) -> Result<(), String> {
    succeed(Command::new("python3").args(["-m", "venv"]).arg(home))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package];
    succeed(Command::new(home.join("bin/python")).args(pip))
}

fn typescript(home: &Path, package: &str) -> Result<(), String> {
    succeed(Command::new("node").arg("--version"))?;
    let install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", package];
    succeed(Command::new("npm").args(install).arg("--prefix").arg(home).current_dir(home))
}

/// Run `command` to its end, or say why it failed.
fn succeed(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("{name} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
    Err(format!("{name} failed: {last}"))
}

/// A directory in the build directory, whichever that is.
fn directory() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(3).unwrap().join("sdk")
}
