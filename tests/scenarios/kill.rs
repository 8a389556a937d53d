//! kill -9 of the whole process after each step of create, stop, start and delete.
//!
//! A first, undisturbed run says which steps each operation passes, in engine and driver, and how often. Then, for
//! each passing of each step, a process is killed right after it. A second, started in the same data directory, is
//! killed the first time it passes that step, be it while it takes over; a third repeats the request under its key.
//! Whatever was killed when, the log must say that everything happened once, and the machine must be as it would be
//! without the deaths.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use hourglass_events::Image;
use hourglass_tests::audit::Audit;
use hourglass_tests::{Census, Ground, Need, may_run};

/// What is killed at.
const OPERATIONS: &[&str] = &["create", "stop", "kill", "start", "delete"];

/// One life, by force of habit: words for `whole`. A death at an operation is followed by that operation again.
const GENTLE: &[&str] = &[
    "create",
    BOOTED_ONCE,
    WRITE,
    "census",
    "stop",
    "census",
    "start",
    BOOTED_TWICE,
    READ,
    "census",
    "delete",
];
/// The same with the stop by force.
const FORCED: &[&str] = &[
    "create",
    BOOTED_ONCE,
    WRITE,
    "census",
    "kill",
    "census",
    "start",
    BOOTED_TWICE,
    READ,
    "census",
    "delete",
];

const WRITE: &str = "run=echo kept > note && sync";
/// What is on its disk, and the variable that its vault has.
const READ: &str = "run=echo $(cat note) $WORD";
const BOOTED_ONCE: &str = "until=n=$(cat /var/tmp/boots 2>&- | wc -l); [ $n -lt 1 ] || echo $n";
const BOOTED_TWICE: &str = "until=n=$(cat /var/tmp/boots 2>&- | wc -l); [ $n -lt 2 ] || echo $n";

/// Counts its boots on its disk.
const ENTRYPOINT: &[&str] = &["sh", "-c", "echo boot >> /var/tmp/boots; exec sleep infinity"];

/// What the log must say of the sandbox, once each, whatever was killed when.
const LIFE: &[&str] = &[
    "PullBegan",
    "SnapshotReady",
    "Booted",
    "StopBegan",
    "Exited",
    "BootBegan",
    "Booted",
    "DeleteBegan",
    "Removed",
];

/// A life that is cut short here was begun and never answered for. It is ended and begun again, which the entrypoint
/// notices and nobody else.
const HALF_BOOTED: &[&str] = &["container.started", "agent.answered"];

/// Steps that none of these lives passes, and why.
const UNREACHED: &[(&str, &str)] = &[
    ("pool.network.ready", IN_ITS_OWN_TIME),
    ("pool.disk.ready", IN_ITS_OWN_TIME),
    ("network.taken", IN_ITS_OWN_TIME),
    ("disk.taken", IN_ITS_OWN_TIME),
    ("engine.vault.copied", "only machines are forked, and this host runs none"),
];
const IN_ITS_OWN_TIME: &str = "a pool is filled in the background, so that no two lives pass the same; the driver's own crash test has one";

/// Cases at work at once; most of their time they wait for a disk.
const WORKERS: usize = 3;

/// One death.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Case {
    operation: &'static str,
    step: String,
    passing: usize,
}

/// What an undisturbed life looks like.
#[derive(Debug)]
struct Model {
    /// The answers of its words.
    answers: Vec<String>,
    /// What is on the machine before and after it.
    nothing: Census,
    /// The steps each operation passes.
    steps: BTreeMap<&'static str, Vec<String>>,
}

