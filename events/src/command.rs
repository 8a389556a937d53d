//! What can be asked. Values are checked where they are made; whether they may happen is the kernel's to decide.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::id::{CorrelationId, HostId, OrganizationId, SandboxId, SnapshotId};
use crate::network::NetworkPolicy;
use crate::policy::{AutoArchive, AutoDelete, AutoStop};
use crate::quota::Allowance;
use crate::recipe::Recipe;
use crate::record::{Actor, Digest};
use crate::refusal::Refusal;
use crate::resources::Resources;
use crate::snapshot::{Heat, SnapshotContent};
use crate::spec::{Class, Labels, Name};
use crate::time::Span;

/// One request, as a shell hands it to a shard. A key is remembered with the record its request became, so a request
/// that found everything so already records nothing and leaves its key free: a repeat is decided afresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Whose fleet it is about.
    pub organization: OrganizationId,
    /// Who asks.
    pub actor: Actor,
    /// What makes a repeat harmless.
    pub key: Option<IdempotencyKey>,
    /// What everything that follows from it is filed under.
    pub correlation: CorrelationId,
    /// What is asked.
    pub command: Command,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Make a sandbox.
    Create(Create),
    /// Run it.
    Start(Target),
    /// End it, keep its files.
    Stop(Target, StopMode),
    /// Save its memory, and let it use no CPU until it is started again. Virtual machines only.
    Pause(Target),
    /// Give it other resources.
    Resize(Target, Resize),
    /// Make another sandbox of its files and its memory, while it runs. Virtual machines only.
    Fork(Target, Fork),
    /// Move its disk to object storage, once it has stopped.
    Archive(Target),
    /// Bring it back from an error.
    Recover(Target),
    /// Remove it.
    Delete(Target),
    /// Replace its labels, all of them.
    ReplaceLabels(Target, Labels),
    /// Set its auto-stop interval.
    SetAutoStop(Target, AutoStop),
    /// Set its auto-archive interval.
    SetAutoArchive(Target, AutoArchive),
    /// Set its auto-delete interval.
    SetAutoDelete(Target, AutoDelete),
    /// Set what it may reach. What runs is held to it at once.
    SetNetwork(Target, NetworkPolicy),
    /// Set whether its previews are open to everybody.
    SetPublic(Target, bool),
    /// Say that it is in use.
    RefreshActivity(Target),
    /// Store a copy of its disk, which has to have stopped, beside what the policy of the engine stores by itself.
    BackUp(Target),
    /// Take a snapshot of it.
    TakeSnapshot(Target, TakeSnapshot),
    /// Make a snapshot of an image that is fetched or built first.
    CreateSnapshot(Box<NewSnapshot>),
    /// Bring a snapshot back that was laid aside, by its name or id.
    ActivateSnapshot(String),
    /// Lay a snapshot aside until a sandbox is created from it.
    DeactivateSnapshot(String),
    /// Remove a snapshot that nothing is made of.
    RemoveSnapshot(String),
    /// Make a snapshot known. Registering the same again changes nothing.
    RegisterSnapshot(SnapshotId, SnapshotContent),
    /// Set the most one sandbox of the organization may ask for, and the most that all of them may take together in a
    /// region. Sizes inherited from a snapshot are not asked for, but they count.
    SetLimits(Box<Allowance>),
    /// Let a host take in nothing new. What is there goes on.
    CordonHost(HostId),
    /// Let a host take in nothing new and become empty: what runs there is let run, and what is stopped there and has a
    /// backup is started elsewhere from that.
    DrainHost(HostId),
    /// Let a host take in sandboxes again.
    UncordonHost(HostId),
}

impl Command {
    /// The digest by which a repeat under the same key is told from another request. Ids minted for a new sandbox or
    /// snapshot differ in every repeat and do not count.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let mut command = self.clone();
        match &mut command {
            Self::Create(create) => create.id = SandboxId::from_u128(0),
            Self::Fork(_, fork) => fork.id = SandboxId::from_u128(0),
            Self::RegisterSnapshot(id, _) => *id = SnapshotId::from_u128(0),
            Self::TakeSnapshot(_, snapshot) => snapshot.id = SnapshotId::from_u128(0),
            Self::CreateSnapshot(snapshot) => snapshot.id = SnapshotId::from_u128(0),
            Self::Start(_)
            | Self::Stop(..)
            | Self::Pause(_)
            | Self::Archive(_)
            | Self::Recover(_)
            | Self::Resize(..)
            | Self::Delete(_)
            | Self::ReplaceLabels(..)
            | Self::SetAutoStop(..)
            | Self::SetAutoArchive(..)
            | Self::SetAutoDelete(..)
            | Self::SetNetwork(..)
            | Self::SetPublic(..)
            | Self::RefreshActivity(_)
            | Self::BackUp(_)
            | Self::ActivateSnapshot(_)
            | Self::DeactivateSnapshot(_)
            | Self::RemoveSnapshot(_)
            | Self::SetLimits(_)
            | Self::CordonHost(_)
            | Self::DrainHost(_)
            | Self::UncordonHost(_) => {}
        }
        Digest::of(&rmp_serde::to_vec(&command).unwrap_or_default())
    }
}

