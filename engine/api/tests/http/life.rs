//! The life of a sandbox, asked for over HTTP.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use hourglass_events::{Fault, State};
use hourglass_hostd::scripted::{Act, Twist};
use serde_json::json;

use super::world::World;

#[tokio::test]
async fn a_create_that_finishes_quickly_is_answered_with_a_started_sandbox() {
    let world = World::new().await;
    let sdk = json!({ "env": {}, "labels": { "code-toolbox-language": "python" }, "volumes": [] });
    let made = world.create(sdk).await;
    assert_eq!((made.status, made.text("state")), (StatusCode::OK, "started"));
    assert_eq!(made.text("name"), made.text("id"));
    assert_eq!(made.text("snapshot"), "default");
    assert_eq!(made.body["labels"], json!({ "code-toolbox-language": "python" }));
    assert_eq!(made.text("toolboxProxyUrl"), "http://localhost/api/toolbox");
}

#[tokio::test]
async fn variables_are_in_the_sandbox_and_shown_to_its_owner_until_it_is_gone() {
    let world = World::new().await;
    let variables = json!({ "TOKEN": "correct horse", "EMPTY": "" });
    let made = world.create(json!({ "env": variables })).await;
    assert_eq!((made.status, &made.body["env"]), (StatusCode::OK, &variables), "{}", made.body);
    let id = made.text("id").to_owned();
    assert_eq!(world.get(&format!("/sandbox/{id}")).await.body["env"], variables);
    let inside = world.machine.environment(id.parse().unwrap()).unwrap();
    assert_eq!(inside.expose().collect::<Vec<_>>(), [("EMPTY", ""), ("TOKEN", "correct horse")]);
    let list = world.get("/sandbox").await;
    assert!(!list.body.to_string().contains("correct horse"), "{}", list.body);
    let gone = world.send(Method::DELETE, &format!("/sandbox/{id}"), &[], None).await;
    assert_eq!(gone.status, StatusCode::OK);
    world.reach(&id, State::Deleted).await;
}

#[tokio::test]
async fn a_repeat_with_variables_is_told_from_another_request() {
    let world = World::new().await;
    let key = [("idempotency-key", "once")];
    let create = async |value: &str| {
        let body = json!({ "env": { "TOKEN": value } });
        world.send(Method::POST, "/sandbox", &key, Some(body)).await
    };
    let first = create("one").await;
    let again = create("one").await;
    assert_eq!((again.status, again.text("id")), (StatusCode::OK, first.text("id")));
    assert_eq!(again.body["env"], json!({ "TOKEN": "one" }));
    let other = create("two").await;
    assert_eq!(other.text("code"), "IDEMPOTENCY_KEY_REUSED", "{}", other.body);
}

#[tokio::test]
async fn a_create_that_takes_longer_is_answered_before_it_is_done() {
    let world = World::holding(Duration::from_millis(20)).await;
    world.machine.script(None, Act::Provision, Twist::HangBefore);
    let made = world.create(json!({})).await;
    assert_eq!(made.status, StatusCode::OK);
    assert_eq!(made.text("desiredState"), "started");
    assert_ne!(made.text("state"), "started");
    world.machine.hung().await;
    world.machine.release();
    world.reach(made.text("id"), State::Started).await;
}

#[tokio::test]
async fn a_failure_is_in_the_answer_with_its_reason() {
    let world = World::new().await;
    world.machine.script(
        None,
        Act::Provision,
        Twist::Fail(Fault::NoSpace { doing: "make the disk".to_owned() }),
    );
    let made = world.create(json!({})).await;
    assert_eq!((made.status, made.text("state")), (StatusCode::OK, "error"));
    assert!(made.text("errorReason").contains("no room left"));
    assert_eq!(made.body["recoverable"], true);
    let start = world.post(&format!("/sandbox/{}/start", made.text("id")), None).await;
    assert_eq!((start.status, start.text("code")), (StatusCode::BAD_REQUEST, "WRONG_STATE"));
}

