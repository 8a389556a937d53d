//! Changing what is there.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};

use hourglass_agent::{Failure, Reply};

use super::{checked_mode, shown, whole};
use crate::users;

pub(super) fn delete(path: &str, recursive: bool) -> Reply<()> {
    let path = whole(path)?;
    let failed = |error: io::Error| Failure::of(&error, "remove", &shown(&path));
    // A link is removed, not what it leads to.
    let found = fs::symlink_metadata(&path).map_err(failed)?;
    let removed = match (found.is_dir(), recursive) {
        (true, true) => fs::remove_dir_all(&path),
        (true, false) => fs::remove_dir(&path),
        (false, _) => fs::remove_file(&path),
    };
    removed.map_err(failed)
}

pub(super) fn rename(from: &str, to: &str) -> Reply<()> {
    let (from, to) = (whole(from)?, whole(to)?);
    match fs::rename(&from, &to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => Err(Failure::wrong(format!(
            "{} and {} are on different file systems; copy the one and remove the other",
            shown(&from),
            shown(&to)
        ))),
        Err(error) => {
            // The kernel does not say which of the two it means.
            let what = if fs::symlink_metadata(&from).is_ok() { &to } else { &from };
            Err(Failure::of(&error, "move to", &shown(what)))
        }
    }
}

pub(super) fn make_folder(path: &str, mode: Option<u32>) -> Reply<()> {
    let path = whole(path)?;
    let mode = mode.map(checked_mode).transpose()?;
    let failed = |error: io::Error| Failure::of(&error, "make", &shown(&path));
    fs::create_dir_all(&path).map_err(failed)?;
    mode.map_or(Ok(()), |mode| fs::set_permissions(&path, Permissions::from_mode(mode))).map_err(failed)
}

pub(super) fn set_permissions(
    path: &str,
    mode: Option<u32>,
    owner: Option<&str>,
    group: Option<&str>,
) -> Reply<()> {
    let path = whole(path)?;
    let mode = mode.map(checked_mode).transpose()?;
    let unknown = |what: &str, name: &str| Failure::Missing { what: format!("the {what} {name:?}") };
    let owner = owner.map(|name| users::find(name).map(|user| user.uid).ok_or_else(|| unknown("user", name)));
    let group = group.map(|name| users::group(name).ok_or_else(|| unknown("group", name)));
    let (owner, group) = (owner.transpose()?, group.transpose()?);
    let failed = |error: io::Error| Failure::of(&error, "change", &shown(&path));
    if owner.is_some() || group.is_some() {
        chown(&path, owner, group).map_err(failed)?;
    }
    // After it, because a new owner takes some permissions away.
    mode.map_or(Ok(()), |mode| fs::set_permissions(&path, Permissions::from_mode(mode))).map_err(failed)
}
