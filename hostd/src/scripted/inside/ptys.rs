//! Pretended terminals: what is typed is shown, and a line is a command.

use std::time::{SystemTime, UNIX_EPOCH};

use hourglass_agent::client::{Frames, send};
use hourglass_agent::log::{Log, Stream};
use hourglass_agent::ptys::{Create, KEPT, PTYS_MOST, Pty as Described, Request, Size, Stage, Typed};
use hourglass_agent::sessions::check_name;
use hourglass_agent::{Bytes, End, Failure, Output, Reply};
use tokio::io::{DuplexStream, split};

use super::{Door, Room, Stopped, reply};
use crate::scripted::files::whole;
use crate::scripted::shell::{self, Stage as Place};

/// What a pretended shell shows when it waits for a line.
const PROMPT: &[u8] = b"$ ";

/// The terminals of one life, oldest first.
pub(in crate::scripted) type Ptys = Vec<Pty>;

/// A terminal.
#[derive(Debug, Clone)]
pub(in crate::scripted) struct Pty {
    described: Described,
    place: Place,
    line: Vec<u8>,
    log: Log,
}

pub(super) async fn answer(door: &Door, request: Request, caller: &mut DuplexStream) -> Result<(), Stopped> {
    match request {
        Request::Create(create) => {
            let made = door.with(|room| self::create(room, create))?;
            reply(caller, &made).await
        }
        Request::List => {
            let all =
                door.with(|room| room.ptys.iter().map(|pty| pty.described.clone()).collect::<Vec<_>>())?;
            reply(caller, &Ok(all)).await
        }
        Request::Get { pty } => {
            let found = door.with(|room| find(room, &pty).map(|pty| pty.described.clone()))?;
            reply(caller, &found).await
        }
        Request::Resize { pty, size } => {
            let resized = door.with(|room| find(room, &pty)?.resize(size))?;
            reply(caller, &resized).await
        }
        Request::Kill { pty } => {
            let done = door.with(|room| {
                find(room, &pty)?;
                room.ptys.retain(|other| other.described.id != pty);
                Ok(())
            })?;
            reply(caller, &done).await
        }
        Request::Attach { pty } => attach(door, &pty, caller).await,
    }
}

fn create(room: &mut Room<'_>, create: Create) -> Reply<Described> {
    let Create { pty, size, cwd, env, lazy } = create;
    check_name(&pty)?;
    size.checked()?;
    if find(room, &pty).is_ok() {
        return Err(Failure::Exists { what: format!("the terminal {pty:?}") });
    }
    if room.ptys.len() >= PTYS_MOST {
        return Err(Failure::TooMany { what: "terminals".to_owned(), most: PTYS_MOST as u64 });
    }
    let mut place = Place::home(room.plan);
    place.size = size;
    place.env.extend(env.iter().cloned());
    if let Some(cwd) = cwd {
        place.cwd = whole(&place.cwd, &cwd);
        if !room.files.is_folder(&place.cwd) {
            return Err(Failure::wrong(format!("the working directory {:?} is not a directory", place.cwd)));
        }
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let created_micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    let cwd = place.cwd.clone();
    let described = Described { id: pty, size, cwd, env, lazy, stage: Stage::Waiting, created_micros };
    let mut made = Pty { described, place, line: Vec::new(), log: Log::default() };
    if !lazy {
        made.start();
    }
    let described = made.described.clone();
    room.ptys.push(made);
    Ok(described)
}

async fn attach(door: &Door, name: &str, caller: &mut DuplexStream) -> Result<(), Stopped> {
    let begun = door.with(|room| {
        let pty = find(room, name)?;
        pty.start();
        Ok((pty.described.clone(), pty.log.start()))
    })?;
    let (described, mut position) = match begun {
        Ok(begun) => begun,
        Err(failure) => return reply::<Described>(caller, &Err(failure)).await,
    };
    reply(caller, &Ok(described)).await?;
    let (reader, mut writer) = split(caller);
    let mut frames = Frames::new(reader);
    loop {
        let shown = door.find(|room| match find(room, name) {
            Ok(pty) => pty.next(position),
            Err(_) => Some((Output::Ended(End { code: 137, timed_out: false }), position)),
        });
        tokio::select! {
            typed = frames.next::<Typed>() => match typed? {
                Some(Typed::Keys(Bytes(keys))) => door.with(|room| press(room, name, &keys))?,
                Some(Typed::Resize(size)) => {
                    // A size that cannot be is not taken.
                    door.with(|room| find(room, name).and_then(|pty| pty.resize(size)).is_ok()).map(drop)?;
                }
                None => return Ok(()),
            },
            shown = shown => {
                let (said, after) = shown?;
                send(&mut writer, &said).await?;
                position = after;
                if matches!(said, Output::Ended(_)) {
                    return Ok(());
                }
            }
        }
    }
}

/// Keys come to the terminal `name`, if it is still there.
fn press(room: &mut Room<'_>, name: &str, keys: &[u8]) {
    for key in keys {
        let Some(at) = room.ptys.iter().position(|pty| pty.described.id == name) else { return };
        let pty = &mut room.ptys[at];
        if pty.described.stage != Stage::Running {
            return;
        }
        if !matches!(key, b'\r' | b'\n') {
            pty.line.push(*key);
            pty.show(&[*key]);
            continue;
        }
        pty.show(b"\r\n");
        let line = String::from_utf8_lossy(&std::mem::take(&mut pty.line)).into_owned();
        let mut place = pty.place.clone();
        let done = shell::shell(&line, &mut room.setting(&mut place));
        let pty = &mut room.ptys[at];
        pty.place = place;
        match done {
            Ok(done) => {
                pty.show_lines(&done.stdout);
                pty.show_lines(&done.stderr);
                if done.exits {
                    pty.described.stage = Stage::Ended(done.code);
                    return;
                }
            }
            Err(failure) => pty.show_lines(format!("{failure}\n").as_bytes()),
        }
        pty.show(PROMPT);
    }
}

fn find<'a>(room: &'a mut Room<'_>, name: &str) -> Reply<&'a mut Pty> {
    let found = room.ptys.iter_mut().find(|pty| pty.described.id == name);
    found.ok_or_else(|| Failure::Missing { what: format!("the terminal {name:?}") })
}

impl Pty {
    fn start(&mut self) {
        if self.described.stage == Stage::Waiting {
            self.described.stage = Stage::Running;
            self.show(PROMPT);
        }
    }

    fn resize(&mut self, size: Size) -> Reply<Described> {
        self.place.size = size.checked()?;
        self.described.size = size;
        Ok(self.described.clone())
    }

    fn show(&mut self, bytes: &[u8]) {
        self.log.push(Stream::Out, bytes, KEPT);
    }

    /// Shows text as a terminal does, which needs to be told to go back to the left.
    fn show_lines(&mut self, text: &[u8]) {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(line) => {
                    self.show(line);
                    self.show(b"\r\n");
                }
                None => self.show(line),
            }
        }
    }

    /// What stands at `position`, or its end.
    fn next(&self, position: u64) -> Option<(Output, u64)> {
        if let Some(next) = self.log.at(position) {
            return Some(next);
        }
        match self.described.stage {
            Stage::Ended(code) => Some((Output::Ended(End { code, timed_out: false }), position)),
            Stage::Waiting | Stage::Running => None,
        }
    }
}
