//! Pretended sessions. A command does all it does when it is asked for, and takes its time to end.

use std::collections::BTreeMap;

use hourglass_agent::client::send;
use hourglass_agent::log::{Log, Stream};
use hourglass_agent::sessions::{
    Command, Executed, LOG_MOST, Logs, Request, SESSIONS_MOST, Session as Described, check_name,
};
use hourglass_agent::{End, Failure, Output, Reply};
use tokio::io::DuplexStream;
use tokio::time::{Instant, sleep_until};

use super::{Door, Room, Stopped, gone, reply};
use crate::scripted::shell::{self, Stage};

/// The sessions of one life, by name.
pub(in crate::scripted) type Sessions = BTreeMap<String, Session>;

/// A session.
#[derive(Debug, Clone)]
pub(in crate::scripted) struct Session {
    stage: Stage,
    commands: Vec<Entry>,
    /// Whether its shell goes on.
    open: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    text: String,
    /// When it ends; nothing while it waits for input.
    ends: Option<Instant>,
    code: u8,
    log: Log,
}

pub(super) async fn answer(door: &Door, request: Request, caller: &mut DuplexStream) -> Result<(), Stopped> {
    match request {
        Request::Create { session } => {
            let done = door.with(|room| create(room, &session))?;
            reply(caller, &done).await
        }
        Request::List => {
            let all =
                |room: &mut Room<'_>| room.sessions.iter().map(|(name, one)| one.describe(name)).collect();
            let all: Vec<Described> = door.with(all)?;
            reply(caller, &Ok(all)).await
        }
        Request::Get { session } => {
            let found = door.with(|room| find(room, &session).map(|found| found.describe(&session)))?;
            reply(caller, &found).await
        }
        Request::Delete { session } => {
            let done = door.with(|room| {
                let removed = room.sessions.remove(&session);
                removed.map(drop).ok_or_else(|| missing(&session))
            })?;
            reply(caller, &done).await
        }
        Request::Execute { session, command, wait } => {
            let begun = door.with(|room| execute(room, &session, &command))?;
            if let (true, Ok(number)) = (wait, &begun) {
                tokio::select! {
                    code = end(door, &session, *number) => drop(code?),
                    () = gone(caller) => return Ok(()),
                }
            }
            let executed = door.with(|room| {
                let entry = entry(room, &session, &begun?.to_string())?;
                Ok(Executed { command: entry.1.describe(entry.0), logs: entry.1.logs() })
            })?;
            reply(caller, &executed).await
        }
        Request::Command { session, command } => {
            let found =
                door.with(|room| entry(room, &session, &command).map(|(at, one)| one.describe(at)))?;
            reply(caller, &found).await
        }
        Request::Logs { session, command } => {
            let found = door.with(|room| entry(room, &session, &command).map(|(_, one)| one.logs()))?;
            reply(caller, &found).await
        }
        Request::Input { session, command, data } => {
            let done = door.with(|room| {
                let (_, entry) = entry(room, &session, &command)?;
                if entry.ends.is_some() {
                    return Err(Failure::wrong("the command is not running, so it reads no input"));
                }
                entry.log.push(Stream::Out, &data.0, LOG_MOST);
                entry.ends = Some(Instant::now());
                Ok(())
            })?;
            reply(caller, &done).await
        }
        Request::Follow { session, command } => follow(door, &session, &command, caller).await,
    }
}

