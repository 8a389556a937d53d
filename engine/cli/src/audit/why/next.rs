//! What is owed to a sandbox, in words. What that is, the kernel says.

use std::sync::Arc;

use hourglass_events::{Alarm, Errand, Intent, Sandbox, Subject, Timestamp};
use hourglass_kernel::decide::alarm;
use hourglass_kernel::{Fleet, Terms, owe};

use crate::paint;

/// What will become of `sandbox` if nobody asks for anything.
pub(super) fn owed(fleet: &Fleet, sandbox: &Arc<Sandbox>) -> Vec<String> {
    let now = fleet.at();
    let mut lines = Vec::new();
    if let Some(proposal) = owe::follow_up(fleet, &Terms::default(), sandbox, now) {
        let own = proposal.subject == Subject::Sandbox(sandbox.id);
        let whose = if own { String::new() } else { format!(" of {}", proposal.subject) };
        lines.push(format!("{}{whose} is recorded at once, by {}", proposal.event.name(), proposal.cause));
    }
    lines.extend(work(fleet, sandbox, now));
    if let Some(Errand::Born(order)) = sandbox.errand.as_deref() {
        lines.push(format!("boots once order {order} has made what it is a fork of"));
    }
    if let Some(intent) = sandbox.intent {
        lines.push(format!("then it is to be {}, as was asked meanwhile", wanted(intent)));
    }
    for (alarm, at) in owe::alarms(fleet, &Terms::default(), sandbox, sandbox.last_activity) {
        lines.push(due(alarm, at));
    }
    lines.extend(blocked(fleet, sandbox));
    if lines.is_empty() {
        lines.push("nothing: it stays as it is until somebody asks for something".to_owned());
    }
    lines
}

/// What a host is to do.
fn work(fleet: &Fleet, sandbox: &Sandbox, now: Timestamp) -> Option<String> {
    let work = sandbox.work?;
    let task = hourglass_events::duties(sandbox.state).task?.task;
    let since = paint::time(work.began);
    if sandbox.host.is_none() {
        return Some(format!("a host that can {task} is looked for, since {since}"));
    }
    if let Some((host, order)) = owe::order(fleet, sandbox, now) {
        return Some(format!("host {host} is to {task} (order {}, since {since})", order.number));
    }
    let at = work.retry_at.filter(|at| *at > now)?;
    Some(format!("its host is to {task} again at {}, after {} failures", paint::time(at), work.attempt))
}

/// What would go off, were it not for others.
fn blocked(fleet: &Fleet, sandbox: &Sandbox) -> Vec<String> {
    let terms = Terms::default();
    let alarms = hourglass_events::duties(sandbox.state).alarms.iter();
    let blocked = alarms.filter(|alarm| alarm::blocked(fleet, sandbox, **alarm));
    let due = blocked
        .filter_map(|alarm| Some((*alarm, alarm::due(&terms, sandbox, *alarm, sandbox.last_activity)?)));
    due.map(|(alarm, at)| {
        let kin = fleet.kin();
        let (forks, linked) = (kin.forks(sandbox.id).len(), kin.linked(sandbox.id).len());
        let at = paint::time(at);
        format!("its {alarm} of {at} waits until its kin are gone: it has {forks} forks and {linked} linked sandboxes")
    })
    .collect()
}

const fn wanted(intent: Intent) -> &'static str {
    match intent {
        Intent::Start => "started",
        Intent::Stop { .. } => "stopped",
        Intent::Pause => "paused",
        Intent::Archive => "archived",
    }
}

fn due(alarm: Alarm, at: Timestamp) -> String {
    let at = paint::time(at);
    match alarm {
        Alarm::Deadline => format!("is given up at {at} unless it is done by then"),
        Alarm::AutoStop => {
            format!("stops at {at} unless it is used (its host may know of later use than the log)")
        }
        Alarm::AutoArchive => format!("is archived at {at} unless it is started"),
        Alarm::Backup => format!("is backed up at {at} unless it is started"),
        Alarm::AutoDelete => format!("is deleted at {at} unless it is started"),
        Alarm::Retry => format!("is tried again at {at}"),
    }
}
