//! Looking for files by what they are called and by what stands in them.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use hourglass_agent::files::{
    ENTRIES_MOST, MATCHES_MOST, Match, REPLACED_FILES_MOST, REPLACED_MOST, Replaced, VISITED_MOST,
};
use hourglass_agent::pattern::{describes, holds, matching, replaced};
use hourglass_agent::{Failure, Reply};

use super::{shown, whole};

/// The longest piece of a file that is looked at as one line.
const LINE: u64 = 1 << 20;

/// How much of a file is looked at to tell whether it is text.
const BEGINNING: usize = 8 << 10;

pub(super) fn find(path: &str, text: &str) -> Reply<Vec<Match>> {
    if text.is_empty() {
        return Err(Failure::wrong("an empty text stands everywhere; give one of at least one character"));
    }
    let root = whole(path)?;
    let mut found = Vec::new();
    visit(&root, |path, is_file| {
        // What cannot be read is passed over, as are links and all that is not a file.
        let unread = |error: io::Error| Failure::of(&error, "read", &shown(path));
        match if is_file { find_in(path, text.as_bytes(), &mut found) } else { Ok(()) } {
            Err(Unfound::Many(failure)) => Err(failure),
            Err(Unfound::Unread(error)) if path == root => Err(unread(error)),
            Err(Unfound::Unread(_)) | Ok(()) => Ok(()),
        }
    })?;
    Ok(found)
}

enum Unfound {
    Many(Failure),
    Unread(io::Error),
}

fn find_in(path: &Path, text: &[u8], found: &mut Vec<Match>) -> Result<(), Unfound> {
    let file = File::open(path).map_err(Unfound::Unread)?;
    let mut reader = BufReader::with_capacity(BEGINNING, file);
    if reader.fill_buf().map_err(Unfound::Unread)?.contains(&0) {
        return Ok(());
    }
    let name = shown(path);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = reader.by_ref().take(LINE).read_until(b'\n', &mut line).map_err(Unfound::Unread)?;
        if read == 0 {
            break;
        }
        let Some(one) = matching(&name, number, &line, text) else { continue };
        if found.len() == MATCHES_MOST {
            let (what, most) = ("matches".to_owned(), MATCHES_MOST as u64);
            return Err(Unfound::Many(Failure::TooMany { what, most }));
        }
        found.push(one);
    }
    Ok(())
}

pub(super) fn search(path: &str, pattern: &str) -> Reply<Vec<String>> {
    let root = whole(path)?;
    let mut found = Vec::new();
    visit(&root, |path, _| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path == root || !describes(pattern, &name) {
            return Ok(());
        }
        if found.len() == ENTRIES_MOST {
            return Err(Failure::TooMany {
                what: "files of such a name".to_owned(),
                most: ENTRIES_MOST as u64,
            });
        }
        found.push(shown(path));
        Ok(())
    })?;
    found.sort();
    Ok(found)
}

/// Show `see` every entry below `root` and `root` itself, and whether it is a file. Links are not followed but at the
/// root.
fn visit(root: &Path, mut see: impl FnMut(&Path, bool) -> Result<(), Failure>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::of(&error, "search", &shown(root));
    let found = fs::metadata(root).map_err(failed)?;
    see(root, found.is_file())?;
    let mut folders: Vec<PathBuf> = if found.is_dir() { vec![root.to_owned()] } else { Vec::new() };
    let mut visited = 0;
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if folder == root => return Err(failed(error)),
            Err(_) => continue,
        };
        let mut entries: Vec<_> = entries.flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            visited += 1;
            if visited > VISITED_MOST {
                let what = format!("entries below {}", shown(root));
                return Err(Failure::TooMany { what, most: VISITED_MOST as u64 });
            }
            let Ok(kind) = entry.file_type() else { continue };
            see(&entry.path(), kind.is_file())?;
            if kind.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(())
}

pub(super) fn replace(files: &[String], text: &str, with: &str) -> Reply<Vec<Replaced>> {
    if text.is_empty() {
        return Err(Failure::wrong("an empty text stands nowhere; give one of at least one character"));
    }
    if files.len() > REPLACED_FILES_MOST {
        let what = "files to replace text in".to_owned();
        return Err(Failure::TooMany { what, most: REPLACED_FILES_MOST as u64 });
    }
    let one = |file: &String| {
        let failure = replace_in(file, text.as_bytes(), with.as_bytes()).err();
        Replaced { file: file.clone(), failure }
    };
    Ok(files.iter().map(one).collect())
}

fn replace_in(file: &str, text: &[u8], with: &[u8]) -> Result<(), Failure> {
    let path = whole(file)?;
    let failed = |error: io::Error| Failure::of(&error, "replace text in", &shown(&path));
    let found = fs::metadata(&path).map_err(failed)?;
    if !found.is_file() {
        return Err(Failure::wrong(format!("{} is not a file", shown(&path))));
    }
    if found.len() > REPLACED_MOST {
        return Err(Failure::wrong(format!(
            "{} has {} bytes; text is replaced in files of at most {REPLACED_MOST}",
            shown(&path),
            found.len()
        )));
    }
    let mut bytes = Vec::new();
    File::open(&path).map_err(failed)?.take(REPLACED_MOST).read_to_end(&mut bytes).map_err(failed)?;
    if !holds(&bytes, text) {
        return Ok(());
    }
    // In place, so that its owner, its permissions and its other names stay.
    let mut file = File::options().write(true).open(&path).map_err(failed)?;
    let new = replaced(&bytes, text, with);
    file.write_all(&new).map_err(failed)?;
    file.set_len(new.len() as u64).map_err(failed)
}
