//! What all sandboxes of a host share: the way out. Serials, reports not acknowledged, uses, and effects to be polled.

use std::collections::{BTreeMap, VecDeque};

use hourglass_events::{Class, Finding, HostNews, HostProfile, OrderNumber, Report, SandboxId, ShardNumber};

use super::effect::{Effect, Oddity, Run, RunId, Step};
use crate::activity::Uses;
use crate::ledger::Write;

#[derive(Debug)]
pub(super) struct Desk {
    pub(super) profile: HostProfile,
    pub(super) reports: BTreeMap<u64, Report>,
    pub(super) uses: Uses,
    pub(super) effects: VecDeque<Effect>,
    reported: u64,
    ran: u64,
}

impl Desk {
    pub(super) fn new(profile: HostProfile, reports: BTreeMap<u64, Report>) -> Self {
        Self { profile, reports, uses: Uses::default(), effects: VecDeque::new(), reported: 0, ran: 0 }
    }

    pub(super) fn can_run(&self, class: Class) -> bool {
        self.profile.classes.contains(&class)
    }

    pub(super) fn run(&mut self, sandbox: SandboxId, number: OrderNumber, step: Step) -> RunId {
        self.ran += 1;
        let id = RunId(self.ran);
        self.effects.push_back(Effect::Run(Run { id, sandbox, number, step }));
        id
    }

    pub(super) fn cancel(&mut self, run: RunId) {
        self.effects.push_back(Effect::Cancel(run));
    }

    /// Reports `finding` under a serial of its own, which is the answer.
    pub(super) fn report(
        &mut self,
        shard: ShardNumber,
        sandbox: SandboxId,
        number: OrderNumber,
        finding: Finding,
    ) -> u64 {
        self.reported += 1;
        // A life of the host worker does not report four billion times, so lives do not run into each other.
        let serial = (self.profile.incarnation.0 << 32) | self.reported;
        self.repeat(Report { serial, shard, sandbox, number, finding });
        serial
    }

    /// Reports what was reported before, until it is acknowledged again.
    pub(super) fn repeat(&mut self, report: Report) {
        self.write(Write::Report(report.clone()));
        self.tell(HostNews::Reported(report.clone()));
        self.reports.insert(report.serial, report);
    }

    pub(super) fn drop_report(&mut self, serial: u64) -> Option<Report> {
        let report = self.reports.remove(&serial)?;
        self.write(Write::Drop(serial));
        Some(report)
    }

    /// Whether the exit of this life was reported and may not have been heard.
    pub(super) fn is_reporting_exit(&self, sandbox: SandboxId, number: OrderNumber) -> bool {
        self.reports.values().any(|report| {
            report.sandbox == sandbox
                && report.number == number
                && matches!(report.finding, Finding::Exited(_))
        })
    }

    pub(super) fn remember_use(&mut self, sandbox: SandboxId) {
        if let Some(last) = self.uses.of(sandbox) {
            self.write(Write::Use(sandbox, last));
        }
    }

    pub(super) fn end_use(&mut self, sandbox: SandboxId) {
        self.uses.end(sandbox);
        self.write(Write::Unused(sandbox));
    }

    pub(super) fn forget_idle_use(&mut self, sandbox: SandboxId) {
        if self.uses.of(sandbox).is_none() {
            self.write(Write::Unused(sandbox));
        }
    }

    pub(super) fn write(&mut self, write: Write) {
        self.effects.push_back(Effect::Write(write));
    }

    pub(super) fn tell(&mut self, news: HostNews) {
        self.effects.push_back(Effect::Tell(news));
    }

    pub(super) fn warn(&mut self, oddity: Oddity) {
        self.effects.push_back(Effect::Warn(oddity));
    }
}
