//! What the agent asks of the shell around it, and what it is told about it.

use std::fmt;

use hourglass_events::{
    ExitCause, Fault, HostNews, Image, NetworkPolicy, OrderNumber, Plan, Resources, RestoreSource, SandboxId,
    ShardNumber, Span, Task, TaskKind,
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
            // The sandbox may have been placed here after another host had pulled its image.
            Task::Create(plan) => {
                vec![Self::Pull(plan.image.clone()), Self::Provision(plan.clone()), Self::Boot(plan.clone())]
            }
            Task::Boot(plan) => vec![Self::Boot(plan.clone())],
            Task::Fork(child) => vec![Self::Fork(*child)],
            Task::Stop { grace } => vec![Self::Halt { grace: *grace }],
            Task::Archive => vec![Self::Archive],
            Task::Discard => vec![Self::Erase],
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
        }
    }

    /// Whether `task` must not wait until this step ends by itself: it may be a grace that runs for minutes or a boot
    /// that hangs for ever, and a kill or a removal is what people reach for then.
    pub(super) fn yields_to(&self, task: &Task) -> bool {
        if matches!((self, task), (Self::Resize(_), Task::Hold { .. })) {
            // It was given up, and may hang for ever.
            return true;
        }
        if matches!(self, Self::Archive | Self::Fork(_)) {
            // Nothing waits for a disk to be stored, which may take an hour, nor for a fork that was given up.
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
            | Self::Archive => 0,
            Self::Halt { grace } => u8::from(*grace == Span::ZERO),
            Self::Erase | Self::DropArchives(_) => 2,
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
            | Task::Discard
            | Task::Restore { .. }
            | Task::Hold { .. } => 0,
            Task::Stop { grace } => u8::from(*grace == Span::ZERO),
            Task::Quiesce => 1,
            Task::Remove | Task::Purge(_) => 2,
        };
        wanted > force
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pull(_) => "pull",
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
        | TaskKind::Capture
        | TaskKind::Fork
        | TaskKind::Hold => false,
    }
}
