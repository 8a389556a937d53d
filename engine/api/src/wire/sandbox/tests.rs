//! What the SDK requires of a sandbox is there, in each state.

use hourglass_events::{
    AutoStop, Blueprint, Class, CorrelationId, Fault, Image, Name, OrganizationId, Resources, SandboxId, Seq,
    SnapshotContent, SnapshotId, State, Timestamp, Values,
};
use serde_json::Value;

use crate::settings::Settings;

fn in_state(state: State) -> hourglass_events::Sandbox {
    let at = Timestamp(1_700_000_000_123_456);
    let content = SnapshotContent {
        name: "default".to_owned(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: Image { digest: "image".to_owned() },
    };
    hourglass_events::Sandbox {
        id: SandboxId::from_u128(1),
        organization: OrganizationId::from_u128(2),
        blueprint: Blueprint {
            user: "daytona".to_owned(),
            auto_stop: AutoStop::Never,
            ..Blueprint::new(Name::new("box").unwrap(), SnapshotId::from_u128(3), &content)
        },
        state,
        origin: None,
        version: 1,
        seq: Seq(1),
        correlation: CorrelationId::from_u128(4),
        created: at,
        since: at,
        updated: at,
        last_activity: at,
        stopped_since: None,
        host: None,
        refused: Vec::new(),
        work: None,
        errand: None,
        backup: None,
        unsaved: None,
        stored: Vec::new(),
        settings: hourglass_events::sandbox::Settings::Applied,
        boot: None,
        intent: None,
        forked: None,
        exit: None,
        fault: (state == State::Error).then(|| Fault::NoSpace { doing: "make the disk".to_owned() }),
    }
}

fn shown(state: State) -> Value {
    let sandbox =
        super::Sandbox::of(&in_state(state), &Values::default(), &Settings::new("http://localhost/api/"));
    serde_json::to_value(sandbox).unwrap()
}

#[test]
fn every_state_has_each_field_that_the_sdk_requires() {
    let texts = ["id", "organizationId", "name", "user", "target", "toolboxProxyUrl", "state"];
    for state in State::ALL {
        let shown = shown(*state);
        assert!(texts.iter().all(|field| shown[field].is_string()), "{shown}");
        assert!(
            ["public", "networkBlockAll", "kvm", "recoverable"].iter().all(|field| shown[field].is_boolean())
        );
        assert!(["cpu", "gpu", "memory", "disk"].iter().all(|field| shown[field].is_u64()), "{shown}");
        assert!(["env", "labels"].iter().all(|field| shown[field].is_object()), "{shown}");
        assert!(shown["volumes"].as_array().is_some_and(Vec::is_empty));
        assert!(["createdAt", "updatedAt", "lastActivityAt"].iter().all(|field| shown[field].is_string()));
    }
}

#[test]
fn never_is_0_for_stop_and_minus_1_for_delete() {
    let shown = shown(State::Started);
    assert_eq!(shown["autoStopInterval"], 0);
    assert_eq!(shown["autoArchiveInterval"], 7 * 24 * 60);
    assert_eq!(shown["autoDeleteInterval"], -1);
}

#[test]
fn a_moment_is_text_with_a_zone() {
    assert_eq!(shown(State::Started)["createdAt"], "2023-11-14T22:13:20.123Z");
}

#[test]
fn an_error_says_why_and_whether_it_can_be_recovered() {
    let shown = shown(State::Error);
    assert!(shown["errorReason"].as_str().unwrap().contains("no room left"));
    assert_eq!(shown["recoverable"], true);
}

#[test]
fn what_is_not_known_is_left_out_rather_than_null() {
    assert!(!shown(State::Started).as_object().unwrap().values().any(Value::is_null));
}

#[test]
fn a_resize_desires_to_be_resized_and_a_fork_what_it_set_out_from() {
    assert_eq!(shown(State::Resizing)["desiredState"], "resized");
    let mut forking = in_state(State::Forking);
    forking.origin = Some(State::Started);
    assert_eq!(crate::wire::state::desired(&forking), Some("started"));
}
