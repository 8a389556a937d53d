//! Directories with all that is in them, entry by entry, each as it would go alone.
//!
//! Links to directories, and what is neither file nor directory, stay behind and are named. What a sandbox says of its
//! names is not believed: none leads out of the directory that is asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use ureq::http::Method;

use crate::paint;
use crate::remote::{Api, Ask, query};
use crate::verbs::tool;

/// The deepest a directory within directories is looked for. No path is longer, so what is deeper runs in a circle.
const DEPTH_MOST: usize = 2_048;
/// Who may do what, of all that a mode says.
const PERMISSIONS: u32 = 0o777;

/// What the API says of a file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    name: String,
    path: String,
    pub(super) is_dir: bool,
    /// As `ls` shows it: the kind is its first letter.
    mode: String,
    /// In octal.
    permissions: String,
}

/// What is at `path` in `sandbox`.
pub(super) fn look(api: &Api, sandbox: &str, path: &str) -> anyhow::Result<Entry> {
    Ok(api.get(&tool(sandbox, &format!("files/info{}", query([("path", path)]))))?)
}

/// Put the directory `from` into `sandbox` as `to`.
pub(super) fn send(api: &Api, from: &Path, sandbox: &str, to: &str) -> anyhow::Result<()> {
    let mut waiting = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = waiting.pop() {
        let shown = from.display();
        let unread = || format!("{shown} cannot be read");
        make(api, sandbox, &to, permissions(&from).with_context(unread)?)?;
        for entry in fs::read_dir(&from).with_context(unread)? {
            let entry = entry.with_context(unread)?;
            let path = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                paint::aside(format!("left out {}: its name is no UTF-8", path.display()));
                continue;
            };
            let inside = format!("{}/{name}", to.trim_end_matches('/'));
            // A link to a file is sent as the file.
            if entry.file_type().with_context(unread)?.is_dir() {
                waiting.push((path, inside));
            } else if path.is_file() {
                super::upload(api, &path, sandbox, &inside)?;
                allow(api, sandbox, &inside, permissions(&path).with_context(unread)?)?;
            } else {
                paint::aside(format!("left out {}: it is no file or directory", path.display()));
            }
        }
    }
    Ok(())
}

/// Make the directory `to` of the directory `from` in `sandbox`.
pub(super) fn fetch(api: &Api, sandbox: &str, from: &Entry, to: &Path) -> anyhow::Result<()> {
    let mut waiting = vec![(from.path.clone(), to.to_owned(), 1)];
    while let Some((from, to, depth)) = waiting.pop() {
        ensure!(
            depth <= DEPTH_MOST,
            "{sandbox}:{from} lies deeper than {DEPTH_MOST} directories; copy a part of it"
        );
        fs::create_dir_all(&to).with_context(|| format!("{} cannot be made", to.display()))?;
        let list = format!("files{}", query([("path", from.as_str()), ("depth", "1")]));
        for entry in api.get::<Vec<Entry>>(&tool(sandbox, &list))? {
            ensure!(
                is_name(&entry.name),
                "{sandbox}:{from} says it holds {:?}, which is no name",
                entry.name
            );
            let (path, here) =
                (format!("{}/{}", from.trim_end_matches('/'), entry.name), to.join(&entry.name));
            if entry.is_dir {
                waiting.push((path, here, depth + 1));
            } else if entry.mode.starts_with('-') {
                super::download(api, sandbox, &path, &here)?;
                let mode = u32::from_str_radix(&entry.permissions, 8).unwrap_or(0o644) & PERMISSIONS;
                fs::set_permissions(&here, fs::Permissions::from_mode(mode))?;
            } else {
                paint::aside(format!("left out {sandbox}:{path}: it is no file or directory"));
            }
        }
    }
    Ok(())
}

/// Whether `name` names an entry of a directory and leads nowhere else.
fn is_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
}

fn permissions(path: &Path) -> std::io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & PERMISSIONS)
}

fn make(api: &Api, sandbox: &str, path: &str, mode: u32) -> anyhow::Result<()> {
    let mode = format!("{mode:o}");
    let folder = format!("files/folder{}", query([("path", path), ("mode", mode.as_str())]));
    Ok(api.tell(Ask::new(Method::POST, tool(sandbox, &folder)), None)?)
}

fn allow(api: &Api, sandbox: &str, path: &str, mode: u32) -> anyhow::Result<()> {
    let mode = format!("{mode:o}");
    let change = format!("files/permissions{}", query([("path", path), ("mode", mode.as_str())]));
    Ok(api.tell(Ask::new(Method::POST, tool(sandbox, &change)), None)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["a", "a b", ".hidden", "a..b", "ü"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "../a", "a/b", "/a", "a/", "./a", "a/.."] {
            assert!(!is_name(name), "{name}");
        }
    }
}
