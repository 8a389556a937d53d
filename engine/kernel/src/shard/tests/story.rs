//! Stories: what happens when, by whom, and what becomes of it, in columns.
//!
//! ```text
//! 0s     client  create a     -> PullBegan + h1 Pull
//! 1s     h1      done a       -> SnapshotReady + h1 Create
//! ```
//!
//! The outcome is all that becomes durable and all that is said because of the line. A default snapshot and a synced
//! host `h1` are there from the beginning. What happens between two lines must have a line of its own: `timer`.

mod outcome;
mod words;

use hourglass_events::{
    Class, Fault, Finding, HostId, Intent, OrderNumber, OrganizationId, SandboxId, Span, Subject,
};

use outcome::difference;
use words::{Words, cause, class, command, host, profile, resources, sandbox, shown, span};

use super::world::{ORGANIZATION, START, World};
use crate::fleet::tests::assert_indexed;
use crate::shard::{Input, Phase, ShardConfig};
use crate::terms::Terms;

/// Run `story` and compare what became of each line with what it says.
#[track_caller]
pub(super) fn check(story: &str) {
    let mut teller = Teller::new();
    teller.tell("client register default");
    teller.tell("h1 connect");
    teller.world.heard.clear();
    teller.run(story);
}

/// As [`check`], on other terms.
#[track_caller]
pub(super) fn check_on(change: impl FnOnce(&mut Terms), story: &str) {
    let mut config = ShardConfig::new(1);
    change(&mut config.terms);
    let mut teller = Teller { world: World::with(config), about: None };
    teller.tell("client register default");
    teller.tell("h1 connect");
    teller.world.heard.clear();
    teller.run(story);
}

/// As [`check`], but without a snapshot and without a host.
#[track_caller]
pub(super) fn check_bare(story: &str) {
    Teller::new().run(story);
}

struct Teller {
    world: World,
    /// What the present line is about; events of others say whose they are.
    about: Option<SandboxId>,
}

impl Teller {
    fn new() -> Self {
        Self { world: World::new(), about: None }
    }

