//! Commands and code.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A command to run to its end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Execute {
    /// In the language of the sandbox's shell.
    #[schemars(length(min = 1))]
    pub(crate) command: String,
    pub(crate) cwd: Option<String>,
    pub(crate) envs: Option<BTreeMap<String, String>>,
    /// In seconds; 0 is none, and so is leaving it out.
    pub(crate) timeout: Option<u32>,
}

/// How a command ended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Executed {
    pub(crate) exit_code: u8,
    /// What it wrote, to both streams.
    pub(crate) result: String,
    /// How many bytes of that are left out at the end.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub(crate) dropped_bytes: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Code to run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    pub(crate) code: String,
    /// `python`, `typescript` or `javascript`; the sandbox's label says which when it is left out.
    pub(crate) language: Option<String>,
    pub(crate) argv: Option<Vec<String>>,
    pub(crate) envs: Option<BTreeMap<String, String>>,
    /// In seconds; 0 is none, and so is leaving it out.
    pub(crate) timeout: Option<u32>,
}

/// How code ended.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Ran {
    #[serde(flatten)]
    pub(crate) executed: Executed,
    pub(crate) artifacts: Artifacts,
}

/// What code made. Charts are not looked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Artifacts {
    #[schemars(with = "Vec<serde_json::Value>")]
    pub(crate) charts: [(); 0],
}