#[test]
fn deaths_after_any_step_of_any_operation_are_made_good_by_the_next_start() {
    if !may_run("deaths_after_any_step_of_any_operation_are_made_good_by_the_next_start", Need::Native) {
        return;
    }
    let begun = Instant::now();
    let models = BTreeMap::from([("gentle", model(GENTLE).unwrap()), ("forced", model(FORCED).unwrap())]);
    let cases = cases(&models);
    assert_complete(&cases);
    let count = cases.len();
    let queue = Mutex::new(VecDeque::from(cases.clone()));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let Some(case) = queue.lock().unwrap().pop_front() else { return };
                    if let Err(error) = die(&case, &models) {
                        failures.lock().unwrap().push(format!("{case:?}: {error:#}"));
                    }
                }
            });
        }
    });
    // Not by a macro, whose output the test runner keeps to itself when the test passes.
    let _ = writeln!(
        std::io::stderr(),
        "{}{count} deaths, each with a second one when starting again, in {:.0} s",
        table(&cases),
        begun.elapsed().as_secs_f64()
    );
    for (step, why) in UNREACHED {
        let _ = writeln!(std::io::stderr(), "none after {step}: {why}");
    }
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {count} were not made good:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// The words of the life that has `operation` in it, and its name.
fn life_with(operation: &str) -> (&'static str, &'static [&'static str]) {
    if operation == "kill" { ("forced", FORCED) } else { ("gentle", GENTLE) }
}

/// Live once undisturbed and see what that is like.
fn model(words: &'static [&'static str]) -> anyhow::Result<Model> {
    let (ground, image) = Ground::with_image(ENTRYPOINT);
    whole(&ground, &image, &[])?;
    let nothing = Census::of(ground.data());
    ensure!(nothing.is_quiet(), "an empty system is {nothing}");
    let mut script = Vec::new();
    for word in words {
        if OPERATIONS.contains(word) {
            script.extend(["count", word, "steps"]);
        } else {
            script.push(word);
        }
    }
    let answers = answers(&whole(&ground, &image, &script)?)?;
    let mut steps = BTreeMap::new();
    let mut kept = Vec::new();
    let mut operation = "";
    for (word, answer) in script.iter().zip(answers) {
        match *word {
            "count" => {}
            "steps" => drop(steps.insert(operation, answer.split(' ').map(str::to_owned).collect())),
            word => {
                operation = word;
                kept.push(answer);
            }
        }
    }
    let model = Model { answers: kept, nothing, steps };
    afterwards(&ground, &model)?;
    Ok(model)
}

/// Every passing of every step of every operation.
fn cases(models: &BTreeMap<&'static str, Model>) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in OPERATIONS {
        let mut passings = BTreeMap::<&str, usize>::new();
        for step in &models[life_with(operation).0].steps[operation] {
            let passing = passings.entry(step).or_default();
            *passing += 1;
            cases.push(Case { operation, step: step.clone(), passing: *passing });
        }
    }
    cases
}

/// Every step that engine and driver have a name for is fatal to some life, but for the listed ones.
fn assert_complete(cases: &[Case]) {
    let swept: BTreeSet<&str> = cases.iter().map(|case| case.step.as_str()).collect();
    let named = hourglass_engine::step::STEPS.iter().chain(hourglass_hostd::step::STEPS).copied();
    let unreached: BTreeSet<&str> = UNREACHED.iter().map(|(step, _)| *step).collect();
    let expected: BTreeSet<&str> = named.filter(|step| !unreached.contains(step)).collect();
    assert_eq!(swept, expected, "steps that were fatal, and those that should be");
}

