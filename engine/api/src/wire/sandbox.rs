//! A sandbox as it is read by itself, and pages of them.

use hourglass_events::Values;
use schemars::JsonSchema;
use serde::Serialize;

use super::item::Item;
use super::variables::Variables;
use crate::settings::Settings;

/// A sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Sandbox {
    #[serde(flatten)]
    item: Item,
    env: Variables,
    kvm: bool,
    #[schemars(with = "Vec<String>")]
    volumes: [(); 0],
}

impl Sandbox {
    /// `sandbox` as clients read it, with the values of its variables.
    pub(crate) fn of(sandbox: &hourglass_events::Sandbox, values: &Values, settings: &Settings) -> Self {
        Self { item: Item::of(sandbox, settings), env: Variables::of(values), kvm: false, volumes: [] }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SandboxPage")]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    /// Null on the last page, and never left out.
    pub(crate) next_cursor: Option<String>,
}

/// Where a toolbox is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Address {
    pub(crate) url: String,
}

#[cfg(test)]
mod tests;
