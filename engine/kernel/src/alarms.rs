//! Deadlines over a fleet, earliest first. It only remembers; what an alarm means is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use hourglass_events::{Alarm, SandboxId, Timestamp};

/// Armed alarms: at most one of each kind per sandbox.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    queue: BTreeSet<(Timestamp, SandboxId, Alarm)>,
    armed: BTreeMap<SandboxId, Vec<(Alarm, Timestamp)>>,
}

impl Alarms {
    /// Let exactly these alarms be armed for `sandbox`.
    pub fn set(&mut self, sandbox: SandboxId, alarms: impl Iterator<Item = (Alarm, Timestamp)>) {
        let alarms: Vec<_> = alarms.collect();
        if self.armed.get(&sandbox).is_some_and(|armed| *armed == alarms) {
            return;
        }
        self.clear(sandbox);
        for (alarm, at) in &alarms {
            self.queue.insert((*at, sandbox, *alarm));
        }
        if !alarms.is_empty() {
            self.armed.insert(sandbox, alarms);
        }
    }

    /// Disarm everything of `sandbox`.
    pub fn clear(&mut self, sandbox: SandboxId) {
        for (alarm, at) in self.armed.remove(&sandbox).unwrap_or_default() {
            self.queue.remove(&(at, sandbox, alarm));
        }
    }

    /// Disarm one alarm of `sandbox`.
    pub fn disarm(&mut self, sandbox: SandboxId, alarm: Alarm) {
        let Some(armed) = self.armed.get_mut(&sandbox) else { return };
        for (kind, due) in armed.extract_if(.., |(kind, _)| *kind == alarm) {
            self.queue.remove(&(due, sandbox, kind));
        }
        if armed.is_empty() {
            self.armed.remove(&sandbox);
        }
    }

    /// Put one alarm off until `at`.
    pub fn postpone(&mut self, sandbox: SandboxId, alarm: Alarm, at: Timestamp) {
        let Some(armed) = self.armed.get_mut(&sandbox) else { return };
        for (kind, due) in armed.iter_mut().filter(|(kind, _)| *kind == alarm) {
            self.queue.remove(&(*due, sandbox, *kind));
            *due = at;
            self.queue.insert((at, sandbox, *kind));
        }
    }

    /// The alarm that goes off next.
    #[must_use]
    pub fn next(&self) -> Option<(Timestamp, SandboxId, Alarm)> {
        self.queue.first().copied()
    }

    /// How many alarms are armed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether no alarm is armed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
