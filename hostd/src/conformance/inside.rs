//! Claims about what is done inside a sandbox over a connection to its agent: commands somebody stays with, files,
//! sessions, terminals.

use hourglass_agent::client::{Agent, Error, Listening};
use hourglass_agent::files::Kind;
use hourglass_agent::ptys::{Create, Size, Stage};
use hourglass_agent::{Bytes, End, Failure, Output, Program, Run, VERSION};
use hourglass_events::Span;
use hourglass_tunnel::{Refused, Target};

use super::{BOX, Bench, GRACE, OTHER, booted, fine, made};
use crate::driver::Stream;

/// A connection to the agent of the sandbox.
async fn agent(bench: &dyn Bench) -> Agent<Box<dyn Stream>> {
    match bench.driver().connect(BOX, Target::Agent).await {
        Ok(stream) => Agent::over(stream),
        Err(refused) => panic!("no connection: {refused}"),
    }
}

/// The value of a request that must succeed.
#[track_caller]
fn good<T>(done: Result<T, Error>) -> T {
    match done {
        Ok(value) => value,
        Err(error) => panic!("the agent did not do it: {error}"),
    }
}

/// The agent's reason for not doing it.
#[track_caller]
fn failure<T: std::fmt::Debug>(done: Result<T, Error>) -> Failure {
    match done {
        Err(Error::Failed(failure)) => failure,
        other => panic!("no failure: {other:?}"),
    }
}

fn program(argv: &[&str]) -> Program {
    Program { argv: argv.iter().map(|&word| word.to_owned()).collect(), ..Program::default() }
}

/// Makes a file of these bytes.
async fn file(bench: &dyn Bench, path: &str, bytes: &[u8]) {
    let mut upload = good(agent(bench).await.write(path, None, false).await);
    good(upload.write(bytes).await);
    assert_eq!(good(upload.finish().await), bytes.len() as u64);
}

async fn bytes_of(bench: &dyn Bench, path: &str) -> Vec<u8> {
    good(good(agent(bench).await.read(path).await).whole(1 << 20).await)
}

/// All that is said, to its end.
async fn heard<S: tokio::io::AsyncRead>(listening: &mut Listening<S>) -> (Vec<u8>, Option<u8>) {
    let (mut bytes, mut code) = (Vec::new(), None);
    while let Some(said) = good(listening.next().await) {
        match said {
            Output::Stdout(Bytes(said)) | Output::Stderr(Bytes(said)) => bytes.extend(said),
            Output::Missed(count) => panic!("{count} bytes were missed"),
            Output::Ended(End { code: found, .. }) => code = Some(found),
        }
    }
    (bytes, code)
}

/// Whoever connects finds an agent that knows these words.
pub async fn a_connection_leads_to_an_agent_of_these_words(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    assert_eq!(good(agent(bench).await.ping().await), VERSION);
    let places = good(agent(bench).await.places().await);
    assert_eq!(places.user, bench.plan().user);
    assert!(places.home.ends_with(&places.user) && places.work == places.home, "{places:?}");
}

/// Neither before a boot nor after a halt is there anybody to connect to.
pub async fn a_connection_needs_a_running_sandbox(bench: &mut dyn Bench) {
    made(bench, BOX).await;
    let driver = bench.driver();
    let refused = async || driver.connect(BOX, Target::Agent).await.err();
    assert_eq!(refused().await, Some(Refused::NotRunning(BOX)));
    booted(bench, BOX).await;
    fine(driver.halt(BOX, GRACE).await);
    assert_eq!(refused().await, Some(Refused::NotRunning(BOX)));
    assert_eq!(driver.connect(OTHER, Target::Agent).await.err(), Some(Refused::NotRunning(OTHER)));
}

/// Nobody hangs on a sandbox that is gone.
pub async fn a_connection_breaks_when_its_sandbox_is_halted(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let mut running = good(agent(bench).await.start(program(&["sleep", "1000"])).await);
    let (_, said) =
        tokio::join!(async { fine(bench.driver().halt(BOX, Span::ZERO).await) }, running.output.next());
    // The command's own end may still be heard.
    assert!(matches!(said, Err(Error::Frame(_)) | Ok(Some(Output::Ended(_)))), "{said:?}");
}

/// A port where nobody listens is refused, and says so.
pub async fn a_port_where_nobody_listens_is_refused(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let refused = bench.driver().connect(BOX, Target::Port(9)).await.err();
    assert!(matches!(refused, Some(Refused::Port { port: 9, .. })), "{refused:?}");
}