#[tokio::test]
async fn a_sandbox_stops_starts_and_is_deleted_by_id_or_name() {
    let world = World::new().await;
    let id = world.create(json!({ "name": "my box" })).await.text("id").to_owned();
    let stopped = world.post("/sandbox/my%20box/stop?force=false", None).await;
    assert_eq!((stopped.status, stopped.text("state")), (StatusCode::OK, "stopped"));
    let again = world.post(&format!("/sandbox/{id}/stop"), None).await;
    assert_eq!((again.status, again.text("code")), (StatusCode::BAD_REQUEST, "WRONG_STATE"));
    let started = world.post(&format!("/sandbox/{id}/start"), None).await;
    assert_eq!((started.status, started.text("state")), (StatusCode::OK, "started"));
    assert_eq!(world.get("/sandbox/my%20box").await.text("id"), id);
    let killed = world.post(&format!("/sandbox/{id}/stop?force=true"), None).await;
    assert_eq!(killed.text("state"), "stopped");
    let deleted = world.send(Method::DELETE, &format!("/sandbox/{id}"), &[], None).await;
    assert_eq!((deleted.status, deleted.text("desiredState")), (StatusCode::OK, "destroyed"));
    world.reach(&id, State::Deleted).await;
    assert_eq!(world.get(&format!("/sandbox/{id}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_started_sandbox_may_be_started() {
    let world = World::new().await;
    let id = world.create(json!({})).await.text("id").to_owned();
    let version = world.engine.sandbox(id.parse().unwrap()).unwrap().version;
    assert_eq!(world.post(&format!("/sandbox/{id}/start"), None).await.text("state"), "started");
    assert_eq!(world.engine.sandbox(id.parse().unwrap()).unwrap().version, version);
}

#[tokio::test]
async fn labels_and_intervals_are_replaced() {
    let world = World::new().await;
    let id = world.create(json!({ "labels": { "a": "1" } })).await.text("id").to_owned();
    let labels = json!({ "labels": { "b": "2" } });
    let path = format!("/sandbox/{id}/labels");
    let answer = world.send(Method::PUT, &path, &[], Some(labels)).await;
    assert_eq!(answer.body["labels"], json!({ "b": "2" }));
    for (operation, sent, field, kept) in [
        ("autostop", 0, "autoStopInterval", 0),
        ("autostop", 5, "autoStopInterval", 5),
        ("autoarchive", 0, "autoArchiveInterval", 43_200),
        ("autoarchive", 60, "autoArchiveInterval", 60),
        ("autodelete", -1, "autoDeleteInterval", -1),
        ("autodelete", 30, "autoDeleteInterval", 30),
        ("autopause", 0, "autoPauseInterval", 0),
    ] {
        let answer = world.post(&format!("/sandbox/{id}/{operation}/{sent}"), None).await;
        assert_eq!(
            (answer.status, &answer.body[field]),
            (StatusCode::OK, &json!(kept)),
            "{operation}/{sent}"
        );
    }
}

#[tokio::test]
async fn a_refreshed_activity_is_created() {
    let world = World::new().await;
    let made = world.create(json!({})).await;
    let used = world.post(&format!("/sandbox/{}/last-activity", made.text("id")), None).await;
    assert_eq!(used.status, StatusCode::CREATED);
    assert!(used.text("lastActivityAt") >= made.text("lastActivityAt"));
}

#[tokio::test]
async fn a_request_repeated_with_its_key_happens_once() {
    let world = World::new().await;
    let key = [("idempotency-key", "once")];
    let create = async |body| world.send(Method::POST, "/sandbox", &key, Some(body)).await;
    let first = create(json!({ "name": "one" })).await;
    let second = create(json!({ "name": "one" })).await;
    assert_eq!((second.status, second.text("id")), (StatusCode::OK, first.text("id")));
    let other = create(json!({ "name": "two" })).await;
    assert_eq!((other.status, other.text("code")), (StatusCode::CONFLICT, "IDEMPOTENCY_KEY_REUSED"));
}

#[tokio::test]
async fn an_ephemeral_sandbox_is_gone_once_it_is_stopped() {
    let world = World::new().await;
    let id = world.create(json!({ "autoDeleteInterval": 0 })).await.text("id").to_owned();
    let stopped = world.post(&format!("/sandbox/{id}/stop"), None).await;
    assert_eq!(stopped.status, StatusCode::OK);
    world.reach(&id, State::Deleted).await;
    assert_eq!(world.get(&format!("/sandbox/{id}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn health_and_readiness_ask_for_no_key_and_record_nothing() {
    let world = World::new().await;
    let seq = world.engine.view(hourglass_events::ShardNumber(0)).fleet().seq();
    for path in ["/health", "/ready"] {
        let answer = world.send(Method::GET, path, &[("authorization", "none")], None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    assert_eq!(world.engine.view(hourglass_events::ShardNumber(0)).fleet().seq(), seq);
    world.engine.shutdown().await;
    let answer = world.get("/ready").await;
    assert_eq!((answer.status, answer.text("code")), (StatusCode::SERVICE_UNAVAILABLE, "NOT_READY"));
    assert_eq!(answer.headers["retry-after"], "1");
}
