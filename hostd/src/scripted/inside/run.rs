//! Pretended commands.

use std::time::Duration;

use hourglass_agent::client::{Frames, send};
use hourglass_agent::{Bytes, End, Failure, Feed, Output, Program, Ran, Run};
use tokio::io::{DuplexStream, split};
use tokio::time::{Instant, sleep_until};

use super::{Door, Stopped, gone, reply};
use crate::scripted::files::whole;
use crate::scripted::shell::{self, Done, Stage};

/// The code of a command that was killed.
const KILLED: u8 = 137;

/// How far off a time-out is that never comes.
const NEVER: Duration = Duration::from_secs(1 << 30);

pub(super) async fn to_its_end(door: &Door, run: &Run, caller: &mut DuplexStream) -> Result<(), Stopped> {
    let began = Instant::now();
    let done = match begin(door, &run.program)? {
        Ok(done) => done,
        Err(failure) => return reply::<Ran>(caller, &Err(failure)).await,
    };
    let limit = limit(&run.program);
    let timed_out = limit < done.lasts;
    tokio::select! {
        () = sleep_until(began + limit.min(done.lasts)) => {}
        // A caller that leaves ends its command.
        () = gone(caller) => return Ok(()),
    }
    let Done { code, mut stdout, mut stderr, .. } = done;
    if run.merged {
        stdout.append(&mut stderr);
    }
    let keep = usize::try_from(run.keep).unwrap_or(usize::MAX);
    let mut dropped = 0;
    for stream in [&mut stdout, &mut stderr] {
        dropped += stream.len().saturating_sub(keep) as u64;
        stream.truncate(keep);
    }
    let code = if timed_out { KILLED } else { code };
    reply(caller, &Ok(Ran { code, stdout: Bytes(stdout), stderr: Bytes(stderr), dropped, timed_out })).await
}

pub(super) async fn staying(
    door: &Door,
    program: &Program,
    caller: &mut DuplexStream,
) -> Result<(), Stopped> {
    let began = Instant::now();
    let done = match begin(door, program)? {
        Ok(done) => done,
        Err(failure) => return reply::<()>(caller, &Err(failure)).await,
    };
    reply(caller, &Ok(())).await?;
    let (reader, mut writer) = split(caller);
    let Done { mut code, stdout, stderr, lasts, mut reads, exits: _ } = done;
    for (kind, bytes) in [(Output::Stdout as fn(Bytes) -> Output, stdout), (Output::Stderr, stderr)] {
        for chunk in bytes.chunks(hourglass_agent::frame::CHUNK) {
            send(&mut writer, &kind(Bytes::from(chunk))).await?;
        }
    }
    let mut frames = Frames::new(reader);
    let limit = limit(program);
    let mut timed_out = false;
    loop {
        let ends = began + if reads { limit } else { limit.min(lasts) };
        let said = tokio::select! {
            biased;
            said = frames.next::<Feed>() => said?,
            () = sleep_until(ends) => {
                timed_out = limit < lasts || reads;
                break;
            }
        };
        match said {
            // A caller that leaves ends its command.
            None => return Ok(()),
            Some(Feed::Stdin(bytes)) if reads => send(&mut writer, &Output::Stdout(bytes)).await?,
            Some(Feed::Stdin(_)) => {}
            Some(Feed::End) => reads = false,
            Some(Feed::Signal(signal)) => {
                code = signal.saturating_add(128);
                break;
            }
        }
    }
    let code = if timed_out { KILLED } else { code };
    Ok(send(&mut writer, &Output::Ended(End { code, timed_out })).await?)
}

/// What the command does at once.
fn begin(door: &Door, program: &Program) -> Result<Result<Done, Failure>, Stopped> {
    door.with(|room| {
        let mut stage = Stage::home(room.plan);
        stage.env.extend(program.env.iter().cloned());
        if let Some(cwd) = &program.cwd {
            let cwd = whole(&stage.cwd, cwd);
            if !room.files.is_folder(&cwd) {
                return Err(Failure::wrong(format!("the working directory {cwd:?} is not a directory")));
            }
            stage.cwd = cwd;
        }
        shell::run(&program.argv, &mut room.setting(&mut stage))
    })
}

fn limit(program: &Program) -> Duration {
    program.timeout_micros.map_or(NEVER, Duration::from_micros).min(NEVER)
}
