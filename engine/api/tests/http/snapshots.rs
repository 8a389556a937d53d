//! Snapshots over HTTP: read, taken, made, laid aside, removed; and builds and backups.

use axum::http::{Method, StatusCode};
use hourglass_events::{Event, Fault, Seq, ShardNumber, SnapshotEvent};
use hourglass_hostd::scripted::{Act, Twist};
use serde_json::json;

use super::world::{World, snapshot};

#[tokio::test]
async fn a_snapshot_is_read_by_name_or_id_with_each_field_the_sdk_requires() {
    let world = World::new().await;
    let by_name = world.get("/snapshots/default").await;
    assert_eq!(by_name.status, StatusCode::OK);
    let by_id = world.get(&format!("/snapshots/{}", by_name.text("id"))).await;
    assert_eq!(by_id.body, by_name.body);
    for (field, value) in [
        ("general", json!(true)),
        ("name", json!("default")),
        ("state", json!("active")),
        ("size", json!(null)),
        ("entrypoint", json!(null)),
        ("cpu", json!(1)),
        ("gpu", json!(0)),
        ("mem", json!(1)),
        ("disk", json!(3)),
        ("errorReason", json!(null)),
        ("lastUsedAt", json!(null)),
        ("sourceSandboxId", json!(null)),
    ] {
        assert_eq!(by_name.body.get(field), Some(&value), "{field}");
    }
    let year = &by_name.text("createdAt")[..4];
    assert!(year.parse::<u32>().unwrap() >= 2024, "{year}");
    assert_eq!(by_name.text("createdAt"), by_name.text("updatedAt"));
}

#[tokio::test]
async fn snapshots_are_listed_a_page_at_a_time() {
    let world = World::new().await;
    for name in ["b", "a"] {
        world.engine.register_snapshot(snapshot(name)).await.unwrap();
    }
    let page = world.get("/snapshots?page=2&limit=2").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.body["items"][0]["name"], "default");
    assert_eq!(
        (&page.body["total"], &page.body["page"], &page.body["totalPages"]),
        (&json!(3), &json!(2), &json!(2))
    );
    for (query, status) in [
        ("page=0", 400),
        ("limit=0", 400),
        ("limit=201", 400),
        ("x=1", 400),
        ("sort=size", 400),
        ("order=up", 400),
    ] {
        assert_eq!(world.get(&format!("/snapshots?{query}")).await.status.as_u16(), status, "{query}");
    }
}

#[tokio::test]
async fn snapshots_are_filtered_and_sorted() {
    let world = World::new().await;
    for name in ["b", "a-Default"] {
        world.engine.register_snapshot(snapshot(name)).await.unwrap();
    }
    for (query, found) in [
        ("", vec!["a-Default", "b", "default"]),
        ("order=desc", vec!["default", "b", "a-Default"]),
        ("sort=createdAt&order=asc", vec!["default", "b", "a-Default"]),
        ("sort=state&name=DEF", vec!["a-Default", "default"]),
        ("sort=lastUsedAt", vec!["a-Default", "b", "default"]),
        ("sourceSandboxId=00000000-0000-0000-0000-000000000001", vec![]),
    ] {
        let page = world.get(&format!("/snapshots?{query}")).await;
        let items = page.body["items"].as_array().unwrap();
        let names: Vec<_> = items.iter().map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(names, found, "{query}");
    }
}

#[tokio::test]
async fn a_snapshot_is_taken_of_a_sandbox_and_sandboxes_are_made_of_it() {
    let world = World::new().await;
    let made = world.create(json!({ "name": "box" })).await;
    let taken = world.post("/sandbox/box/snapshot", Some(json!({ "name": "base" }))).await;
    assert_eq!((taken.status, taken.text("state")), (StatusCode::OK, "started"), "{}", taken.body);
    let snapshot = world.get("/snapshots/base").await;
    assert_eq!((snapshot.text("state"), snapshot.text("sourceSandboxId")), ("active", made.text("id")));
    let other = world.create(json!({ "name": "other", "snapshot": "base" })).await;
    assert_eq!((other.status, other.text("snapshot")), (StatusCode::OK, "base"), "{}", other.body);
    let of_it = world.get(&format!("/snapshots?sourceSandboxId={}", made.text("id"))).await;
    assert_eq!(of_it.body["total"], json!(1));
}

