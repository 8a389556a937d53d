//! What the engine asks of a host: one numbered order per sandbox at a time.
//!
//! Orders are derived from committed state and never stored. A host remembers the numbers it has done, repeats the
//! report of a done one and ignores older ones.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::duty::TaskKind;
use crate::environment::{Environment, Values};
use crate::event::RestoreSource;
use crate::id::{OrderNumber, OrganizationId, SandboxId, ShardNumber, SnapshotId};
use crate::network::NetworkPolicy;
use crate::recipe::Recipe;
use crate::resources::Resources;
use crate::snapshot::Heat;
use crate::spec::{Class, Image};
use crate::time::{Span, Timestamp};

/// One numbered piece of work on one sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The shard that asks, and that reports go to.
    pub shard: ShardNumber,
    /// The sandbox.
    pub sandbox: SandboxId,
    /// Sequence of the record that set the duty. A later order supersedes an earlier one.
    pub number: OrderNumber,
    /// When the engine stops waiting, if it ever does.
    pub deadline: Option<Timestamp>,
    /// The work.
    pub task: Task,
}

/// The work of an order, with all it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Have the image on the host.
    Pull(Image),
    /// Have the image, which is fetched or built first, unless it is there.
    Build(Box<Build>),
    /// Make the sandbox's disk and boot it for the first time. One that starts from a hot snapshot runs on from its memory.
    Create(Box<Plan>),
    /// Boot a sandbox whose disk is here.
    Boot(Box<Plan>),
    /// End its processes and keep its disk. A grace of nothing kills at once.
    Stop {
        /// How long processes may take to end by themselves.
        grace: Span,
    },
    /// Let nothing of it run, keep its disk, and leave the rest as it is.
    Quiesce,
    /// Make the disk and the saved memory of this other sandbox as its own are, without ending what runs.
    Fork(SandboxId),
    /// Boot it for the first time, from the disk and the memory that a fork made.
    Awaken(Box<Plan>),
    /// Save its memory and end what runs. Disk and memory are kept.
    SaveMemory,
    /// Run on from its saved memory.
    Resume(Box<Plan>),
    /// Give it this much, whether it runs or not.
    Resize(Resources),
    /// Hold what runs of it to these settings from here on. Whatever older order is under way is not wanted any more.
    Hold {
        /// What it may reach.
        network: NetworkPolicy,
        /// What it is given, if an order that would have changed that was given up and may have done so.
        resources: Option<Resources>,
    },
    /// Put its disk into object storage under this order's number, and keep it here.
    Archive,
    /// Put its disk into object storage under this order's number, as a backup, and keep it here.
    Backup,
    /// Take away what orders of these numbers put into object storage.
    Prune(Vec<OrderNumber>),
    /// Take a snapshot of it, and leave it as it is.
    Capture(Capture),
    /// Leave nothing of it here; it is archived. In object storage what orders of these numbers put there is to go.
    Discard(Vec<OrderNumber>),
    /// Bring its disk back and boot it.
    Restore {
        /// What it is.
        plan: Box<Plan>,
        /// What the disk is.
        source: RestoreSource,
    },
    /// Leave nothing of it.
    Remove,
    /// Leave nothing of it, here and in object storage, where orders of these numbers may have put something.
    Purge(Vec<OrderNumber>),
    /// Leave nothing of an image that was made for a snapshot, here and in object storage.
    Scrap(Image),
}

/// What a host is to make an image of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// What the image is called from then on.
    pub image: Image,
    /// The class of what is created from it.
    pub class: Class,
    /// What it is made of.
    pub recipe: Recipe,
}

/// What a host is to keep of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The snapshot it becomes.
    pub snapshot: SnapshotId,
    /// What its image is called from then on. Every host can fetch it.
    pub image: Image,
    /// What is kept.
    pub heat: Heat,
}

