//! A snapshot as the contract has it. Unlike in a sandbox, memory is called `mem` here.

use hourglass_events::{OrganizationId, Recipe, Snapshot as Known, Source};
use hourglass_kernel::fleet::GENERAL;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::BuildInfo;
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
        let general = snapshot.organization == GENERAL;
        Self {
            id: snapshot.id.to_string(),
            organization_id: (!general).then_some(snapshot.organization),
            general,
            name: content.name.clone(),
            image_name: match &snapshot.source {
                Source::Recipe(recipe) => match &**recipe {
                    Recipe::Reference(name) => name.clone(),
                    Recipe::Dockerfile { .. } => content.image.digest.clone(),
                },
                Source::Given | Source::Sandbox(_) => content.image.digest.clone(),
            },
            state: state::snapshot(snapshot),
            size: None,
            entrypoint: None,
            cpu: content.resources.cpu,
            gpu: content.resources.gpu,
            mem: content.resources.memory_gib,
            disk: content.resources.disk_gib,
            error_reason: snapshot.fault.as_ref().map(ToString::to_string),
            created_at: moment(snapshot.created),
            updated_at: moment(snapshot.updated),
            last_used_at: None,
            source_sandbox_id: match snapshot.source {
                Source::Sandbox(of) => Some(of.to_string()),
                Source::Given | Source::Recipe(_) => None,
            },
            sandbox_class: class::name(content.class),
        }
    }
}

/// A request to make a snapshot of an image that is published, or that is built.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateSnapshot {
    pub(crate) name: String,
    /// With a tag other than `latest`, or a digest.
    pub(crate) image_name: Option<String>,
    pub(crate) build_info: Option<BuildInfo>,
    pub(crate) entrypoint: Option<Vec<String>>,
    pub(crate) cpu: Option<u32>,
    /// In GiB.
    pub(crate) memory: Option<u32>,
    /// In GiB.
    pub(crate) disk: Option<u32>,
    pub(crate) gpu: Option<u32>,
    pub(crate) gpu_type: Option<Vec<String>>,
    /// One that sandboxes can be created in; the snapshot serves all of them.
    pub(crate) region_id: Option<String>,
    pub(crate) sandbox_class: Option<class::Asked>,
}

/// A request to take a snapshot of a sandbox.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TakeSnapshot {
    pub(crate) name: String,
    /// Of a virtual machine that runs, its memory too.
    pub(crate) include_memory: Option<bool>,
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
