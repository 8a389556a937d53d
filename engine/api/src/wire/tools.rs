//! Tools, as the contract has them.

pub(crate) mod file;
pub(crate) mod process;
pub(crate) mod pty;
pub(crate) mod session;

use schemars::JsonSchema;
use serde::Serialize;

/// A directory.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Directory {
    pub(crate) dir: String,
}

/// A version.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Version {
    pub(crate) version: &'static str,
}

/// What was done, to people.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Done {
    pub(crate) message: &'static str,
}