async fn follow(door: &Door, session: &str, command: &str, caller: &mut DuplexStream) -> Result<(), Stopped> {
    let number = match door.with(|room| entry(room, session, command).map(|(number, _)| number))? {
        Ok(number) => number,
        Err(failure) => return reply::<()>(caller, &Err(failure)).await,
    };
    reply(caller, &Ok(())).await?;
    let mut position = 0;
    loop {
        let next = door.with(|room| Some(entry(room, session, command).ok()?.1.log.at(position)))?;
        let Some(next) = next else { return Ok(()) };
        if let Some((said, after)) = next {
            send(caller, &said).await?;
            position = after;
            continue;
        }
        let code = tokio::select! {
            code = end(door, session, number) => code?,
            () = gone(caller) => return Ok(()),
        };
        let behind =
            door.with(|room| entry(room, session, command).is_ok_and(|(_, one)| one.log.end() > position))?;
        if !behind {
            return Ok(send(caller, &Output::Ended(End { code, timed_out: false })).await?);
        }
    }
}

/// Waits for a command's end; its code, or that of a command that was forgotten.
async fn end(door: &Door, session: &str, number: usize) -> Result<u8, Stopped> {
    let (ends, code) = door
        .find(|room| match entry(room, session, &number.to_string()) {
            Ok((_, entry)) => entry.ends.map(|ends| (ends, entry.code)),
            Err(_) => Some((Instant::now(), u8::MAX)),
        })
        .await?;
    sleep_until(ends).await;
    Ok(code)
}

fn create(room: &mut Room<'_>, name: &str) -> Reply<()> {
    check_name(name)?;
    if room.sessions.contains_key(name) {
        return Err(Failure::Exists { what: format!("the session {name:?}") });
    }
    if room.sessions.len() >= SESSIONS_MOST {
        return Err(Failure::TooMany { what: "sessions".to_owned(), most: SESSIONS_MOST as u64 });
    }
    let session = Session { stage: Stage::home(room.plan), commands: Vec::new(), open: true };
    room.sessions.insert(name.to_owned(), session);
    Ok(())
}

fn execute(room: &mut Room<'_>, name: &str, text: &str) -> Reply<usize> {
    let session = find(room, name)?;
    if !session.open {
        return Err(Failure::Ended { what: format!("the session {name:?}") });
    }
    let mut stage = session.stage.clone();
    let done = shell::shell(text, &mut room.setting(&mut stage))?;
    let session = find(room, name)?;
    session.stage = stage;
    session.open = !done.exits;
    let before = session.commands.last().and_then(|entry| entry.ends);
    let begins = before.map_or_else(Instant::now, |before| before.max(Instant::now()));
    let mut log = Log::default();
    log.push(Stream::Out, &done.stdout, LOG_MOST);
    log.push(Stream::Err, &done.stderr, LOG_MOST);
    let ends = (!done.reads).then(|| begins + done.lasts);
    session.commands.push(Entry { text: text.to_owned(), ends, code: done.code, log });
    Ok(session.commands.len())
}

fn find<'a>(room: &'a mut Room<'_>, name: &str) -> Reply<&'a mut Session> {
    room.sessions.get_mut(name).ok_or_else(|| missing(name))
}

/// A command and its number, which is its id.
fn entry<'a>(room: &'a mut Room<'_>, session: &str, command: &str) -> Reply<(usize, &'a mut Entry)> {
    let found = find(room, session)?;
    let number = command.parse::<usize>().unwrap_or_default();
    let entry = found.commands.get_mut(number.wrapping_sub(1));
    let missing = || Failure::Missing { what: format!("the command {command:?} of the session {session:?}") };
    Ok((number, entry.ok_or_else(missing)?))
}

fn missing(name: &str) -> Failure {
    Failure::Missing { what: format!("the session {name:?}") }
}

impl Session {
    fn describe(&self, name: &str) -> Described {
        let commands = self.commands.iter().zip(1..).map(|(entry, number)| entry.describe(number)).collect();
        Described { id: name.to_owned(), commands, open: self.open }
    }
}

impl Entry {
    fn describe(&self, number: usize) -> Command {
        let code = self.ends.filter(|ends| *ends <= Instant::now()).map(|_| self.code);
        Command { id: number.to_string(), command: self.text.clone(), code }
    }

    fn logs(&self) -> Logs {
        Logs { pieces: self.log.all() }
    }
}
