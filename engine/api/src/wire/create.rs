//! What a client may say of a sandbox to be created. A field that is not done yet may be left at its default.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::build::BuildInfo;
use super::variables::Variables;
use crate::capability::Capability;

/// A request to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateSandbox {
    pub(crate) name: Option<String>,
    pub(crate) snapshot: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) target: Option<String>,
    pub(crate) auto_stop_interval: Option<i64>,
    pub(crate) auto_archive_interval: Option<i64>,
    pub(crate) auto_delete_interval: Option<i64>,
    pub(crate) cpu: Option<u32>,
    pub(crate) memory: Option<u32>,
    pub(crate) disk: Option<u32>,
    pub(crate) gpu: Option<u32>,
    pub(crate) build_info: Option<BuildInfo>,
    pub(crate) linked_sandbox: Option<String>,
    pub(crate) env: Option<Variables>,
    gpu_type: Option<Vec<String>>,
    pub(crate) public: Option<bool>,
    pub(crate) network_block_all: Option<bool>,
    pub(crate) network_allow_list: Option<String>,
    pub(crate) domain_allow_list: Option<String>,
    outbound_proxy_url: Option<String>,
    otel_endpoint_override: Option<String>,
    kvm: Option<bool>,
    spot: Option<bool>,
    auto_pause_interval: Option<i64>,
    ttl_minutes: Option<i64>,
    queue_timeout: Option<i64>,
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    volumes: Option<Vec<IgnoredAny>>,
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    secrets: Option<Vec<IgnoredAny>>,
}

impl CreateSandbox {
    /// The first thing asked for that is not done yet.
    pub(crate) fn unsupported(&self) -> Option<Capability> {
        let set = |flag: Option<bool>| flag == Some(true);
        let text = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let number = |number: Option<i64>| number.is_some_and(|number| number != 0);
        let asked = [
            (self.gpu.is_some_and(|gpu| gpu > 0), Capability::Gpu),
            (self.gpu_type.as_ref().is_some_and(|types| !types.is_empty()), Capability::Gpu),
            (text(&self.outbound_proxy_url), Capability::Proxy),
            (text(&self.otel_endpoint_override), Capability::Telemetry),
            (set(self.kvm), Capability::Kvm),
            (set(self.spot), Capability::Spot),
            (number(self.auto_pause_interval), Capability::AutoPause),
            (number(self.ttl_minutes), Capability::Ttl),
            (self.queue_timeout.is_some(), Capability::QueueTimeout),
            (self.volumes.as_ref().is_some_and(|volumes| !volumes.is_empty()), Capability::Volumes),
            (self.secrets.as_ref().is_some_and(|secrets| !secrets.is_empty()), Capability::Secrets),
        ];
        asked.into_iter().find_map(|(asked, capability)| asked.then_some(capability))
    }
}

/// A request to fork.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForkSandbox {
    pub(crate) name: Option<String>,
}

/// A request for other resources. What is left out stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResizeSandbox {
    pub(crate) cpu: Option<u32>,
    /// In GiB.
    pub(crate) memory: Option<u32>,
    /// In GiB.
    pub(crate) disk: Option<u32>,
}

/// A request to replace labels.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaceLabels {
    pub(crate) labels: BTreeMap<String, String>,
}

/// How a sandbox is used. There is one kind of use, and saying which is not needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Activity {
    #[serde(rename = "activityType")]
    _activity_type: Option<String>,
}
