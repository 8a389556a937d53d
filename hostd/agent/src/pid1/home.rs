//! Settling in: the sandbox's name in its files, and its user if the image has none of that name.
//!
//! Done inside, as the sandbox's own root, because only here can no link in the sandbox's files lead out of it.
//! Nothing that is already there is changed, but for what tells of its network: that is another at each start.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use hourglass_agent::place;

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

/// Ends the lines of `/etc/hosts` that are written anew at each start; all others are the sandbox's own.
const OURS: &str = "# this sandbox";

fn name_it(name: &str) -> io::Result<()> {
    if fs::read_to_string("/etc/hostname").unwrap_or_default().trim() != name {
        fs::write("/etc/hostname", format!("{name}\n"))?;
    }
    let note = fs::read_to_string(Path::new(place::SHARED).join(place::NETWORK)).unwrap_or_default();
    let old = fs::read_to_string("/etc/hosts").unwrap_or_default();
    replace("/etc/hosts", &old, &hosts(&old, name, &note))?;
    let old = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    match resolvers(&note) {
        Some(resolvers) => replace("/etc/resolv.conf", &old, &resolvers),
        None => Ok(()),
    }
}

/// The sandbox's `/etc/hosts`: what was there, loopback if it was not, and its own name.
fn hosts(old: &str, name: &str, note: &str) -> String {
    let address = note.lines().find_map(|line| line.strip_prefix("address ")).unwrap_or("127.0.0.1");
    let mut kept: Vec<&str> = old.lines().filter(|line| !line.ends_with(OURS)).collect();
    let known = kept.iter().flat_map(|line| line.split_whitespace()).any(|word| word == "localhost");
    if !known {
        kept.extend(["127.0.0.1 localhost", "::1 localhost ip6-localhost"]);
    }
    kept.join("\n") + &format!("\n{address} {name} {OURS}\n")
}

/// The sandbox's `/etc/resolv.conf`, if the host has a say in it.
fn resolvers(note: &str) -> Option<String> {
    let servers: Vec<&str> = note.lines().filter(|line| line.starts_with("nameserver ")).collect();
    (!servers.is_empty()).then(|| servers.join("\n") + "\n")
}

/// Put `fresh` in the place of a file that reads `old`, also where a link was.
fn replace(path: &str, old: &str, fresh: &str) -> io::Result<()> {
    if old == fresh {
        return Ok(());
    }
    let aside = format!("{path}.hourglass");
    fs::write(&aside, fresh)?;
    fs::set_permissions(&aside, fs::Permissions::from_mode(0o644))?;
    fs::rename(&aside, path)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_line_is_new_at_each_start_and_the_others_stay() {
        let first = hosts("", "box-1", "address 10.0.0.2\nnameserver 10.9.9.9\n");
        assert_eq!(
            first,
            "127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.0.0.2 box-1 # this sandbox\n"
        );
        let edited = first.clone() + "10.1.1.1 db\n";
        let second = hosts(&edited, "box-1", "address 10.0.0.3\n");
        assert_eq!(
            second,
            "127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.1.1.1 db\n10.0.0.3 box-1 # this sandbox\n"
        );
        assert_eq!(hosts(&second, "box-1", "address 10.0.0.3\n"), second);
        assert!(hosts("", "box-1", "").ends_with("\n127.0.0.1 box-1 # this sandbox\n"));
    }

    #[test]
    fn resolvers_are_the_hosts_to_name() {
        assert_eq!(
            resolvers("address 10.0.0.2\nnameserver 10.9.9.9\n").as_deref(),
            Some("nameserver 10.9.9.9\n")
        );
        assert_eq!(resolvers("address 10.0.0.2\n"), None);
    }
}
