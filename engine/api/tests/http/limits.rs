//! How much may be asked, how often, and how it ends.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, Request, StatusCode};
use futures_util::stream;
use hourglass_api::Rates;
use hourglass_events::State;
use hourglass_hostd::scripted::{Act, Twist};
use serde_json::json;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use super::listener::Listener;
use super::world::{Answer, KEY, OTHER_KEY, PATIENCE, World};

#[tokio::test]
async fn an_organization_that_asks_too_often_is_told_when_to_come_back() {
    let few = NonZeroU32::new(2);
    let rates = Rates { creations: few, changes: few, reads: few, tools: few };
    let world = World::with(|settings| settings.rates = rates).await;
    for name in ["a", "b"] {
        assert_eq!(world.create(json!({ "name": name })).await.status, StatusCode::OK);
    }
    let third = world.create(json!({ "name": "c" })).await;
    assert_eq!((third.status, third.text("code")), (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS"));
    let seconds: u32 = third.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "a place is free after half a minute, not after {seconds} s");
    assert!(third.text("message").contains("2 creations"));
    // What is counted apart is not spent, and neither is another's.
    assert_eq!(world.get("/sandbox").await.status, StatusCode::OK);
    assert_eq!(world.post("/sandbox/a/stop", None).await.status, StatusCode::OK);
    let bearer = format!("Bearer {OTHER_KEY}");
    let other = world.send(Method::POST, "/sandbox", &[("authorization", &bearer)], Some(json!({}))).await;
    assert_eq!(other.status, StatusCode::OK);
    world.get("/sandbox").await;
    assert_eq!(world.get("/sandbox").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(world.get("/health").await.status, StatusCode::OK, "it is not counted");
}

#[tokio::test]
async fn what_is_too_long_is_refused_with_how_long_it_may_be() {
    let world = World::with(|settings| (settings.url, settings.headers) = (100, 200)).await;
    let long = "x".repeat(200);
    let url = world.get(&format!("/sandbox?name={long}")).await;
    assert_eq!((url.status.as_u16(), url.text("code")), (414, "URL_TOO_LONG"));
    assert!(url.text("message").contains("at most 100"));
    let headers = world.send(Method::GET, "/sandbox", &[("x-long", &long)], None).await;
    assert_eq!((headers.status.as_u16(), headers.text("code")), (431, "HEADERS_TOO_LONG"));
}

#[tokio::test]
async fn when_all_places_are_taken_the_next_is_told_to_come_back() {
    let world = Arc::new(World::with(|settings| settings.requests = 1).await);
    let first = hang(&world).await;
    let second = world.get("/sandbox").await;
    assert_eq!((second.status.as_u16(), second.text("code")), (503, "BUSY"));
    assert_eq!(second.headers["retry-after"], "1");
    assert_eq!(world.get("/health").await.status, StatusCode::OK, "it takes no place");
    world.machine.release();
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(world.get("/sandbox").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_with_that_and_goes_on() {
    let world = Arc::new(World::with(|settings| settings.patience = Duration::from_millis(50)).await);
    let first = hang(&world).await.await.unwrap();
    assert_eq!((first.status.as_u16(), first.text("code")), (504, "TIMED_OUT"));
    world.machine.release();
    let id = world.get("/sandbox").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    world.reach(&id, State::Started).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::with(|settings| settings.patience = Duration::from_millis(50)).await;
    let body = axum::body::Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = Request::post("/api/toolbox/box/process/execute")
        .header("authorization", format!("Bearer {KEY}"))
        .body(body)
        .expect("it is a request");
    let response = world.router.clone().oneshot(request).await.expect("a router always answers");
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn a_drain_answers_what_is_in_hand_closes_sockets_and_lets_nobody_in() {
    let world = Arc::new(World::with(|settings| settings.hold = PATIENCE).await);
    let mut listener = Listener::known(&world, KEY).await;
    let first = hang(&world).await;
    let drained = tokio::spawn({
        let api = world.api.clone();
        async move { api.drain(PATIENCE).await }
    });
    while let Some(packet) = listener.hear().await {
        assert!(packet.starts_with("42"), "only events come before the end: {packet}");
    }
    let late = world.get("/sandbox").await;
    assert_eq!((late.status.as_u16(), late.text("code")), (503, "GOING_DOWN"));
    assert_eq!(late.headers["retry-after"], "1");
    assert_eq!(world.get("/ready").await.status.as_u16(), 503);
    assert_eq!(world.get("/health").await.status, StatusCode::OK);
    assert!(!drained.is_finished(), "one is in hand");
    world.machine.release();
    assert_eq!(first.await.unwrap().text("state"), "started");
    assert!(drained.await.unwrap());
}

#[tokio::test]
async fn a_drain_that_runs_out_of_patience_says_so() {
    let world = Arc::new(World::with(|settings| settings.hold = PATIENCE).await);
    let first = hang(&world).await;
    assert!(!world.api.drain(Duration::ZERO).await);
    world.machine.release();
    first.await.unwrap();
}

/// A create whose machine hangs, and which is answered only after its release.
async fn hang(world: &Arc<World>) -> JoinHandle<Answer> {
    world.machine.script(None, Act::Provision, Twist::HangBefore);
    let asking = Arc::clone(world);
    let first = tokio::spawn(async move { asking.create(json!({})).await });
    world.machine.hung().await;
    first
}
