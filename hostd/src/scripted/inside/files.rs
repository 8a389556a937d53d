//! Pretended files, as the words ask for them.

use hourglass_agent::client::{receive, send};
use hourglass_agent::files::{ENTRIES_MOST, Info, MATCHES_MOST, Match, Part, Replaced, Request};
use hourglass_agent::frame::CHUNK;
use hourglass_agent::pattern::{describes, matching, replaced};
use hourglass_agent::{Bytes, Failure, Reply};
use tokio::io::DuplexStream;

use super::{Door, Room, Stopped, reply};
use crate::scripted::files::whole;
use crate::scripted::shell::home;

pub(super) async fn answer(door: &Door, caller: &mut DuplexStream) -> Result<(), Stopped> {
    match receive::<Request>(caller).await? {
        Request::Info { path } => {
            let info = door.with(|room| room.files.info(&at(room, &path)))?;
            reply(caller, &info).await
        }
        Request::List { path, depth } => {
            let found = door.with(|room| list(room, &path, depth))?;
            reply(caller, &found).await
        }
        Request::Read { path } => read(door, &path, caller).await,
        Request::Write { path, mode, parents } => {
            let written = write(door, &path, mode, parents, caller).await?;
            reply(caller, &written).await
        }
        Request::Delete { path, recursive } => {
            let done = door.with(|room| {
                let path = at(room, &path);
                room.files.delete(&path, recursive)
            })?;
            reply(caller, &done).await
        }
        Request::Move { from, to } => {
            let done = door.with(|room| {
                let (from, to) = (at(room, &from), at(room, &to));
                room.files.rename(&from, &to)
            })?;
            reply(caller, &done).await
        }
        Request::MakeFolder { path, mode } => {
            let done = door.with(|room| {
                let path = at(room, &path);
                room.files.make_folder(&path, &room.plan.user)?;
                mode.map_or(Ok(()), |mode| room.files.node(&path).map(|node| node.mode = mode))
            })?;
            reply(caller, &done).await
        }
        Request::SetPermissions { path, mode, owner, group } => {
            let done = door.with(|room| {
                let path = at(room, &path);
                let node = room.files.node(&path)?;
                node.mode = mode.unwrap_or(node.mode);
                node.owner = owner.unwrap_or(node.owner.clone());
                node.group = group.unwrap_or(node.group.clone());
                Ok(())
            })?;
            reply::<()>(caller, &done).await
        }
        Request::Find { path, text } => {
            let found = door.with(|room| find(room, &path, &text))?;
            reply(caller, &found).await
        }
        Request::Search { path, pattern } => {
            let found = door.with(|room| search(room, &path, &pattern))?;
            reply(caller, &found).await
        }
        Request::Replace { files, text, with } => {
            let done = door.with(|room| {
                let one = |file: String| {
                    let failure = replace(room, &file, &text, &with).err();
                    Replaced { file, failure }
                };
                Ok(files.into_iter().map(one).collect::<Vec<_>>())
            })?;
            reply(caller, &done).await
        }
    }
}

fn at(room: &Room<'_>, path: &str) -> String {
    whole(&home(&room.plan.user), path)
}

fn list(room: &Room<'_>, path: &str, depth: u32) -> Reply<Vec<Info>> {
    let folder = at(room, path);
    if depth == 0 {
        return Err(Failure::wrong("a listing of no levels shows nothing; give a depth of at least 1"));
    }
    if !room.files.is_folder(&folder) {
        room.files.info(&folder)?;
        return Err(Failure::wrong(format!("{folder} is not a directory")));
    }
    let level = |path: &String| path[folder.len()..].trim_start_matches('/').matches('/').count();
    let depth = usize::try_from(depth).unwrap_or(usize::MAX);
    let found = room.files.below(&folder).into_iter().filter(|path| level(path) < depth);
    let found: Vec<Info> = found.map(|path| room.files.info(&path)).collect::<Result<_, _>>()?;
    if found.len() > ENTRIES_MOST {
        return Err(Failure::TooMany { what: format!("entries in {folder}"), most: ENTRIES_MOST as u64 });
    }
    Ok(found)
}

async fn read(door: &Door, path: &str, caller: &mut DuplexStream) -> Result<(), Stopped> {
    let found = door.with(|room| {
        let path = at(room, path);
        let info = room.files.info(&path)?;
        let bytes = room.files.read(&path).map(<[u8]>::to_vec);
        let bytes = bytes.ok_or_else(|| Failure::wrong(format!("{path} is a directory")))?;
        Ok((info, bytes))
    })?;
    let (info, bytes) = match found {
        Ok(found) => found,
        Err(failure) => return reply::<Info>(caller, &Err(failure)).await,
    };
    reply(caller, &Ok(info)).await?;
    for chunk in bytes.chunks(CHUNK) {
        send::<Reply<Part>>(caller, &Ok(Part::Bytes(Bytes::from(chunk)))).await?;
    }
    Ok(send::<Reply<Part>>(caller, &Ok(Part::End)).await?)
}

async fn write(
    door: &Door,
    path: &str,
    mode: Option<u32>,
    parents: bool,
    caller: &mut DuplexStream,
) -> Result<Reply<u64>, Stopped> {
    let mut bytes = Vec::new();
    while let Part::Bytes(Bytes(next)) = receive(caller).await? {
        bytes.extend(next);
    }
    door.with(|room| {
        let path = at(room, path);
        if parents && let Some((folder, _)) = path.rsplit_once('/').filter(|(folder, _)| !folder.is_empty()) {
            room.files.make_folder(folder, &room.plan.user)?;
        }
        let written = bytes.len() as u64;
        room.files.write(&path, bytes, &room.plan.user)?;
        let node = room.files.node(&path)?;
        node.mode = mode.unwrap_or(node.mode);
        Ok(written)
    })
}

fn find(room: &Room<'_>, path: &str, text: &str) -> Reply<Vec<Match>> {
    if text.is_empty() {
        return Err(Failure::wrong("an empty text stands everywhere; give one of at least one character"));
    }
    let root = at(room, path);
    room.files.info(&root)?;
    let mut found = Vec::new();
    for path in [root.clone()].into_iter().chain(room.files.below(&root)) {
        let bytes = room.files.read(&path).filter(|bytes| !bytes.contains(&0)).unwrap_or_default();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').zip(1..);
        found.extend(lines.filter_map(|(line, number)| matching(&path, number, line, text.as_bytes())));
    }
    if found.len() > MATCHES_MOST {
        return Err(Failure::TooMany { what: "matches".to_owned(), most: MATCHES_MOST as u64 });
    }
    Ok(found)
}

fn search(room: &Room<'_>, path: &str, pattern: &str) -> Reply<Vec<String>> {
    let root = at(room, path);
    room.files.info(&root)?;
    let mut found = room.files.below(&root);
    found.retain(|path| describes(pattern, path.rsplit('/').next().unwrap_or_default()));
    Ok(found)
}

fn replace(room: &mut Room<'_>, file: &str, text: &str, with: &str) -> Reply<()> {
    let path = at(room, file);
    room.files.info(&path)?;
    let bytes = room.files.read(&path).ok_or_else(|| Failure::wrong(format!("{path} is not a file")))?;
    let new = replaced(bytes, text.as_bytes(), with.as_bytes());
    room.files.write(&path, new, &room.plan.user)
}
