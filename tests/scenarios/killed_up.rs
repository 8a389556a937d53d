//! `hourglass up` is killed, again and again, while clients of the public SDK create sandboxes: each request that was
//! accepted is carried out exactly once, and asking again under its key tells what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use hourglass_tests::audit::Audit;
use hourglass_tests::hourglass::{printed, run};
use hourglass_tests::{Census, Ground, Need, Sdk, Up, may_run};
use rustix::process::Signal;

/// How many sandboxes are created at once.
const MANY: usize = 20;
/// How many there are each time it is killed.
const KILLS: &[usize] = &[1, 8, 15];

#[test]
fn creations_survive_an_up_that_is_killed_exactly_once() {
    let test = "creations_survive_an_up_that_is_killed_exactly_once";
    if may_run(test, Need::Sdk) && may_run(test, Need::Native) {
        survive(&[]);
    }
}

#[test]
fn creations_from_a_pool_survive_an_up_that_is_killed_exactly_once() {
    let test = "creations_from_a_pool_survive_an_up_that_is_killed_exactly_once";
    if may_run(test, Need::Sdk) && may_run(test, Need::Native) {
        survive(&["--pool", "3"]);
    }
}

fn survive(arguments: &[&str]) {
    let (ground, place) = (Ground::with_runtimes(), Up::free_place());
    let mut up = Up::start_at(&place, ground.data(), arguments);
    let clients = Clients::start(&up);
    let mut cut_short = 0;
    for kill_at in KILLS {
        up.until("enough creations", |up| (sandboxes(up).len() >= *kill_at).then_some(()));
        cut_short += usize::from(clients.answered() < MANY);
        up.kill();
        up = Up::start_at(&place, ground.data(), arguments);
    }
    assert!(cut_short > 0, "all was done before the first kill");

    let answered = clients.all();
    let ids: BTreeSet<&String> = answered.values().collect();
    assert_eq!((answered.len(), ids.len()), (MANY, MANY), "each key has an id of its own");
    assert_eq!(Clients::start(&up).all(), answered, "asked again, each key has the same id");
    let started = |up: &Up| {
        let found = sandboxes(up);
        found.values().all(|state| state == "started").then_some(found)
    };
    let found = up.until("the end of all creations", started);
    assert_eq!(found.keys().collect::<BTreeSet<_>>(), ids, "none is doubled, none is lost");
    let census = Census::of(ground.data());
    assert_eq!(census.disks, MANY, "on the machine there is one of each: {census}");
    assert!(up.end(Signal::TERM).success());

    exactly_once(&ground, &ids);
    assert!(printed(&run(&["verify"], ground.data())).contains("intact"));
    // What was kept ready is given back by one that keeps nothing.
    delete_all(&Up::start(ground.data(), &[]), &ids);
    let left = Census::of(ground.data());
    assert!(left.is_quiet() && left.disks == 0, "left over: {left:?}");
}

/// Each sandbox was accepted once and came up once, whatever was done twice on the way.
fn exactly_once(ground: &Ground, ids: &BTreeSet<&String>) {
    let mut counts: BTreeMap<(String, &'static str), usize> = BTreeMap::new();
    for (subject, event) in Audit::of(ground.data()).unwrap().sandboxes() {
        *counts.entry((subject, event)).or_default() += 1;
    }
    let of = |id: &str, event: &str| {
        let ours = |((subject, name), _): &(&(String, &str), &usize)| subject.ends_with(id) && *name == event;
        counts.iter().filter(ours).map(|(_, count)| count).sum()
    };
    for id in ids {
        let (accepted, booted): (usize, usize) = (of(id, "PullBegan"), of(id, "Booted"));
        assert_eq!((accepted, booted), (1, 1), "{id}: {counts:?}");
    }
    let accepted: usize =
        counts.iter().filter(|((_, name), _)| *name == "PullBegan").map(|(_, count)| count).sum();
    assert_eq!(accepted, ids.len(), "nothing else was created");
}

fn delete_all(up: &Up, ids: &BTreeSet<&String>) {
    for id in ids {
        assert_eq!(up.ask("DELETE", &format!("/sandbox/{id}"), None).status, 200);
    }
    up.until("the end of all deletions", |up| sandboxes(up).is_empty().then_some(()));
}

/// The id and the state of each sandbox.
fn sandboxes(up: &Up) -> BTreeMap<String, String> {
    let body = up.ask("GET", "/sandbox", None).body;
    let word = |sandbox: &serde_json::Value, field: &str| sandbox[field].as_str().unwrap().to_owned();
    body["items"].as_array().unwrap().iter().map(|found| (word(found, "id"), word(found, "state"))).collect()
}

/// Clients that create, each under its key, until all are answered.
struct Clients {
    child: Child,
    reader: JoinHandle<()>,
    /// What they have printed.
    lines: Arc<Mutex<Vec<String>>>,
}

impl Clients {
    fn start(up: &Up) -> Self {
        let mut command = Sdk::Python.command("many.py");
        command.args(["once", &MANY.to_string()]).envs(up.environment());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let printed = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let reader = std::thread::spawn({
            let lines = Arc::clone(&lines);
            move || printed.for_each(|line| lines.lock().unwrap().push(line))
        });
        Self { child, reader, lines }
    }

    /// How many are answered by now.
    fn answered(&self) -> usize {
        self.lines.lock().unwrap().len()
    }

    /// Wait for all of them, and give the id that each key was answered with.
    fn all(mut self) -> BTreeMap<String, String> {
        self.reader.join().unwrap();
        assert!(self.child.wait().unwrap().success(), "a client gave up");
        let lines = self.lines.lock().unwrap();
        let words = lines.iter().map(|line| line.split(' ').collect::<Vec<_>>());
        words.map(|words| (words[0].to_owned(), words[1].to_owned())).collect()
    }
}
