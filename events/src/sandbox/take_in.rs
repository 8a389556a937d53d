//! What each event says of a sandbox, beside where it leads.

use super::{Errand, Sandbox, Settings, Unsaved};
use crate::event::SandboxEvent;
use crate::record::Stamp;
use crate::state::State;

impl Sandbox {
    pub(super) fn take_in(&mut self, stamp: &Stamp, event: &SandboxEvent) {
        match event {
            SandboxEvent::PullBegan { placement, deadline, .. }
            | SandboxEvent::BuildBegan { placement, deadline, .. } => {
                self.host = placement.host;
                self.set_deadline(*deadline);
            }
            // One that is tried again is placed as if it was new: where it failed, nothing of it is of use.
            SandboxEvent::BuildQueued { blueprint: _ } => {
                self.refused.clear();
                self.host = None;
            }
            SandboxEvent::SnapshotReady { deadline } => self.set_deadline(*deadline),
            SandboxEvent::BootBegan { deadline }
            | SandboxEvent::PauseBegan { deadline }
            | SandboxEvent::ResumeBegan { deadline } => {
                self.intent = None;
                self.set_deadline(*deadline);
            }
            SandboxEvent::ResizeBegan { resources, deadline } => {
                self.errand = Some(Box::new(Errand::Resize(*resources)));
                self.set_deadline(*deadline);
            }
            SandboxEvent::ForkBegan { child, name, resources, deadline } => {
                let (child, name, resources) = (*child, name.clone(), *resources);
                self.errand = Some(Box::new(Errand::Fork { child, name, resources }));
                self.set_deadline(*deadline);
            }
            SandboxEvent::Born { blueprint: _, host, fork } => {
                self.host = Some(*host);
                self.errand = Some(Box::new(Errand::Born(*fork)));
                // It can be asked of its host once its parent's fork is there.
                self.work = None;
            }
            SandboxEvent::CopyReady { deadline } => {
                self.begin_work(stamp);
                self.set_deadline(*deadline);
            }
            SandboxEvent::ArchiveBegan { reason: _, deadline } => {
                self.intent = None;
                if !self.keeps_backup() {
                    self.stored.extend(self.order());
                }
                self.set_deadline(*deadline);
            }
            SandboxEvent::RestoreBegan { source, placement, deadline } => {
                self.intent = None;
                self.refused.clear();
                self.errand = Some(Box::new(Errand::Restore(*source)));
                self.host = placement.host;
                self.set_deadline(*deadline);
            }
            SandboxEvent::DiskDropped => {
                // The order to drop it was one to take away what is of no use, too.
                if self.host.is_some() {
                    self.drop_stale();
                }
                self.host = None;
                self.work = None;
                self.fault = None;
            }
            SandboxEvent::StopBegan { reason, grace, deadline } => {
                self.intent = None;
                self.set_deadline(*deadline);
                self.set_grace(*grace);
                self.stop_for(*reason);
            }
            SandboxEvent::StopForced { deadline } => {
                // Whoever forces a stop takes back a start that waits for its end.
                self.intent = None;
                self.begin_work(stamp);
                self.set_deadline(*deadline);
            }
            SandboxEvent::Placed { placement, deadline } => {
                self.host = placement.host;
                self.begin_work(stamp);
                // Taking away has none, as it never gives up.
                if !self.state.is_in(&[State::Deleting, State::Deleted]) {
                    self.set_deadline(*deadline);
                }
            }
            SandboxEvent::Declined { fault: _, placement, deadline } => {
                self.refused.extend(self.host);
                self.host = placement.host;
                self.begin_work(stamp);
                self.set_deadline(*deadline);
            }
            SandboxEvent::Booted | SandboxEvent::Resumed | SandboxEvent::Restored => {
                self.refused.clear();
                self.fault = None;
                self.exit = None;
            }
            SandboxEvent::Exited { cause } => self.exit = Some(*cause),
            SandboxEvent::Failed { fault } | SandboxEvent::BuildFailed { fault } => {
                self.fault = Some(fault.clone());
            }
            SandboxEvent::Abandoned { fault } => self.fault = fault.clone().or(self.fault.take()),
            SandboxEvent::Struggled { fault, attempt, retry_at } => {
                // In Error the fault that led there is what recovering needs; what quietening met is in the log. And nothing
                // is wrong with a sandbox that has more copies of its disk than it needs.
                if !self.state.is_in(&[State::Error, State::Stopped]) {
                    self.fault = Some(fault.clone());
                }
                self.begin_work(stamp);
                if let Some(work) = &mut self.work {
                    work.attempt = *attempt;
                    work.retry_at = Some(*retry_at);
                }
            }
            SandboxEvent::Quiesced => self.work = None,
            SandboxEvent::NetworkSet { policy } => self.set_network(stamp, policy),
            SandboxEvent::SettingsApplied => {
                self.settings = Settings::Applied;
                // What kept it from that is over; another fault would be of something else.
                let struggled = self.work.take().is_some_and(|work| work.attempt > 0);
                self.fault = self.fault.take().filter(|_| !struggled);
            }
            SandboxEvent::SnapshotBegan { snapshot, name, heat, deadline } => {
                let (snapshot, name, heat) = (*snapshot, name.clone(), *heat);
                self.errand = Some(Box::new(Errand::Capture { snapshot, name, heat }));
                self.set_deadline(*deadline);
            }
            SandboxEvent::BackupBegan { deadline } => self.begin_backup(stamp, *deadline),
            SandboxEvent::BackupTaken => self.backup_taken(stamp),
            SandboxEvent::BackupFailed { fault, attempt, retry_at } => {
                let (fault, attempt, retry_at) = (fault.clone(), *attempt, *retry_at);
                self.backup_failed(stamp, Unsaved { fault, attempt, retry_at });
            }
            SandboxEvent::LeftoverRemoved if self.state == State::Deleted => {
                self.stored.clear();
                self.host = None;
                self.work = None;
            }
            SandboxEvent::LeftoverRemoved => self.leftover_removed(stamp),
            SandboxEvent::PublicSet { public } => self.blueprint.public = *public,
            SandboxEvent::Removed | SandboxEvent::Buried => {
                self.host = None;
                self.fault = None;
            }
            SandboxEvent::LabelsReplaced { labels } => self.blueprint.labels = labels.clone(),
            SandboxEvent::AutoStopSet { policy } => self.blueprint.auto_stop = *policy,
            SandboxEvent::AutoArchiveSet { policy } => self.blueprint.auto_archive = *policy,
            SandboxEvent::AutoDeleteSet { policy } => self.blueprint.auto_delete = *policy,
            SandboxEvent::ActivityRefreshed => self.last_activity = stamp.at,
            SandboxEvent::IntentQueued { intent } => self.intent = Some(*intent),
            SandboxEvent::IntentDropped { why: _ } => self.intent = None,
            SandboxEvent::DeleteBegan { reason: _ }
            | SandboxEvent::MemorySaved
            | SandboxEvent::ArchiveStored
            | SandboxEvent::Resized
            | SandboxEvent::SnapshotTaken
            | SandboxEvent::Forked => {}
        }
    }
}
