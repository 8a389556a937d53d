//! What really runs sandboxes: the one async boundary of the host worker.
//!
//! A driver carries out steps and knows nothing of orders beyond the number it marks each object with. Every method
//! may be called again after a crash at any point of the previous call and must then end in the same place: what is
//! half done is finished or taken away, never doubled. Policy (which step, when, what to report) is the agent's.
//!
//! Dropping the future of a step is such a crash: the agent does it when a newer order must not wait for the step, as
//! when a sandbox is to be removed while it hangs at boot, or killed while its grace runs. Work that cannot be dropped
//! (a blocking call on another thread) must have ended before a later step on the same sandbox begins its own.

use std::fmt::Debug;

use async_trait::async_trait;
use hourglass_events::{
    Build, Capabilities, Capture, Class, ExitCause, Fault, GpuType, Image, NetworkPolicy, OrderNumber, Plan,
    Resources, SandboxId, Span, TaskKind,
};
#[cfg(feature = "host")]
use hourglass_tunnel::{Refused, Target};
#[cfg(feature = "host")]
use tokio::io::{AsyncRead, AsyncWrite};

/// Carries out steps on one kind of machine.
#[async_trait]
pub trait Driver: Send + Sync + Debug {
    /// What this driver can run.
    fn classes(&self) -> Vec<Class>;

    /// How much there is to give.
    fn capacity(&self) -> Resources;

    /// The kind of the GPUs among that.
    fn gpu_type(&self) -> Option<GpuType> {
        None
    }

    /// Which of the operations below this driver has, and whether it holds sandboxes to all that a policy can say. What
    /// is not among them is not asked for.
    fn capabilities(&self) -> Capabilities {
        Capabilities::none()
    }

    /// What of ours is on this machine, read from the objects themselves (disks, cgroups, processes), including
    /// halves left by a crash.
    async fn survey(&self) -> Result<Vec<Present>, Fault>;

    /// Have `image` here, ready to be the base of a disk.
    async fn pull(&self, image: &Image) -> Result<(), Fault>;

    /// Make the disk of a sandbox. Done again, keeps the disk that is there.
    async fn provision(&self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) -> Result<(), Fault>;

    /// Run a sandbox whose disk is here, marked with `number`. Returns once its agent answers. A sandbox already
    /// running under the same number is left running; one under another number is ended first. Without a complete
    /// disk it is [`Fault::Missing`]. From its first instruction on it is held to the plan's network policy, and all
    /// its programs have the plan's environment.
    async fn boot(&self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) -> Result<(), Fault>;

    /// Hold a running sandbox to `policy` instead of the one before, whole and at once: there is no moment in which
    /// neither holds, or in which what neither allows can be reached. Connections that `policy` does not allow end.
    /// `number` is the order's, and marks what is made. Done again, it ends in the same place. A failure leaves the
    /// policy before in force; a sandbox that does not run is [`Fault::Missing`]. What is booted later brings its
    /// policy in its [`Plan`].
    async fn set_network(
        &self,
        sandbox: SandboxId,
        number: OrderNumber,
        policy: &NetworkPolicy,
    ) -> Result<(), Fault>;

    /// Save the memory of what runs, marked with `number`, and end it. A failure leaves it running; what does not run
    /// and has no memory saved under this number is [`Fault::Missing`].
    async fn save_memory(&self, sandbox: SandboxId, number: OrderNumber) -> Result<(), Fault> {
        let _ = (sandbox, number);
        Err(Fault::Unsupported { task: TaskKind::SaveMemory })
    }

    /// Run on from the saved memory, marked with `number` from here on, and held to the plan's settings. The memory is
    /// gone once it runs; a sandbox already running under the same number is left running. Without saved memory it is
    /// [`Fault::Missing`].
    async fn resume(&self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) -> Result<(), Fault> {
        let _ = (sandbox, number, plan);
        Err(Fault::Unsupported { task: TaskKind::Resume })
    }