    #[track_caller]
    fn run(&mut self, story: &str) {
        let (mut told, mut found) = (String::new(), String::new());
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (scene, outcome) = line.split_once("->").expect("every line has an outcome");
            let (time, words) = scene.trim().split_once(' ').expect("every line begins with a time");
            let at = START.after(span(time));
            self.about = None;
            self.world.pass(at.before(Span(1)));
            let unannounced = self.take_heard();
            if !unannounced.is_empty() {
                found += &format!("before {time}: {}\n", unannounced.join(" + "));
            }
            self.world.now = at;
            let mut outcome_found = self.tell(words.trim());
            self.world.pass(at);
            outcome_found.extend(self.take_heard());
            told += &format!("{} -> {}\n", scene.trim(), outcome.trim());
            found += &format!("{} -> {}\n", scene.trim(), outcome_found.join(" + "));
        }
        assert!(told == found, "the story goes otherwise:\n{}", difference(&told, &found));
        assert_indexed(self.world.shard.committed());
        assert_indexed(self.world.shard.proposed());
        if self.world.shard.is_quiet() && self.world.shard.phase() != Phase::Halted {
            let replayed = self.world.log.replay();
            assert_eq!(replayed.fleet().to_bytes(), self.world.shard.committed().to_bytes(), "replay");
        }
    }

    /// Let one line happen. What it says itself comes back; what the shard says is heard.
    fn tell(&mut self, line: &str) -> Vec<String> {
        let words = Words::of(line);
        match words.actor {
            "client" => self.client(ORGANIZATION, &words),
            "stranger" => self.client(OrganizationId::from_u128(0xbad), &words),
            "given" => self.given(&words),
            "look" => vec![self.look(sandbox(words.verb))],
            "timer" => Vec::new(),
            "log" => self.log(&words),
            name => self.host(host(name), &words),
        }
    }

    fn client(&mut self, organization: OrganizationId, words: &Words<'_>) -> Vec<String> {
        let command = command(words);
        self.about = words.plain.first().filter(|word| word.len() == 1).map(|letter| sandbox(letter));
        let before = self.world.shard.proposed().seq();
        let request = self.world.ask(organization, words.named.get("key").copied(), command);
        let recorded = self.world.shard.proposed().seq() != before;
        let mut outcome = self.take_heard();
        match self.world.replies.get(&request) {
            Some(Ok(_)) if recorded => {}
            Some(Ok(accepted)) if Some(accepted.subject) == self.about.map(Subject::Sandbox) => {
                outcome.push("already".to_owned());
            }
            Some(Ok(accepted)) => outcome.push(shown(&format!("already {}", accepted.subject))),
            Some(Err(refusal)) => outcome.push(shown(&format!("refused: {refusal}"))),
            None => outcome.push("no reply yet".to_owned()),
        }
        outcome
    }

    fn host(&mut self, id: HostId, words: &Words<'_>) -> Vec<String> {
        match words.verb {
            "join" | "connect" => {
                let room = words.named.get("room").map_or(resources("8/16/100"), |text| resources(text));
                let classes =
                    words.named.get("class").map_or(vec![Class::Container], |name| vec![class(name)]);
                if let Some(life) = words.named.get("life") {
                    self.world.hosts.entry(id).or_default().life = life.parse().expect("a number");
                }
                self.world.join_as(profile(id, words, classes, room));
                if words.verb == "connect" {
                    self.world.synced(id);
                }
                return Vec::new();
            }
            "synced" => self.world.synced(id),
            "gone" => self.world.feed(Input::HostGone { host: id }),
            "used" => {
                let about = words.sandbox();
                let number = self.number(id, words, true);
                self.about = Some(about);
                self.world.used(id, about, number, span(words.plain[1]));
            }
            _ => return self.report(id, words),
        }
        Vec::new()
    }

    fn report(&mut self, id: HostId, words: &Words<'_>) -> Vec<String> {
        let about = words.sandbox();
        self.about = Some(about);
        let cause = words.plain.get(1).map(|word| cause(word));
        let (finding, of_boot) = match words.verb {
            "done" => (Finding::Done(cause), false),
            "failed" => (Finding::Failed(Fault::Missing { what: "disk".to_owned() }), false),
            "full" => (Finding::Failed(Fault::NoSpace { doing: "have the image".to_owned() }), false),
            "exited" => (Finding::Exited(cause.expect("a cause")), true),
            verb => panic!("hosts do not {verb:?}"),
        };
        let number = self.number(id, words, of_boot);
        let serial = self.world.report(id, about, number, finding);
        let mut outcome = self.take_heard();
        if self.world.hosts[&id].unheard.contains(&serial) {
            outcome.push("not acknowledged".to_owned());
        }
        outcome
    }

    /// The order a report is about: the one it names by its place among those given for the sandbox, or the present one.
    fn number(&self, id: HostId, words: &Words<'_>, of_boot: bool) -> OrderNumber {
        let about = words.sandbox();
        let mut given: Vec<_> = self.world.hosts.values().flat_map(|host| &host.orders).collect();
        given.retain(|order| order.sandbox == about);
        given.sort_by_key(|order| order.number);
        given.dedup_by_key(|order| order.number);
        match words.named.get("order") {
            Some(place) => given[place.parse::<usize>().expect("a place") - 1].number,
            None if of_boot => {
                let sandbox = self.world.shard.committed().sandbox(about).expect("the sandbox is there");
                sandbox.boot.expect("it runs")
            }
            None => {
                let own = self.world.hosts[&id].orders.iter().rfind(|order| order.sandbox == about);
                own.expect("the host has an order").number
            }
        }
    }

    /// Bring a sandbox into a state the short way.
    fn given(&mut self, words: &Words<'_>) -> Vec<String> {
        let letter = words.plain[0];
        let options: Vec<_> = words.named.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut steps = vec![format!("client create {letter} {}", options.join(" "))];
        let host = words.named.get("host").copied().unwrap_or("1");
        let done = format!("h{host} done {letter}");
        let more: &[&str] = match words.verb {
            "waiting" | "pulling" => &[],
            "creating" => &["done"],
            "started" => &["done", "done"],
            "stopping" => &["done", "done", "stop"],
            "stopped" => &["done", "done", "stop", "done"],
            "starting" => &["done", "done", "stop", "done", "start"],
            "pausing" => &["done", "done", "pause"],
            "paused" => &["done", "done", "pause", "done"],
            "resuming" => &["done", "done", "pause", "done", "start"],
            "archiving" => &["done", "done", "stop", "done", "archive"],
            "archived" => &["done", "done", "stop", "done", "archive", "done", "done"],
            "restoring" => &["done", "done", "stop", "done", "archive", "done", "done", "start"],
            "error" => &["failed"],
            "quiet" => &["failed", "done"],
            "deleting" => &["done", "done", "delete"],
            state => panic!("no way to {state:?} is known"),
        };
        for step in more {
            steps.push(match *step {
                "done" => done.clone(),
                "failed" => format!("h{host} failed {letter}"),
                verb => format!("client {verb} {letter}"),
            });
        }
        for step in steps {
            let said = self.tell(&step);
            assert!(!said.iter().any(|word| word.starts_with("refused")), "{step}: {said:?}");
        }
        self.world.heard.clear();
        vec!["ready".to_owned()]
    }

    fn look(&self, id: SandboxId) -> String {
        let Some(sandbox) = self.world.shard.committed().sandbox(id) else { return "gone".to_owned() };
        let mut text = sandbox.state.to_string();
        if let Some(exit) = sandbox.exit {
            text += &format!(", exit {exit}");
        }
        if let Some(fault) = &sandbox.fault {
            text += &format!(", fault {fault}");
        }
        match sandbox.intent {
            Some(Intent::Start) => text += ", wants start",
            Some(Intent::Stop { .. }) => text += ", wants stop",
            Some(Intent::Archive) => text += ", wants archive",
            Some(Intent::Pause) => text += ", wants pause",
            None => {}
        }
        for (key, value) in sandbox.blueprint.labels.iter() {
            text += &format!(", {key}={value}");
        }
        text
    }

    fn log(&mut self, words: &Words<'_>) -> Vec<String> {
        match words.verb {
            "full" => self.world.log.full = true,
            "room" => self.world.log.full = false,
            "crash" => self.world.crash(),
            verb => panic!("logs do not {verb:?}"),
        }
        Vec::new()
    }
}