/// What a new sandbox is to be. What is not given comes from the snapshot or the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    /// The id minted for it.
    pub id: SandboxId,
    /// Its name; its id when not given.
    pub name: Option<Name>,
    /// The snapshot, by name or id; the engine's default when not given.
    pub snapshot: Option<String>,
    /// The image to build instead of taking a snapshot.
    pub image: Option<Box<FromImage>>,
    /// The class it must have; the snapshot's when not given.
    pub class: Option<Class>,
    /// Where it is to be; the engine's default region when not given.
    pub region: Option<String>,
    /// Who its commands run as.
    pub user: Option<String>,
    /// Its labels.
    pub labels: Labels,
    /// When it stops unused; 15 minutes when not given.
    pub auto_stop: Option<AutoStop>,
    /// When it is archived; 7 days when not given.
    pub auto_archive: Option<AutoArchive>,
    /// When it is deleted; never when not given.
    pub auto_delete: Option<AutoDelete>,
    /// What it may reach; everything unless said otherwise.
    pub network: NetworkPolicy,
    /// Whether its previews are open to everybody.
    pub public: bool,
    /// The names of its variables with the digests of their values. Whoever asks has the values in the vault before.
    pub environment: Environment,
    /// The sandbox it is linked with: it shares that one's host and network, and does not outlive it.
    pub linked: Option<Target>,
}

impl Create {
    /// A sandbox from the default snapshot with every default.
    #[must_use]
    pub fn new(id: SandboxId) -> Self {
        Self {
            id,
            name: None,
            snapshot: None,
            image: None,
            class: None,
            region: None,
            user: None,
            labels: Labels::default(),
            auto_stop: None,
            auto_archive: None,
            auto_delete: None,
            network: NetworkPolicy::Open,
            public: false,
            environment: Environment::default(),
            linked: None,
        }
    }
}

/// What a fork is to be. All the rest of it is its parent's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The id minted for it. Whoever asks has copied its parent's values in the vault under it before.
    pub id: SandboxId,
    /// Its name; its id when not given.
    pub name: Option<Name>,
}

/// A sandbox whose image is built for it, of a size of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromImage {
    /// What the image is made of.
    pub recipe: Recipe,
    /// What it is given instead of the defaults, within what its organization may ask for.
    pub size: Resize,
}

/// A snapshot to be taken of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeSnapshot {
    /// The id minted for it.
    pub id: SnapshotId,
    /// What people are to call it.
    pub name: String,
    /// What it keeps.
    pub heat: Heat,
}

/// A snapshot to be made of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSnapshot {
    /// The id minted for it.
    pub id: SnapshotId,
    /// What people are to call it.
    pub name: String,
    /// The class of what is created from it.
    pub class: Class,
    /// What the image is made of.
    pub recipe: Recipe,
    /// What a sandbox is given instead of the defaults.
    pub size: Resize,
    /// A region that sandboxes are to be created from it in. It has to be one; a snapshot serves all of them.
    pub region: Option<String>,
}

/// Which sandbox is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// The one with this id.
    Id(SandboxId),
    /// The one with this id or, failing that, this name.
    Text(String),
}

impl From<SandboxId> for Target {
    fn from(id: SandboxId) -> Self {
        Self::Id(id)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What a sandbox is to be given instead of what it has; what is not named stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resize {
    /// Virtual CPUs.
    pub cpu: Option<u32>,
    /// Memory in GiB.
    pub memory_gib: Option<u32>,
    /// Disk in GiB. It only grows.
    pub disk_gib: Option<u32>,
}

impl Resize {
    /// What there is to be given where `resources` are given now.
    #[must_use]
    pub fn of(self, resources: Resources) -> Resources {
        Resources {
            cpu: self.cpu.unwrap_or(resources.cpu),
            memory_gib: self.memory_gib.unwrap_or(resources.memory_gib),
            disk_gib: self.disk_gib.unwrap_or(resources.disk_gib),
            gpu: resources.gpu,
        }
    }
}

/// How a sandbox is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopMode {
    /// Processes may end by themselves within the grace, an hour at most; the engine's when not given.
    Graceful(Option<Span>),
    /// Killed at once.
    Force,
}

/// A client's word for one request, so that repeating it is harmless.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The most bytes of a key.
    pub const LONGEST: usize = 255;

    /// `text` as a key: 1 to 255 bytes.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        Self::try_from(text.to_owned())
    }

    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        if (1..=Self::LONGEST).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(Refusal::BadKey { found: text.len() })
        }
    }
}

#[cfg(test)]
mod tests;
