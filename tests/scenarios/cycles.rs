//! Sandboxes that are created, used and deleted, one after the other, leave nothing behind: not on the machine, not in
//! the data directory, and not in the process that served them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use hourglass_tests::hourglass::{printed, run};
use hourglass_tests::{Census, Ground, Need, Up, may_run};
use rustix::process::Signal;
use serde_json::{Value, json};

/// How many sandboxes there are, one after the other.
const CYCLES: usize = 30;
/// Names how many instead.
const VARIABLE: &str = "HOURGLASS_CYCLES";
/// How many there are before it is looked what is there: what is opened once stays open.
const FIRST: usize = 3;

/// How long connections may take to close once their clients have.
const CLOSING: Duration = Duration::from_secs(30);

/// What could be left behind.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    /// Of the machine and of the data directory, the vault's entries included.
    census: Census,
    /// Of the process.
    descriptors: BTreeMap<String, usize>,
}

impl Traces {
    fn of(up: &Up, ground: &Ground) -> Self {
        Self { census: Census::of(ground.data()), descriptors: up.descriptors() }
    }

    /// What there is that there was not before. A connection that was still being closed then is not missed now.
    fn since(self, before: &Self) -> Vec<String> {
        let fewer = |kind: &String| before.descriptors.get(kind).copied().unwrap_or_default();
        let more = self.descriptors.into_iter().filter(|(kind, count)| *count > fewer(kind));
        let more = more.map(|(kind, count)| format!("{count} descriptors of {kind}"));
        let rest = (self.census != before.census).then(|| format!("{:?}", self.census));
        more.chain(rest).collect()
    }
}

#[test]
fn sandboxes_that_come_and_go_leave_nothing_behind() {
    if !may_run("sandboxes_that_come_and_go_leave_nothing_behind", Need::Native) {
        return;
    }
    let cycles = std::env::var(VARIABLE).map_or(CYCLES, |text| text.parse().unwrap());
    let ground = Ground::with_runtimes();
    let up = Up::start(ground.data(), &[]);
    (0..FIRST).for_each(|_| cycle(&up));
    let before = Traces::of(&up, &ground);
    assert!(before.census.is_quiet() && before.census.disks == 0, "{before:?}");

    let begun = Instant::now();
    (0..cycles).for_each(|_| cycle(&up));
    let each = begun.elapsed() / u32::try_from(cycles).unwrap();
    let ended = Instant::now();
    // Not by a macro, whose output the test runner keeps to itself when the test passes.
    let _ = writeln!(std::io::stderr(), "{cycles} cycles of create, exec and delete, {each:?} each");

    // Connections are closed by and by.
    let mut left = Traces::of(&up, &ground).since(&before);
    while !left.is_empty() && ended.elapsed() < CLOSING {
        std::thread::yield_now();
        left = Traces::of(&up, &ground).since(&before);
    }
    assert!(left.is_empty(), "left behind: {left:?}");
    assert!(up.end(Signal::TERM).success());
    assert!(printed(&run(&["verify"], ground.data())).contains("intact"));
}

/// One sandbox, from the first to the last of it.
fn cycle(up: &Up) {
    let created = in_time(up, "POST", "/sandbox", &json!({ "env": { "WORD": "secret" } }));
    assert_eq!(created["state"], "started", "{created}");
    let id = created["id"].as_str().unwrap();
    let asked = json!({ "command": "echo $WORD" });
    let ran = in_time(up, "POST", &format!("/toolbox/{id}/process/execute"), &asked);
    assert_eq!((&ran["exitCode"], &ran["result"]), (&json!(0), &json!("secret\n")), "{ran}");
    in_time(up, "DELETE", &format!("/sandbox/{id}"), &json!({}));
    let gone = |up: &Up| (up.ask("GET", &format!("/sandbox/{id}"), None).status == 404).then_some(());
    up.until("the end of the sandbox", gone);
}

/// What is answered, once there are not too many creations in this minute.
fn in_time(up: &Up, method: &str, path: &str, body: &Value) -> Value {
    let asked = |up: &Up| Some(up.ask(method, path, Some(body))).filter(|answer| answer.status != 429);
    let answer = up.until("an answer", asked);
    assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
    answer.body
}
