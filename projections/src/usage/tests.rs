//! What sandboxes had, compared with what an unhurried reader of the same records counts.

use std::collections::BTreeMap;

use hourglass_events::arbitrary::{history, offers, resources};
use hourglass_events::{
    Event, OrganizationId, Record, Resources, Sandbox, SandboxId, Span, State, Subject, Timestamp,
};
use proptest::prelude::*;

use super::{HOUR, Meter, Phase, Tally, Usage};
use crate::{Keep, Projection};

fn fed(keep: Keep, records: &[Record]) -> Usage {
    let mut usage = Usage::new(keep);
    records.iter().for_each(|record| usage.apply(record).unwrap());
    usage
}

/// For how long a sandbox had what, one interval after the other.
struct Interval {
    sandbox: SandboxId,
    organization: OrganizationId,
    phase: Phase,
    resources: Resources,
    from: Timestamp,
    to: Timestamp,
}

/// Every interval between two records of a sandbox, and from its last to `until`.
fn intervals(records: &[Record], until: Timestamp) -> Vec<Interval> {
    let mut folded = BTreeMap::<SandboxId, Sandbox>::new();
    let mut found = Vec::new();
    let mut close = |sandbox: &Sandbox, to| {
        let Some(phase) = Phase::of(sandbox) else { return };
        let (resources, from) = (sandbox.blueprint.resources, sandbox.updated);
        found.push(Interval {
            sandbox: sandbox.id,
            organization: sandbox.organization,
            phase,
            resources,
            from,
            to,
        });
    };
    for record in records {
        let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) else { continue };
        let after = match folded.remove(&id) {
            None => Sandbox::born(id, &record.stamp(), event).unwrap(),
            Some(mut sandbox) => {
                close(&sandbox, record.at);
                sandbox.evolve(&record.stamp(), event).unwrap();
                sandbox
            }
        };
        folded.insert(id, after);
    }
    folded.values().for_each(|sandbox| close(sandbox, until));
    found
}

/// What the sandbox of `record` is after it.
fn fold<'a>(folded: &'a mut BTreeMap<SandboxId, Sandbox>, record: &Record) -> &'a Sandbox {
    let (Subject::Sandbox(id), Event::Sandbox(event)) = (record.subject, &record.event) else {
        panic!("histories are of sandboxes only")
    };
    if let Some(sandbox) = folded.get_mut(&id) {
        sandbox.evolve(&record.stamp(), event).unwrap();
    } else {
        folded.insert(id, Sandbox::born(id, &record.stamp(), event).unwrap());
    }
    &folded[&id]
}

/// The sandboxes after all of `records`.
fn folded(records: &[Record]) -> BTreeMap<SandboxId, Sandbox> {
    let mut folded = BTreeMap::new();
    for record in records {
        fold(&mut folded, record);
    }
    folded
}

fn sums<K: Ord>(intervals: &[Interval], key: impl Fn(&Interval) -> K) -> BTreeMap<K, Tally> {
    let mut sums = BTreeMap::<K, Tally>::new();
    for interval in intervals {
        let span = interval.to.since(interval.from);
        sums.entry(key(interval)).or_default().add(interval.phase, interval.resources, span);
    }
    sums.retain(|_, tally| !tally.is_nothing());
    sums
}

/// The intervals, cut where hours begin.
fn by_hour(intervals: Vec<Interval>) -> Vec<Interval> {
    let mut cut = Vec::new();
    for mut interval in intervals {
        loop {
            let end = Timestamp((interval.from.0 / HOUR.0 + 1) * HOUR.0);
            if end >= interval.to {
                break;
            }
            cut.push(Interval { to: end, ..interval });
            interval.from = end;
        }
        cut.push(interval);
    }
    cut
}

