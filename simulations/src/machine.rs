//! A simulated machine: images, disks and lives. It keeps the driver's contract (each step may be cut off anywhere and
//! taken again) and knows what really happened, which no agent is told.

use std::collections::{BTreeMap, BTreeSet};

use hourglass_events::{
    Capture, ExitCause, Fault, Heat, Image, NetworkPolicy, OrderNumber, Plan, Resources, SandboxId, Span,
};
use hourglass_hostd::agent::{Outcome, Step};
use hourglass_hostd::driver::{DiskFound, Present};

/// What is on it.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    images: BTreeSet<String>,
    units: BTreeMap<SandboxId, Unit>,
    spawned: u64,
}

/// What every machine can reach: object storage.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// What each order put there.
    pub(crate) archives: BTreeSet<(SandboxId, OrderNumber)>,
    /// Images that were built or taken of sandboxes.
    pub(crate) images: BTreeSet<Image>,
}

/// Whether an image is one that hosts make.
fn is_made(image: &Image) -> bool {
    image.digest.starts_with("snapshot-") || image.digest.starts_with("build-")
}

/// What is on it of one sandbox.
#[derive(Debug, Default, Clone)]
pub(crate) struct Unit {
    /// The order that made its disk.
    pub(crate) disk: Option<OrderNumber>,
    /// What runs.
    pub(crate) life: Option<Life>,
    /// The order that saved the memory of what ran.
    pub(crate) saved: Option<OrderNumber>,
    /// What it is given.
    pub(crate) resources: Option<Resources>,
    /// What that may reach.
    pub(crate) network: NetworkPolicy,
    /// How the last life ended, until it is tidied up.
    remains: Option<ExitCause>,
}

/// A life of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    /// The order that booted it.
    pub(crate) number: OrderNumber,
    /// Which life on this machine it is.
    pub(crate) spawn: u64,
}

impl Machine {
    /// What is here of each sandbox.
    pub(crate) fn units(&self) -> impl Iterator<Item = (SandboxId, &Unit)> {
        self.units.iter().map(|(id, unit)| (*id, unit))
    }

    /// What runs of a sandbox.
    pub(crate) fn life(&self, sandbox: SandboxId) -> Option<Life> {
        self.units.get(&sandbox)?.life
    }

    /// What a driver would find.
    pub(crate) fn survey(&self) -> Vec<Present> {
        let present = |(sandbox, unit): (&SandboxId, &Unit)| Present {
            sandbox: *sandbox,
            disk: unit.disk.map_or(DiskFound::Absent, DiskFound::Made),
            running: unit.life.map(|life| life.number),
            saved: unit.saved,
        };
        self.units.iter().map(present).collect()
    }

    /// Take a whole step.
    pub(crate) fn take(
        &mut self,
        sandbox: SandboxId,
        number: OrderNumber,
        step: &Step,
        store: &mut Store,
    ) -> Outcome {
        let archives = &mut store.archives;
        match step {
            Step::Pull(image) if is_made(image) && !store.images.contains(image) => {
                Outcome::Failed(Fault::Missing { what: "image".to_owned() })
            }
            Step::Pull(image) => {
                self.images.insert(image.digest.clone());
                Outcome::Done
            }
            Step::Build(build) => {
                store.images.insert(build.image.clone());
                Outcome::Done
            }
            Step::Capture(capture) => self.capture(sandbox, capture, &mut store.images),
            Step::Scrap(image) => {
                store.images.remove(image);
                Outcome::Done
            }
            Step::Provision(plan) if !self.images.contains(&plan.image.digest) => {
                Outcome::Failed(Fault::Missing { what: "image".to_owned() })
            }
            Step::Provision(plan) => {
                let unit = self.units.entry(sandbox).or_default();
                if unit.disk.is_none() && plan.heat == Heat::Hot {
                    unit.saved = Some(number);
                }
                unit.disk.get_or_insert(number);
                Outcome::Done
            }
            Step::Boot(plan) => self.boot(sandbox, number, plan),
            Step::SaveMemory => self.save_memory(sandbox, number),
            Step::Resume(plan) => self.resume(sandbox, number, plan),
            Step::Fork(child) => self.fork(sandbox, number, *child),
            Step::Archive => self.archive(sandbox, number, archives),
            Step::Restore(from, _) => self.restore(sandbox, number, *from, archives),
            Step::DropArchives(numbers) => {
                archives.retain(|(owner, number)| *owner != sandbox || !numbers.contains(number));
                Outcome::Done
            }
            Step::Resize(resources) => self.resize(sandbox, *resources),
            Step::SetNetwork(policy) => self.set_network(sandbox, policy),
            Step::Halt { grace } => Outcome::Halted(self.halt(sandbox, *grace)),
            Step::Erase => {
                self.units.remove(&sandbox);
                Outcome::Done
            }
        }
    }

    /// Be cut off somewhere within a step.
    pub(crate) fn take_half(&mut self, sandbox: SandboxId, step: &Step) {
        match step {
            // Half an image and half a disk count as none.
            Step::Pull(_) | Step::Provision(_) => {}
            // It is replaced whole or not at all.
            Step::SaveMemory
            | Step::Fork(_)
            | Step::Archive
            | Step::Build(_)
            | Step::Capture(_)
            | Step::Scrap(_)
            | Step::Restore(..)
            | Step::DropArchives(_)
            | Step::Resize(_)
            | Step::SetNetwork(_) => {}
            // The former life is over and the next has not begun; or what ran has ended and is not tidied up.
            Step::Boot(_) | Step::Resume(_) | Step::Halt { .. } | Step::Erase => {
                self.end(sandbox, ExitCause::Killed);
            }
        }
    }

