//! What hosts say: who they are, how orders ended, what was used.

use std::collections::BTreeMap;

use hourglass_events::lifecycle::others::HostState;
use hourglass_events::{
    Activity, Actor, Finding, HostEvent, HostId, HostNews, HostProfile, Report, SandboxId, State, Timestamp,
};

use super::gate::Held;
use super::timers::Use;
use super::{Phase, Shard};
use crate::decide::report;
use crate::dispatch::Stage;
use crate::owe::snapshots::{self, bearer};

/// What connected hosts said before there was an epoch to take it in. A host says it once for each connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Early(BTreeMap<HostId, Words>);

#[derive(Debug, Clone)]
struct Words {
    profile: Box<HostProfile>,
    /// By serial, because a host may repeat what is not acknowledged.
    reports: BTreeMap<u64, Report>,
    synced: bool,
}

impl Early {
    fn take_in(&mut self, host: HostId, news: HostNews) {
        match (news, self.0.get_mut(&host)) {
            (HostNews::Joined(profile), Some(_) | None) => {
                self.0.insert(host, Words { profile, reports: BTreeMap::new(), synced: false });
            }
            (HostNews::Reported(report), Some(words)) => {
                words.reports.insert(report.serial, report);
            }
            (HostNews::Synced, Some(words)) => words.synced = true,
            // Uses are asked for again when they matter, and nobody speaks before joining.
            (HostNews::Used(_), Some(_) | None) | (HostNews::Reported(_) | HostNews::Synced, None) => {}
        }
    }

    fn forget(&mut self, host: HostId) {
        self.0.remove(&host);
    }

    fn into_news(self) -> impl Iterator<Item = (HostId, HostNews)> {
        self.0.into_iter().flat_map(|(host, Words { profile, reports, synced })| {
            let reports = reports.into_values().map(HostNews::Reported);
            let all = std::iter::once(HostNews::Joined(profile)).chain(reports);
            all.chain(synced.then_some(HostNews::Synced)).map(move |news| (host, news))
        })
    }
}

impl Shard {
    pub(super) fn news(&mut self, now: Timestamp, host: HostId, news: HostNews) {
        if self.phase == Phase::Opening {
            return self.early.take_in(host, news);
        }
        match news {
            HostNews::Joined(profile) => self.joined(now, host, *profile),
            HostNews::Reported(report) => self.reported(now, host, &report),
            HostNews::Used(activities) => {
                for activity in activities {
                    self.used(now, host, activity);
                }
            }
            HostNews::Synced => {
                if self.dispatch.stage(host) == Stage::Absent {
                    return;
                }
                self.dispatch.synced(host);
                self.barrier.heard(host);
                // Idle alarms wait for their host to have spoken.
                self.agenda.extend(self.proposed.hosts().residents(host));
                self.ask_for_all(host);
            }
        }
    }

    /// Ask for everything that is taken to run there. A host that lost its memory does not know whom to tell of an
    /// end, and what is never stopped for idleness would be taken to run for ever.
    fn ask_for_all(&mut self, host: HostId) {
        let residents: Vec<_> = self.committed.hosts().residents(host).collect();
        self.ask_if_running(residents);
    }

    /// Ask for those of `sandboxes` that are taken to run.
    pub(super) fn ask_if_running(&mut self, sandboxes: Vec<SandboxId>) {
        for id in sandboxes {
            if self.committed.sandbox(id).is_some_and(|sandbox| sandbox.state == State::Started) {
                self.ask_use(id);
            }
        }
    }

    /// The host will say everything again when it comes back; until then its idle alarms are blocked.
    pub(super) fn host_gone(&mut self, now: Timestamp, host: HostId) {
        self.early.forget(host);
        if self.dispatch.stage(host) != Stage::Absent {
            self.unheard_of(now, host);
        }
        self.dispatch.leave(host);
        self.agenda.extend(self.proposed.hosts().residents(host));
    }

    fn joined(&mut self, now: Timestamp, host: HostId, profile: HostProfile) {
        self.dispatch.join(host);
        self.heard_of(host);
        let known = self.proposed.hosts().get(host).filter(|known| known.is_as(&profile));
        let event = match known.map(|known| known.state) {
            Some(HostState::Ready) => None,
            Some(HostState::Suspected | HostState::Lost) => {
                Some(HostEvent::Returned { incarnation: profile.incarnation })
            }
            Some(HostState::Unknown) | None => {
                let HostProfile { host: _, incarnation, region, classes, capacity, gpu_type, capabilities } =
                    profile;
                Some(HostEvent::Seen { incarnation, region, classes, capacity, gpu_type, capabilities })
            }
        };
        if let Some(event) = event {
            self.host_event(now, host, Actor::Host(host), event);
        }
        let mut residents: Vec<_> = self.committed.hosts().residents(host).collect();
        residents.extend(self.committed.known_snapshots().busy().map(bearer));
        // Until it has repeated everything its idle alarms are blocked again.
        self.agenda.extend(&residents);
        self.order(now, residents);
        self.sweep_all(now, host);
    }

    /// Take in what hosts said while the epoch was being opened.
    pub(super) fn catch_up(&mut self, now: Timestamp) {
        for (host, news) in std::mem::take(&mut self.early).into_news() {
            self.news(now, host, news);
        }
    }

    fn reported(&mut self, now: Timestamp, host: HostId, report: &Report) {
        if report.shard != self.proposed.shard() {
            // Whoever it is for has yet to hear it.
            return;
        }
        if self.is_behind(report) {
            return;
        }
        if self.is_too_early(host, report) {
            self.ended.insert(report.sandbox, (host, report.clone()));
            return;
        }
        // After a takeover not everything that is owed was looked at yet, and this report may be on what follows it.
        let birth = self.proposed.sandbox(report.sandbox);
        if let Some(birth) = birth.and_then(|sandbox| snapshots::birth(&self.proposed, sandbox))
            && self.propose(now, birth).is_err()
        {
            return;
        }
        if !self.swept(now, host, report) {
            return;
        }
        if let Some(proposal) = report::decide(&self.proposed, &self.config.terms, host, report, now)
            && self.propose(now, proposal).is_err()
        {
            return;
        }
        self.gate.hold(self.proposed.seq(), Held::Acknowledge { host, serial: report.serial });
        self.release();
    }

    /// Whether the report is about something this writer has not read: another one has taken over and gave that order.
    /// An acknowledgement from here would be the last that anybody hears of it.
    fn is_behind(&self, report: &Report) -> bool {
        let unread = report.number.0 > self.committed.seq().0;
        // A life ends after its boot was reported; here that is still owed, so somebody else was told.
        let unborn = matches!(report.finding, Finding::Exited(_))
            && self.proposed.sandbox(report.sandbox).and_then(|sandbox| sandbox.order())
                == Some(report.number);
        unread || unborn
    }

    /// Whether a life has ended of which something is under way that leaves it running: that is to be over before its
    /// end is, and until then nobody acknowledges it.
    fn is_too_early(&self, host: HostId, report: &Report) -> bool {
        let present = self.proposed.sandbox(report.sandbox).is_some_and(|sandbox| {
            sandbox.host == Some(host)
                && sandbox.boot == Some(report.number)
                && sandbox.origin == Some(State::Started)
        });
        present && matches!(report.finding, Finding::Exited(_))
    }

    /// Take in the end of a life, if one was heard of too early and is so no more.
    pub(super) fn tell_end(&mut self, now: Timestamp, id: SandboxId) {
        let Some((host, report)) = self.ended.remove(&id) else { return };
        self.reported(now, host, &report);
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
