//! The script of a scripted machine: what goes otherwise than usual, and when.

use std::time::Duration;

use hourglass_events::{Fault, SandboxId};

/// A step of a driver, to hang a script on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// [`Driver::pull`](crate::driver::Driver::pull), which concerns no sandbox in particular.
    Pull,
    /// [`Driver::build`](crate::driver::Driver::build), which concerns no sandbox in particular.
    Build,
    /// [`Driver::capture`](crate::driver::Driver::capture).
    Capture,
    /// [`Driver::scrap`](crate::driver::Driver::scrap), which concerns no sandbox in particular.
    Scrap,
    /// [`Driver::provision`](crate::driver::Driver::provision).
    Provision,
    /// [`Driver::boot`](crate::driver::Driver::boot).
    Boot,
    /// [`Driver::save_memory`](crate::driver::Driver::save_memory).
    SaveMemory,
    /// [`Driver::resume`](crate::driver::Driver::resume).
    Resume,
    /// [`Driver::fork`](crate::driver::Driver::fork).
    Fork,
    /// [`Driver::archive`](crate::driver::Driver::archive).
    Archive,
    /// [`Driver::restore`](crate::driver::Driver::restore).
    Restore,
    /// [`Driver::drop_archives`](crate::driver::Driver::drop_archives).
    DropArchives,
    /// [`Driver::resize`](crate::driver::Driver::resize).
    Resize,
    /// [`Driver::set_network`](crate::driver::Driver::set_network).
    SetNetwork,
    /// [`Driver::halt`](crate::driver::Driver::halt).
    Halt,
    /// [`Driver::erase`](crate::driver::Driver::erase).
    Erase,
}

impl Act {
    /// Every step.
    pub const ALL: &'static [Self] = &[
        Self::Pull,
        Self::Build,
        Self::Capture,
        Self::Scrap,
        Self::Provision,
        Self::Boot,
        Self::SaveMemory,
        Self::Resume,
        Self::Fork,
        Self::Archive,
        Self::Restore,
        Self::DropArchives,
        Self::Resize,
        Self::SetNetwork,
        Self::Halt,
        Self::Erase,
    ];
}

/// What happens at a step instead of nothing in particular.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Twist {
    /// It fails, and has done nothing.
    Fail(Fault),
    /// It fails, half done.
    FailHalfway(Fault),
    /// It waits before it does anything, until [`Scripted::release`](super::Scripted::release) or until it is dropped.
    HangBefore,
    /// It waits half done.
    HangHalfway,
    /// It has done all, but does not return.
    HangAfter,
    /// It takes this long.
    Slow(Duration),
}

/// A line of the script: the next time this step is taken, this happens, once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    sandbox: Option<SandboxId>,
    act: Act,
    twist: Twist,
}

/// A step that was begun, as a trace for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The sandbox, if the step concerns one.
    pub sandbox: Option<SandboxId>,
    /// The step.
    pub act: Act,
}

/// Where in a step a twist takes hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    Before,
    Halfway,
    After,
}

/// What is still to happen, what hangs and what has been.
#[derive(Debug, Default)]
pub(super) struct Script {
    lines: Vec<Line>,
    hanging: Vec<Taken>,
    pub(super) released: u64,
    pub(super) taken: Vec<Taken>,
}

impl Script {
    pub(super) fn add(&mut self, sandbox: Option<SandboxId>, act: Act, twist: Twist) {
        self.lines.push(Line { sandbox, act, twist });
    }

    pub(super) fn release(&mut self) {
        self.lines.clear();
        self.released += 1;
    }

    /// A step begins: what is to happen at it.
    pub(super) fn take(&mut self, taken: Taken) -> Option<Twist> {
        self.taken.push(taken);
        let fits =
            |line: &Line| line.act == taken.act && (line.sandbox.is_none() || line.sandbox == taken.sandbox);
        let line = self.lines.iter().position(fits)?;
        Some(self.lines.remove(line).twist)
    }

    pub(super) fn hang(&mut self, taken: Taken) {
        self.hanging.push(taken);
    }

    pub(super) fn unhang(&mut self, taken: Taken) {
        if let Some(place) = self.hanging.iter().position(|hanging| *hanging == taken) {
            self.hanging.remove(place);
        }
    }

    pub(super) fn hanging(&self) -> Option<Taken> {
        self.hanging.last().copied()
    }
}