/// Input and output are any bytes, and the command ends when its input does.
pub async fn a_command_somebody_stays_with_reads_and_writes(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let mut running = good(agent(bench).await.start(program(&["cat"])).await);
    let sent: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let feed = async {
        good(running.input.write(&sent).await);
        good(running.input.end().await);
    };
    let ((), (said, code)) = tokio::join!(feed, heard(&mut running.output));
    assert!(said == sent, "{} bytes came back of {}", said.len(), sent.len());
    assert_eq!(code, Some(0));
}

/// A signal reaches it, and its end says which.
pub async fn a_command_somebody_stays_with_gets_signals(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let mut running = good(agent(bench).await.start(program(&["sleep", "1000"])).await);
    good(running.input.signal(15).await);
    assert_eq!(heard(&mut running.output).await, (Vec::new(), Some(143)));
    let missing = agent(bench).await.start(program(&["no-such-program"])).await.map(drop);
    assert!(matches!(failure(missing), Failure::Unusable { .. }));
}

/// Both streams come as one when that is asked for.
pub async fn output_is_merged_when_asked_for(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let run = Run { program: program(&["sh", "-c", "echo out; cat /nowhere"]), merged: true, keep: 1_000 };
    let ran = good(agent(bench).await.run(run).await);
    let said = String::from_utf8_lossy(&ran.stdout.0).into_owned();
    assert!(said.starts_with("out\n") && said.contains("/nowhere") && ran.stderr.0.is_empty(), "{ran:?}");
}

/// A file is what was written to it, and has the permissions it was given.
pub async fn files_are_written_read_and_described(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let every: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    file(bench, "/tmp/bytes", &every).await;
    assert!(bytes_of(bench, "/tmp/bytes").await == every);
    let info = good(agent(bench).await.info("/tmp/bytes").await);
    assert_eq!((info.name.as_str(), info.kind, info.size, info.mode), ("bytes", Kind::File, 200_000, 0o644));
    assert_eq!(info.owner, bench.plan().user);
    let mut upload = good(agent(bench).await.write("note", Some(0o600), false).await);
    good(upload.write(b"kept").await);
    good(upload.finish().await);
    let home = good(agent(bench).await.places().await).home;
    let info = good(agent(bench).await.info(&format!("{home}/note")).await);
    assert_eq!((info.mode, info.size), (0o600, 4));
    good(agent(bench).await.set_permissions("note", Some(0o640), None, None).await);
    assert_eq!(good(agent(bench).await.info("note").await).mode, 0o640);
    // Written again, it keeps its permissions.
    file(bench, "note", b"new").await;
    assert_eq!(good(agent(bench).await.info("note").await).mode, 0o640);
    let mut deep = good(agent(bench).await.write("/tmp/a/b/c", None, true).await);
    good(deep.write(b"x").await);
    good(deep.finish().await);
    assert_eq!(bytes_of(bench, "/tmp/a/b/c").await, b"x");
}

/// An upload that is given up leaves nothing, and what was there before stays.
pub async fn an_upload_that_is_given_up_changes_nothing(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    good(agent(bench).await.make_folder("/tmp/up", None).await);
    file(bench, "/tmp/up/file", b"old").await;
    let mut upload = good(agent(bench).await.write("/tmp/up/file", None, false).await);
    good(upload.write(b"new").await);
    drop(upload);
    // Its part goes when the agent hears that nobody is there any more.
    while good(agent(bench).await.list("/tmp/up", 1).await).len() > 1 {}
    assert_eq!(bytes_of(bench, "/tmp/up/file").await, b"old");
}

/// Folders are listed to a depth; files get other names and go.
pub async fn files_are_listed_moved_and_removed(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    good(agent(bench).await.make_folder("/tmp/top/inner", Some(0o755)).await);
    file(bench, "/tmp/top/one", b"1").await;
    file(bench, "/tmp/top/inner/two", b"2").await;
    let listed = async |depth| -> Vec<String> {
        let found = good(agent(bench).await.list("/tmp/top", depth).await);
        found.into_iter().map(|info| info.path["/tmp/top/".len()..].to_owned()).collect()
    };
    assert_eq!(listed(1).await, ["inner", "one"]);
    assert_eq!(listed(2).await, ["inner", "inner/two", "one"]);
    good(agent(bench).await.rename("/tmp/top/one", "/tmp/top/inner/three").await);
    assert_eq!(listed(2).await, ["inner", "inner/three", "inner/two"]);
    let full = agent(bench).await.delete("/tmp/top", false).await;
    assert!(matches!(failure(full), Failure::Wrong { .. }));
    good(agent(bench).await.delete("/tmp/top/inner/two", false).await);
    good(agent(bench).await.delete("/tmp/top", true).await);
    assert!(matches!(failure(agent(bench).await.list("/tmp/top", 1).await), Failure::Missing { .. }));
}

