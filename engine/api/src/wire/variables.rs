//! Environment variables on their way in or out. What prints them prints their names.

use std::collections::BTreeMap;
use std::fmt;

use hourglass_events::{Refusal, Values};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Values by name.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// What the vault has, to be shown to the owner.
    pub(crate) fn of(values: &Values) -> Self {
        Self(values.expose().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// What is to go into the vault.
    pub(crate) fn values(self) -> Result<Values, Refusal> {
        Values::new(self.0)
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
