//! What a sandbox is asked to be, checked into values that cannot be wrong.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::refusal::Refusal;

/// The kind of isolation. A sandbox has its snapshot's class, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// A Linux container.
    Container,
    /// A Linux guest in a virtual machine.
    LinuxVm,
    /// A Windows guest in a virtual machine.
    Windows,
}

impl Class {
    /// Whether it has memory that can be kept: pause, hot snapshots.
    #[must_use]
    pub const fn is_vm(self) -> bool {
        match self {
            Self::Container => false,
            Self::LinuxVm | Self::Windows => true,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Container => "container",
            Self::LinuxVm => "linux-vm",
            Self::Windows => "windows",
        })
    }
}

/// What a disk starts from: bytes named by their digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// BLAKE3 of the image, or another name that never means other bytes.
    pub digest: String,
}

/// A name people gave. Unique per organization among sandboxes not being deleted. Reading one from the log checks it
/// again, so a rule once released may be loosened and not tightened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    /// The most characters a name may have.
    pub const LONGEST: usize = 255;

    /// `text` as a name: 1 to 255 characters, no control characters, no `<` `>`, no `://`, no space at either end.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        Self::try_from(text.to_owned())
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        let plain = |c: char| !c.is_control() && c != '<' && c != '>';
        let fits = (1..=Self::LONGEST).contains(&text.chars().count());
        if fits && text.trim() == text && text.chars().all(plain) && !text.contains("://") {
            Ok(Self(text))
        } else {
            Err(Refusal::BadName { found: text.chars().take(80).collect() })
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Labels: a full set that replaces the one before. Like names they are checked again when read.
///
/// They are kept in a row sorted by key: there are few of them, and of sandboxes many.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

impl Labels {
    /// The most labels a sandbox may have.
    pub const MOST: usize = 64;
    /// The most bytes a key or a value may have.
    pub const LONGEST: usize = 1024;

    /// `labels` as a checked set: at most 64, keys not empty, keys and values at most 1024 bytes.
    pub fn new(labels: BTreeMap<String, String>) -> Result<Self, Refusal> {
        if labels.len() > Self::MOST {
            return Err(Refusal::TooManyLabels { found: labels.len() });
        }
        for (key, value) in &labels {
            if key.is_empty() || key.len() > Self::LONGEST || value.len() > Self::LONGEST {
                return Err(Refusal::BadLabel { key: key.chars().take(80).collect() });
            }
        }
        Ok(Self(labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect()))
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| &**value)
    }

    /// All labels, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl TryFrom<BTreeMap<String, String>> for Labels {
    type Error = Refusal;

    fn try_from(labels: BTreeMap<String, String>) -> Result<Self, Refusal> {
        Self::new(labels)
    }
}

#[cfg(test)]
mod tests;