    /// Make the disk of `sandbox`, which runs and goes on running, the disk of `child`, and what is in its memory the
    /// saved memory of `child`, both as of one moment and marked with `number`. Done again under the same number, it
    /// keeps what is there; under another, it makes them anew. A failure may leave a half of `child`, which
    /// [`Driver::erase`] of it takes away, and leaves `sandbox` as it was.
    async fn fork(&self, sandbox: SandboxId, number: OrderNumber, child: SandboxId) -> Result<(), Fault> {
        let _ = (sandbox, number, child);
        Err(Fault::Unsupported { task: TaskKind::Fork })
    }

    /// Put the disk of a sandbox that does not run into object storage under `number`, whole or not at all, and keep it
    /// here. Done again, it ends in the same place.
    async fn archive(&self, sandbox: SandboxId, number: OrderNumber) -> Result<(), Fault> {
        let _ = (sandbox, number);
        Err(Fault::Unsupported { task: TaskKind::Archive })
    }

    /// Make the disk of a sandbox from what order `from` put into object storage, in place of whatever is here, and
    /// mark it with `number`. Without that it is [`Fault::Missing`], and whatever is here stays. Done again under the
    /// same number, it keeps the disk that is there.
    async fn restore(
        &self,
        sandbox: SandboxId,
        number: OrderNumber,
        from: OrderNumber,
        plan: &Plan,
    ) -> Result<(), Fault> {
        let _ = (sandbox, number, from, plan);
        Err(Fault::Unsupported { task: TaskKind::Restore })
    }

    /// Take away what these orders put into object storage for a sandbox, whole or half. What is not there is no fault,
    /// and whoever never puts anything there has nothing to take away: or else a sandbox that it was once asked to
    /// archive could not be deleted.
    async fn drop_archives(&self, sandbox: SandboxId, numbers: &[OrderNumber]) -> Result<(), Fault> {
        let _ = (sandbox, numbers);
        Ok(())
    }

    /// Have the image that `build` names here, ready to be the base of a disk, and where every host can fetch it: fetched
    /// or built, whole or not at all. What is there under its name already is let be.
    async fn build(&self, build: &Build) -> Result<(), Fault> {
        let _ = build;
        Err(Fault::Unsupported { task: TaskKind::Build })
    }

    /// Keep what a sandbox is as the image that `capture` names, where every host can fetch it, whole or not at all, and
    /// leave the sandbox as it is. A cold capture of one that runs takes its disk as one moment found it; a hot one keeps
    /// its memory of the same moment, and a disk provisioned from it has that memory saved, for [`Driver::resume`]. What
    /// is there under its name already is let be. Without a disk, or for a hot one without a life, it is
    /// [`Fault::Missing`].
    async fn capture(&self, sandbox: SandboxId, number: OrderNumber, capture: &Capture) -> Result<(), Fault> {
        let _ = (sandbox, number, capture);
        Err(Fault::Unsupported { task: TaskKind::Capture })
    }

    /// Take an image away that was made for a snapshot, whole or half, here and from where every host could fetch it. What
    /// is not there is no fault.
    async fn scrap(&self, image: &Image) -> Result<(), Fault> {
        let _ = image;
        Err(Fault::Unsupported { task: TaskKind::Remove })
    }

    /// Give a sandbox these resources: what runs is given the CPUs and the memory without interruption, and the disk of
    /// one that does not run grows. What of it does not change is let be. A failure leaves what there was.
    async fn resize(
        &self,
        sandbox: SandboxId,
        number: OrderNumber,
        resources: Resources,
    ) -> Result<(), Fault> {
        let _ = (sandbox, number, resources);
        Err(Fault::Unsupported { task: TaskKind::Resize })
    }

    /// End what runs of a sandbox and release everything but its disk, saved memory included. A `grace` of nothing kills at once.
    /// One whose memory is saved ends here as one that runs does. With neither it only tidies up, and says how the sandbox ended if that can still be told from what it
    /// left, or else [`ExitCause::Vanished`].
    async fn halt(&self, sandbox: SandboxId, grace: Span) -> Result<ExitCause, Fault>;

