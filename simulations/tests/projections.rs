//! Read models of logs that worlds leave, compared with the kernel's own state after every record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hourglass_events::{OrganizationId, Record, Resources, Sandbox, SandboxId, ShardNumber, Span, State};
use hourglass_kernel::fleet::quotas::Counts;
use hourglass_kernel::place::{CPU_SHARE, DISK_SHARE, GPU_SHARE, MEMORY_SHARE};
use hourglass_kernel::{Fleet, Replay};
use hourglass_projections::capacity::{Amounts, Shares};
use hourglass_projections::usage::{Meter, Phase, Tally};
use hourglass_projections::{Capacity, Forest, Keep, Links, Projection, Roster, Timeline, Usage};
use hourglass_simulations::{Plan, log_of};

/// How many worlds are lived through.
const SEEDS: u64 = 24;
/// Of the records of a world, every so manyeth is compared with, and the last.
const STRIDE: u64 = 7;

const SHARES: Shares =
    Amounts { cpu: CPU_SHARE, memory_gib: MEMORY_SHARE, disk_gib: DISK_SHARE, gpu: GPU_SHARE };
const NOTHING: Resources = Resources { cpu: 0, memory_gib: 0, disk_gib: 0, gpu: 0 };

/// Every read model there is.
struct Models {
    roster: Roster,
    usage: Usage,
    timeline: Timeline,
    forest: Forest,
    links: Links,
    capacity: Capacity,
}

impl Models {
    fn new(keep: Keep) -> Self {
        Self {
            roster: Roster::new(),
            usage: Usage::new(keep),
            timeline: Timeline::new(keep),
            forest: Forest::new(keep),
            links: Links::new(),
            capacity: Capacity::new(),
        }
    }

    fn apply(&mut self, record: &Record) {
        let all: [&mut dyn Projection; 6] = [
            &mut self.roster,
            &mut self.usage,
            &mut self.timeline,
            &mut self.forest,
            &mut self.links,
            &mut self.capacity,
        ];
        for model in all {
            model.apply(record).expect("what the kernel folds, read models fold");
            assert_eq!(model.applied(), record.seq);
        }
    }

    fn compare(&self, fleet: &Fleet) {
        self.lives(fleet);
        self.kin(fleet);
        self.used(fleet);
        Self::counted(fleet);
        self.hosted(fleet);
    }

    fn lives(&self, fleet: &Fleet) {
        for sandbox in living(fleet) {
            assert_eq!(self.roster.by_id(sandbox.id), Some(sandbox));
            if sandbox.state == State::Deleted {
                // It is known for what it left elsewhere, and its story is over.
                continue;
            }
            let step = self.timeline.of(sandbox.id).and_then(|story| story.steps().last());
            let step = step.expect("who is there has a story");
            assert_eq!((step.state, step.at), (sandbox.state, sandbox.since));
        }
    }

    fn kin(&self, fleet: &Fleet) {
        let mut linked = BTreeMap::<SandboxId, BTreeSet<SandboxId>>::new();
        for sandbox in living(fleet) {
            let parent = self.forest.ancestors(sandbox.id).next().map(|parent| parent.sandbox);
            assert_eq!(parent, sandbox.blueprint.forked_from);
            assert!(self.forest.get(sandbox.id).is_none_or(|member| member.state == sandbox.state));
            if let Some(parent) = sandbox.blueprint.linked {
                linked.entry(parent).or_default().insert(sandbox.id);
            }
        }
        linked.retain(|parent, _| living(fleet).any(|sandbox| sandbox.id == *parent));
        // To the kernel, what is being deleted is nobody's child any more.
        let stays =
            |id: &SandboxId| fleet.sandbox(*id).is_some_and(|child| !child.state.is_in(State::NAMELESS));
        for sandbox in living(fleet) {
            let children = self.forest.children(sandbox.id).into_iter().map(|child| child.sandbox);
            let forks = fleet.kin().forks(sandbox.id).filter(|child| !fleet.kin().is_reserved(*child));
            assert!(children.filter(stays).collect::<BTreeSet<_>>().into_iter().eq(forks));
            let children = linked.get(&sandbox.id).into_iter().flatten().copied();
            assert!(children.filter(stays).eq(fleet.kin().linked(sandbox.id)));
        }
        let networks = self.links.networks();
        let found: BTreeMap<_, BTreeSet<_>> = networks
            .map(|network| {
                let children = network.children.iter().map(|child| child.sandbox).collect();
                (network.parent.sandbox, children)
            })
            .collect();
        assert_eq!(found, linked);
    }

