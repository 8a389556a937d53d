//! A sandbox as lists have it: what the contract leaves out of a list is not here.

use std::collections::BTreeMap;

use hourglass_events::{
    AutoDelete, AutoStop, HostId, Minutes, NetworkPolicy, OrganizationId, Sandbox, SandboxId,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{class, moment, network, state};
use crate::settings::Settings;

/// One sandbox of a list, and the greater part of one that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ListedSandbox")]
pub(crate) struct Item {
    #[schemars(with = "String")]
    id: SandboxId,
    #[schemars(with = "String")]
    organization_id: OrganizationId,
    name: String,
    user: String,
    labels: BTreeMap<String, String>,
    public: bool,
    network_block_all: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_allow_list: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain_allow_list: Option<String>,
    target: String,
    cpu: u32,
    gpu: u32,
    memory: u32,
    disk: u32,
    toolbox_proxy_url: String,
    snapshot: String,
    #[schemars(schema_with = "state::schema")]
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "state::desired_schema")]
    desired_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_reason: Option<String>,
    recoverable: bool,
    backup_state: &'static str,
    auto_stop_interval: i64,
    auto_pause_interval: i64,
    auto_archive_interval: i64,
    auto_delete_interval: i64,
    created_at: String,
    updated_at: String,
    last_activity_at: String,
    #[schemars(schema_with = "class::schema")]
    sandbox_class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    runner_id: Option<HostId>,
}

impl Item {
    /// `sandbox` as clients read it in a list.
    pub(crate) fn of(sandbox: &Sandbox, settings: &Settings) -> Self {
        let blueprint = &sandbox.blueprint;
        let labels = blueprint.labels.iter();
        Self {
            id: sandbox.id,
            organization_id: sandbox.organization,
            name: blueprint.name.to_string(),
            user: blueprint.user.clone(),
            labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            public: blueprint.public,
            network_block_all: blueprint.network == NetworkPolicy::Blocked,
            network_allow_list: network::cidr_list(&blueprint.network),
            domain_allow_list: network::domain_list(&blueprint.network),
            target: blueprint.region.clone(),
            cpu: blueprint.resources.cpu,
            gpu: blueprint.resources.gpu,
            memory: blueprint.resources.memory_gib,
            disk: blueprint.resources.disk_gib,
            toolbox_proxy_url: toolbox_url(settings),
            snapshot: blueprint.snapshot_name.clone(),
            state: state::name(sandbox.state),
            desired_state: state::desired(sandbox),
            error_reason: sandbox.fault.as_ref().map(ToString::to_string),
            recoverable: sandbox.recoverable(),
            backup_state: state::backup(sandbox),
            auto_stop_interval: auto_stop(blueprint.auto_stop),
            auto_pause_interval: 0,
            auto_archive_interval: minutes(blueprint.auto_archive.0),
            auto_delete_interval: auto_delete(blueprint.auto_delete),
            created_at: moment(sandbox.created),
            updated_at: moment(sandbox.updated),
            last_activity_at: moment(sandbox.last_activity),
            sandbox_class: class::name(blueprint.class),
            runner_id: sandbox.host,
        }
    }
}

/// Where toolboxes are: clients add the sandbox's id and the tool.
pub(crate) fn toolbox_url(settings: &Settings) -> String {
    format!("{}/toolbox", settings.address)
}

fn minutes(Minutes(minutes): Minutes) -> i64 {
    minutes.into()
}

fn auto_stop(policy: AutoStop) -> i64 {
    match policy {
        AutoStop::Never => 0,
        AutoStop::After(after) => minutes(after),
    }
}

fn auto_delete(policy: AutoDelete) -> i64 {
    match policy {
        AutoDelete::Never => -1,
        AutoDelete::AtOnce => 0,
        AutoDelete::After(after) => minutes(after),
    }
}
