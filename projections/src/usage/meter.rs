//! What is measured, in which phase, and sums of it.

use std::ops::AddAssign;

use hourglass_events::{Resources, Sandbox, Span, State};

/// What a sandbox's time counts as. The states that are in none of these count nothing: what has failed (`Error`,
/// `Build Failed`) and what is being deleted is nobody's use.
///
/// | phase | states | what counts |
/// | --- | --- | --- |
/// | running | every state in which something runs or is about to, from the wait for a build to the end of a stop; excursions from `Started` | vCPUs, memory, disk, GPUs |
/// | paused | `Paused` | disk |
/// | stopped | `Stopped`, and excursions from there | disk |
/// | archived | `Archived` | disk, which is in object storage |
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Something runs or is about to.
    Running,
    /// Memory and disk are kept.
    Paused,
    /// The disk is kept.
    Stopped,
    /// The disk is in object storage.
    Archived,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 4] = [Self::Running, Self::Paused, Self::Stopped, Self::Archived];

    /// The phase of `sandbox`, if it counts at all.
    #[must_use]
    pub fn of(sandbox: &Sandbox) -> Option<Self> {
        let excursion = sandbox.state.is_in(State::EXCURSIONS);
        match sandbox.origin.filter(|_| excursion).unwrap_or(sandbox.state) {
            State::Unknown
            | State::PendingBuild
            | State::BuildingSnapshot
            | State::PullingSnapshot
            | State::Creating
            | State::Starting
            | State::Started
            | State::Stopping
            | State::Resuming
            | State::Restoring
            // Excursions count as what they set out from, and each set out from somewhere.
            | State::Pausing
            | State::Archiving
            | State::Resizing
            | State::Snapshotting
            | State::Forking => Some(Self::Running),
            State::Paused => Some(Self::Paused),
            State::Stopped => Some(Self::Stopped),
            State::Archived => Some(Self::Archived),
            State::BuildFailed | State::Deleting | State::Deleted | State::Error => None,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Archived => "archived",
        }
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meter {
    /// The time itself.
    Time,
    /// Virtual CPUs.
    Cpu,
    /// GiB of memory.
    Memory,
    /// GiB of disk.
    Disk,
    /// GPUs.
    Gpu,
}

impl Meter {
    /// Every meter.
    pub const ALL: [Self; 5] = [Self::Time, Self::Cpu, Self::Memory, Self::Disk, Self::Gpu];

    /// How much of it `resources` are, in `phase`.
    #[must_use]
    pub fn rate(self, phase: Phase, resources: Resources) -> u32 {
        let running = phase == Phase::Running;
        match self {
            Self::Time => 1,
            Self::Disk => resources.disk_gib,
            Self::Cpu if running => resources.cpu,
            Self::Memory if running => resources.memory_gib,
            Self::Gpu if running => resources.gpu,
            Self::Cpu | Self::Memory | Self::Gpu => 0,
        }
    }

    /// What a sum of it over time is called.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Time => "seconds",
            Self::Cpu => "vCPU-seconds",
            Self::Memory => "GiB-seconds",
            Self::Disk => "disk-GiB-seconds",
            Self::Gpu => "GPU-seconds",
        }
    }
}

/// One number for each meter in each phase.
pub(super) type Grid<T> = [[T; Meter::ALL.len()]; Phase::ALL.len()];

/// Sums over time, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally(pub(super) Grid<u128>);

impl Tally {
    /// The sum of `meter` in `phase`, times a microsecond.
    #[must_use]
    pub const fn micros(&self, phase: Phase, meter: Meter) -> u128 {
        self.0[phase as usize][meter as usize]
    }

    /// Every phase and meter with its sum.
    pub fn cells(&self) -> impl Iterator<Item = (Phase, Meter, u128)> {
        let meters =
            move |phase| Meter::ALL.into_iter().map(move |meter| (phase, meter, self.micros(phase, meter)));
        Phase::ALL.into_iter().flat_map(meters)
    }

    /// Whether nothing was used.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Count `span` of these resources.
    pub fn add(&mut self, phase: Phase, resources: Resources, span: Span) {
        for meter in Meter::ALL {
            let rate = u128::from(meter.rate(phase, resources));
            self.0[phase as usize][meter as usize] += rate * u128::from(span.0);
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        for (sums, more) in self.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *sums += more;
        }
    }
}
