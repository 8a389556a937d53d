//! Stories: what happens when, by whom, and what becomes of it, in columns.
//!
//! ```text
//! 0s     client  create a     -> PullBegan + h1 Pull
//! 1s     h1      done a       -> SnapshotReady + h1 Create
//! ```
//!
//! The outcome is all that becomes durable and all that is said because of the line. A default snapshot and a synced
//! host `h1` are there from the beginning. What happens between two lines must have a line of its own: `timer`.

use std::collections::BTreeMap;

use hourglass_events::{
    AutoArchive, AutoDelete, AutoStop, Class, Command, Create, DeleteReason, Event, ExitCause, Fault,
    Finding, HostCall, HostId, Image, Intent, Labels, Name, OrderNumber, OrganizationId, Resources,
    SandboxEvent, SandboxId, SnapshotContent, SnapshotId, Span, StopMode, StopReason, Subject, Target, Task,
};

use super::world::{ORGANIZATION, START, World};
use crate::fleet::tests::assert_indexed;
use crate::shard::{Input, Output, Phase};

/// Run `story` and compare what became of each line with what it says.
#[track_caller]
pub(super) fn check(story: &str) {
    let mut teller = Teller::new();
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

/// The words of one line after the time.
struct Words<'a> {
    actor: &'a str,
    verb: &'a str,
    plain: Vec<&'a str>,
    named: BTreeMap<&'a str, &'a str>,
}

impl<'a> Words<'a> {
    fn of(line: &'a str) -> Self {
        let mut words = line.split_whitespace();
        let actor = words.next().expect("an actor");
        let verb = words.next().unwrap_or("");
        let (named, plain): (Vec<&str>, Vec<&str>) = words.partition(|word| word.contains('='));
        let named = named.into_iter().filter_map(|word| word.split_once('=')).collect();
        Self { actor, verb, plain, named }
    }

    fn sandbox(&self) -> SandboxId {
        sandbox(self.plain.first().expect("a sandbox"))
    }
}

fn sandbox(letter: &str) -> SandboxId {
    SandboxId::from_u128(letter.bytes().next().expect("a letter").into())
}

fn host(name: &str) -> HostId {
    HostId::from_u128(0x1000 + name[1..].parse::<u128>().expect("hosts are h1, h2, …"))
}

/// The letter or name of an id, where one is written out.
fn shown(text: &str) -> String {
    const PREFIX: &str = "00000000-0000-0000-0000-0000000000";
    let mut parts = text.split(PREFIX);
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at(2);
        all.push(char::from(u8::from_str_radix(code, 16).expect("hexadecimal")));
        all.push_str(rest);
    }
    all
}

fn span(text: &str) -> Span {
    let (mut micros, mut number) = (0, 0_u64);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if let Some(digit) = letter.to_digit(10) {
            number = number * 10 + u64::from(digit);
            rest = &rest[1..];
            continue;
        }
        let (unit, length) = match rest {
            _ if rest.starts_with("ms") => (1_000, 2),
            _ if rest.starts_with('s') => (1_000_000, 1),
            _ if rest.starts_with('m') => (60_000_000, 1),
            _ if rest.starts_with('h') => (3_600_000_000, 1),
            _ => panic!("{text:?} is not a time"),
        };
        micros += number * unit;
        number = 0;
        rest = &rest[length..];
    }
    Span(micros)
}

fn resources(text: &str) -> Resources {
    let numbers: Vec<u32> = text.split('/').map(|part| part.parse().expect("a number")).collect();
    let [cpu, memory_gib, disk_gib, ref gpu @ ..] = numbers[..] else { panic!("{text:?}: cpu/memory/disk") };
    Resources { cpu, memory_gib, disk_gib, gpu: gpu.first().copied().unwrap_or(0) }
}

fn class(name: &str) -> Class {
    match name {
        "container" => Class::Container,
        "linux-vm" => Class::LinuxVm,
        "windows" => Class::Windows,
        _ => panic!("{name:?} is not a class"),
    }
}

