//! What hosts say: who they are, how orders ended, what was used.

use hourglass_events::lifecycle::others::HostState;
use hourglass_events::{
    Activity, Actor, Cause, Event, HostEvent, HostId, HostNews, HostProfile, Report, State, Subject,
    Timestamp,
};

use super::gate::Held;
use super::timers::Use;
use super::{Phase, Shard};
use crate::decide::{Proposal, report};
use crate::fleet::GENERAL;

impl Shard {
    pub(super) fn news(&mut self, now: Timestamp, host: HostId, news: HostNews) {
        if self.phase != Phase::Serving {
            return;
        }
        match news {
            HostNews::Joined(profile) => self.joined(now, host, profile),
            HostNews::Reported(report) => self.reported(now, host, &report),
            HostNews::Used(activities) => {
                for activity in activities {
                    self.used(now, host, activity);
                }
            }
            HostNews::Synced => {
                self.dispatch.synced(host);
                self.barrier.heard(host);
                // Idle alarms wait for their host to have spoken.
                self.agenda.extend(self.proposed.hosts().residents(host));
            }
        }
    }

    /// The host will say everything again when it comes back; until then its idle alarms are blocked.
    pub(super) fn host_gone(&mut self, host: HostId) {
        self.dispatch.leave(host);
        self.agenda.extend(self.proposed.hosts().residents(host));
    }

    fn joined(&mut self, now: Timestamp, host: HostId, profile: HostProfile) {
        self.dispatch.join(host);
        let known = self.proposed.hosts().get(host).is_some_and(|known| {
            known.state == HostState::Ready
                && known.incarnation == profile.incarnation
                && known.region == profile.region
                && known.classes == profile.classes
                && known.capacity == profile.capacity
        });
        if !known {
            let HostProfile { host, incarnation, region, classes, capacity } = profile;
            let event = Event::Host(HostEvent::Seen { incarnation, region, classes, capacity });
            let (subject, actor, cause) = (Subject::Host(host), Actor::Host(host), Cause::Host);
            let proposal =
                Proposal { subject, organization: GENERAL, actor, cause, correlation: None, event };
            // A profile that is too large to record is not taken in; the host stays unseen and gets no work.
            let _ = self.propose(now, proposal);
        }
        let residents: Vec<_> = self.committed.hosts().residents(host).collect();
        self.order(now, residents);
    }

    fn reported(&mut self, now: Timestamp, host: HostId, report: &Report) {
        if let Some(proposal) = report::decide(&self.proposed, &self.config.terms, host, report, now)
            && self.propose(now, proposal).is_err()
        {
            return;
        }
        self.gate.hold(self.proposed.seq(), Held::Acknowledge { host, serial: report.serial });
        self.release();
    }

    fn used(&mut self, now: Timestamp, host: HostId, activity: Activity) {
        let id = activity.sandbox;
        let present = self.proposed.sandbox(id).is_some_and(|sandbox| {
            sandbox.state == State::Started
                && sandbox.host == Some(host)
                && sandbox.boot == Some(activity.number)
        });
        if present {
            let at = now.before(activity.age);
            let seen = self.uses.entry(id).or_insert(Use { at, heard: now });
            seen.at = seen.at.max(at);
            seen.heard = now;
            self.agenda.insert(id);
        }
    }
}
