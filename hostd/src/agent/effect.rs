//! What the agent asks of the shell around it, and what it is told about it.

use std::fmt;

use hourglass_events::{
    Build, Capture, Class, ExitCause, Fault, Heat, HostNews, Image, NetworkPolicy, OrderNumber, Plan,
    Resources, RestoreSource, SandboxId, ShardNumber, Span, Task, TaskKind,
};

use crate::driver::DiskFound;
use crate::ledger::Write;

/// Something for the shell to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Remember this.
    Write(Write),
    /// Have the driver take this step, and say how it ended with [`super::Agent::handle_step`].
    Run(Run),
    /// Drop this step, as a crash would, and say that it ended. If it has ended meanwhile, that counts.
    Cancel(RunId),
    /// Tell the engine, if it is there. What must not be lost comes again when it is.
    Tell(HostNews),
    /// Let people know.
    Warn(Oddity),
}

/// One execution of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub u64);

/// A step to be taken by the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Which execution this is.
    pub id: RunId,
    /// The sandbox it is for. There is one step at a time for each.
    pub sandbox: SandboxId,
    /// The order it is done for, which marks what it makes.
    pub number: OrderNumber,
    /// The step.
    pub step: Step,
}

/// One call of the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Have the image.
    Pull(Image),
    /// Have an image, which is fetched or built first.
    Build(Box<Build>),
    /// Make the disk.
    Provision(Box<Plan>),
    /// Run it.
    Boot(Box<Plan>),
    /// Save the memory of what runs and end it.
    SaveMemory,
    /// Run on from saved memory.
    Resume(Box<Plan>),
    /// Make this sandbox's disk and memory the beginning of that other one's.
    Fork(SandboxId),
    /// Put the disk into object storage, and keep it.
    Archive,
    /// Make the disk from what this order put there.
    Restore(OrderNumber, Box<Plan>),
    /// Take away what these orders put there.
    DropArchives(Vec<OrderNumber>),
    /// Keep what it is as the image of a snapshot.
    Capture(Capture),
    /// Leave nothing of the image of a snapshot.
    Scrap(Image),
    /// Give it other resources.
    Resize(Resources),
    /// Hold what runs to another network policy.
    SetNetwork(NetworkPolicy),
    /// Let nothing of it run.
    Halt {
        /// How long its processes may take to end by themselves.
        grace: Span,
    },
    /// Leave nothing of it.
    Erase,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Done,
    /// It was a halt, and this is how the sandbox had ended.
    Halted(ExitCause),
    /// It failed.
    Failed(Fault),
    /// It was dropped on the way.
    Cancelled,
}

/// Something that should not be, and that nobody but people can judge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// A disk nobody remembers. It is kept.
    #[error(
        "sandbox {sandbox} is on this machine ({disk:?}, running under {running:?}) but no order for it is \
         remembered; it is kept until an order names it"
    )]
    Unknown {
        /// The sandbox.
        sandbox: SandboxId,
        /// What was found of its disk.
        disk: DiskFound,
        /// The order that booted what runs, if something runs.
        running: Option<OrderNumber>,
    },
    /// What was left of a sandbox that ended by itself could not be tidied up.
    #[error("sandbox {sandbox} ended by itself, but what it left could not be tidied up: {fault}")]
    Untidy {
        /// The sandbox.
        sandbox: SandboxId,
        /// Why not.
        fault: Fault,
    },
    /// An order older than one seen before.
    #[error("order {number} from shard {shard} for sandbox {sandbox} is ignored: order {newest} is newer")]
    Late {
        /// Who sent it.
        shard: ShardNumber,
        /// The sandbox.
        sandbox: SandboxId,
        /// The late order.
        number: OrderNumber,
        /// The newest order seen.
        newest: OrderNumber,
    },
}

impl Step {
    /// The steps that carry out `task`, in order.
    pub(super) fn of(task: &Task) -> Vec<Self> {
        match task {
            Task::Pull(image) => vec![Self::Pull(image.clone())],
            Task::Build(build) => vec![Self::Build(build.clone())],
            // The sandbox may have been placed here after another host had pulled its image.
            Task::Create(plan) => {
                let begin = match plan.heat {
                    Heat::Cold => Self::Boot(plan.clone()),
                    // It runs on from the memory that came with the image.
                    Heat::Hot => Self::Resume(plan.clone()),
                };
                vec![Self::Pull(plan.image.clone()), Self::Provision(plan.clone()), begin]
            }
            Task::Boot(plan) => vec![Self::Boot(plan.clone())],
            Task::Fork(child) => vec![Self::Fork(*child)],
            Task::Stop { grace } => vec![Self::Halt { grace: *grace }],
            Task::Archive | Task::Backup => vec![Self::Archive],
            Task::Prune(numbers) => vec![Self::DropArchives(numbers.clone())],
            Task::Capture(capture) => vec![Self::Capture(capture.clone())],
            Task::Discard(numbers) if numbers.is_empty() => vec![Self::Erase],
            Task::Discard(numbers) => vec![Self::Erase, Self::DropArchives(numbers.clone())],
            // What was made before is kept: an order that failed on its way is taken up where it ended.
            Task::Restore { plan, source: RestoreSource::Disk } => {
                vec![Self::Pull(plan.image.clone()), Self::Provision(plan.clone()), Self::Boot(plan.clone())]
            }
            Task::Restore { plan, source: RestoreSource::Backup(from) } => vec![
                Self::Pull(plan.image.clone()),
                Self::Restore(*from, plan.clone()),
                Self::Boot(plan.clone()),
            ],
            Task::Purge(numbers) => vec![Self::Erase, Self::DropArchives(numbers.clone())],
            Task::SaveMemory => vec![Self::SaveMemory],
            Task::Resume(plan) | Task::Awaken(plan) => vec![Self::Resume(plan.clone())],
            Task::Resize(resources) => vec![Self::Resize(*resources)],
            Task::Hold { network, resources } => {
                let network = Self::SetNetwork(network.clone());
                resources.map(Self::Resize).into_iter().chain([network]).collect()
            }
            Task::Quiesce => vec![Self::Halt { grace: Span::ZERO }],
            Task::Remove => vec![Self::Erase],
            Task::Scrap(image) => vec![Self::Scrap(image.clone())],
        }
    }