#[tokio::test]
async fn a_snapshot_that_fails_is_told_and_stays_to_be_looked_at() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    let fault = Fault::NoSpace { doing: "take the snapshot".to_owned() };
    world.machine.script(None, Act::Capture, Twist::Fail(fault));
    let failed = world.post("/sandbox/box/snapshot", Some(json!({ "name": "base" }))).await;
    assert_eq!((failed.status.as_u16(), failed.text("code")), (500, "OPERATION_FAILED"), "{}", failed.body);
    assert_eq!(world.get("/sandbox/box").await.text("state"), "started");
    let snapshot = world.get("/snapshots/base").await;
    assert_eq!(snapshot.text("state"), "error");
    assert!(snapshot.text("errorReason").contains("take the snapshot"));
}

#[tokio::test]
async fn a_container_gives_no_memory() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    let asked = json!({ "name": "base", "includeMemory": true });
    let refused = world.post("/sandbox/box/snapshot", Some(asked)).await;
    assert_eq!((refused.status.as_u16(), refused.text("code")), (422, "NOT_FOR_CLASS"), "{}", refused.body);
}

/// Waits until some snapshot was made.
async fn until_ready(world: &World) {
    let mut records = world.engine.subscribe(ShardNumber(0), Seq(0));
    while records.next().await.expect("it does not lag").record.event != Event::Snapshot(SnapshotEvent::Ready)
    {
    }
}

#[tokio::test]
async fn a_snapshot_is_made_of_an_image_laid_aside_brought_back_and_removed() {
    let world = World::new().await;
    let made = world.post("/snapshots", Some(json!({ "name": "mine", "imageName": "ubuntu:22.04" }))).await;
    assert_eq!((made.status, made.text("imageName")), (StatusCode::OK, "ubuntu:22.04"), "{}", made.body);
    until_ready(&world).await;
    let again = world.post("/snapshots", Some(json!({ "name": "mine", "imageName": "ubuntu:22.04" }))).await;
    assert_eq!((again.status.as_u16(), again.text("code")), (409, "SNAPSHOT_TAKEN"), "{}", again.body);
    assert_eq!(world.post("/snapshots/mine/deactivate", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get("/snapshots/mine").await.text("state"), "inactive");
    assert_eq!(world.post("/snapshots/mine/activate", None).await.text("state"), "active");
    let removed = world.send(Method::DELETE, "/snapshots/mine", &[], None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get("/snapshots/mine").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_everybodys_or_in_use_or_no_image_is_refused() {
    let world = World::new().await;
    let taken = |code: u16, text: &'static str| (code, text);
    for (method, path, body, expected) in [
        (Method::DELETE, "/snapshots/nothing", None, taken(404, "NO_SUCH_SNAPSHOT")),
        (Method::DELETE, "/snapshots/default", None, taken(403, "GENERAL_SNAPSHOT")),
        (Method::POST, "/snapshots", Some(json!({ "name": "a", "imageName": "x" })), taken(400, "BAD_IMAGE")),
        (
            Method::POST,
            "/snapshots",
            Some(json!({ "name": "a b", "imageName": "x:1" })),
            taken(400, "BAD_SNAPSHOT_NAME"),
        ),
        (Method::POST, "/snapshots", Some(json!({ "name": "a", "buildInfo": {} })), taken(400, "BAD_BUILD")),
    ] {
        let answer = world.send(method, path, &[], body).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), expected, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_sandbox_is_built_of_a_dockerfile_in_a_size_of_its_own() {
    let world = World::new().await;
    let asked =
        json!({ "name": "built", "cpu": 2, "disk": 5, "buildInfo": { "dockerfileContent": "FROM a:1\n" } });
    let made = world.create(asked).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(made.body["buildInfo"]["dockerfileContent"], json!("FROM a:1\n"));
    assert_eq!((&made.body["cpu"], &made.body["disk"]), (&json!(2), &json!(5)));
    let started = world.post("/sandbox/built/start", None).await;
    assert_eq!((started.status, started.text("state")), (StatusCode::OK, "started"), "{}", started.body);
}

#[tokio::test]
async fn a_stopped_sandbox_is_backed_up() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    world.post("/sandbox/box/stop", None).await;
    let saved = world.post("/sandbox/box/backup", None).await;
    assert_eq!((saved.status, saved.text("backupState")), (StatusCode::OK, "Completed"), "{}", saved.body);
}
