//! What a machine can do beyond running a class: the GPUs it has, and the operations its driver has.
//!
//! Whether there is room is not said here: that changes from moment to moment, and the kernel counts it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {$($(#[$vdoc])* $variant),+}

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// How people write it.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {$(Self::$variant => $text),+}
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.text())
            }
        }
    };
}

words! {
    /// A kind of GPU. A host has GPUs of one kind; a machine with two is two hosts.
    GpuType {
        /// NVIDIA H100.
        H100 = "H100",
        /// NVIDIA H200.
        H200 = "H200",
        /// NVIDIA B200.
        B200 = "B200",
        /// NVIDIA B300.
        B300 = "B300",
        /// NVIDIA RTX PRO 6000.
        RtxPro6000 = "RTX-PRO-6000",
        /// NVIDIA RTX 4090.
        Rtx4090 = "RTX-4090",
        /// NVIDIA RTX 5090.
        Rtx5090 = "RTX-5090",
        /// AMD MI355X.
        Mi355x = "MI355X",
    }
}

words! {
    /// What a host's driver can do beyond making, booting, stopping and removing sandboxes. What one lacks is refused
    /// before anything is recorded.
    Capability {
        /// Keep disks in object storage and bring them back: archives, backups, what is moved to another host.
        Archive = "keep disks in object storage",
        /// Build images.
        Build = "build images",
        /// Hold sandboxes to network policies that name domains.
        Domains = "allow domains by name",
        /// Make forks of what runs.
        Fork = "fork sandboxes",
        /// Put linked sandboxes into one network.
        Link = "link sandboxes",
        /// Save memory and run on from it: pauses, and snapshots with memory.
        Memory = "save memory",
        /// Change what a sandbox is given.
        Resize = "resize sandboxes",
        /// Take snapshots of sandboxes.
        Snapshot = "take snapshots",
    }
}

impl FromStr for GpuType {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let found = Self::ALL.iter().copied().find(|kind| kind.text() == text);
        found.ok_or_else(|| Refusal::BadGpuType { found: text.chars().take(80).collect() })
    }
}

/// Kinds of GPU in the order in which they are wanted; none means any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<GpuType>")]
pub struct GpuTypes(Vec<GpuType>);

impl GpuTypes {
    /// `kinds` in this order. The same kind twice is refused.
    pub fn new(kinds: impl IntoIterator<Item = GpuType>) -> Result<Self, Refusal> {
        let kinds: Vec<_> = kinds.into_iter().take(GpuType::ALL.len() + 1).collect();
        match kinds.iter().enumerate().find(|(place, kind)| kinds[..*place].contains(kind)) {
            Some((_, twice)) => Err(Refusal::GpuTypeTwice(*twice)),
            None => Ok(Self(kinds)),
        }
    }

    /// How much `kind` is wanted: 0 is best; nothing if it is not wanted at all.
    #[must_use]
    pub fn rank(&self, kind: GpuType) -> Option<usize> {
        if self.0.is_empty() { Some(0) } else { self.0.iter().position(|wanted| *wanted == kind) }
    }

    /// All of them, the most wanted first.
    pub fn iter(&self) -> impl Iterator<Item = GpuType> {
        self.0.iter().copied()
    }

    /// Whether any kind will do.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<GpuType>> for GpuTypes {
    type Error = Refusal;

    fn try_from(kinds: Vec<GpuType>) -> Result<Self, Refusal> {
        Self::new(kinds)
    }
}

/// What a host can do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Capabilities(BTreeSet<Capability>);

impl Capabilities {
    /// Exactly these.
    #[must_use]
    pub fn of(those: impl IntoIterator<Item = Capability>) -> Self {
        Self(those.into_iter().collect())
    }

    /// Nothing beyond what every host can do.
    #[must_use]
    pub const fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// Everything there is.
    #[must_use]
    pub fn all() -> Self {
        Self::of(Capability::ALL.iter().copied())
    }

    /// Whether this is among them.
    #[must_use]
    pub fn has(&self, one: Capability) -> bool {
        self.0.contains(&one)
    }

    /// Whether all of `those` are among them.
    #[must_use]
    pub fn cover(&self, those: &Self) -> bool {
        those.0.is_subset(&self.0)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Capability> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests;