fn cause(word: &str) -> ExitCause {
    match word {
        "stopped" => ExitCause::Stopped,
        "killed" => ExitCause::Killed,
        "oom" => ExitCause::OutOfMemory,
        "vanished" => ExitCause::Vanished,
        code => ExitCause::Entrypoint { code: code.parse().expect("a cause or an exit code") },
    }
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
        self.about = words.plain.first().map(|letter| sandbox(letter));
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
                self.world.join(id, classes, room);
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
        let done = format!("h1 done {letter}");
        let more: &[&str] = match words.verb {
            "waiting" | "pulling" => &[],
            "creating" => &["done"],
            "started" => &["done", "done"],
            "stopping" => &["done", "done", "stop"],
            "stopped" => &["done", "done", "stop", "done"],
            "starting" => &["done", "done", "stop", "done", "start"],
            "error" => &["failed"],
            "quiet" => &["failed", "done"],
            "deleting" => &["done", "done", "delete"],
            state => panic!("no way to {state:?} is known"),
        };
        for step in more {
            steps.push(match *step {
                "done" => done.clone(),
                "failed" => format!("h1 failed {letter}"),
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

    fn take_heard(&mut self) -> Vec<String> {
        let heard = std::mem::take(&mut self.world.heard);
        heard.iter().flat_map(|output| self.say(output)).collect()
    }

    fn say(&self, output: &Output) -> Vec<String> {
        match output {
            Output::Committed(entries) => entries
                .iter()
                .map(|entry| match (&entry.record.event, entry.record.subject) {
                    (Event::Sandbox(event), Subject::Sandbox(id)) => self.whose(id, &event_text(event)),
                    (event, _) => event.name().to_owned(),
                })
                .collect(),
            Output::Call { host, call } => {
                let HostId(id) = host;
                let name = format!("h{}", id.as_u128() - 0x1000);
                match call {
                    HostCall::Do(order) => {
                        let task = match &order.task {
                            Task::Stop { grace } => format!("Stop({grace})"),
                            task @ (Task::Pull(_)
                            | Task::Create(_)
                            | Task::Boot(_)
                            | Task::Quiesce
                            | Task::Remove) => format!("{:?}", task.kind()),
                        };
                        vec![self.whose(order.sandbox, &format!("{name} {task}"))]
                    }
                    HostCall::AskUse { sandbox, .. } => vec![self.whose(*sandbox, &format!("{name} ask"))],
                    HostCall::Acknowledge { .. } => Vec::new(),
                }
            }
            Output::Halted(halt) => vec![format!("halted: {halt}")],
            Output::Reply { .. } | Output::Append { .. } | Output::Read { .. } => Vec::new(),
        }
    }

    fn whose(&self, id: SandboxId, text: &str) -> String {
        if self.about == Some(id) { text.to_owned() } else { format!("{} {text}", shown(&id.to_string())) }
    }
}

/// What was found, and below each line that differs what was told.
fn difference(told: &str, found: &str) -> String {
    let lines: Vec<_> = told.lines().collect();
    let show = |line: &str| {
        let scene = line.split("->").next().unwrap_or_default();
        let other = lines.iter().find(|told| **told != line && told.split("->").next() == Some(scene));
        let other = other.filter(|_| !lines.contains(&line));
        other.map_or(line.to_owned(), |told| format!("{line}\n   told: {told}"))
    };
    found.lines().map(show).collect::<Vec<_>>().join("\n")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most kinds say all there is to say")]
fn event_text(event: &SandboxEvent) -> String {
    let kind = event.kind();
    match event {
        SandboxEvent::PullBegan { placement, .. } if placement.host.is_none() => format!("{kind}(no host)"),
        SandboxEvent::Exited { cause } => format!("{kind}({cause})"),
        SandboxEvent::StopBegan { reason: StopReason::Idle { .. }, .. } => format!("{kind}(idle)"),
        SandboxEvent::DeleteBegan { reason: reason @ (DeleteReason::Ephemeral | DeleteReason::Expired) } => {
            format!("{kind}({reason:?})")
        }
        SandboxEvent::IntentQueued { intent } => match intent {
            Intent::Start => format!("{kind}(start)"),
            Intent::Stop { .. } => format!("{kind}(stop)"),
        },
        SandboxEvent::IntentDropped { why } => format!("{kind}({why:?})"),
        SandboxEvent::Failed { fault } => format!("{kind}({fault})"),
        SandboxEvent::Struggled { attempt, .. } => format!("{kind}({attempt})"),
        _ => kind.to_string(),
    }
}

fn command(words: &Words<'_>) -> Command {
    let target = || Target::Text(words.plain[0].to_owned());
    let target = || match words.plain[0] {
        letter if letter.len() == 1 => Target::Id(sandbox(letter)),
        _ => target(),
    };
    let minutes = || words.plain[1].parse::<i64>().expect("minutes");
    match words.verb {
        "create" => Command::Create(create(words)),
        "register" => {
            let name = words.plain[0];
            let id = words
                .named
                .get("id")
                .unwrap_or(&name)
                .bytes()
                .fold(7_u128, |sum, byte| sum * 31 + u128::from(byte));
            let content = SnapshotContent {
                name: name.to_owned(),
                class: words.named.get("class").map_or(Class::Container, |name| class(name)),
                resources: words.named.get("size").map_or(Resources::DEFAULT, |text| resources(text)),
                image: Image { digest: (*words.named.get("image").unwrap_or(&"cafe")).to_owned() },
            };
            Command::RegisterSnapshot(SnapshotId::from_u128(id), content)
        }
        "start" => Command::Start(target()),
        "stop" => Command::Stop(
            target(),
            match words.plain.get(1) {
                Some(&"force") => StopMode::Force,
                grace => StopMode::Graceful(grace.map(|grace| span(grace))),
            },
        ),
        "delete" => Command::Delete(target()),
        "refresh" => Command::RefreshActivity(target()),
        "labels" => {
            let labels = words.named.iter().filter(|(name, _)| **name != "key");
            let labels = labels.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Command::ReplaceLabels(target(), Labels::new(labels.collect()).expect("labels"))
        }
        "autostop" => Command::SetAutoStop(target(), AutoStop::decode(minutes()).expect("an interval")),
        "autoarchive" => {
            Command::SetAutoArchive(target(), AutoArchive::decode(minutes()).expect("an interval"))
        }
        "autodelete" => Command::SetAutoDelete(target(), AutoDelete::decode(minutes()).expect("an interval")),
        verb => panic!("clients do not {verb:?}"),
    }
}

fn create(words: &Words<'_>) -> Create {
    let number = |name: &str| words.named.get(name).map(|minutes| minutes.parse::<i64>().expect("minutes"));
    let mut create = Create::new(words.sandbox());
    let name = words.named.get("name").copied().or(words.plain.first().copied());
    create.name = name.filter(|name| *name != "none").map(|name| Name::new(name).expect("a name"));
    create.snapshot = words.named.get("snapshot").map(|name| (*name).to_owned());
    create.class = words.named.get("class").map(|name| class(name));
    create.user = words.named.get("user").map(|user| (*user).to_owned());
    create.auto_stop = number("stop").map(|minutes| AutoStop::decode(minutes).expect("an interval"));
    create.auto_delete = number("delete").map(|minutes| AutoDelete::decode(minutes).expect("an interval"));
    create
}
