//! What is on a scripted machine, and how it changes.

mod images;

use std::collections::BTreeMap;

use hourglass_events::{
    ExitCause, Fault, Heat, Image, NetworkPolicy, OrderNumber, Plan, Resources, SandboxId, Span,
};

use super::files::Files;
use super::inside::{Ptys, Room, Sessions};
use super::shell::home;
use crate::driver::{DiskFound, Exit, Present};

#[derive(Debug, Default)]
pub(super) struct Machine {
    /// What a disk starts from that is made of each.
    images: BTreeMap<Image, Files>,
    /// Object storage: what each order put there. It belongs to this machine alone.
    archives: BTreeMap<(SandboxId, OrderNumber), Files>,
    sandboxes: BTreeMap<SandboxId, Sandbox>,
    /// How many lives each sandbox had, kept beyond its removal.
    lives: BTreeMap<SandboxId, u32>,
}

/// All there is of one sandbox. Without a disk and a life it does not exist.
#[derive(Debug, Default)]
struct Sandbox {
    disk: Disk,
    life: Option<Life>,
    /// The order that saved the memory of its last life, and what that memory holds.
    saved: Option<(OrderNumber, Life)>,
}

#[derive(Debug, Default)]
enum Disk {
    #[default]
    Absent,
    Half,
    Made {
        number: OrderNumber,
        files: Files,
    },
}

#[derive(Debug, Clone)]
struct Life {
    number: OrderNumber,
    plan: Plan,
    end: End,
    sessions: Sessions,
    ptys: Ptys,
}

/// Whether a life goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its boot is not through.
    NotYetUp,
    Running,
    /// It ended by itself, and nobody was told.
    Unseen(ExitCause),
    Seen(ExitCause),
}

impl Machine {
    pub(super) fn running(&self, sandbox: SandboxId) -> Option<OrderNumber> {
        self.sandboxes.get(&sandbox)?.running().map(|life| life.number)
    }

    pub(super) fn is_clear_of(&self, sandbox: SandboxId) -> bool {
        !self.sandboxes.contains_key(&sandbox)
    }

    pub(super) fn lives(&self, sandbox: SandboxId) -> u32 {
        self.lives.get(&sandbox).copied().unwrap_or_default()
    }

    /// What that which runs was booted with, as changed since.
    pub(super) fn plan(&self, sandbox: SandboxId) -> Option<&Plan> {
        self.sandboxes.get(&sandbox)?.running().map(|life| &life.plan)
    }

    pub(super) fn set_network(&mut self, sandbox: SandboxId, policy: &NetworkPolicy) -> Result<(), Fault> {
        let life = self.sandboxes.get_mut(&sandbox).and_then(|found| found.life.as_mut());
        let Some(life) = life.filter(|life| life.end == End::Running) else {
            return Err(Fault::Missing { what: "running life".to_owned() });
        };
        life.plan.network = policy.clone();
        Ok(())
    }

