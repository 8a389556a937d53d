//! What is there.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use hourglass_agent::files::{ENTRIES_MOST, Info, Kind};
use hourglass_agent::{Failure, Reply};

use super::{shown, whole};
use crate::users;

/// The permission bits of a mode.
const PERMISSIONS: u32 = 0o7777;

pub(super) fn info(path: &str) -> Reply<Info> {
    let path = whole(path)?;
    let found = fs::metadata(&path).map_err(|error| Failure::of(&error, "look at", &shown(&path)))?;
    Ok(Names::read().describe(&path, &found))
}

pub(super) fn list(path: &str, depth: u32) -> Reply<Vec<Info>> {
    if depth == 0 {
        return Err(Failure::wrong("a listing of no levels shows nothing; give a depth of at least 1"));
    }
    let names = Names::read();
    let mut found = Vec::new();
    let mut folders = vec![(whole(path)?, 1)];
    let root = folders[0].0.clone();
    while let Some((folder, level)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            // What goes away or may not be entered further down does not spoil the rest.
            Err(_) if folder != root => continue,
            Err(error) => return Err(Failure::of(&error, "list", &shown(&folder))),
        };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if found.len() == ENTRIES_MOST {
                return Err(Failure::TooMany {
                    what: format!("entries in {}", shown(&root)),
                    most: ENTRIES_MOST as u64,
                });
            }
            if metadata.is_dir() && level < depth {
                folders.push((entry.path(), level + 1));
            }
            found.push(names.describe(&entry.path(), &metadata));
        }
    }
    found.sort_by(|one: &Info, other| one.path.cmp(&other.path));
    Ok(found)
}

/// The names of users and groups, read once for many files.
#[derive(Debug)]
pub(super) struct Names {
    users: BTreeMap<u32, String>,
    groups: BTreeMap<u32, String>,
}

impl Names {
    pub(super) fn read() -> Self {
        Self { users: users::names(), groups: users::groups() }
    }

    pub(super) fn describe(&self, path: &Path, found: &Metadata) -> Info {
        let named =
            |names: &BTreeMap<u32, String>, id: u32| names.get(&id).cloned().unwrap_or(id.to_string());
        let kind = if found.is_dir() {
            Kind::Folder
        } else if found.is_file() {
            Kind::File
        } else if found.is_symlink() {
            Kind::Link
        } else {
            Kind::Other
        };
        let name = path.file_name().map_or_else(|| shown(path), |name| name.to_string_lossy().into_owned());
        Info {
            name,
            path: shown(path),
            kind,
            size: found.len(),
            mode: found.mode() & PERMISSIONS,
            modified_micros: found
                .mtime()
                .saturating_mul(1_000_000)
                .saturating_add(found.mtime_nsec() / 1_000),
            owner: named(&self.users, found.uid()),
            group: named(&self.groups, found.gid()),
        }
    }
}
