//! Settling in: the sandbox's name in its files, and its user if the image has none of that name.
//!
//! Done inside, as the sandbox's own root, because only here can no link in the sandbox's files lead out of it.
//! Nothing that is already there is changed.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use crate::users;

/// Numbers given to people begin here, as on Debian.
const FIRST: u32 = 1000;

/// Make the files agree with the sandbox's `name` and its `user`.
pub(crate) fn settle(name: &str, user: &str) -> io::Result<()> {
    // A full disk must not keep a sandbox from starting: these files are a convenience.
    let _ = name_it(name);
    if users::find(user).is_some() {
        return Ok(());
    }
    add(user)
}

fn name_it(name: &str) -> io::Result<()> {
    if fs::read_to_string("/etc/hostname").unwrap_or_default().trim() != name {
        fs::write("/etc/hostname", format!("{name}\n"))?;
    }
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    if !hosts.split_whitespace().any(|word| word == name) {
        fs::write("/etc/hosts", format!("127.0.0.1 localhost {name}\n::1 localhost ip6-localhost\n"))?;
    }
    Ok(())
}

/// Add `user` with a group and a home of its own.
fn add(user: &str) -> io::Result<()> {
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
    if user.is_empty() || !user.chars().all(sound) || user.starts_with(['-', '.']) {
        return Err(io::Error::other(format!("{user:?} cannot be a user's name")));
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let taken: Vec<u32> = passwd.lines().filter_map(users::parse).map(|account| account.uid).collect();
    let id = (FIRST..).find(|id| !taken.contains(id)).unwrap_or(FIRST);
    let home = format!("/home/{user}");
    let shell = if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" };

    append("/etc/group", &format!("{user}:x:{id}:\n"), 0o644)?;
    append("/etc/shadow", &format!("{user}:!::0:99999:7:::\n"), 0o640)?;
    if !Path::new(&home).exists() {
        fs::create_dir_all(&home)?;
        furnish(Path::new(&home), id)?;
    }
    // Last, because its line is what says that the user is there.
    append("/etc/passwd", &format!("{user}:x:{id}:{id}::{home}:{shell}\n"), 0o644)
}

/// Append `line` to a file as one step: whoever is killed here leaves the old file or the new.
fn append(path: &str, line: &str, mode: u32) -> io::Result<()> {
    let mut text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let name = line.split(':').next().unwrap_or_default();
    let begins = |old: &[u8]| old.starts_with(name.as_bytes()) && old.get(name.len()) == Some(&b':');
    if text.split(|&byte| byte == b'\n').any(begins) {
        return Ok(());
    }
    text.extend_from_slice(line.as_bytes());
    let mode = fs::metadata(path).map_or(mode, |found| found.permissions().mode());
    let fresh = format!("{path}.hourglass");
    let mut file = fs::File::create(&fresh)?;
    file.write_all(&text)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(mode))?;
    fs::rename(&fresh, path)
}

/// Put the image's skeleton files into a new home and give it to its owner.
fn furnish(home: &Path, id: u32) -> io::Result<()> {
    for entry in fs::read_dir("/etc/skel").into_iter().flatten().flatten() {
        let to = home.join(entry.file_name());
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), &to)?;
            chown(&to, Some(id), Some(id))?;
        }
    }
    chown(home, Some(id), Some(id))
}