    /// Leave nothing of a sandbox: no process, mount, loop device, cgroup, namespace or file.
    async fn erase(&self, sandbox: SandboxId) -> Result<(), Fault>;

    /// A connection to the agent of a running sandbox, or to a port inside. It breaks when the sandbox ends.
    #[cfg(feature = "host")]
    async fn connect(&self, sandbox: SandboxId, target: Target) -> Result<Box<dyn Stream>, Refused>;

    /// Run a command inside a running sandbox to its end or its time-out.
    async fn exec(&self, sandbox: SandboxId, command: Command) -> Result<Ran, ExecError>;

    /// The next sandbox that stopped running without [`Driver::halt`]. Waits for one; dropping the future while it
    /// waits loses none. An exit not yet returned when the host worker dies shows in the next [`Driver::survey`] as
    /// not running; one not yet returned when the sandbox is booted again under the same number is never returned.
    async fn exited(&self) -> Exit;
}

/// Bytes both ways.
#[cfg(feature = "host")]
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + Debug {}

#[cfg(feature = "host")]
impl<T: AsyncRead + AsyncWrite + Send + Unpin + Debug> Stream for T {}

/// One sandbox found on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// The sandbox.
    pub sandbox: SandboxId,
    /// Whether its disk is complete.
    pub disk: DiskFound,
    /// The order that booted what runs, if something runs.
    pub running: Option<OrderNumber>,
    /// The order that saved its memory, if that is here.
    pub saved: Option<OrderNumber>,
}

/// What was found of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFound {
    /// None, or a half that [`Driver::provision`] would start over.
    Absent,
    /// A complete one, made by this order.
    Made(OrderNumber),
}

/// A sandbox that stopped running by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// The sandbox.
    pub sandbox: SandboxId,
    /// The order that booted it.
    pub number: OrderNumber,
    /// Why it stopped.
    pub cause: ExitCause,
}

/// A command to run inside a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments; not empty. No shell is involved unless it is the program.
    pub argv: Vec<String>,
    /// Added to the sandbox's environment.
    pub env: Vec<(String, String)>,
    /// Where to run it; the user's home when not given.
    pub cwd: Option<String>,
    /// Killed, with all it started, after this long.
    pub timeout: Option<Span>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// 0–255; 128 + n when signal n ended it.
    pub code: u8,
    /// What it wrote to its standard output, at most [`Ran::OUTPUT_MOST`] bytes.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error, at most [`Ran::OUTPUT_MOST`] bytes.
    pub stderr: Vec<u8>,
    /// How many bytes of output were dropped beyond that.
    pub dropped: u64,
    /// Whether the time-out ended it.
    pub timed_out: bool,
}

impl Ran {
    /// The most bytes kept of each output stream.
    pub const OUTPUT_MOST: usize = 8 << 20;
}

/// Why a command was not run to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecError {
    /// Nothing of that sandbox runs here.
    #[error("sandbox {0} is not running on this host")]
    NotRunning(SandboxId),
    /// The program could not be started.
    #[error("{program:?} could not be run in the sandbox: {error}")]
    Unusable {
        /// The program.
        program: String,
        /// What the system said.
        error: String,
    },
    /// The sandbox stopped while the command ran.
    #[error("sandbox {0} stopped while the command ran")]
    Interrupted(SandboxId),
    /// The host does as much at once as it may.
    #[error("the host carries {most} tunnels and commands at once, which is the most; try again later")]
    Busy {
        /// How many it may carry.
        most: usize,
    },
    /// The command was malformed.
    #[error("the command is empty; give at least a program")]
    Empty,
    /// The connection to the agent inside failed.
    #[error("the agent inside the sandbox cannot be reached: {0}")]
    Agent(String),
}