impl Task {
    /// Which kind of work this is.
    #[must_use]
    pub const fn kind(&self) -> TaskKind {
        match self {
            Self::Pull(_) => TaskKind::Pull,
            Self::Build(_) => TaskKind::Build,
            Self::Create(_) | Self::Awaken(_) => TaskKind::Create,
            Self::Fork(_) => TaskKind::Fork,
            Self::Boot(_) => TaskKind::Boot,
            Self::Stop { .. } => TaskKind::Stop,
            Self::Quiesce => TaskKind::Quiesce,
            Self::SaveMemory => TaskKind::SaveMemory,
            Self::Resume(_) => TaskKind::Resume,
            Self::Resize(_) => TaskKind::Resize,
            Self::Hold { .. } => TaskKind::Hold,
            Self::Archive => TaskKind::Archive,
            Self::Backup | Self::Prune(_) => TaskKind::Backup,
            Self::Capture(_) => TaskKind::Capture,
            Self::Discard(_) => TaskKind::Discard,
            Self::Restore { .. } => TaskKind::Restore,
            Self::Remove | Self::Purge(_) | Self::Scrap(_) => TaskKind::Remove,
        }
    }
}

impl Task {
    /// The plan of a task that makes or boots something. Whoever sends the order puts the secrets into it.
    #[must_use]
    pub fn plan_mut(&mut self) -> Option<&mut Plan> {
        match self {
            Self::Create(plan)
            | Self::Awaken(plan)
            | Self::Boot(plan)
            | Self::Resume(plan)
            | Self::Restore { plan, .. } => Some(plan),
            Self::Pull(_)
            | Self::Fork(_)
            | Self::Build(_)
            | Self::Stop { .. }
            | Self::SaveMemory
            | Self::Resize(_)
            | Self::Hold { .. }
            | Self::Quiesce
            | Self::Archive
            | Self::Backup
            | Self::Prune(_)
            | Self::Capture(_)
            | Self::Discard(_)
            | Self::Remove
            | Self::Purge(_)
            | Self::Scrap(_) => None,
        }
    }
}

/// Everything a driver needs to make and boot one sandbox. Nothing is looked up elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The owner.
    pub organization: OrganizationId,
    /// Its name: the hostname inside.
    pub name: String,
    /// What kind of isolation.
    pub class: Class,
    /// What its disk starts from.
    pub image: Image,
    /// What of a sandbox that keeps.
    pub heat: Heat,
    /// What it is given.
    pub resources: Resources,
    /// The user its commands run as.
    pub user: String,
    /// What it may reach.
    pub network: NetworkPolicy,
    /// The variables all its programs have, by name. Their values are below.
    pub environment: Environment,
    /// The sandbox it is linked with, which it shares a network with.
    pub linked: Option<SandboxId>,
    /// The values of those variables. The kernel leaves them out: whoever sends the order takes them from the vault.
    pub values: Values,
}

impl Plan {
    /// The first of its variables that it has no value of. What lacks one must not run.
    #[must_use]
    pub fn lacks(&self) -> Option<&str> {
        let given: BTreeSet<&str> = self.values.expose().map(|(name, _)| name).collect();
        self.environment.iter().map(|(name, _)| name).find(|name| !given.contains(name))
    }

    /// A container of the default size for `image` that runs as root and may reach everything.
    #[must_use]
    pub fn new(organization: OrganizationId, name: &str, image: Image) -> Self {
        Self {
            organization,
            name: name.to_owned(),
            class: Class::Container,
            image,
            heat: Heat::Cold,
            resources: Resources::DEFAULT,
            user: "root".to_owned(),
            network: NetworkPolicy::Open,
            environment: Environment::default(),
            linked: None,
            values: Values::default(),
        }
    }
}

/// Everything a shard says to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HostCall {
    /// Do this. Sent again after every reconnection until the duty is gone.
    Do(Order),
    /// The report with this serial is durable and need not be repeated.
    Acknowledge {
        /// The report's serial.
        serial: u64,
    },
    /// This sandbox is taken to run: say how long ago it was used, now. A host on which it does not run reports it as
    /// exited under the number given, so that a loss the host itself forgot is not lost on the engine.
    AskUse {
        /// The shard that asks, and that reports go to.
        shard: ShardNumber,
        /// The sandbox.
        sandbox: SandboxId,
        /// The order that booted the life of it that is meant.
        number: OrderNumber,
    },
}