    /// Whether `task` must not wait until this step ends by itself: it may be a grace that runs for minutes or a boot
    /// that hangs for ever, and a kill or a removal is what people reach for then.
    pub(super) fn yields_to(&self, task: &Task) -> bool {
        if matches!((self, task), (Self::Resize(_), Task::Hold { .. })) {
            // It was given up, and may hang for ever.
            return true;
        }
        if matches!(self, Self::Archive | Self::Build(_) | Self::Capture(_) | Self::Fork(_)) {
            // Nothing waits for a disk to be stored or an image to be built, which may take an hour, nor for a fork that
            // was given up.
            return true;
        }
        let force = match self {
            Self::Pull(_)
            | Self::Provision(_)
            | Self::Boot(_)
            | Self::SaveMemory
            | Self::Resume(_)
            | Self::Restore(..)
            | Self::Resize(_)
            | Self::SetNetwork(_)
            | Self::Fork(_)
            | Self::Build(_)
            | Self::Capture(_)
            | Self::Archive => 0,
            Self::Halt { grace } => u8::from(*grace == Span::ZERO),
            Self::Erase | Self::DropArchives(_) | Self::Scrap(_) => 2,
        };
        let wanted = match task {
            Task::Pull(_)
            | Task::Create(_)
            | Task::Boot(_)
            | Task::Fork(_)
            | Task::Awaken(_)
            | Task::SaveMemory
            | Task::Resume(_)
            | Task::Resize(_)
            | Task::Archive
            | Task::Backup
            | Task::Prune(_)
            | Task::Build(_)
            | Task::Capture(_)
            | Task::Discard(_)
            | Task::Restore { .. }
            | Task::Hold { .. } => 0,
            Task::Stop { grace } => u8::from(*grace == Span::ZERO),
            Task::Quiesce => 1,
            Task::Remove | Task::Purge(_) | Task::Scrap(_) => 2,
        };
        wanted > force
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pull(_) => "pull",
            Self::Build(_) => "build the image of",
            Self::Capture(_) => "take a snapshot of",
            Self::Scrap(_) => "scrap the image of",
            Self::Provision(_) => "provision",
            Self::Boot(_) => "boot",
            Self::Fork(_) => "fork",
            Self::Archive => "archive",
            Self::Restore(..) => "restore",
            Self::DropArchives(_) => "drop the archives of",
            Self::SaveMemory => "save the memory of",
            Self::Resume(_) => "resume",
            Self::Resize(_) => "resize",
            Self::SetNetwork(_) => "set the network of",
            Self::Halt { .. } => "halt",
            Self::Erase => "erase",
        })
    }
}

/// The class that a host has to be able to run to carry out `task`, if it matters.
pub(super) fn class(task: &Task) -> Option<Class> {
    match task {
        Task::Build(build) => Some(build.class),
        Task::Create(plan)
        | Task::Awaken(plan)
        | Task::Boot(plan)
        | Task::Resume(plan)
        | Task::Restore { plan, .. } => Some(plan.class),
        Task::Pull(_)
        | Task::Fork(_)
        | Task::Stop { .. }
        | Task::SaveMemory
        | Task::Resize(_)
        | Task::Hold { .. }
        | Task::Archive
        | Task::Backup
        | Task::Prune(_)
        | Task::Capture(_)
        | Task::Discard(_)
        | Task::Quiesce
        | Task::Remove
        | Task::Purge(_)
        | Task::Scrap(_) => None,
    }
}

/// Whether such a task is done to what runs, so that without a life there is nothing to do.
pub(super) const fn needs_life(task: TaskKind) -> bool {
    match task {
        TaskKind::Hold | TaskKind::Fork => true,
        TaskKind::Pull
        | TaskKind::Build
        | TaskKind::Create
        | TaskKind::Boot
        | TaskKind::Stop
        | TaskKind::SaveMemory
        | TaskKind::Resume
        | TaskKind::Archive
        | TaskKind::Discard
        | TaskKind::Restore
        | TaskKind::Resize
        | TaskKind::Backup
        | TaskKind::Capture
        | TaskKind::Quiesce
        | TaskKind::Remove => false,
    }
}

/// Whether nothing may be run in a sandbox from the moment such a task is accepted.
pub(super) const fn closes(task: TaskKind) -> bool {
    match task {
        TaskKind::Stop
        | TaskKind::SaveMemory
        | TaskKind::Archive
        | TaskKind::Discard
        | TaskKind::Quiesce
        | TaskKind::Remove => true,
        TaskKind::Pull
        | TaskKind::Build
        | TaskKind::Create
        | TaskKind::Boot
        | TaskKind::Resume
        | TaskKind::Restore
        | TaskKind::Resize
        | TaskKind::Backup
        | TaskKind::Capture
        | TaskKind::Fork
        | TaskKind::Hold => false,
    }
}
