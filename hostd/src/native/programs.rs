//! The agent and the launcher, carried inside this program and written out once, named by what they are.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// PID 1 of sandboxes.
const AGENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hourglass-agent"));

/// Makes containers.
const LAUNCH: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hourglass-launch"));

/// Where the programs lie.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) agent: PathBuf,
    pub(super) launch: PathBuf,
}

impl Programs {
    /// Write them to `dir`, unless they are there.
    pub(super) fn write(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { agent: put(dir, "agent", AGENT)?, launch: put(dir, "launch", LAUNCH)? })
    }
}

/// Named by digest, so that a sandbox keeps the agent it was booted with when the host worker is replaced.
fn put(dir: &Path, name: &str, program: &[u8]) -> io::Result<PathBuf> {
    let path = dir.join(format!("{name}-{}", &blake3::hash(program).to_hex()[..16]));
    if fs::metadata(&path).is_ok_and(|found| found.len() == u64::try_from(program.len()).unwrap_or(u64::MAX))
    {
        return Ok(path);
    }
    let part = dir.join(format!("{name}.{}.part", std::process::id()));
    let mut file = File::create(&part)?;
    file.write_all(program)?;
    file.set_permissions(Permissions::from_mode(0o755))?;
    file.sync_all()?;
    drop(file);
    fs::rename(&part, &path)?;
    Ok(path)
}
