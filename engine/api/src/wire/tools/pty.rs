//! Terminals.

use std::collections::BTreeMap;

use hourglass_agent::ptys as agent;
use hourglass_events::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::wire::moment;

/// What terminals have when nobody says.
const USUAL: agent::Size = agent::Size { cols: 80, rows: 24 };

/// A terminal to make.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Create {
    /// Its name; one is made up when it is left out.
    #[schemars(length(min = 1, max = 128))]
    pub(crate) id: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) cols: Option<u16>,
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) rows: Option<u16>,
    pub(crate) cwd: Option<String>,
    pub(crate) envs: Option<BTreeMap<String, String>>,
    /// Whether its shell is started only when somebody connects.
    pub(crate) lazy_start: Option<bool>,
}

impl From<Create> for agent::Create {
    fn from(asked: Create) -> Self {
        Self {
            pty: asked.id.unwrap_or_else(|| Uuid::new_v4().to_string()),
            size: agent::Size {
                cols: asked.cols.unwrap_or(USUAL.cols),
                rows: asked.rows.unwrap_or(USUAL.rows),
            },
            cwd: asked.cwd.filter(|cwd| !cwd.is_empty()),
            env: asked.envs.unwrap_or_default().into_iter().collect(),
            lazy: asked.lazy_start.unwrap_or(false),
        }
    }
}

/// A terminal that was made.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Created {
    pub(crate) session_id: String,
}

/// A size.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Size {
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) cols: u16,
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) rows: u16,
}

/// A terminal.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Terminal")]
pub(crate) struct Pty {
    id: String,
    cols: u16,
    rows: u16,
    cwd: String,
    envs: BTreeMap<String, String>,
    lazy_start: bool,
    active: bool,
    created_at: String,
}

impl From<agent::Pty> for Pty {
    fn from(pty: agent::Pty) -> Self {
        Self {
            id: pty.id,
            cols: pty.size.cols,
            rows: pty.size.rows,
            cwd: pty.cwd,
            envs: pty.env.into_iter().collect(),
            lazy_start: pty.lazy,
            active: match pty.stage {
                agent::Stage::Running => true,
                agent::Stage::Waiting | agent::Stage::Ended(_) => false,
            },
            created_at: moment(Timestamp(u64::try_from(pty.created_micros).unwrap_or(0))),
        }
    }
}

/// All terminals.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Terminals")]
pub(crate) struct Ptys {
    pub(crate) sessions: Vec<Pty>,
}
