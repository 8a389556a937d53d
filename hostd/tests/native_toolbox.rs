//! What is done inside native containers over their agents: much of it, with whose rights, and what is left of it.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::time::Duration;

use hourglass_agent::client::{Agent, Error};
use hourglass_agent::ptys::{Create, Size};
use hourglass_agent::sessions::{LOG_MOST, SESSIONS_MOST};
use hourglass_agent::{Bytes, Failure, Output, Program};
use hourglass_events::{ExitCause, OrderNumber, Plan, SandboxId, Span};
use hourglass_hostd::driver::{Driver, Stream};
use hourglass_tunnel::Target;
use native_common::{Ground, may_run, plan};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A hundred megabytes, in chunks of one.
const MANY: usize = 100;
const CHUNK: usize = 1 << 20;

/// The most memory a process of the agent may have needed to carry them.
const MEMORY_MOST_KIB: u64 = 24 << 10;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

async fn agent(ground: &Ground, sandbox: SandboxId) -> Agent<Box<dyn Stream>> {
    Agent::over(ground.driver.connect(sandbox, Target::Agent).await.unwrap())
}

fn program(argv: &[&str]) -> Program {
    Program { argv: argv.iter().map(|&word| word.to_owned()).collect(), ..Program::default() }
}

/// The most memory any process of the agent has needed so far, in KiB, as a shell in the sandbox sees it.
async fn needed(ground: &Ground, sandbox: SandboxId) -> u64 {
    let script = "for s in /proc/[0-9]*/status; do grep -q 'Name:.agent' $s && grep VmHWM $s; done; true";
    let peaks = ground.sh(sandbox, script).await;
    let kib = |line: &str| line.split_whitespace().nth(1)?.parse().ok();
    peaks.lines().filter_map(kib).max().unwrap()
}

