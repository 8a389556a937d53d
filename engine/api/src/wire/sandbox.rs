//! A sandbox as it is read by itself, and pages of them.

use std::sync::Arc;

use hourglass_events::Values;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::build::Built;
use super::item::Item;
use super::variables::Variables;
use crate::settings::Settings;
use crate::shared::Shared;

/// A sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Sandbox {
    #[serde(flatten)]
    item: Item,
    env: Variables,
    kvm: bool,
    #[schemars(with = "Vec<String>")]
    volumes: [(); 0],
    #[serde(rename = "linkedSandboxId", skip_serializing_if = "Option::is_none")]
    linked: Option<String>,
    #[serde(rename = "buildInfo", skip_serializing_if = "Option::is_none")]
    build_info: Option<Built>,
}

impl Sandbox {
    /// `sandbox` as clients read it, with the values of its variables.
    pub(crate) fn of(sandbox: &hourglass_events::Sandbox, values: &Values, settings: &Settings) -> Self {
        let linked = sandbox.blueprint.linked.map(|parent| parent.to_string());
        let build_info = Built::of(&sandbox.blueprint, sandbox.created);
        let (item, env) = (Item::of(sandbox, settings), Variables::of(values));
        Self { item, env, kvm: false, volumes: [], linked, build_info }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SandboxPage")]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    #[schemars(with = "Vec<Item>")]
    pub(crate) items: Items,
    /// Null on the last page, and never left out.
    pub(crate) next_cursor: Option<String>,
}

/// The sandboxes of a page. Each becomes what clients read as it is written out, so that of a long list one at a time
/// is held in that form.
#[derive(Debug)]
pub(crate) struct Items {
    pub(crate) sandboxes: Vec<Arc<hourglass_events::Sandbox>>,
    pub(crate) shared: Shared,
}

impl Serialize for Items {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.sandboxes.iter().map(|sandbox| Item::of(sandbox, &self.shared.settings)))
    }
}

/// Where a toolbox is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Address {
    pub(crate) url: String,
}

#[cfg(test)]
mod tests;
