//! What a sandbox may reach, and who may reach it.

use axum::http::StatusCode;
use hourglass_events::{Fault, TaskKind};
use hourglass_hostd::scripted::{Act, Twist};
use serde_json::json;

use super::world::World;

#[tokio::test]
async fn a_sandbox_is_created_with_the_network_that_is_asked_for() {
    let world = World::new().await;
    for (asked, blocked, cidrs, domains) in [
        (json!({}), false, json!(null), json!(null)),
        (
            json!({ "networkBlockAll": true, "networkAllowList": "10.0.0.0/8" }),
            true,
            json!(null),
            json!(null),
        ),
        (
            json!({ "networkAllowList": "10.0.0.0/8,192.0.2.1/32" }),
            false,
            json!("10.0.0.0/8,192.0.2.1/32"),
            json!(null),
        ),
        (json!({ "domainAllowList": "*.Example.com" }), false, json!(null), json!("*.example.com")),
    ] {
        let made = world.create(asked.clone()).await;
        assert_eq!(made.status, StatusCode::OK, "{asked}: {}", made.body);
        let shown =
            (&made.body["networkBlockAll"], &made.body["networkAllowList"], &made.body["domainAllowList"]);
        assert_eq!(shown, (&json!(blocked), &cidrs, &domains), "{asked}");
    }
}

#[tokio::test]
async fn the_network_of_a_running_sandbox_is_changed() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    let path = "/sandbox/box/network-settings";
    let blocked = world.post(path, Some(json!({ "networkBlockAll": true }))).await;
    assert_eq!((blocked.status, &blocked.body["networkBlockAll"]), (StatusCode::OK, &json!(true)));
    let only = world.post(path, Some(json!({ "networkAllowList": "10.0.0.0/8" }))).await;
    assert_eq!(only.body["networkBlockAll"], false);
    assert_eq!(only.text("networkAllowList"), "10.0.0.0/8");
    let nothing = world.post(path, Some(json!({}))).await;
    assert_eq!((nothing.status.as_u16(), nothing.text("code")), (400, "NOTHING_TO_CHANGE"));
    let nobody = world.post("/sandbox/nobody/network-settings", Some(json!({}))).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_rule_that_the_host_cannot_keep_is_not_told_to_be_in_force() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    world.machine.script(None, Act::SetNetwork, Twist::Fail(Fault::Unsupported { task: TaskKind::Hold }));
    let asked = Some(json!({ "domainAllowList": "mirror.example" }));
    let refused = world.post("/sandbox/box/network-settings", asked).await;
    assert_eq!((refused.status.as_u16(), refused.text("code")), (422, "UNSUPPORTED_BY_HOST"));
}

#[tokio::test]
async fn a_sandbox_is_made_public_and_found_by_it() {
    let world = World::new().await;
    world.create(json!({ "name": "open", "public": true })).await;
    world.create(json!({ "name": "box" })).await;
    let count = async |query| world.get(query).await.body["items"].as_array().unwrap().len();
    assert_eq!(count("/sandbox?isPublic=true").await, 1);
    let shown = world.post("/sandbox/box/public/true", None).await;
    assert_eq!((shown.status, &shown.body["public"]), (StatusCode::OK, &json!(true)));
    assert_eq!(count("/sandbox?isPublic=true").await, 2);
    assert_eq!(world.post("/sandbox/open/public/false", None).await.body["public"], false);
    assert_eq!(count("/sandbox?isPublic=false").await, 1);
}
