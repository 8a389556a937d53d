//! Pause, resize, archive and recover: what a client is told of how they ended.

use axum::http::StatusCode;
use hourglass_events::{Class, Fault, State, TaskKind};
use hourglass_hostd::scripted::{Act, Twist};
use serde_json::json;

use super::world::{World, snapshot};

/// A world with a virtual machine that runs.
async fn world() -> World {
    let world = World::new().await;
    let mut content = snapshot("machine");
    content.class = Class::LinuxVm;
    world.engine.register_snapshot(content).await.expect("it is registered");
    let made = world.create(json!({ "name": "box", "snapshot": "machine" })).await;
    assert_eq!((made.status, made.text("state")), (StatusCode::OK, "started"), "{}", made.body);
    world
}

#[tokio::test]
async fn a_machine_is_paused_and_started_again() {
    let world = world().await;
    let paused = world.post("/sandbox/box/pause", None).await;
    assert_eq!((paused.status, paused.text("state")), (StatusCode::OK, "paused"), "{}", paused.body);
    let started = world.post("/sandbox/box/start", None).await;
    assert_eq!((started.status, started.text("state")), (StatusCode::OK, "started"), "{}", started.body);
}

#[tokio::test]
async fn a_pause_that_fails_is_told_although_the_sandbox_runs_on() {
    let world = world().await;
    let fault = Fault::NoSpace { doing: "save the memory".to_owned() };
    world.machine.script(None, Act::SaveMemory, Twist::Fail(fault));
    let failed = world.post("/sandbox/box/pause", None).await;
    assert_eq!((failed.status.as_u16(), failed.text("code")), (500, "OPERATION_FAILED"), "{}", failed.body);
    assert!(failed.text("message").contains("save the memory"));
    assert_eq!(world.get("/sandbox/box").await.text("state"), "started");
}

#[tokio::test]
async fn a_container_has_no_memory_to_keep() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    let refused = world.post("/sandbox/box/pause", None).await;
    assert_eq!((refused.status.as_u16(), refused.text("code")), (422, "NOT_FOR_CLASS"));
    assert!(refused.text("message").contains("container"));
}

#[tokio::test]
async fn a_sandbox_is_resized_within_what_it_may_be() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    let resize = async |asked| world.post("/sandbox/box/resize", Some(asked)).await;
    let grown = resize(json!({ "cpu": 2, "memory": 2 })).await;
    assert_eq!((grown.status, grown.text("state")), (StatusCode::OK, "started"), "{}", grown.body);
    assert_eq!((&grown.body["cpu"], &grown.body["memory"]), (&json!(2), &json!(2)));
    for (asked, code) in [
        (json!({}), "BAD_RESIZE"),
        (json!({ "cpu": 2 }), "BAD_RESIZE"),
        (json!({ "cpu": 1 }), "BAD_RESIZE"),
        (json!({ "disk": 5 }), "BAD_RESIZE"),
        (json!({ "cpu": 5 }), "OUT_OF_LIMITS"),
        (json!({ "cpu": 1.5 }), "BAD_BODY"),
        (json!({ "gpu": 1 }), "BAD_BODY"),
    ] {
        let refused = resize(asked.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.text("code")), (400, code), "{asked}");
    }
    world.post("/sandbox/box/stop", None).await;
    assert_eq!(resize(json!({ "disk": 2 })).await.text("code"), "BAD_RESIZE");
    let larger = resize(json!({ "disk": 5, "cpu": 1 })).await;
    assert_eq!(
        (larger.text("state"), &larger.body["disk"], &larger.body["cpu"]),
        ("stopped", &json!(5), &json!(1))
    );
}

#[tokio::test]
async fn a_resize_that_fails_is_told_and_leaves_the_size() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    let fault = Fault::NoSpace { doing: "grow the disk".to_owned() };
    world.machine.script(None, Act::Resize, Twist::Fail(fault));
    let failed = world.post("/sandbox/box/resize", Some(json!({ "cpu": 2 }))).await;
    assert_eq!((failed.status.as_u16(), failed.text("code")), (500, "OPERATION_FAILED"), "{}", failed.body);
    let shown = world.get("/sandbox/box").await;
    assert_eq!((shown.text("state"), &shown.body["cpu"]), ("started", &json!(1)));
}

#[tokio::test]
async fn a_stopped_sandbox_is_archived_and_started_from_there() {
    let world = World::new().await;
    let id = world.create(json!({ "name": "box" })).await.text("id").to_owned();
    let runs = world.post("/sandbox/box/archive", None).await;
    assert_eq!((runs.status.as_u16(), runs.text("code")), (400, "WRONG_STATE"), "{}", runs.body);
    world.post("/sandbox/box/stop", None).await;
    let archived = world.post("/sandbox/box/archive", None).await;
    assert_eq!(archived.status, StatusCode::OK, "{}", archived.body);
    world.reach(&id, State::Archived).await;
    let shown = world.get("/sandbox/box").await;
    assert_eq!((shown.text("state"), shown.text("backupState")), ("archived", "Completed"));
    world.post("/sandbox/box/start", None).await;
    world.reach(&id, State::Started).await;
}

#[tokio::test]
async fn what_the_host_cannot_do_is_not_supported_and_leaves_the_sandbox_as_it_was() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    let cannot = |act, task| world.machine.script(None, act, Twist::Fail(Fault::Unsupported { task }));
    cannot(Act::Resize, TaskKind::Resize);
    let resize = world.post("/sandbox/box/resize", Some(json!({ "cpu": 2 }))).await;
    assert_eq!((resize.status.as_u16(), resize.text("code")), (422, "UNSUPPORTED_BY_HOST"));
    world.post("/sandbox/box/stop", None).await;
    cannot(Act::Archive, TaskKind::Archive);
    let archive = world.post("/sandbox/box/archive", None).await;
    assert_eq!((archive.status.as_u16(), archive.text("code")), (422, "UNSUPPORTED_BY_HOST"));
    assert_eq!(world.get("/sandbox/box").await.text("state"), "stopped");
}

#[tokio::test]
async fn an_ephemeral_sandbox_is_not_archived() {
    let world = World::new().await;
    world.create(json!({ "name": "box", "autoDeleteInterval": 0 })).await;
    let refused = world.post("/sandbox/box/archive", None).await;
    assert_eq!((refused.status.as_u16(), refused.text("code")), (400, "EPHEMERAL"), "{}", refused.body);
}

#[tokio::test]
async fn a_sandbox_is_recovered_from_an_error_and_from_nothing_else() {
    let world = World::new().await;
    let well = world.create(json!({ "name": "well" })).await;
    assert_eq!(well.text("state"), "started");
    let refused = world.post("/sandbox/well/recover", None).await;
    assert_eq!((refused.status.as_u16(), refused.text("code")), (400, "WRONG_STATE"), "{}", refused.body);
    let fault = Fault::NoSpace { doing: "make the disk".to_owned() };
    world.machine.script(None, Act::Provision, Twist::Fail(fault));
    let failed = world.create(json!({ "name": "box" })).await;
    assert_eq!(
        (failed.text("state"), &failed.body["recoverable"]),
        ("error", &json!(true)),
        "{}",
        failed.body
    );
    let recovered = world.post("/sandbox/box/recover", None).await;
    assert_eq!(
        (recovered.status, recovered.text("state")),
        (StatusCode::OK, "started"),
        "{}",
        recovered.body
    );
}
