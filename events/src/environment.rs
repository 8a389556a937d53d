//! The environment of a sandbox: names and digests in the log, values nowhere near it.
//!
//! [`Environment`] is what events carry. [`Values`] are the secrets: they lie in a vault, are written there before the
//! event is recorded, and reach a host inside an order, put there by the shell that sends it. The kernel never holds
//! them, and neither prints nor compares them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::refusal::Refusal;

/// The variables a sandbox has, each with the keyed digest of its value.
///
/// The key is the vault's. It must stay the same for one organization, or a repeated request under an idempotency key
/// would be taken for another request; and it must not be guessable, or a short value could be found by trying.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Digest>")]
pub struct Environment(BTreeMap<String, Digest>);

impl Environment {
    /// The most variables.
    pub const MOST: usize = 256;
    /// The most bytes of a name.
    pub const NAME_LONGEST: usize = 256;

    /// These names with the digests of their values.
    pub fn new(variables: BTreeMap<String, Digest>) -> Result<Self, Refusal> {
        check_names(variables.keys())?;
        Ok(Self(variables))
    }

    /// Whether there is no variable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many variables there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All variables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Digest)> {
        self.0.iter().map(|(name, digest)| (name.as_str(), *digest))
    }
}

impl TryFrom<BTreeMap<String, Digest>> for Environment {
    type Error = Refusal;

    fn try_from(variables: BTreeMap<String, Digest>) -> Result<Self, Refusal> {
        Self::new(variables)
    }
}

/// The values of a sandbox's variables. They do not show themselves: what prints them prints their names.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct Values(BTreeMap<String, String>);

impl Values {
    /// The most bytes of a value.
    pub const LONGEST: usize = 32 << 10;
    /// The most bytes of all names and values together. A program's whole environment has to fit its start.
    pub const BYTES_MOST: usize = 256 << 10;

    /// `values` by name: names without `=`, nothing with a zero byte, and no more than fits.
    pub fn new(values: BTreeMap<String, String>) -> Result<Self, Refusal> {
        check_names(values.keys())?;
        for (name, value) in &values {
            if value.len() > Self::LONGEST || value.contains('\0') {
                return Err(Refusal::BadVariable { name: name.clone() });
            }
        }
        let bytes = values.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > Self::BYTES_MOST {
            return Err(Refusal::TooMuchEnvironment { bytes });
        }
        Ok(Self(values))
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All values, by name. Whoever takes them out sees to it that they are not shown.
    pub fn expose(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl TryFrom<BTreeMap<String, String>> for Values {
    type Error = Refusal;

    fn try_from(values: BTreeMap<String, String>) -> Result<Self, Refusal> {
        Self::new(values)
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn check_names<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> Result<(), Refusal> {
    if names.len() > Environment::MOST {
        return Err(Refusal::TooManyVariables { found: names.len() });
    }
    for name in names {
        let fits = (1..=Environment::NAME_LONGEST).contains(&name.len());
        if !fits || name.contains(['=', '\0']) || name.contains(char::is_control) {
            return Err(Refusal::BadVariable { name: name.chars().take(80).collect() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