/// Die as `case` says, and again when starting, start once more, and compare with a life in which nobody died.
fn die(case: &Case, models: &BTreeMap<&'static str, Model>) -> anyhow::Result<()> {
    let (name, words) = life_with(case.operation);
    let model = &models[name];
    let (ground, image) = Ground::with_image(ENTRYPOINT);
    let at = words.iter().position(|word| *word == case.operation).unwrap();
    let fatal = format!("die={}:{}", case.step, case.passing);
    let first =
        program(&ground, &image, &[&words[..at], &[&fatal, case.operation, "survive"]].concat()).output()?;
    ensure!(
        first.status.signal() == Some(9),
        "it did not die there but {}: {}",
        first.status,
        complaint(&first)
    );

    let mut second = program(&ground, &image, &[case.operation]);
    let second = second.env(hourglass_step::VARIABLE, &case.step).output()?;
    let ended = second.status.success() || second.status.signal() == Some(9);
    ensure!(ended, "the second neither died nor lived but {}: {}", second.status, complaint(&second));

    let third = whole(&ground, &image, &words[at..])?;
    let given = answers(&third)?;
    let wanted = &model.answers[at..];
    let id = &given[0];
    for ((word, given), wanted) in words[at..].iter().zip(&given).zip(wanted) {
        match *word {
            word if OPERATIONS.contains(&word) => ensure!(given == id, "{word} was about {given}, not {id}"),
            BOOTED_ONCE | BOOTED_TWICE => {
                let half = if HALF_BOOTED.contains(&case.step.as_str()) { 2 } else { 0 };
                let most = wanted.parse::<u32>()? + half;
                let boots = given.parse::<u32>()?;
                ensure!(boots <= most, "it was booted {boots} times, not {most}");
            }
            word => ensure!(given == wanted, "{word:?} found {given:?}, not {wanted:?}"),
        }
    }
    let subjects = afterwards(&ground, model)?;
    ensure!(
        subjects.iter().all(|subject| subject.contains(id.as_str())),
        "{id} was answered, {subjects:?} made"
    );
    Ok(())
}

/// Nothing is left, and the log is intact and says that everything happened once.
fn afterwards(ground: &Ground, model: &Model) -> anyhow::Result<Vec<String>> {
    let left = Census::of(ground.data());
    ensure!(left == model.nothing, "left over: {left:?}");
    let audit = Audit::of(ground.data()).context("the log is not intact")?;
    let (subjects, events): (Vec<_>, Vec<_>) = audit.sandboxes().into_iter().unzip();
    ensure!(events == LIFE, "the log tells of {events:?}");
    ensure!(audit.fleet.sandboxes().next().is_none(), "a sandbox is left in the log");
    Ok(subjects)
}

/// Run `whole` to its good end.
fn whole(ground: &Ground, image: &Image, words: &[&str]) -> anyhow::Result<Output> {
    let output = program(ground, image, words).output()?;
    ensure!(output.status.success(), "{}: {}", output.status, complaint(&output));
    Ok(output)
}

fn program(ground: &Ground, image: &Image, words: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_whole"));
    program.env("RUST_BACKTRACE", "0").arg(ground.data()).arg(&image.digest).args(words).stdin(Stdio::null());
    program
}

/// What it said for every word it was told.
fn answers(output: &Output) -> anyhow::Result<Vec<String>> {
    let text = String::from_utf8(output.stdout.clone())?;
    let answer = |line: &str| match line.rsplit_once('\t') {
        Some((_, answer)) => Ok(answer.to_owned()),
        None => bail!("{line:?} is no answer"),
    };
    text.lines().map(answer).collect()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// Steps down, operations across, in each field the passings that were fatal.
fn table(cases: &[Case]) -> String {
    let mut order: Vec<&str> = Vec::new();
    for case in cases {
        if !order.contains(&case.step.as_str()) {
            order.push(&case.step);
        }
    }
    let row = |title: &str, fields: Vec<String>| {
        fields.iter().fold(format!("{title:<27}"), |row, field| row + &format!("{field:>8}")) + "\n"
    };
    let mut table = row("deaths after", OPERATIONS.iter().map(|op| (*op).to_owned()).collect());
    for step in order {
        let count = |op: &str| cases.iter().filter(|case| case.operation == op && case.step == step).count();
        let shown = |op: &&str| match count(op) {
            0 => "·".to_owned(),
            count => count.to_string(),
        };
        table += &row(step, OPERATIONS.iter().map(shown).collect());
    }
    table
}
