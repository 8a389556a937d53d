//! How things look on a terminal. Colours only where somebody looks, unless `NO_COLOR` is set.
#![expect(clippy::print_stderr, reason = "this is where the command speaks")]

use std::fmt::Display;
use std::io::{IsTerminal, Write as _};
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use hourglass_events::{
    AutoArchive, AutoDelete, AutoStop, Event, HostEvent, Minutes, Record, Resources, SandboxEvent, Seq,
    ShardEvent, SnapshotEvent, Timestamp,
};

static COLOURS: LazyLock<bool> =
    LazyLock::new(|| std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none());

/// A line of the command's own.
pub(crate) fn say(line: impl Display) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        // Whoever listened has gone, as `head` does; there is nobody left to tell.
        std::process::exit(0);
    }
}

/// Bytes as they are.
pub(crate) fn raw(bytes: &[u8]) {
    let mut out = std::io::stdout();
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// A heading between parts of a story.
pub(crate) fn heading(line: impl Display) {
    say(format!("\n{}", coloured("1", &line.to_string())));
}

/// What a command inside a sandbox printed.
pub(crate) fn quoted(output: &str) {
    for line in output.lines() {
        say(format!("    {} {line}", coloured("2", "│")));
    }
}

/// A line beside what the command is asked for, which no program reads.
pub(crate) fn aside(line: impl Display) {
    eprintln!("{line}");
}

/// An error and what it came from, each on a line.
pub(crate) fn problem(error: &anyhow::Error) {
    eprintln!("error: {error}");
    let mut told = error.to_string();
    for cause in error.chain().skip(1) {
        // A transparent error says the same as what it came from.
        if !told.contains(&cause.to_string()) {
            eprintln!("  because {cause}");
        }
        told = cause.to_string();
    }
}

/// How long an interval is, in the largest units it has a whole number of.
pub(crate) fn minutes(minutes: i64) -> String {
    const UNITS: &[(i64, &str)] = &[(24 * 60, "days"), (60, "h")];
    let whole = UNITS.iter().find(|(unit, _)| minutes > *unit && minutes % unit == 0);
    whole.map_or_else(|| format!("{minutes} min"), |(unit, name)| format!("{} {name}", minutes / unit))
}

/// A time, in UTC with milliseconds.
pub(crate) fn time(at: Timestamp) -> String {
    let micros = i64::try_from(at.0).unwrap_or(i64::MAX);
    DateTime::<Utc>::from_timestamp_micros(micros)
        .map_or_else(|| at.0.to_string(), |time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// A time of day, in UTC with milliseconds.
pub(crate) fn clock(at: Timestamp) -> String {
    time(at).get(11..23).unwrap_or_default().to_owned()
}

/// One record on one line: place, time, event, what it says, and why it happened.
pub(crate) fn record(record: &Record) -> String {
    let name = format!("{:<17}", record.event.name());
    let said = match &record.event {
        Event::Sandbox(event) => gist(event),
        Event::Host(HostEvent::Seen { region, capacity, .. }) => {
            format!("{region} ({})", size(*capacity))
        }
        Event::Snapshot(event) => gist_of_snapshot(event),
        Event::Shard(ShardEvent::Opened { build, .. }) => format!("build {build}"),
        Event::Shard(ShardEvent::StateHashed { through, .. }) => format!("through record {through}"),
        Event::Host(HostEvent::Swept { sandbox } | HostEvent::SweepFailed { sandbox, .. }) => {
            sandbox.to_string()
        }
        Event::Host(
            HostEvent::Suspected { .. }
            | HostEvent::Lost { .. }
            | HostEvent::Returned { .. }
            | HostEvent::Cordoned
            | HostEvent::DrainBegan
            | HostEvent::Uncordoned,
        )
        | Event::Organization(_)
        | Event::Shard(ShardEvent::SchemaRaised { .. }) => record.subject.to_string(),
    };
    let why = format!("{} · {}", record.cause, record.actor);
    line(record.seq, &clock(record.at), &name, &format!("{said:<38}"), &why)
}

/// What one would want to know of a snapshot's event beside its name.
fn gist_of_snapshot(event: &SnapshotEvent) -> String {
    match event {
        SnapshotEvent::Registered { content }
        | SnapshotEvent::PullBegan { content, .. }
        | SnapshotEvent::BuildBegan { content, .. } => content.name.clone(),
        SnapshotEvent::CaptureBegan { content, of, .. } => format!("{} of {of}", content.name),
        SnapshotEvent::Placed { host } => format!("on {host}"),
        SnapshotEvent::Failed { fault } | SnapshotEvent::Struggled { fault, .. } => fault.to_string(),
        SnapshotEvent::Ready
        | SnapshotEvent::Deactivated
        | SnapshotEvent::Activated
        | SnapshotEvent::RemoveBegan
        | SnapshotEvent::Removed => String::new(),
    }
}

/// What happened, on one line.
pub(crate) fn line(seq: Seq, at: &str, event: &str, said: &str, why: &str) -> String {
    let seq = format!("{:>6}", seq.0);
    format!(
        "{} {} {} {said} {}",
        coloured("2", &seq),
        coloured("2", at),
        coloured("36", event),
        coloured("2", why)
    )
}

/// What is given to a sandbox, or what a host has to give.
fn size(resources: Resources) -> String {
    let Resources { cpu, memory_gib, disk_gib, gpu } = resources;
    let gpus = if gpu == 0 { String::new() } else { format!(", {gpu} GPU") };
    format!("{cpu} vCPU, {memory_gib} GiB, {disk_gib} GiB disk{gpus}")
}

/// What an interval says that never ends.
const NEVER: &str = "never";

fn after(time: u32) -> String {
    format!("after {}", minutes(time.into()))
}

fn deleted(policy: AutoDelete) -> String {
    match policy {
        AutoDelete::Never => NEVER.to_owned(),
        AutoDelete::AtOnce => "at once".to_owned(),
        AutoDelete::After(Minutes(time)) => after(time),
    }
}

/// What one would want to know of an event beside its name.
pub(crate) fn gist(event: &SandboxEvent) -> String {
    match event {
        SandboxEvent::PullBegan { blueprint, .. }
        | SandboxEvent::Born { blueprint, .. }
        | SandboxEvent::BuildQueued { blueprint: Some(blueprint) }
        | SandboxEvent::BuildBegan { blueprint: Some(blueprint), .. } => {
            format!("{} ({})", blueprint.name, size(blueprint.resources))
        }
        SandboxEvent::StopBegan { reason, grace, .. } => match reason {
            hourglass_events::StopReason::Asked => format!("grace {grace}"),
            hourglass_events::StopReason::Idle { last_activity } => {
                format!("idle since {}", clock(*last_activity))
            }
        },
        SandboxEvent::Exited { cause } => cause.to_string(),
        SandboxEvent::DeleteBegan { reason } => format!("{reason:?}").to_lowercase(),
        SandboxEvent::Failed { fault }
        | SandboxEvent::Abandoned { fault: Some(fault) }
        | SandboxEvent::BuildFailed { fault }
        | SandboxEvent::Declined { fault, .. }
        | SandboxEvent::BackupFailed { fault, .. }
        | SandboxEvent::Struggled { fault, .. } => fault.to_string(),
        SandboxEvent::IntentQueued { intent } => format!("{intent:?}"),
        SandboxEvent::IntentDropped { why } => format!("{why:?}"),
        SandboxEvent::AutoStopSet { policy: AutoStop::After(Minutes(time)) } => after(*time),
        SandboxEvent::AutoStopSet { policy: AutoStop::Never } => NEVER.to_owned(),
        SandboxEvent::AutoArchiveSet { policy: AutoArchive(Minutes(time)) } => after(*time),
        SandboxEvent::AutoDeleteSet { policy } => deleted(*policy),
        SandboxEvent::ResizeBegan { resources, .. } => size(*resources),
        SandboxEvent::ForkBegan { child, name, .. } => format!("{name} ({child})"),
        SandboxEvent::ArchiveBegan { reason, .. } => format!("{reason:?}").to_lowercase(),
        SandboxEvent::RestoreBegan { source, .. } => match source {
            hourglass_events::RestoreSource::Disk => "its own disk".to_owned(),
            hourglass_events::RestoreSource::Backup(number) => format!("what order {number} stored"),
        },
        SandboxEvent::NetworkSet { policy } => policy.to_string(),
        SandboxEvent::PublicSet { public } => if *public { "public" } else { "private" }.to_owned(),
        SandboxEvent::LabelsReplaced { labels } => {
            labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        }
        SandboxEvent::SnapshotBegan { name, .. } => name.clone(),
        SandboxEvent::BuildQueued { blueprint: None }
        | SandboxEvent::BuildBegan { blueprint: None, .. }
        | SandboxEvent::SnapshotReady { .. }
        | SandboxEvent::CopyReady { .. }
        | SandboxEvent::BootBegan { .. }
        | SandboxEvent::Booted
        | SandboxEvent::StopForced { .. }
        | SandboxEvent::PauseBegan { .. }
        | SandboxEvent::MemorySaved
        | SandboxEvent::ResumeBegan { .. }
        | SandboxEvent::Resumed
        | SandboxEvent::Abandoned { fault: None }
        | SandboxEvent::DiskDropped
        | SandboxEvent::ArchiveStored
        | SandboxEvent::Restored
        | SandboxEvent::Resized
        | SandboxEvent::SnapshotTaken
        | SandboxEvent::Forked
        | SandboxEvent::Removed
        | SandboxEvent::Buried
        | SandboxEvent::SettingsApplied
        | SandboxEvent::ActivityRefreshed
        | SandboxEvent::Placed { .. }
        | SandboxEvent::Quiesced
        | SandboxEvent::BackupTaken
        | SandboxEvent::BackupBegan { .. }
        | SandboxEvent::LeftoverRemoved => String::new(),
    }
}

/// What a word on a terminal is to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// Under way.
    Busy,
    /// Failed.
    Bad,
    /// Not what one looks for.
    Faint,
}

/// `text` in `tone`.
pub(crate) fn toned(tone: Tone, text: &str) -> String {
    let code = match tone {
        Tone::Good => "32",
        Tone::Busy => "33",
        Tone::Bad => "31",
        Tone::Faint => "2",
    };
    coloured(code, text)
}

fn coloured(code: &str, text: &str) -> String {
    if *COLOURS { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}
