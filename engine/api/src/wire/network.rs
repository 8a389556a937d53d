//! What a sandbox may reach, as the contract says it: a flag, and lists with commas.

use hourglass_events::{NetworkPolicy, Refusal};
use schemars::JsonSchema;
use serde::Deserialize;

/// A request to change what a sandbox may reach. What is left out stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NetworkSettings {
    network_block_all: Option<bool>,
    network_allow_list: Option<String>,
    domain_allow_list: Option<String>,
}

impl NetworkSettings {
    /// Whether it says nothing.
    pub(crate) const fn is_empty(&self) -> bool {
        self.network_block_all.is_none()
            && self.network_allow_list.is_none()
            && self.domain_allow_list.is_none()
    }

    /// The policy that `before` becomes. To block all clears the lists, and a list with something in it ends the
    /// blocking; not to block, without a list, opens everything.
    pub(crate) fn applied_to(&self, before: &NetworkPolicy) -> Result<NetworkPolicy, Refusal> {
        if self.network_block_all == Some(true) {
            return Ok(NetworkPolicy::Blocked);
        }
        let lists = (self.network_allow_list.as_deref(), self.domain_allow_list.as_deref());
        if self.network_block_all == Some(false) && lists == (None, None) {
            return Ok(NetworkPolicy::Open);
        }
        let cidrs = lists.0.map_or_else(|| cidrs(before), items);
        let domains = lists.1.map_or_else(|| domains(before), items);
        match (cidrs.is_empty() && domains.is_empty(), before, self.network_block_all) {
            (true, NetworkPolicy::Blocked, None) => Ok(NetworkPolicy::Blocked),
            (true, _, _) => Ok(NetworkPolicy::Open),
            (false, _, _) => NetworkPolicy::only(&cidrs, &domains),
        }
    }
}

/// The policy of a new sandbox.
pub(crate) fn policy(
    block_all: Option<bool>,
    cidrs: Option<String>,
    domains: Option<String>,
) -> Result<NetworkPolicy, Refusal> {
    let settings = NetworkSettings {
        network_block_all: block_all,
        network_allow_list: cidrs,
        domain_allow_list: domains,
    };
    settings.applied_to(&NetworkPolicy::Open)
}

/// The networks that may be reached, one by one.
fn cidrs(policy: &NetworkPolicy) -> Vec<String> {
    match policy {
        NetworkPolicy::Open | NetworkPolicy::Blocked => Vec::new(),
        NetworkPolicy::Only(those) => those.cidrs().iter().map(ToString::to_string).collect(),
    }
}

/// The domains that may be reached, one by one.
fn domains(policy: &NetworkPolicy) -> Vec<String> {
    match policy {
        NetworkPolicy::Open | NetworkPolicy::Blocked => Vec::new(),
        NetworkPolicy::Only(those) => those.domains().iter().map(ToString::to_string).collect(),
    }
}

/// The networks that may be reached, as clients read them; none when there is no such list.
pub(super) fn cidr_list(policy: &NetworkPolicy) -> Option<String> {
    Some(cidrs(policy).join(",")).filter(|list| !list.is_empty())
}

/// The domains that may be reached, as clients read them; none when there is no such list.
pub(super) fn domain_list(policy: &NetworkPolicy) -> Option<String> {
    Some(domains(policy).join(",")).filter(|list| !list.is_empty())
}

fn items(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(before: &NetworkPolicy, json: &str) -> String {
        let settings: NetworkSettings = serde_json::from_str(json).unwrap();
        settings.applied_to(before).unwrap().to_string()
    }

    #[test]
    fn a_change_says_what_it_says_and_leaves_the_rest() {
        let open = NetworkPolicy::Open;
        let blocked = NetworkPolicy::Blocked;
        let only = NetworkPolicy::only(&["10.0.0.0/8"], &["a.example"]).unwrap();
        for (before, json, expected) in [
            (&open, r#"{"networkBlockAll": true}"#, "blocked"),
            (&only, r#"{"networkBlockAll": true, "networkAllowList": "1.0.0.0/8"}"#, "blocked"),
            (&blocked, r#"{"networkBlockAll": false}"#, "open"),
            (&only, r#"{"networkBlockAll": false}"#, "open"),
            (&blocked, r#"{"networkAllowList": "1.0.0.0/8, 2.0.0.0/8"}"#, "only 1.0.0.0/8 2.0.0.0/8"),
            (&blocked, r#"{"networkAllowList": ""}"#, "blocked"),
            (&only, r#"{"networkAllowList": ""}"#, "only a.example"),
            (&only, r#"{"networkAllowList": "", "domainAllowList": ""}"#, "open"),
            (&only, r#"{"domainAllowList": "*.b.example"}"#, "only 10.0.0.0/8 *.b.example"),
        ] {
            assert_eq!(after(before, json), expected, "{before} and {json}");
        }
    }
}
