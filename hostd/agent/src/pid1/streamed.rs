//! Running a command with somebody who stays with it.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::Builder;
use std::time::{Duration, Instant};

use hourglass_agent::frame::{read, write};
use hourglass_agent::{Bytes, Failure, Feed, Output, Program, Reply};

use crate::children::{Heard, Started};
use crate::command::{dressed, outcome, spawn};
use crate::pump::{GoesOn, never_block, pump, write_for};
use crate::serve::say;
use crate::world::{World, lock};

/// Run `program` for `caller`, who hears what it says and is heard. Whoever does not listen holds it up.
pub(crate) fn start(world: &Arc<World>, program: &Program, caller: &UnixStream) {
    if let Err(failure) = stay(world, program, caller) {
        say::<Reply<()>>(caller, &Err(failure));
    }
}

fn stay(world: &Arc<World>, program: &Program, caller: &UnixStream) -> Result<(), Failure> {
    let began = Instant::now();
    let failed = |error: io::Error| Failure::System {
        doing: "stay with the command".to_owned(),
        error: error.to_string(),
    };
    let name = program.argv.first().cloned().unwrap_or_default();
    let mut command = dressed(world, program)?;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let goes_on = GoesOn::new().map_err(failed)?;
    let listener = Arc::new(Mutex::new(caller.try_clone().map_err(failed)?));
    let feeder = caller.try_clone().map_err(failed)?;
    let (pid, Started { mut child, hang_up, heard }) = spawn(world, command, &name)?;

    say::<Reply<()>>(caller, &Ok(()));
    let stdin = child.stdin.take().map(|pipe| File::from(OwnedFd::from(pipe)));
    let fed = Arc::clone(world);
    let feeding = Builder::new().name("input".to_owned());
    let feeding = feeding.spawn(move || feed(&fed, pid, stdin, &feeder, &hang_up));
    let stdout = child.stdout.take().map(|pipe| speak(pipe, &goes_on, &listener, Output::Stdout));
    let stderr = child.stderr.take().map(|pipe| speak(pipe, &goes_on, &listener, Output::Stderr));
    let started = feeding.is_ok() && [&stdout, &stderr].iter().all(|pumped| matches!(pumped, Some(Ok(_))));
    if !started {
        // Without the threads it needs it could not be stayed with.
        world.children.kill_group(pid);
    }
    let deadline = program.timeout_micros.map(|micros| began + Duration::from_micros(micros));
    let end = outcome(&world.children, pid, &heard, deadline);
    drop(goes_on);
    for carried in [stdout, stderr].into_iter().flatten().flatten() {
        let _ = carried.recv();
    }
    say(&lock(&listener), &Output::Ended(end));
    Ok(())
}

/// Say what comes from `pipe`, as `kind`.
fn speak(
    pipe: impl Into<OwnedFd>,
    goes_on: &GoesOn,
    listener: &Arc<Mutex<UnixStream>>,
    kind: fn(Bytes) -> Output,
) -> io::Result<Receiver<()>> {
    let listener = Arc::clone(listener);
    pump(pipe, goes_on.over(), move |bytes| {
        // When the caller is gone the command is killed; until then its output goes nowhere.
        let _ = write(&*lock(&listener), &kind(Bytes::from(bytes)));
    })
}

/// Do what the caller says, until it goes or says what nobody understands.
fn feed(world: &World, pid: i32, mut stdin: Option<File>, caller: &UnixStream, hang_up: &Sender<Heard>) {
    if let Some(pipe) = &stdin {
        // What cannot be made so only blocks.
        let _ = never_block(pipe);
    }
    while let Ok(said) = read::<Feed>(caller) {
        match said {
            Feed::Stdin(Bytes(bytes)) => {
                if let Some(pipe) = &stdin
                    && write_for(caller, pipe, &bytes).is_err()
                {
                    // It reads no more; what else comes for it is dropped, as a shell's pipe would break.
                    stdin = None;
                }
            }
            Feed::End => stdin = None,
            Feed::Signal(signal) => world.children.signal_group(pid, i32::from(signal)),
        }
    }
    let _ = hang_up.send(Heard::HungUp);
}
