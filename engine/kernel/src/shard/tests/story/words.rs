//! The words of a line, and what they mean.

use std::collections::BTreeMap;

use hourglass_events::{
    Allowance, AutoArchive, AutoDelete, AutoStop, Capabilities, Capability, Class, Command, Create,
    ExitCause, Fork, FromImage, GpuTypes, Heat, HostId, HostProfile, Image, Incarnation, Labels, Limits,
    Name, NetworkPolicy, NewSnapshot, Quota, Recipe, Resize, Resources, SandboxId, SnapshotContent,
    SnapshotId, Span, StopMode, TakeSnapshot, Target,
};

/// The words of one line after the time.
pub(in crate::shard::tests) struct Words<'a> {
    pub(in crate::shard::tests) actor: &'a str,
    pub(in crate::shard::tests) verb: &'a str,
    pub(in crate::shard::tests) plain: Vec<&'a str>,
    pub(in crate::shard::tests) named: BTreeMap<&'a str, &'a str>,
}

impl<'a> Words<'a> {
    pub(in crate::shard::tests) fn of(line: &'a str) -> Self {
        let mut words = line.split_whitespace();
        let actor = words.next().expect("an actor");
        let verb = words.next().unwrap_or("");
        let (named, plain): (Vec<&str>, Vec<&str>) = words.partition(|word| word.contains('='));
        let named = named.into_iter().filter_map(|word| word.split_once('=')).collect();
        Self { actor, verb, plain, named }
    }

    pub(in crate::shard::tests) fn sandbox(&self) -> SandboxId {
        sandbox(self.plain.first().expect("a sandbox"))
    }
}

pub(in crate::shard::tests) fn sandbox(letter: &str) -> SandboxId {
    SandboxId::from_u128(letter.bytes().next().expect("a letter").into())
}

pub(in crate::shard::tests) fn host(name: &str) -> HostId {
    HostId::from_u128(0x1000 + name[1..].parse::<u128>().expect("hosts are h1, h2, …"))
}

