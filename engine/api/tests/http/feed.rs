//! What the feed tells: all that happened to an organization's sandboxes, from any position, and what happens next.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::world::{KEY, OTHER_KEY, World};

/// The lines of a feed that ends.
async fn lines(world: &World, key: &str, query: &str) -> Vec<Value> {
    let body = to_bytes(open(world, key, query).await, usize::MAX).await.expect("it ends");
    let text = String::from_utf8(body.to_vec()).expect("it is text");
    text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

async fn open(world: &World, key: &str, query: &str) -> Body {
    let request =
        Request::get(format!("/api/events{query}")).header("Authorization", format!("Bearer {key}"));
    let request = request.body(Body::empty()).expect("it is a request");
    let response = world.router.clone().oneshot(request).await.expect("it is answered");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    response.into_body()
}

fn events(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["event"].as_str().expect("an event")).collect()
}

const BORN: [&str; 3] = ["PullBegan", "SnapshotReady", "Booted"];

#[tokio::test]
async fn the_past_is_told_to_whose_it_is_and_to_nobody_else() {
    let world = World::new().await;
    let one = world.create(json!({ "name": "one" })).await;
    world.create(json!({ "name": "two" })).await;
    let all = lines(&world, KEY, "").await;
    assert_eq!(events(&all).len(), 2 * BORN.len());
    assert!(all.windows(2).all(|pair| pair[0]["seq"].as_u64() < pair[1]["seq"].as_u64()));
    assert!(lines(&world, OTHER_KEY, "").await.is_empty());

    for name in ["one", one.text("id")] {
        let of_one = lines(&world, KEY, &format!("?sandbox={name}")).await;
        assert_eq!(events(&of_one), BORN);
        assert!(of_one.iter().all(|line| line["subject"] == one.body["id"] && line["kind"] == "sandbox"));
        assert_eq!(of_one[0]["body"]["blueprint"]["name"], "one");
        assert_eq!(of_one[0]["cause"], "request");
    }
    let last = all[all.len() - 1]["seq"].as_u64().expect("a number");
    assert_eq!(events(&lines(&world, KEY, &format!("?from={last}")).await), ["Booted"]);
    assert!(lines(&world, KEY, &format!("?from={}", last + 1)).await.is_empty());
}

#[tokio::test]
async fn who_follows_hears_what_is_new_and_an_end_when_the_server_ends() {
    let world = World::new().await;
    world.create(json!({ "name": "before" })).await;
    let mut stream = open(&world, KEY, "?follow=true").await.into_data_stream();
    let made = world.create(json!({ "name": "after" })).await;
    for event in BORN {
        let line = stream.next().await.expect("a line").expect("no error");
        let line: Value = serde_json::from_slice(&line).expect("it is JSON");
        assert_eq!((&line["event"], &line["subject"]), (&json!(event), &made.body["id"]));
    }
    let (drained, rest) = tokio::join!(world.api.drain(super::world::PATIENCE), stream.next());
    assert!(drained && rest.is_none());
}

#[tokio::test]
async fn a_quiet_feed_says_that_it_is_there() {
    let world = World::pinging(std::time::Duration::from_millis(1)).await;
    let mut stream = open(&world, KEY, "?follow=true").await.into_data_stream();
    assert_eq!(stream.next().await.expect("a line").expect("no error"), "\n");
}

#[tokio::test]
async fn what_cannot_be_told_is_refused() {
    let world = World::new().await;
    for query in ["?from=0", "?from=x", "?follow=maybe", "?colour=red"] {
        assert_eq!(world.get(&format!("/events{query}")).await.status, 400, "{query}");
    }
    assert_eq!(world.get("/events?sandbox=nobody").await.status, 404);
    let stranger = [("authorization", "Bearer of no key")];
    let asked = world.send(axum::http::Method::GET, "/events", &stranger, None).await;
    assert_eq!(asked.status, 401);
}