/// What is not there, or is something else, is said.
pub async fn files_that_cannot_be_say_why(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let missing = |failure: Failure| assert!(matches!(failure, Failure::Missing { .. }), "{failure:?}");
    missing(failure(agent(bench).await.info("/no/such").await));
    missing(failure(agent(bench).await.read("/no/such").await));
    missing(failure(agent(bench).await.delete("/no/such", true).await));
    missing(failure(agent(bench).await.rename("/no/such", "/tmp/x").await));
    missing(failure(agent(bench).await.set_permissions("/no/such", Some(0o600), None, None).await));
    missing(failure(agent(bench).await.search("/no/such", "*").await));
    missing(failure(agent(bench).await.find("/no/such", "x").await));
    let upload = good(agent(bench).await.write("/no/such", None, false).await);
    missing(failure(upload.finish().await));
    let wrong = |failure: Failure| assert!(matches!(failure, Failure::Wrong { .. }), "{failure:?}");
    wrong(failure(agent(bench).await.read("/tmp").await));
    wrong(failure(agent(bench).await.find("/tmp", "").await));
    wrong(failure(agent(bench).await.list("/tmp", 0).await));
}

/// Files are found by name and by what stands in them, and text in them is replaced.
pub async fn files_are_searched_and_text_is_replaced(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    good(agent(bench).await.make_folder("/tmp/src/deep", None).await);
    file(bench, "/tmp/src/a.py", b"one\n# MARK: two\n").await;
    file(bench, "/tmp/src/deep/b.py", b"MARK: one MARK: two").await;
    file(bench, "/tmp/src/c.txt", b"\0MARK:").await;
    let found = good(agent(bench).await.search("/tmp/src", "*.py").await);
    assert_eq!(found, ["/tmp/src/a.py", "/tmp/src/deep/b.py"]);
    let found = good(agent(bench).await.find("/tmp/src", "MARK:").await);
    let found: Vec<_> = found.iter().map(|one| (one.file.as_str(), one.line, one.content.as_str())).collect();
    let expected = [("/tmp/src/a.py", 2, "# MARK: two"), ("/tmp/src/deep/b.py", 1, "MARK: one MARK: two")];
    assert_eq!(found, expected);
    let files = vec!["/tmp/src/deep/b.py".to_owned(), "/tmp/none".to_owned()];
    let replaced = good(agent(bench).await.replace(files, "MARK", "DONE").await);
    assert_eq!(replaced[0].failure, None);
    assert!(matches!(replaced[1].failure, Some(Failure::Missing { .. })), "{replaced:?}");
    assert_eq!(bytes_of(bench, "/tmp/src/deep/b.py").await, b"DONE: one DONE: two");
}

/// A session's shell goes on: where one command goes, the next begins.
pub async fn a_session_keeps_its_place_and_its_variables(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    good(agent(bench).await.create_session("work").await);
    let again = agent(bench).await.create_session("work").await;
    assert!(matches!(failure(again), Failure::Exists { .. }));
    let run = async |command: &str| good(agent(bench).await.execute("work", command, true).await);
    assert_eq!(run("cd /tmp; export COLOUR='light blue'").await.command.code, Some(0));
    let done = run("pwd; echo \"$COLOUR\"; cat /nowhere").await;
    assert_eq!(done.command.code, Some(1));
    assert_eq!(done.logs.stdout(), b"/tmp\nlight blue\n");
    assert!(!done.logs.stderr().is_empty(), "{done:?}");
    let session = good(agent(bench).await.session("work").await);
    assert_eq!((session.commands.len(), session.open), (2, true));
    let command = good(agent(bench).await.command("work", &done.command.id).await);
    assert_eq!(command, done.command);
    assert_eq!(good(agent(bench).await.sessions().await).len(), 1);
    good(agent(bench).await.delete_session("work").await);
    assert!(matches!(failure(agent(bench).await.session("work").await), Failure::Missing { .. }));
}