    /// What counts as used counts against quotas, but that a disk in object storage is used and against none.
    fn counted(fleet: &Fleet) {
        for sandbox in fleet.sandboxes() {
            let counts = match Phase::of(sandbox) {
                Some(Phase::Running) => matches!(Counts::of(sandbox), Counts::Running(_)),
                Some(Phase::Paused | Phase::Stopped) => matches!(Counts::of(sandbox), Counts::Resting(_)),
                Some(Phase::Archived) | None => Counts::of(sandbox) == Counts::Nothing,
            };
            assert!(counts, "{} is {} from {:?}", sandbox.id, sandbox.state, sandbox.origin);
        }
    }

    /// What is used in the second after the last record is what the fleet has then.
    fn used(&self, fleet: &Fleet) {
        let second = Span::seconds(1);
        let mut has = BTreeMap::<OrganizationId, Tally>::new();
        for sandbox in fleet.sandboxes() {
            let Some(phase) = Phase::of(sandbox) else { continue };
            has.entry(sandbox.organization).or_default().add(phase, sandbox.blueprint.resources, second);
        }
        let now: BTreeMap<_, _> = self.usage.organizations(fleet.at()).collect();
        for (id, then) in self.usage.organizations(fleet.at().after(second)) {
            for (phase, meter, sum) in then.cells() {
                let grown = sum - now[&id].micros(phase, meter);
                let expected = has.get(&id).map_or(0, |has| has.micros(phase, meter));
                assert_eq!(grown, expected, "{phase:?} {meter:?} at record {}", fleet.seq());
            }
        }
    }

    fn hosted(&self, fleet: &Fleet) {
        let hosts: Vec<_> = self.capacity.hosts().collect();
        assert_eq!(hosts.len(), fleet.hosts().iter().count());
        for (found, host) in hosts.into_iter().zip(fleet.hosts().iter()) {
            assert_eq!((found.id, found.state, found.schedule), (host.id, host.state, host.schedule));
            assert_eq!((&found.region, found.has), (&host.region, host.capacity));
            let room = self.capacity.room(found, SHARES);
            assert_eq!(room.sandboxes, fleet.hosts().residents(host.id).count() as u64);
            if let Some(memory) = fleet.hosts().room(host, NOTHING).filter(|_| room.open == 1) {
                assert_eq!(room.left.memory_gib, memory);
            }
        }
    }
}

/// The deleted are in the fleet for as long as something of them is left elsewhere, and in no read model of the living.
fn living(fleet: &Fleet) -> impl Iterator<Item = &Arc<Sandbox>> {
    fleet.sandboxes().filter(|sandbox| sandbox.state != State::Deleted)
}

#[test]
fn read_models_agree_with_the_kernel_after_every_record() {
    let (mut records, mut used) = (0, Tally::default());
    for seed in 0..SEEDS {
        let mut models = [Models::new(Keep::Everyone), Models::new(Keep::Living)];
        let mut replay = Replay::new(ShardNumber(0), 1);
        for frame in log_of(Plan::draw(seed)) {
            let all = replay.fold_while(
                &frame,
                |_| true,
                |fleet, record, _, _| {
                    for model in &mut models {
                        model.apply(record);
                        if record.seq.0.is_multiple_of(STRIDE) {
                            model.compare(fleet);
                        }
                    }
                },
            );
            assert!(all.expect("the log of a world can be folded"));
        }
        let fleet = replay.fleet();
        models.iter().for_each(|model| model.compare(fleet));
        let [everyone, living] = &models;
        assert!(everyone.usage.organizations(fleet.at()).eq(living.usage.organizations(fleet.at())));
        everyone.usage.organizations(fleet.at()).for_each(|(_, tally)| used += tally);
        records += fleet.seq().0;
    }
    // Worlds in which nothing happens would agree with anything.
    assert!(records > 40 * SEEDS, "{records} records");
    assert!(used.micros(Phase::Running, Meter::Cpu) > 0 && used.micros(Phase::Stopped, Meter::Disk) > 0);
}
