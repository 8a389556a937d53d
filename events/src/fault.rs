//! What went wrong in the world. A fault is recorded in the log; a request that was wrong is a [`crate::Refusal`].

use serde::{Deserialize, Serialize};

use crate::duty::TaskKind;
use crate::id::{HostId, Incarnation, SandboxId};
use crate::time::Span;

/// Why an operation failed. Closed: a build that does not know a fault refuses the record instead of guessing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(deny_unknown_fields)]
pub enum Fault {
    /// The deadline recorded with the operation passed.
    #[error("the host was to {task} and did not within {after}")]
    TimedOut {
        /// What was asked of the host.
        task: TaskKind,
        /// How long it was given.
        after: Span,
    },
    /// The host's storage is full.
    #[error(
        "the host has no room left while it was to {doing}; free storage on the host, then recover the sandbox"
    )]
    NoSpace {
        /// The step, as a phrase that follows "to".
        doing: String,
    },
    /// The snapshot's image is not to be had.
    #[error("the image {image} is not available on the host: {why}")]
    ImageUnavailable {
        /// The image's digest.
        image: String,
        /// What was found.
        why: String,
    },
    /// The operating system refused a step.
    #[error("the host could not {doing}: {error}")]
    System {
        /// The step, as a phrase that follows "could not".
        doing: String,
        /// What the system said.
        error: String,
    },
    /// The program that should keep the sandbox alive could not be run.
    #[error("the entrypoint {program:?} could not be run: {error}")]
    EntrypointUnusable {
        /// The program.
        program: String,
        /// What the system said.
        error: String,
    },
    /// The agent inside the sandbox did not answer.
    #[error("the agent inside the sandbox did not answer within {after}")]
    AgentSilent {
        /// How long was waited.
        after: Span,
    },
    /// The host has lost what the order needs.
    #[error("the sandbox's {what} is not on the host any more")]
    Missing {
        /// The thing, as a noun.
        what: String,
    },
    /// This host cannot do that at all.
    #[error("this host's driver cannot {task}")]
    Unsupported {
        /// What was asked of the host.
        task: TaskKind,
    },
    /// No host has room or can run the sandbox's class.
    #[error(
        "no host can take the sandbox: {hosts} known, {ready} ready, {near} in its region, {able} able to run it, \
         {willing} that did not refuse it, {roomy} with room"
    )]
    NoHost {
        /// Hosts known.
        hosts: u32,
        /// Of those, ready and not cordoned or draining.
        ready: u32,
        /// Of those, in its region, and where it has to be if it is bound to another sandbox's host.
        near: u32,
        /// Of those, able to run its class, with the GPUs it may have, and to do what bringing it there takes.
        able: u32,
        /// Of those, without any that refused it.
        willing: u32,
        /// Of those, with room.
        roomy: u32,
    },
    /// The host is gone and its sandboxes with it.
    #[error("host {host} (incarnation {incarnation}) was lost")]
    HostLost {
        /// The host.
        host: HostId,
        /// The life of it that was lost.
        incarnation: Incarnation,
    },
    /// What a snapshot was to be taken of is gone, or does something else.
    #[error(
        "sandbox {sandbox} did not go on with giving this snapshot, see what it says; remove the snapshot"
    )]
    SourceGone {
        /// The sandbox.
        sandbox: SandboxId,
    },
    /// Its parent went on without making what it was to boot from.
    #[error("sandbox {parent} could not be forked, see what it says; delete this one, then fork it again")]
    NotForked {
        /// The sandbox it was to be a fork of.
        parent: SandboxId,
    },
}

impl Fault {
    /// The most bytes of each text in a recorded fault.
    pub const TEXT_MOST: usize = 1024;

    /// This fault with every text cut to [`Fault::TEXT_MOST`] bytes: whatever a host says of a failure can be recorded.
    #[must_use]
    pub fn clipped(mut self) -> Self {
        match &mut self {
            Self::NoSpace { doing: text } | Self::Missing { what: text } => clip([text]),
            Self::ImageUnavailable { image, why } => clip([image, why]),
            Self::System { doing, error } => clip([doing, error]),
            Self::EntrypointUnusable { program, error } => clip([program, error]),
            Self::TimedOut { .. }
            | Self::AgentSilent { .. }
            | Self::Unsupported { .. }
            | Self::NoHost { .. }
            | Self::HostLost { .. }
            | Self::SourceGone { .. }
            | Self::NotForked { .. } => {}
        }
        self
    }

    /// Whether another host may do better with the same order: this one lacks something that others may have.
    #[must_use]
    pub const fn elsewhere(&self) -> bool {
        match self {
            Self::NoSpace { .. } | Self::ImageUnavailable { .. } | Self::Unsupported { .. } => true,
            Self::TimedOut { .. }
            | Self::System { .. }
            | Self::EntrypointUnusable { .. }
            | Self::AgentSilent { .. }
            | Self::Missing { .. }
            | Self::NoHost { .. }
            | Self::HostLost { .. }
            | Self::SourceGone { .. }
            | Self::NotForked { .. } => false,
        }
    }

    /// Whether recovery can put it right once its cause is gone. What a lost host had may be there again when that
    /// host is.
    #[must_use]
    pub const fn recoverable(&self) -> bool {
        match self {
            Self::NoSpace { .. }
            | Self::TimedOut { .. }
            | Self::AgentSilent { .. }
            | Self::NoHost { .. }
            | Self::HostLost { .. } => true,
            Self::ImageUnavailable { .. }
            | Self::System { .. }
            | Self::EntrypointUnusable { .. }
            | Self::Missing { .. }
            | Self::Unsupported { .. }
            | Self::SourceGone { .. }
            | Self::NotForked { .. } => false,
        }
    }
}

fn clip<const N: usize>(texts: [&mut String; N]) {
    for text in texts {
        text.truncate(text.floor_char_boundary(Fault::TEXT_MOST));
    }
}

/// Why a running sandbox stopped running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(deny_unknown_fields)]
pub enum ExitCause {
    /// It was stopped and ended within its grace.
    #[error("stopped")]
    Stopped,
    /// It was killed: by force, or because the grace passed.
    #[error("killed")]
    Killed,
    /// The entrypoint ended by itself with this exit code.
    #[error("the entrypoint ended with code {code}")]
    Entrypoint {
        /// 0–255; 128 + n when signal n ended it.
        code: u8,
    },
    /// The memory limit was reached and the kernel killed it.
    #[error("out of memory")]
    OutOfMemory,
    /// It was found gone: the host rebooted, or its processes were killed from outside.
    #[error("found gone")]
    Vanished,
    /// Its host was lost.
    #[error("its host was lost")]
    HostLost,
}

#[cfg(test)]
mod tests;