fn chunk(number: usize) -> Vec<u8> {
    vec![u8::try_from(number % 251).unwrap(); CHUNK]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_goes_up_and_down_in_little_memory() {
    if !may_run("a_large_file_goes_up_and_down_in_little_memory") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let mut upload = agent(&ground, sandbox).await.write("large", None, false).await.unwrap();
    for number in 0..MANY {
        upload.write(&chunk(number)).await.unwrap();
    }
    // While the last of it is still open, its process can be looked at.
    let during = needed(&ground, sandbox).await;
    assert_eq!(upload.finish().await.unwrap(), (MANY * CHUNK) as u64);

    let mut download = agent(&ground, sandbox).await.read("large").await.unwrap();
    assert_eq!(download.info.size, (MANY * CHUNK) as u64);
    let mut read = 0;
    while let Some(bytes) = download.next().await.unwrap() {
        for byte in bytes {
            assert_eq!(usize::from(byte), (read / CHUNK) % 251, "at {read}");
            read += 1;
        }
    }
    assert_eq!(read, MANY * CHUNK);
    let after = needed(&ground, sandbox).await;
    assert!(during.max(after) < MEMORY_MOST_KIB, "{during} KiB while it went up, {after} KiB in all");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn much_goes_through_a_command_in_little_memory() {
    if !may_run("much_goes_through_a_command_in_little_memory") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let running = agent(&ground, sandbox).await.start(program(&["cat"])).await.unwrap();
    let (mut input, mut output) = (running.input, running.output);
    let writing = async {
        for number in 0..MANY {
            input.write(&chunk(number)).await.unwrap();
        }
        input.end().await.unwrap();
    };
    let reading = async {
        let mut read = 0;
        loop {
            match output.next().await.unwrap() {
                Some(Output::Stdout(Bytes(bytes))) => read += bytes.len(),
                Some(Output::Ended(end)) => return (read, end.code),
                other => panic!("{other:?}"),
            }
        }
    };
    let ((), read) = tokio::join!(writing, reading);
    assert_eq!(read, (MANY * CHUNK, 0));
    let needed = needed(&ground, sandbox).await;
    assert!(needed < MEMORY_MOST_KIB, "{needed} KiB");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_worked_on_with_the_rights_of_the_user_and_no_others() {
    if !may_run("files_are_worked_on_with_the_rights_of_the_user_and_no_others") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    ground.sh(sandbox, "ln -s /etc/shadow /home/dev/link; echo mine > /home/dev/mine").await;
    let denied = |done: Result<(), Error>| {
        assert!(matches!(done, Err(Error::Failed(Failure::Denied { .. }))), "{done:?}");
    };
    let at = async || agent(&ground, sandbox).await;
    for path in ["/etc/shadow", "link", "/home/dev/link"] {
        denied(at().await.read(path).await.map(drop));
        denied(at().await.find(path, "root").await.map(drop));
    }
    denied(at().await.list("/root", 1).await.map(drop));
    denied(at().await.delete("/etc/passwd", false).await);
    denied(at().await.rename("/etc/passwd", "/home/dev/passwd").await);
    denied(at().await.make_folder("/usr/mine", None).await);
    denied(at().await.set_permissions("/etc/passwd", Some(0o666), None, None).await);
    denied(at().await.set_permissions("mine", None, Some("root".to_owned()), None).await);
    for path in ["/etc/passwd", "/etc/new"] {
        denied(at().await.write(path, None, false).await.unwrap().finish().await.map(drop));
    }
    // Neither what is the agent's nor the agent itself is the user's.
    denied(at().await.list("/.hourglass/run", 1).await.map(drop));
    denied(at().await.read("/proc/1/environ").await.map(drop));
    assert_eq!(
        ground.sh(sandbox, "(kill -9 1; ls /.hourglass/run) 2>/dev/null; id -un").await.lines().last(),
        Some("dev")
    );
    let owner = at().await.info("mine").await.unwrap().owner;
    assert_eq!(owner, "dev");

    // Root in the sandbox may, of course.
    let (rooted, plan) = (SandboxId::from_u128(2), Plan { user: "root".to_owned(), ..plan() });
    ground.driver.provision(rooted, OrderNumber(1), &plan).await.unwrap();
    ground.driver.boot(rooted, OrderNumber(1), &plan).await.unwrap();
    let read = agent(&ground, rooted).await.read("/etc/shadow").await.unwrap();
    assert!(!read.whole(1 << 20).await.unwrap().is_empty());
    for sandbox in [sandbox, rooted] {
        ground.driver.erase(sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_inside_is_reached() {
    if !may_run("a_port_inside_is_reached") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    agent(&ground, sandbox).await.create_session("web").await.unwrap();
    let serve = "echo hello > page; python3 -m http.server 8000 --bind 127.0.0.1";
    agent(&ground, sandbox).await.execute("web", serve, false).await.unwrap();
    let mut stream = loop {
        if let Ok(stream) = ground.driver.connect(sandbox, Target::Port(8000)).await {
            break stream;
        }
    };
    stream.write_all(b"GET /page HTTP/1.0\r\n\r\n").await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.0 200") && said.ends_with("hello\n"), "{said}");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shells_that_are_open_do_not_hold_up_a_stop() {
    if !may_run("shells_that_are_open_do_not_hold_up_a_stop") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    agent(&ground, sandbox).await.create_session("s").await.unwrap();
    agent(&ground, sandbox).await.execute("s", "sleep 1000", false).await.unwrap();
    agent(&ground, sandbox).await.create_pty(terminal()).await.unwrap();
    let mut at = agent(&ground, sandbox).await.attach("t").await.unwrap();
    at.keys.write(b"echo $((6*7))\n").await.unwrap();
    until(&mut at.screen, "42").await;
    let ended = ground.driver.halt(sandbox, Span::minutes(10));
    let ended = tokio::time::timeout(Duration::from_secs(120), ended).await;
    assert_eq!(ended.unwrap(), Ok(ExitCause::Stopped));
    ground.driver.erase(sandbox).await.unwrap();
}

fn terminal() -> Create {
    let size = Size { cols: 80, rows: 24 };
    Create {
        pty: "t".to_owned(),
        size,
        cwd: None,
        env: vec![("MINE".to_owned(), "1".to_owned())],
        lazy: false,
    }
}

async fn until(screen: &mut hourglass_agent::client::Listening<Box<dyn Stream>>, text: &str) {
    let mut seen = String::new();
    while !seen.contains(text) {
        match tokio::time::timeout(PATIENCE, screen.next()).await {
            Ok(Ok(Some(Output::Stdout(Bytes(bytes))))) => seen.push_str(&String::from_utf8_lossy(&bytes)),
            other => panic!("{other:?} instead of {text:?} after {seen:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_signals_reach_what_runs_at_a_terminal() {
    if !may_run("keys_that_are_signals_reach_what_runs_at_a_terminal") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    agent(&ground, sandbox).await.create_pty(terminal()).await.unwrap();
    let mut at = agent(&ground, sandbox).await.attach("t").await.unwrap();
    at.keys.write(b"sh -c 'echo be''gun; sleep 1000'\n").await.unwrap();
    until(&mut at.screen, "begun\r\n").await;
    at.keys.write(b"\x03").await.unwrap();
    until(&mut at.screen, "$ ").await;
    at.keys.write(b"echo code $?\n").await.unwrap();
    until(&mut at.screen, "code 130").await;
    at.keys.write(b"echo $USER-$MINE-$TERM; tty\n").await.unwrap();
    until(&mut at.screen, "dev-1-xterm-256color").await;
    // What is killed leaves nothing, in the background or not.
    at.keys.write(b"sleep 1004 & sleep 1004\n").await.unwrap();
    let count = "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -c '^1004$'";
    while ground.sh(sandbox, count).await != "2" {}
    agent(&ground, sandbox).await.kill_pty("t").await.unwrap();
    while ground.sh(sandbox, count).await != "0" {}
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_ends_the_command_it_stayed_with() {
    if !may_run("a_caller_that_leaves_ends_the_command_it_stayed_with") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let gone =
        "while grep -q 'sleep.[1]005' /proc/[0-9]*/cmdline 2>/dev/null; do sleep 0.02; done; echo gone";
    let mut running = agent(&ground, sandbox).await.start(program(&["sleep", "1005"])).await.unwrap();
    drop(running);
    assert_eq!(ground.sh(sandbox, gone).await, "gone");
    // Also one that does not read what it is told, with more under way than its pipe takes.
    running = agent(&ground, sandbox).await.start(program(&["sleep", "1005"])).await.unwrap();
    running.input.write(&vec![0; 100 << 10]).await.unwrap();
    drop(running);
    assert_eq!(ground.sh(sandbox, gone).await, "gone");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_survives_mistakes_and_what_it_leaves_in_the_background() {
    if !may_run("a_session_survives_mistakes_and_what_it_leaves_in_the_background") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    agent(&ground, sandbox).await.create_session("s").await.unwrap();
    let run = async |command: &str| {
        let done = agent(&ground, sandbox).await.execute("s", command, true).await.unwrap();
        (done.command.code.unwrap(), String::from_utf8(done.logs.stdout()).unwrap())
    };
    assert_ne!(run("if then ( '").await.0, 0);
    assert_eq!(run("f() { echo \"it's $1\"; }; cd /etc").await.0, 0);
    assert_eq!(run("f here; pwd # a comment").await, (0, "it's here\n/etc\n".to_owned()));
    assert_eq!(run("cat <<END\ntwo\nlines\nEND").await, (0, "two\nlines\n".to_owned()));
    assert_eq!(run("(exit 9)").await.0, 9);
    assert_eq!(run("exec > /dev/null; echo lost").await.1, "");
    assert_eq!(run("echo back").await.1, "back\n");

    // What goes on in the background neither holds up the answer nor dies of having nobody to write to.
    let script = "(while [ ! -e /tmp/go ]; do sleep 0.02; done; echo later; touch /tmp/wrote) &";
    let begun = agent(&ground, sandbox).await.execute("s", script, true).await.unwrap().command;
    ground.sh(sandbox, "touch /tmp/go; while [ ! -e /tmp/wrote ]; do sleep 0.02; done").await;
    while agent(&ground, sandbox).await.logs("s", &begun.id).await.unwrap().stdout() != b"later\n" {}
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_what_they_wrote_are_bounded() {
    if !may_run("sessions_and_what_they_wrote_are_bounded") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    for number in 0..SESSIONS_MOST {
        agent(&ground, sandbox).await.create_session(&format!("s{number}")).await.unwrap();
    }
    let more = agent(&ground, sandbox).await.create_session("more").await;
    assert!(matches!(more, Err(Error::Failed(Failure::TooMany { .. }))), "{more:?}");
    let done = agent(&ground, sandbox).await.execute("s0", "head -c 5000000 /dev/zero; echo end", true);
    let logs = done.await.unwrap().logs;
    let missed = 5_000_004 - LOG_MOST as u64;
    assert_eq!(logs.pieces.first(), Some(&Output::Missed(missed)));
    assert!(logs.stdout().len() == LOG_MOST && logs.stdout().ends_with(b"end\n"));
    for number in 0..SESSIONS_MOST {
        agent(&ground, sandbox).await.delete_session(&format!("s{number}")).await.unwrap();
    }
    assert_eq!(ground.sh(sandbox, "ls /dev/shm/.hourglass 2>&1 | grep -v denied | wc -l").await, "0");
    ground.driver.erase(sandbox).await.unwrap();
}