fn something<K: Ord>(pairs: impl Iterator<Item = (K, Tally)>) -> BTreeMap<K, Tally> {
    pairs.filter(|(_, tally)| !tally.is_nothing()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn usage_is_what_its_records_say_to_the_microsecond(offers in offers(6, 150), more in 0..10_000_000_000_u64) {
        let records = history(&offers);
        let usage = fed(Keep::Everyone, &records);
        let until = usage.at().after(Span(more));
        let intervals = intervals(&records, until);
        let sandboxes = something(usage.sandboxes(until).map(|used| (used.sandbox, used.tally)));
        prop_assert!(sandboxes.into_iter().eq(sums(&intervals, |interval| interval.sandbox)));
        let organizations = something(usage.organizations(until));
        prop_assert!(organizations.into_iter().eq(sums(&intervals, |interval| interval.organization)));
        for organization in [None, Some(OrganizationId::from_u128(1)), Some(OrganizationId::from_u128(2))] {
            let meant = |interval: &Interval| organization.is_none_or(|meant| meant == interval.organization);
            let intervals: Vec<_> =
                super::tests::intervals(&records, until).into_iter().filter(meant).collect();
            let expected = sums(&by_hour(intervals), |interval| Timestamp(interval.from.0 / HOUR.0 * HOUR.0));
            prop_assert!(usage.hours(organization, until).eq(expected));
        }
    }

    #[test]
    fn organizations_and_hours_add_up_to_the_sandboxes(offers in offers(6, 150)) {
        let usage = fed(Keep::Everyone, &history(&offers));
        let sum = |tallies: &mut dyn Iterator<Item = Tally>| {
            tallies.fold(Tally::default(), |mut sum, tally| {
                sum += tally;
                sum
            })
        };
        let all = sum(&mut usage.sandboxes(usage.at()).map(|used| used.tally));
        prop_assert_eq!(sum(&mut usage.organizations(usage.at()).map(|(_, tally)| tally)), all);
        prop_assert_eq!(sum(&mut usage.hours(None, usage.at()).map(|(_, tally)| tally)), all);
    }

    #[test]
    fn who_keeps_the_living_loses_no_organizations_sums(offers in offers(6, 150)) {
        let records = history(&offers);
        let (all, living) = (fed(Keep::Everyone, &records), fed(Keep::Living, &records));
        let until = all.at();
        prop_assert!(living.organizations(until).eq(all.organizations(until)));
        prop_assert!(living.hours(None, until).eq(all.hours(None, until)));
        let mut folded = folded(&records);
        folded.retain(|_, sandbox| sandbox.state != State::Deleted);
        prop_assert!(living.sandboxes(until).map(|used| used.sandbox).eq(folded.into_keys()));
    }

    #[test]
    fn only_what_computes_has_more_than_a_disk(resources in resources()) {
        for phase in Phase::ALL {
            let running = phase == Phase::Running;
            prop_assert_eq!(Meter::Time.rate(phase, resources), 1);
            prop_assert_eq!(Meter::Disk.rate(phase, resources), resources.disk_gib);
            for (meter, given) in
                [(Meter::Cpu, resources.cpu), (Meter::Memory, resources.memory_gib), (Meter::Gpu, resources.gpu)]
            {
                prop_assert_eq!(meter.rate(phase, resources), if running { given } else { 0 });
            }
        }
    }

    #[test]
    fn what_runs_by_usage_is_what_takes_a_hosts_cpus(offers in offers(4, 120)) {
        let records = history(&offers);
        let mut folded = BTreeMap::<SandboxId, Sandbox>::new();
        for record in &records {
            let sandbox = fold(&mut folded, record);
            let computes = sandbox.state.computes(sandbox.origin);
            prop_assert_eq!(Phase::of(sandbox) == Some(Phase::Running), computes, "{:?}", sandbox.state);
        }
    }
}

#[test]
fn hours_without_use_cost_nothing_and_are_left_out() {
    let mut flow = super::Flow::default();
    let one = Some((Phase::Running, Resources::DEFAULT));
    let far = Timestamp(u64::MAX - HOUR.0);
    flow.change(Timestamp(0), None, one);
    flow.change(Timestamp(1), one, None);
    flow.change(far, None, one);
    let hours: Vec<_> = flow.hours(far.after(Span(5))).collect();
    assert_eq!(hours.len(), 2);
    assert_eq!(hours[0].1.micros(Phase::Running, Meter::Cpu), 1);
    assert_eq!(hours[1].1.micros(Phase::Running, Meter::Disk), 15);
}