    /// What is inside a sandbox that runs in the life `number`.
    pub(super) fn inside(&mut self, sandbox: SandboxId, number: OrderNumber) -> Option<Room<'_>> {
        let found = self.sandboxes.get_mut(&sandbox)?;
        let runs = |life: &&mut Life| life.end == End::Running && life.number == number;
        let Life { plan, sessions, ptys, .. } = found.life.as_mut().filter(runs)?;
        let Disk::Made { files, .. } = &mut found.disk else { return None };
        Some(Room { files, plan, sessions, ptys })
    }

    pub(super) fn survey(&mut self) -> Vec<Present> {
        for life in self.sandboxes.values_mut().filter_map(|sandbox| sandbox.life.as_mut()) {
            // Whoever surveys sees that it does not run; how it ended is still told by a halt.
            life.seen();
        }
        self.sandboxes.iter().map(|(id, sandbox)| sandbox.present(*id)).collect()
    }

    /// The next sandbox that ended by itself and of which nobody was told.
    pub(super) fn next_exit(&mut self) -> Option<Exit> {
        self.sandboxes.iter_mut().find_map(|(id, sandbox)| {
            let life = sandbox.life.as_mut()?;
            let cause = life.seen()?;
            Some(Exit { sandbox: *id, number: life.number, cause })
        })
    }

    pub(super) fn end_by_itself(&mut self, sandbox: SandboxId, cause: ExitCause) {
        let life = self.sandboxes.get_mut(&sandbox).and_then(|found| found.life.as_mut());
        if let Some(life) = life.filter(|life| life.end == End::Running) {
            life.end = End::Unseen(cause);
        }
    }

    pub(super) fn power_off(&mut self) {
        for sandbox in self.sandboxes.values_mut() {
            sandbox.life = None;
        }
        self.drop_empty();
    }

    pub(super) fn forget(&mut self, sandbox: SandboxId) {
        self.sandboxes.remove(&sandbox);
    }

    pub(super) fn begin_disk(&mut self, sandbox: SandboxId, image: &Image) -> Result<(), Fault> {
        if !self.has_image(image) {
            let why = "it was not fetched".to_owned();
            return Err(Fault::ImageUnavailable { image: image.digest.clone(), why });
        }
        let sandbox = self.sandboxes.entry(sandbox).or_default();
        if let Disk::Absent = sandbox.disk {
            sandbox.disk = Disk::Half;
        }
        Ok(())
    }

    pub(super) fn end_disk(&mut self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) {
        if let Some(Sandbox { disk: disk @ Disk::Half, saved, .. }) = self.sandboxes.get_mut(&sandbox) {
            let files = self.images.get(&plan.image).cloned().unwrap_or_default();
            *disk = Disk::Made { number, files };
            // What is done under the memory's programs is not kept: there are none on this machine.
            let life = || Life {
                number,
                plan: plan.clone(),
                end: End::NotYetUp,
                sessions: Sessions::new(),
                ptys: Ptys::new(),
            };
            *saved = (plan.heat == Heat::Hot).then(|| (number, life()));
        }
    }

    pub(super) fn break_disk(&mut self, sandbox: SandboxId) {
        if let Some(found) = self.sandboxes.get_mut(&sandbox) {
            *found = Sandbox { disk: Disk::Half, life: None, saved: None };
        }
    }

    pub(super) fn save_memory(&mut self, sandbox: SandboxId, number: OrderNumber) -> Result<(), Fault> {
        let missing = || Fault::Missing { what: "running life".to_owned() };
        let found = self.sandboxes.get_mut(&sandbox).ok_or_else(missing)?;
        if found.running().is_some() {
            found.saved = found.life.take().map(|life| (number, life));
        }
        let saved = found.saved.as_ref().is_some_and(|(saved, _)| *saved == number);
        if saved { Ok(()) } else { Err(missing()) }
    }

    pub(super) fn begin_resume(
        &mut self,
        sandbox: SandboxId,
        number: OrderNumber,
        plan: &Plan,
    ) -> Result<(), Fault> {
        let missing = || Fault::Missing { what: "saved memory".to_owned() };
        let found = self.sandboxes.get_mut(&sandbox).ok_or_else(missing)?;
        // It may have got halfway before.
        if found.life.as_ref().is_some_and(|life| life.number == number) {
            return Ok(());
        }
        let (_, life) = found.saved.take().ok_or_else(missing)?;
        found.life = Some(Life { number, plan: plan.clone(), end: End::NotYetUp, ..life });
        *self.lives.entry(sandbox).or_default() += 1;
        Ok(())
    }

    /// Halfway the child has half a disk.
    pub(super) fn begin_fork(
        &mut self,
        sandbox: SandboxId,
        number: OrderNumber,
        child: SandboxId,
    ) -> Result<(), Fault> {
        if self.sandboxes.get(&child).is_some_and(|found| found.is_copy_of(number)) {
            return Ok(());
        }
        if self.sandboxes.get(&sandbox).and_then(Sandbox::running).is_none() {
            return Err(Fault::Missing { what: "running life".to_owned() });
        }
        self.sandboxes.insert(child, Sandbox { disk: Disk::Half, life: None, saved: None });
        Ok(())
    }

    pub(super) fn end_fork(
        &mut self,
        sandbox: SandboxId,
        number: OrderNumber,
        child: SandboxId,
    ) -> Result<(), Fault> {
        if self.sandboxes.get(&child).is_some_and(|found| found.is_copy_of(number)) {
            return Ok(());
        }
        let missing = || Fault::Missing { what: "running life".to_owned() };
        let parent = self.sandboxes.get(&sandbox).ok_or_else(missing)?;
        let (Some(life), Disk::Made { files, .. }) = (parent.running().cloned(), &parent.disk) else {
            return Err(missing());
        };
        let (disk, saved) = (Disk::Made { number, files: files.clone() }, Some((number, life)));
        self.sandboxes.insert(child, Sandbox { disk, life: None, saved });
        Ok(())
    }

    pub(super) fn archive(&mut self, sandbox: SandboxId, number: OrderNumber) -> Result<(), Fault> {
        let Some(Sandbox { disk: Disk::Made { files, .. }, .. }) = self.sandboxes.get(&sandbox) else {
            return Err(Fault::Missing { what: "disk".to_owned() });
        };
        self.archives.insert((sandbox, number), files.clone());
        Ok(())
    }

    pub(super) fn restore(
        &mut self,
        sandbox: SandboxId,
        number: OrderNumber,
        from: OrderNumber,
    ) -> Result<(), Fault> {
        let found = self.sandboxes.get(&sandbox).map(|found| &found.disk);
        if matches!(found, Some(Disk::Made { number: made, .. }) if *made == number) {
            return Ok(());
        }
        let missing = || Fault::Missing { what: "backup".to_owned() };
        let files = self.archives.get(&(sandbox, from)).ok_or_else(missing)?.clone();
        let disk = Disk::Made { number, files };
        self.sandboxes.insert(sandbox, Sandbox { disk, ..Sandbox::default() });
        Ok(())
    }

    pub(super) fn drop_archives(&mut self, sandbox: SandboxId, numbers: &[OrderNumber]) {
        self.archives.retain(|(owner, number), _| *owner != sandbox || !numbers.contains(number));
    }

    pub(super) fn stores_nothing_of(&self, sandbox: SandboxId) -> bool {
        self.archives.keys().all(|(owner, _)| *owner != sandbox)
    }

    pub(super) fn resize(&mut self, sandbox: SandboxId, resources: Resources) -> Result<(), Fault> {
        let Some(found @ Sandbox { disk: Disk::Made { .. }, .. }) = self.sandboxes.get_mut(&sandbox) else {
            return Err(Fault::Missing { what: "disk".to_owned() });
        };
        if let Some(life) = &mut found.life {
            life.plan.resources = resources;
        }
        Ok(())
    }

    pub(super) fn begin_life(
        &mut self,
        sandbox: SandboxId,
        number: OrderNumber,
        plan: &Plan,
    ) -> Result<(), Fault> {
        let found = self.sandboxes.get_mut(&sandbox);
        let Some(found @ Sandbox { disk: Disk::Made { .. }, .. }) = found else {
            return Err(Fault::Missing { what: "disk".to_owned() });
        };
        if let Disk::Made { files, .. } = &mut found.disk {
            files.with_home(&plan.user, &home(&plan.user));
        }
        if found.running().is_none_or(|life| life.number != number) {
            let (sessions, ptys) = (Sessions::new(), Ptys::new());
            found.life = Some(Life { number, plan: plan.clone(), end: End::NotYetUp, sessions, ptys });
            found.saved = None;
            *self.lives.entry(sandbox).or_default() += 1;
        }
        Ok(())
    }

    pub(super) fn bring_up(&mut self, sandbox: SandboxId, number: OrderNumber) {
        let life = self.sandboxes.get_mut(&sandbox).and_then(|found| found.life.as_mut());
        if let Some(life) = life.filter(|life| life.number == number && life.end == End::NotYetUp) {
            life.end = End::Running;
        }
    }

    /// Ends what runs, and says how what ran last ended.
    pub(super) fn end_life(&mut self, sandbox: SandboxId, grace: Span) -> ExitCause {
        let ended = if grace == Span::ZERO { ExitCause::Killed } else { ExitCause::Stopped };
        let Some(found) = self.sandboxes.get_mut(&sandbox) else { return ExitCause::Vanished };
        let saved = found.saved.take();
        let Some(life) = &mut found.life else {
            return saved.map_or(ExitCause::Vanished, |_| ended);
        };
        let cause = match life.end {
            End::Unseen(cause) | End::Seen(cause) => cause,
            End::NotYetUp | End::Running => ended,
        };
        life.end = End::Seen(cause);
        cause
    }

    pub(super) fn clear_life(&mut self, sandbox: SandboxId) {
        if let Some(found) = self.sandboxes.get_mut(&sandbox) {
            found.life = None;
        }
        self.drop_empty();
    }

    fn drop_empty(&mut self) {
        self.sandboxes.retain(|_, found| match found.disk {
            Disk::Absent => found.life.is_some(),
            Disk::Half | Disk::Made { .. } => true,
        });
    }
}

impl Sandbox {
    /// Whether its disk is what a fork under `number` made.
    fn is_copy_of(&self, made: OrderNumber) -> bool {
        matches!(self.disk, Disk::Made { number, .. } if number == made)
    }

    fn running(&self) -> Option<&Life> {
        self.life.as_ref().filter(|life| life.end == End::Running)
    }

    fn present(&self, sandbox: SandboxId) -> Present {
        let disk = match &self.disk {
            Disk::Absent | Disk::Half => DiskFound::Absent,
            Disk::Made { number, .. } => DiskFound::Made(*number),
        };
        Present {
            sandbox,
            disk,
            running: self.running().map(|life| life.number),
            saved: self.saved.as_ref().map(|(number, _)| *number),
        }
    }
}

impl Life {
    /// Its own end, the first time it is looked at.
    fn seen(&mut self) -> Option<ExitCause> {
        let End::Unseen(cause) = self.end else { return None };
        self.end = End::Seen(cause);
        Some(cause)
    }
}
