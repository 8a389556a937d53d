//! Where the `up` of a data directory is reached: a line in `DATA/url`, there as long as it runs in good order.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

fn path(data: &Path) -> PathBuf {
    data.join("url")
}

/// Say that it is at `url`.
pub(crate) fn write(data: &Path, url: &str) -> anyhow::Result<()> {
    let path = path(data);
    fs::write(&path, format!("{url}\n")).with_context(|| format!("{} cannot be written", path.display()))
}

/// Where it is, if there is one.
pub(crate) fn read(data: &Path) -> anyhow::Result<Option<String>> {
    let path = path(data);
    match fs::read_to_string(&path) {
        Ok(url) => Ok(Some(url.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Say so no more. One that was killed leaves the line there, and nothing answers at it.
pub(crate) fn remove(data: &Path) {
    // Whoever reads it anyway finds nobody there.
    let _ = fs::remove_file(path(data));
}
