//! What the shard says, in the words of a story.

use hourglass_events::{
    ArchiveReason, DeleteReason, Event, Fault, Heat, HostCall, HostId, Intent, Resources, RestoreSource,
    SandboxEvent, SandboxId, StopReason, Subject, Task,
};

use super::Teller;
use super::words::shown;
use crate::shard::Output;

impl Teller {
    pub(super) fn take_heard(&mut self) -> Vec<String> {
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
                            Task::Hold { network, resources: None } => format!("Hold({network})"),
                            Task::Hold { network, resources: Some(resources) } => {
                                format!("Hold({network}, {})", size(*resources))
                            }
                            Task::Resize(resources) => format!("Resize({})", size(*resources)),
                            Task::Restore { source: RestoreSource::Disk, .. } => "Restore(disk)".to_owned(),
                            Task::Restore { .. } => "Restore(backup)".to_owned(),
                            Task::Awaken(_) => "Awaken".to_owned(),
                            Task::Prune(numbers) => format!("Prune({})", numbers.len()),
                            Task::Capture(capture) => format!("Capture({:?})", capture.heat),
                            Task::Create(plan) if plan.heat == Heat::Hot => "Create(Hot)".to_owned(),
                            Task::Scrap(_) => "Scrap".to_owned(),
                            Task::Discard(numbers) if !numbers.is_empty() => {
                                format!("Discard({})", numbers.len())
                            }
                            Task::Purge(numbers) => format!("Purge({})", numbers.len()),
                            task @ (Task::Pull(_)
                            | Task::Create(_)
                            | Task::Boot(_)
                            | Task::Fork(_)
                            | Task::Archive
                            | Task::Discard(_)
                            | Task::Backup
                            | Task::Build(_)
                            | Task::SaveMemory
                            | Task::Resume(_)
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

fn size(resources: Resources) -> String {
    format!("{}/{}/{}", resources.cpu, resources.memory_gib, resources.disk_gib)
}

/// What was found, and below each line that differs what was told.
pub(in crate::shard::tests) fn difference(told: &str, found: &str) -> String {
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
        SandboxEvent::BackupFailed { attempt, .. } => format!("{kind}({attempt})"),
        SandboxEvent::RestoreBegan { placement, .. } if placement.host.is_none() => {
            format!("{kind}(no host)")
        }
        SandboxEvent::ArchiveBegan { reason: ArchiveReason::Expired, .. } => format!("{kind}(expired)"),
        SandboxEvent::Exited { cause } => format!("{kind}({cause})"),
        SandboxEvent::StopBegan { reason: StopReason::Idle { .. }, .. } => format!("{kind}(idle)"),
        SandboxEvent::DeleteBegan { reason } if *reason != DeleteReason::Asked => {
            format!("{kind}({reason:?})")
        }
        SandboxEvent::IntentQueued { intent } => match intent {
            Intent::Start => format!("{kind}(start)"),
            Intent::Stop { .. } => format!("{kind}(stop)"),
            Intent::Pause => format!("{kind}(pause)"),
            Intent::Archive => format!("{kind}(archive)"),
        },
        SandboxEvent::IntentDropped { why } => format!("{kind}({why:?})"),
        SandboxEvent::Failed { fault: Fault::NotForked { .. } } => format!("{kind}(not forked)"),
        SandboxEvent::Failed { fault } | SandboxEvent::Abandoned { fault: Some(fault) } => {
            format!("{kind}({fault})")
        }
        SandboxEvent::Struggled { attempt, .. } => format!("{kind}({attempt})"),
        _ => kind.to_string(),
    }
}
