//! Why a request was wrong. Nothing happened and nothing is recorded; a failure of the world is a [`crate::Fault`].

mod snapshot;
mod words;

use serde::{Deserialize, Serialize};

use crate::host::GpuType;
use crate::id::{HostId, SandboxId, SnapshotId};
use crate::network::Destination;
use crate::quota::Shortage;
use crate::resources::Resource;
use crate::spec::Class;
use crate::state::State;
use crate::time::Span;

pub use snapshot::{Material, SnapshotRefusal, SnapshotUse};
pub use words::{Able, Advice, Interval, Operation, Text};

/// What was found and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// A resource lies outside what one sandbox may have.
    #[error("{asked} {} was asked for; a sandbox may have {least} to {most}", resource.unit())]
    OutOfLimits {
        /// Which one.
        resource: Resource,
        /// What was asked for.
        asked: u32,
        /// The least.
        least: u32,
        /// The most.
        most: u32,
    },
    /// More than an organization's sandboxes may take together.
    #[error("{0}")]
    OverQuota(Box<Shortage>),
    /// A text that is no kind of GPU.
    #[error("{found:?} is not a kind of GPU; use one of {}", words::all(GpuType::ALL))]
    BadGpuType {
        /// The beginning of what was sent.
        found: String,
    },
    /// One kind of GPU, twice.
    #[error("the kind of GPU {0} is named twice; name each once, the most wanted first")]
    GpuTypeTwice(GpuType),
    /// A region without hosts.
    #[error("there is no region {found:?}; {}", words::regions(known))]
    NoSuchRegion {
        /// What was sent.
        found: String,
        /// The regions there are.
        known: Vec<String>,
    },
    /// Quotas for more regions than are kept.
    #[error("quotas for {found} regions were sent; at most {most} are kept")]
    TooManyRegions {
        /// How many.
        found: usize,
        /// How many are kept.
        most: usize,
    },
    /// There is no such host.
    #[error("there is no host {0}; hosts are known once they have joined")]
    NoSuchHost(HostId),
    /// What is asked needs something that only a lost host has.
    #[error(
        "host {0}, which has the sandbox's disk, is lost; repeat the request when that host is back, or delete the \
         sandbox"
    )]
    HostLost(HostId),
    /// A name that cannot be one.
    #[error(
        "{found:?} is not a name; use 1 to 255 characters without control characters, '<', '>' or '://', and no space at either end"
    )]
    BadName {
        /// The beginning of what was sent.
        found: String,
    },
    /// More labels than fit.
    #[error("{found} labels were sent; at most 64 are kept")]
    TooManyLabels {
        /// How many.
        found: usize,
    },
    /// A label that cannot be one.
    #[error("the label {key:?} has an empty key, or a key or value over 1024 bytes; shorten it")]
    BadLabel {
        /// The beginning of its key.
        key: String,
    },
    /// A text that is no IPv4 network.
    #[error("{found:?} is not an IPv4 network; write an address and a prefix, such as 10.0.0.0/8")]
    BadCidr {
        /// The beginning of what was sent.
        found: String,
    },
    /// A text that is no domain.
    #[error(
        "{found:?} is not a domain; write a host's name such as example.com, or *.example.com for all below it"
    )]
    BadDomain {
        /// The beginning of what was sent.
        found: String,
    },
    /// More destinations than a list may have.
    #[error("{found} {what} were sent to be allowed; at most 10 are kept")]
    TooManyDestinations {
        /// Of which kind.
        what: Destination,
        /// How many.
        found: usize,
    },
    /// A list that allows nothing.
    #[error("a list that allows no network and no domain was sent; name at least one, or block the network")]
    NoDestination,
    /// A variable that cannot be one.
    #[error(
        "the environment variable {name:?} has an empty, too long or unprintable name, a name with '=', or a value \
         with a zero byte or over 32 KiB; correct it"
    )]
    BadVariable {
        /// The beginning of its name.
        name: String,
    },
    /// More variables than fit.
    #[error("{found} environment variables were sent; at most 256 are kept")]
    TooManyVariables {
        /// How many.
        found: usize,
    },
    /// More text in variables than fits.
    #[error("the environment variables take {bytes} bytes; at most 262144 are kept, shorten them")]
    TooMuchEnvironment {
        /// What they take.
        bytes: usize,
    },
    /// An interval out of range.
    #[error("{found} minutes is not {interval}; {}", interval.meaning(*most))]
    BadInterval {
        /// Which interval.
        interval: Interval,
        /// What was sent.
        found: i64,
        /// The most minutes.
        most: u32,
    },
    /// A stop with more patience than there is.
    #[error(
        "a stop that waits {asked} for processes to end was asked for; it may wait at most {most}, or force it"
    )]
    GraceTooLong {
        /// What was asked for.
        asked: Span,
        /// The most.
        most: Span,
    },
    /// An idempotency key that cannot be one.
    #[error("an idempotency key has 1 to 255 bytes; {found} were sent")]
    BadKey {
        /// Its length.
        found: usize,
    },
    /// A text that is empty, too long or not to be shown.
    #[error("{text} has 1 to {most} bytes and no control characters; {found} bytes were sent")]
    BadText {
        /// Which text.
        text: Text,
        /// Its length.
        found: usize,
        /// The most bytes.
        most: usize,
    },
    /// Another sandbox has the name.
    #[error(
        "the name {name:?} is taken by sandbox {holder}, which is {state}; choose another or delete that one"
    )]
    NameTaken {
        /// The name.
        name: String,
        /// Who has it.
        holder: SandboxId,
        /// Where that one is in its life.
        state: State,
    },
    /// The minted id is in use already.
    #[error("sandbox id {0} is in use already; mint a fresh one")]
    IdTaken(SandboxId),
    /// There is no such sandbox in the organization.
    #[error("there is no sandbox {0:?}")]
    NoSuchSandbox(String),
    /// There is no such snapshot.
    #[error("there is no snapshot {0:?}; list the snapshots to see which there are")]
    NoSuchSnapshot(String),
    /// A snapshot with that name is there already, with other content.
    #[error("a snapshot named {0:?} is registered already with another image, class or size")]
    SnapshotTaken(String),
    /// What is wrong with a snapshot, or with what one is to be made of.
    #[error(transparent)]
    Snapshot(#[from] SnapshotRefusal),
    /// The minted id is another snapshot's.
    #[error("snapshot id {0} is in use already; mint a fresh one")]
    SnapshotIdTaken(SnapshotId),
    /// Another class than the snapshot's was asked for.
    #[error("the snapshot is of class {found}; a sandbox of class {asked} cannot be created from it")]
    WrongClass {
        /// The snapshot's.
        found: Class,
        /// What was asked for.
        asked: Class,
    },
    /// The sandbox is at rest in a state the operation cannot begin from.
    #[error("a sandbox that is {state} cannot be asked to {operation}; {advice}")]
    WrongState {
        /// The operation, as an imperative.
        operation: Operation,
        /// Where the sandbox is.
        state: State,
        /// What would work.
        advice: Advice,
    },
    /// Work is in flight that the operation cannot wait for.
    #[error(
        "a sandbox that is {state} cannot be asked to {operation} until that is done; repeat it in a moment"
    )]
    Busy {
        /// The operation, as an imperative.
        operation: Operation,
        /// Where the sandbox is.
        state: State,
    },
    /// Sandboxes of the class cannot do that at all.
    #[error("a sandbox of class {class} cannot be asked to {operation}; only {able} can")]
    NotForClass {
        /// The operation, as an imperative.
        operation: Operation,
        /// The sandbox's class.
        class: Class,
        /// Who can.
        able: Able,
    },
    /// What lives no longer than it runs cannot be kept.
    #[error("this sandbox is ephemeral and cannot be asked to {0}; set its auto-delete interval first")]
    Ephemeral(Operation),
    /// What is linked lives no longer than it runs.
    #[error(
        "this sandbox is linked with {parent} and lives no longer than it runs: it cannot be asked to {operation}"
    )]
    Linked {
        /// The operation, as an imperative.
        operation: Operation,
        /// The sandbox it is linked with.
        parent: SandboxId,
    },
    /// A sandbox was to be linked with one that is linked itself.
    #[error("sandbox {target} is linked with {parent} itself; link with {parent} instead")]
    LinkedItself {
        /// What was to be linked with.
        target: SandboxId,
        /// What that one is linked with.
        parent: SandboxId,
    },
    /// A sandbox was to be linked that would outlive its stop.
    #[error("a linked sandbox is always ephemeral; send an auto-delete interval of 0")]
    LinkedOutlives,
    /// A linked sandbox was asked for in another region than its parent's.
    #[error("sandbox {parent} is in region {found}; what is linked with it cannot be in region {asked}")]
    LinkedApart {
        /// The sandbox to link with.
        parent: SandboxId,
        /// Its region.
        found: String,
        /// What was asked for.
        asked: String,
    },
    /// A parent is not deleted before its forks.
    #[error("{forks} forks of this sandbox still exist, such as {first}; delete them first")]
    HasForks {
        /// How many.
        forks: usize,
        /// One of them.
        first: SandboxId,
    },
    /// Sandboxes that are linked with it need it where it is.
    #[error(
        "{linked} sandboxes are linked with this one, such as {first}, and keep it on its host; delete them first"
    )]
    HasLinked {
        /// How many.
        linked: usize,
        /// One of them.
        first: SandboxId,
    },
    /// Sandboxes with GPUs cannot do that at all.
    #[error("a sandbox with GPUs cannot be asked to {0}")]
    NotWithGpu(Operation),
    /// It has to be on one certain host, and cannot be there.
    #[error(
        "the host of sandbox {beside} cannot take another sandbox of class {class} and this size; delete or stop \
         others there, or ask later"
    )]
    NoRoomBeside {
        /// The sandbox whose host it is.
        beside: SandboxId,
        /// The class.
        class: Class,
    },
    /// Nothing is left that it could be brought back from.
    #[error("this sandbox cannot be recovered: {found}, and there is no backup of it; delete it")]
    NotRecoverable {
        /// What went wrong, as its fault says.
        found: String,
    },
    /// A resize that changes nothing.
    #[error(
        "no resource would change; name at least one of cpu, memory and disk with another value than it has"
    )]
    NothingToResize,
    /// A disk was asked to shrink.
    #[error("its disk has {have} GiB and only grows; {asked} GiB were asked for, ask for more")]
    DiskShrinks {
        /// What it has.
        have: u32,
        /// What was asked for.
        asked: u32,
    },
    /// What only a stopped sandbox can be given.
    #[error(
        "{asked} {} was asked for where it has {have}, which cannot be changed while it runs; stop it first",
        resource.unit()
    )]
    NotWhileRunning {
        /// Which one.
        resource: Resource,
        /// What it has.
        have: u32,
        /// What was asked for.
        asked: u32,
    },
    /// A sandbox that is ephemeral for ever was asked to outlive its stop.
    #[error("this sandbox must stay ephemeral; its auto-delete interval is 0 for ever")]
    MustStayEphemeral,
    /// The idempotency key was used with another request.
    #[error("the idempotency key {0:?} was used with another request within a day; use a fresh key")]
    KeyReused(String),
    /// The operation is not built into this engine or its hosts.
    #[error("{0} is not supported by this engine's hosts")]
    Unsupported(Operation),
    /// The request is too large to be recorded.
    #[error("the request takes {bytes} bytes to record; at most {most} are kept, shorten it")]
    TooLarge {
        /// What it takes.
        bytes: usize,
        /// What there may be.
        most: usize,
    },
    /// The log has no room for new work.
    #[error("the log's storage is full; free space on it, then repeat the request")]
    StorageFull,
    /// Too much is waiting.
    #[error("{waiting} requests are waiting already; repeat the request in a moment")]
    Overloaded {
        /// How many.
        waiting: usize,
    },
    /// The writer was replaced, or its storage failed. What became of the request is not known here.
    #[error(
        "the writer stopped before this was known to be durable; the outcome is unknown, repeat the request with its \
         idempotency key"
    )]
    Fenced,
    /// The engine has not read its log yet, or is going down.
    #[error("the engine is not ready to decide; repeat the request in a moment")]
    NotReady,
}

#[cfg(test)]
mod tests;
