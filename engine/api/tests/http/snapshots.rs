//! Reading snapshots.

use axum::http::{Method, StatusCode};
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
async fn what_is_not_done_with_snapshots_yet_says_so_unless_there_is_none() {
    let world = World::new().await;
    let missing = world.get("/snapshots/nothing").await;
    assert_eq!((missing.status, missing.text("code")), (StatusCode::NOT_FOUND, "NO_SUCH_SNAPSHOT"));
    for (method, path, status) in [
        (Method::POST, "/snapshots", 422),
        (Method::DELETE, "/snapshots/default", 422),
        (Method::DELETE, "/snapshots/nothing", 404),
        (Method::POST, "/snapshots/default/activate", 422),
    ] {
        let answer = world.send(method, path, &[], None).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
}
