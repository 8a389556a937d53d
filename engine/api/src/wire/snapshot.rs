//! A snapshot as the contract has it. Unlike in a sandbox, memory is called `mem` here.

use hourglass_events::{OrganizationId, Snapshot as Known, Timestamp};
use hourglass_kernel::fleet::GENERAL;
use schemars::JsonSchema;
use serde::Serialize;

use super::{class, moment, state};

/// A snapshot. Null is the contract's word for what is not known, in fields that it requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    organization_id: Option<OrganizationId>,
    general: bool,
    name: String,
    image_name: String,
    #[schemars(schema_with = "state::snapshot_schema")]
    state: &'static str,
    size: Option<u64>,
    entrypoint: Option<Vec<String>>,
    cpu: u32,
    gpu: u32,
    mem: u32,
    disk: u32,
    error_reason: Option<String>,
    created_at: String,
    updated_at: String,
    last_used_at: Option<String>,
    source_sandbox_id: Option<String>,
    #[schemars(schema_with = "class::schema")]
    sandbox_class: &'static str,
}

impl Snapshot {
    /// `snapshot` as clients read it.
    pub(crate) fn of(snapshot: &Known) -> Self {
        let content = &snapshot.content;
        // A snapshot does not change, and its id tells when it was made known.
        let minted = snapshot.id.0.get_timestamp().map_or((0, 0), |time| time.to_unix());
        let at = moment(Timestamp(minted.0.saturating_mul(1_000_000) + u64::from(minted.1 / 1_000)));
        let general = snapshot.organization == GENERAL;
        Self {
            id: snapshot.id.to_string(),
            organization_id: (!general).then_some(snapshot.organization),
            general,
            name: content.name.clone(),
            image_name: content.image.digest.clone(),
            state: state::snapshot(snapshot.state),
            size: None,
            entrypoint: None,
            cpu: content.resources.cpu,
            gpu: content.resources.gpu,
            mem: content.resources.memory_gib,
            disk: content.resources.disk_gib,
            error_reason: None,
            created_at: at.clone(),
            updated_at: at,
            last_used_at: None,
            source_sandbox_id: None,
            sandbox_class: class::name(content.class),
        }
    }
}

/// A page of snapshots.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SnapshotPage")]
pub(crate) struct Page {
    pub(crate) items: Vec<Snapshot>,
    pub(crate) total: usize,
    pub(crate) page: usize,
    pub(crate) total_pages: usize,
}