/// A command of a session needs nobody to wait for it, and whoever follows it hears it to its end.
pub async fn a_session_command_goes_on_by_itself(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    good(agent(bench).await.create_session("s").await);
    let begun = good(agent(bench).await.execute("s", "echo first; cat; exit 7", false).await).command;
    assert_eq!(begun.code, None);
    let mut following = good(agent(bench).await.follow("s", &begun.id).await);
    assert_eq!(good(following.next().await), Some(Output::Stdout(b"first\n".as_slice().into())));
    // What it reads it says, and then waits no more only because its session goes.
    while agent(bench).await.input("s", &begun.id, b"second\n").await.is_err() {}
    let mut said = Vec::new();
    while !said.ends_with(b"second\n") {
        match good(following.next().await) {
            Some(Output::Stdout(Bytes(bytes))) => said.extend(bytes),
            other => panic!("{other:?}"),
        }
    }
    let logs = good(agent(bench).await.logs("s", &begun.id).await);
    assert_eq!(logs.output(), b"first\nsecond\n");
    let missing = agent(bench).await.logs("s", "no-such").await;
    assert!(matches!(failure(missing), Failure::Missing { .. }));
}

/// A session whose shell was ended says so to whoever asks more of it.
pub async fn a_session_that_exits_is_over(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    good(agent(bench).await.create_session("s").await);
    let done = good(agent(bench).await.execute("s", "exit 7", true).await);
    assert_eq!(done.command.code, Some(7));
    let more = agent(bench).await.execute("s", "true", true).await;
    assert!(matches!(failure(more), Failure::Ended { .. }));
    assert!(!good(agent(bench).await.session("s").await).open);
}

fn terminal(name: &str) -> Create {
    let size = Size { cols: 97, rows: 31 };
    Create { pty: name.to_owned(), size, cwd: Some("/tmp".to_owned()), env: Vec::new(), lazy: false }
}

/// Waits until the screen has shown `text` since this was last asked.
async fn shown<S: tokio::io::AsyncRead>(screen: &mut Listening<S>, seen: &mut String, text: &str) {
    while !seen.contains(text) {
        match good(screen.next().await) {
            Some(Output::Stdout(Bytes(bytes))) => seen.push_str(&String::from_utf8_lossy(&bytes)),
            other => panic!("{other:?} came before {text:?} after {seen:?}"),
        }
    }
    seen.clear();
}

/// What is typed at a terminal is shown, and its programs know its size.
pub async fn a_terminal_echoes_and_knows_its_size(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let made = good(agent(bench).await.create_pty(terminal("t")).await);
    assert_eq!((made.stage, made.cwd.as_str()), (Stage::Running, "/tmp"));
    let mut at = good(agent(bench).await.attach("t").await);
    let mut seen = String::new();
    good(at.keys.write(b"stty size\n").await);
    shown(&mut at.screen, &mut seen, "31 97").await;
    let size = Size { cols: 120, rows: 40 };
    assert_eq!(good(agent(bench).await.resize_pty("t", size).await).size, size);
    good(at.keys.write(b"stty size; pwd\n").await);
    shown(&mut at.screen, &mut seen, "40 120").await;
    good(at.keys.resize(Size { cols: 80, rows: 25 }).await);
    good(at.keys.write(b"stty size\n").await);
    shown(&mut at.screen, &mut seen, "25 80").await;
    good(at.keys.write(b"exit 3\n").await);
    let (_, code) = heard(&mut at.screen).await;
    assert_eq!(code, Some(3));
    assert_eq!(good(agent(bench).await.pty("t").await).stage, Stage::Ended(3));
}

/// A terminal goes on without anybody, and shows whoever comes what it showed last.
pub async fn a_terminal_goes_on_without_anybody(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let lazy = Create { lazy: true, ..terminal("later") };
    assert_eq!(good(agent(bench).await.create_pty(lazy).await).stage, Stage::Waiting);
    let mut first = good(agent(bench).await.attach("later").await);
    let mut seen = String::new();
    good(first.keys.write(b"echo once; true\n").await);
    shown(&mut first.screen, &mut seen, "once\r\n").await;
    drop(first);
    let mut second = good(agent(bench).await.attach("later").await);
    shown(&mut second.screen, &mut seen, "once\r\n").await;
    let exists = agent(bench).await.create_pty(terminal("later")).await;
    assert!(matches!(failure(exists), Failure::Exists { .. }));
    let size = Size { cols: 0, rows: 2_000 };
    let wrong = agent(bench).await.create_pty(Create { size, ..terminal("none") }).await;
    assert!(matches!(failure(wrong), Failure::Wrong { .. }));
    assert_eq!(good(agent(bench).await.ptys().await).len(), 1);
    good(agent(bench).await.kill_pty("later").await);
    let (_, code) = heard(&mut second.screen).await;
    assert!(code.is_some());
    assert!(matches!(failure(agent(bench).await.pty("later").await), Failure::Missing { .. }));
}