/// The letter or name of an id, where one is written out.
pub(in crate::shard::tests) fn shown(text: &str) -> String {
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

pub(in crate::shard::tests) fn span(text: &str) -> Span {
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

pub(in crate::shard::tests) fn resources(text: &str) -> Resources {
    let numbers: Vec<u32> = text.split('/').map(|part| part.parse().expect("a number")).collect();
    let [cpu, memory_gib, disk_gib, ref gpu @ ..] = numbers[..] else { panic!("{text:?}: cpu/memory/disk") };
    Resources { cpu, memory_gib, disk_gib, gpu: gpu.first().copied().unwrap_or(0) }
}

fn gpu_types(text: &str) -> GpuTypes {
    let kinds = text.split(',').map(|kind| kind.parse().expect("a kind of GPU"));
    GpuTypes::new(kinds).expect("each once")
}

pub(in crate::shard::tests) fn class(name: &str) -> Class {
    match name {
        "container" => Class::Container,
        "linux-vm" => Class::LinuxVm,
        "windows" => Class::Windows,
        _ => panic!("{name:?} is not a class"),
    }
}

pub(in crate::shard::tests) fn cause(word: &str) -> ExitCause {
    match word {
        "stopped" => ExitCause::Stopped,
        "killed" => ExitCause::Killed,
        "oom" => ExitCause::OutOfMemory,
        "vanished" => ExitCause::Vanished,
        code => ExitCause::Entrypoint { code: code.parse().expect("a cause or an exit code") },
    }
}

pub(in crate::shard::tests) fn command(words: &Words<'_>) -> Command {
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
                gpu_types: words.named.get("gpu").map_or_else(GpuTypes::default, |text| gpu_types(text)),
                image: Image { digest: (*words.named.get("image").unwrap_or(&"cafe")).to_owned() },
            };
            Command::RegisterSnapshot(SnapshotId::from_u128(id), content)
        }
        "quota" => Command::SetLimits(Box::new(allowance(words))),
        "cordon" => Command::CordonHost(host(words.plain[0])),
        "backup" => Command::BackUp(target()),
        "drain" => Command::DrainHost(host(words.plain[0])),
        "uncordon" => Command::UncordonHost(host(words.plain[0])),
        "start" => Command::Start(target()),
        "stop" => Command::Stop(
            target(),
            match words.plain.get(1) {
                Some(&"force") => StopMode::Force,
                grace => StopMode::Graceful(grace.map(|grace| span(grace))),
            },
        ),
        "fork" => {
            let (child, name) = (words.plain[1], words.named.get("name").copied());
            let name = name.unwrap_or(child);
            let name = (name != "none").then(|| Name::new(name).expect("a name"));
            Command::Fork(target(), Fork { id: sandbox(child), name })
        }
        "snapshot" => {
            let name = words.plain[1];
            let heat = if words.plain.get(2) == Some(&"hot") { Heat::Hot } else { Heat::Cold };
            let id = SnapshotId(sandbox(words.named.get("id").unwrap_or(&name)).0);
            Command::TakeSnapshot(target(), TakeSnapshot { id, name: name.to_owned(), heat })
        }
        "make" => {
            let name = words.plain[0];
            let class = words.named.get("class").map_or(Class::Container, |name| class(name));
            let (id, recipe) = (SnapshotId(sandbox(name).0), recipe(words).expect("what it is made of"));
            let region = words.named.get("region").map(|region| (*region).to_owned());
            let new =
                NewSnapshot { id, name: name.to_owned(), class, recipe, size: Resize::default(), region };
            Command::CreateSnapshot(Box::new(new))
        }
        "activate" => Command::ActivateSnapshot(words.plain[0].to_owned()),
        "deactivate" => Command::DeactivateSnapshot(words.plain[0].to_owned()),
        "remove" => Command::RemoveSnapshot(words.plain[0].to_owned()),
        "archive" => Command::Archive(target()),
        "recover" => Command::Recover(target()),
        "pause" => Command::Pause(target()),
        "resize" => {
            let number = |name: &str| words.named.get(name).map(|text| text.parse().expect("a number"));
            let (cpu, memory_gib, disk_gib) = (number("cpu"), number("memory"), number("disk"));
            Command::Resize(target(), Resize { cpu, memory_gib, disk_gib })
        }
        "delete" => Command::Delete(target()),
        "network" => Command::SetNetwork(target(), network(&words.plain[1..])),
        "public" => Command::SetPublic(target(), true),
        "private" => Command::SetPublic(target(), false),
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

/// A host that says this of itself.
pub(in crate::shard::tests) fn profile(
    host: HostId,
    words: &Words<'_>,
    classes: Vec<Class>,
    capacity: Resources,
) -> HostProfile {
    let can = |name: &&str| match *name {
        "all" => Capabilities::all(),
        "nothing" => Capabilities::none(),
        one => {
            let found = Capability::ALL.iter().find(|known| format!("{known:?}").to_lowercase() == one);
            Capabilities::of(found.copied())
        }
    };
    HostProfile {
        host,
        incarnation: Incarnation(0),
        region: (*words.named.get("region").unwrap_or(&"local")).to_owned(),
        classes,
        capacity,
        gpu_type: words.named.get("gpu").map(|kind| kind.parse().expect("a kind of GPU")),
        capabilities: words.named.get("can").map_or_else(Capabilities::all, can),
    }
}

/// What an organization may have in one region, of each resource that is named.
fn allowance(words: &Words<'_>) -> Allowance {
    let number = |name: &str| words.named.get(name).map(|text| text.parse().expect("a number"));
    let (cpu, memory_gib, disk_gib, gpu) = (number("cpu"), number("memory"), number("disk"), number("gpu"));
    let quota = Quota { cpu, memory_gib, disk_gib, gpu };
    let container = words.named.get("size").map_or(Limits::DEFAULT, |text| {
        let Resources { cpu, memory_gib, disk_gib, gpu } = resources(text);
        Limits { cpu, memory_gib, disk_gib, gpu }
    });
    Allowance {
        container,
        regions: words.plain.iter().map(|region| ((*region).to_owned(), quota)).collect(),
        ..Allowance::default()
    }
}

fn network(words: &[&str]) -> NetworkPolicy {
    match words {
        ["open"] => NetworkPolicy::Open,
        ["blocked"] => NetworkPolicy::Blocked,
        those => {
            let (cidrs, domains): (Vec<&str>, Vec<&str>) = those.iter().partition(|word| word.contains('/'));
            NetworkPolicy::only(&cidrs, &domains).expect("a list")
        }
    }
}

fn recipe(words: &Words<'_>) -> Option<Recipe> {
    let dockerfile = words
        .named
        .get("dockerfile")
        .map(|text| Recipe::Dockerfile { text: format!("FROM {text}"), context: Vec::new() });
    dockerfile.or_else(|| words.named.get("image").map(|name| Recipe::Reference((*name).to_owned())))
}

pub(in crate::shard::tests) fn create(words: &Words<'_>) -> Create {
    let number = |name: &str| words.named.get(name).map(|minutes| minutes.parse::<i64>().expect("minutes"));
    let mut create = Create::new(words.sandbox());
    let name = words.named.get("name").copied().or(words.plain.first().copied());
    create.name = name.filter(|name| *name != "none").map(|name| Name::new(name).expect("a name"));
    create.snapshot = words.named.get("snapshot").map(|name| (*name).to_owned());
    create.image = recipe(words).map(|recipe| {
        let number = |name: &str| words.named.get(name).map(|text| text.parse().expect("a number"));
        let size = Resize { cpu: number("cpu"), memory_gib: number("memory"), disk_gib: number("disk") };
        Box::new(FromImage { recipe, size })
    });
    create.class = words.named.get("class").map(|name| class(name));
    create.linked = words.named.get("linked").map(|letter| Target::Id(sandbox(letter)));
    create.region = words.named.get("region").map(|name| (*name).to_owned());
    create.user = words.named.get("user").map(|user| (*user).to_owned());
    create.network = words.named.get("network").map_or(NetworkPolicy::Open, |word| network(&[word]));
    create.auto_stop = number("stop").map(|minutes| AutoStop::decode(minutes).expect("an interval"));
    create.auto_archive = number("archive").map(|minutes| AutoArchive::decode(minutes).expect("an interval"));
    create.auto_delete = number("delete").map(|minutes| AutoDelete::decode(minutes).expect("an interval"));
    create
}
