//! The bytes of files, a chunk at a time.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use hourglass_agent::files::{Info, Part};
use hourglass_agent::frame::{self, CHUNK};
use hourglass_agent::{Bytes, Failure, Reply};

use super::look::Names;
use super::{checked_mode, reply, shown, whole};

/// The permissions of a new file, and of directories made on the way to one.
const FILE: u32 = 0o644;
const FOLDER: u32 = 0o755;

pub(super) fn read(caller: &UnixStream, path: &str) {
    let (mut file, info) = match open(path) {
        Ok(found) => found,
        Err(failure) => return reply::<Info>(caller, &Err(failure)),
    };
    let path = info.path.clone();
    reply(caller, &Ok(info));
    let mut buffer = vec![0; CHUNK];
    loop {
        let part = match file.read(&mut buffer) {
            Ok(0) => Ok(Part::End),
            Ok(read) => Ok(Part::Bytes(Bytes::from(&buffer[..read]))),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(Failure::of(&error, "read", &path)),
        };
        let last = !matches!(part, Ok(Part::Bytes(_)));
        if frame::write(caller, &part).is_err() || last {
            return;
        }
    }
}

fn open(path: &str) -> Reply<(File, Info)> {
    let path = whole(path)?;
    let failed = |error: io::Error| Failure::of(&error, "read", &shown(&path));
    let found = fs::metadata(&path).map_err(failed)?;
    if found.is_dir() {
        return Err(Failure::wrong(format!("{} is a directory", shown(&path))));
    }
    // Opening a pipe would wait for somebody to write to it.
    if !found.is_file() {
        return Err(Failure::wrong(format!("{} is not a file", shown(&path))));
    }
    let file = File::open(&path).map_err(failed)?;
    Ok((file, Names::read().describe(&path, &found)))
}

pub(super) fn write(caller: &UnixStream, path: &str, mode: Option<u32>, parents: bool) -> Reply<u64> {
    let mode = mode.map(checked_mode).transpose()?;
    let path = whole(path)?;
    // Through links, as writing in place would be.
    let target = fs::canonicalize(&path).unwrap_or(path);
    let failed = |error: &io::Error| Failure::of(error, "write", &shown(&target));
    let present = match fs::metadata(&target) {
        Ok(found) if found.is_dir() => return Err(failed(&io::ErrorKind::IsADirectory.into())),
        Ok(found) if !found.is_file() => {
            return Err(Failure::wrong(format!("{} is not a file", shown(&target))));
        }
        Ok(found) => {
            // Replacing a file needs no right to write to it, and should.
            File::options().write(true).open(&target).map_err(|error| failed(&error))?;
            Some(found.permissions().mode())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(&error)),
    };
    let folder = target.parent().unwrap_or(Path::new("/"));
    if parents {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(FOLDER).create(folder).map_err(|error| failed(&error))?;
    }
    let mut fresh = Fresh::make(folder).map_err(|error| failed(&error))?;
    let mut written = 0;
    loop {
        match frame::read::<Part>(caller) {
            Ok(Part::Bytes(Bytes(bytes))) => {
                fresh.file.write_all(&bytes).map_err(|error| failed(&error))?;
                written += bytes.len() as u64;
            }
            Ok(Part::End) => break,
            Err(error) => return Err(Failure::wrong(error.to_string())),
        }
    }
    let mode = mode.or(present).unwrap_or(FILE);
    fresh.file.set_permissions(Permissions::from_mode(mode)).map_err(|error| failed(&error))?;
    fresh.place(&target).map_err(|error| failed(&error))?;
    Ok(written)
}

/// A file that is not in its place yet, and goes when it never comes there.
#[derive(Debug)]
struct Fresh {
    file: File,
    path: PathBuf,
}

impl Fresh {
    fn make(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!(".hourglass-{}.part", std::process::id()));
        // One left by a process of the same number that was killed.
        let _ = fs::remove_file(&path);
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { file, path })
    }

    fn place(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}