    fn boot(&mut self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) -> Outcome {
        let Some(unit) = self.units.get_mut(&sandbox).filter(|unit| unit.disk.is_some()) else {
            return Outcome::Failed(Fault::Missing { what: "disk".to_owned() });
        };
        if unit.life.is_none_or(|life| life.number != number) {
            self.spawned += 1;
            unit.life = Some(Life { number, spawn: self.spawned });
            unit.remains = None;
            unit.saved = None;
            (unit.network, unit.resources) = (plan.network.clone(), Some(plan.resources));
        }
        Outcome::Done
    }

    fn save_memory(&mut self, sandbox: SandboxId, number: OrderNumber) -> Outcome {
        let missing = Outcome::Failed(Fault::Missing { what: "running life".to_owned() });
        let Some(unit) = self.units.get_mut(&sandbox) else { return missing };
        if unit.life.take().is_some() {
            unit.saved = Some(number);
        }
        if unit.saved == Some(number) { Outcome::Done } else { missing }
    }

    fn resume(&mut self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) -> Outcome {
        let Some(unit) = self.units.get_mut(&sandbox) else {
            return Outcome::Failed(Fault::Missing { what: "saved memory".to_owned() });
        };
        if unit.life.is_some_and(|life| life.number == number) {
            return Outcome::Done;
        }
        if unit.saved.take().is_none() {
            return Outcome::Failed(Fault::Missing { what: "saved memory".to_owned() });
        }
        self.spawned += 1;
        unit.life = Some(Life { number, spawn: self.spawned });
        (unit.network, unit.resources) = (plan.network.clone(), Some(plan.resources));
        Outcome::Done
    }

    fn fork(&mut self, sandbox: SandboxId, number: OrderNumber, child: SandboxId) -> Outcome {
        if self.units.get(&child).is_some_and(|unit| unit.disk == Some(number)) {
            return Outcome::Done;
        }
        let Some(parent) = self.units.get(&sandbox).filter(|unit| unit.life.is_some()) else {
            return Outcome::Failed(Fault::Missing { what: "running life".to_owned() });
        };
        let copy =
            Unit { disk: Some(number), life: None, saved: Some(number), remains: None, ..parent.clone() };
        self.units.insert(child, copy);
        Outcome::Done
    }

    fn capture(&self, sandbox: SandboxId, capture: &Capture, images: &mut BTreeSet<Image>) -> Outcome {
        let unit = self.units.get(&sandbox).filter(|unit| unit.disk.is_some());
        let fits = unit.is_some_and(|unit| capture.heat == Heat::Cold || unit.life.is_some());
        if !fits && !images.contains(&capture.image) {
            return Outcome::Failed(Fault::Missing { what: "disk or life".to_owned() });
        }
        images.insert(capture.image.clone());
        Outcome::Done
    }

    fn archive(
        &mut self,
        sandbox: SandboxId,
        number: OrderNumber,
        archives: &mut BTreeSet<(SandboxId, OrderNumber)>,
    ) -> Outcome {
        if self.units.get(&sandbox).is_none_or(|unit| unit.disk.is_none()) {
            return Outcome::Failed(Fault::Missing { what: "disk".to_owned() });
        }
        archives.insert((sandbox, number));
        Outcome::Done
    }

    fn restore(
        &mut self,
        sandbox: SandboxId,
        number: OrderNumber,
        from: OrderNumber,
        archives: &BTreeSet<(SandboxId, OrderNumber)>,
    ) -> Outcome {
        if !archives.contains(&(sandbox, from)) {
            return Outcome::Failed(Fault::Missing { what: "backup".to_owned() });
        }
        self.units.entry(sandbox).or_default().disk = Some(number);
        Outcome::Done
    }

    fn resize(&mut self, sandbox: SandboxId, resources: Resources) -> Outcome {
        let Some(unit) = self.units.get_mut(&sandbox).filter(|unit| unit.disk.is_some()) else {
            return Outcome::Failed(Fault::Missing { what: "disk".to_owned() });
        };
        unit.resources = Some(resources);
        Outcome::Done
    }

    fn set_network(&mut self, sandbox: SandboxId, policy: &NetworkPolicy) -> Outcome {
        let Some(unit) = self.units.get_mut(&sandbox).filter(|unit| unit.life.is_some()) else {
            return Outcome::Failed(Fault::Missing { what: "running life".to_owned() });
        };
        unit.network = policy.clone();
        Outcome::Done
    }

    fn halt(&mut self, sandbox: SandboxId, grace: Span) -> ExitCause {
        let Some(unit) = self.units.get_mut(&sandbox) else { return ExitCause::Vanished };
        let ended = if grace == Span::ZERO { ExitCause::Killed } else { ExitCause::Stopped };
        let remains = unit.remains.take();
        let ran = unit.life.take().is_some() | unit.saved.take().is_some();
        let cause = if ran { ended } else { remains.unwrap_or(ExitCause::Vanished) };
        if unit.disk.is_none() {
            self.units.remove(&sandbox);
        }
        cause
    }

    /// What runs of a sandbox ends by itself, or with a step that was cut off.
    pub(crate) fn end(&mut self, sandbox: SandboxId, cause: ExitCause) {
        if let Some(unit) = self.units.get_mut(&sandbox)
            && unit.life.take().is_some()
        {
            unit.remains = Some(cause);
        }
    }

    /// Lose all that runs, keep the disks.
    pub(crate) fn reboot(&mut self) {
        for unit in self.units.values_mut() {
            unit.life = None;
            unit.remains = None;
        }
    }
}
