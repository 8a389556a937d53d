//! Whatever is refused, for whatever reason, changes nothing: there is no record of it.

use axum::http::Method;
use hourglass_events::ShardNumber;
use hourglass_hostd::scripted::{Act, Twist};
use serde_json::{Value, json};

use super::world::{OTHER_KEY, World};

/// A method, a path, headers, a body, and the status that it is refused with.
type Asked<'a> = (Method, &'a str, &'a [(&'a str, &'a str)], Option<Value>, u16);

fn records(world: &World) -> u64 {
    world.engine.view(ShardNumber(0)).fleet().seq().0
}

#[tokio::test]
async fn what_is_refused_is_in_no_record_whatever_is_wrong_with_it() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    world.create(json!({ "name": "still" })).await;
    world.post("/sandbox/still/stop", None).await;
    let before = records(&world);
    let other = format!("Bearer {OTHER_KEY}");
    let as_other = [("authorization", other.as_str())];
    let as_nobody = [("authorization", "Bearer nobody")];
    let long = json!({ "labels": { "long": "x".repeat(2 << 20) } });
    let asked: [Asked<'_>; 16] = [
        (Method::POST, "/sandbox", &[], Some(json!({ "name": "box" })), 409),
        (Method::POST, "/sandbox", &as_nobody, Some(json!({})), 401),
        (Method::POST, "/sandbox", &[], Some(json!({ "snapshot": "nowhere" })), 400),
        (Method::POST, "/sandbox", &[], Some(json!({ "target": "nowhere" })), 404),
        (Method::POST, "/sandbox", &[], Some(long), 413),
        (Method::POST, "/sandbox/nobody/start", &[], None, 404),
        (Method::POST, "/sandbox/box/stop", &as_other, None, 404),
        (Method::DELETE, "/sandbox/box", &as_other, None, 404),
        (Method::POST, "/sandbox/still/stop", &[], None, 400),
        (Method::POST, "/sandbox/still/pause", &[], None, 422),
        (Method::POST, "/sandbox/box/archive", &[], None, 400),
        (Method::POST, "/sandbox/box/recover", &[], None, 400),
        (Method::POST, "/sandbox/box/resize", &[], Some(json!({ "cpu": 99 })), 400),
        (Method::POST, "/sandbox/box/resize", &[], Some(json!({})), 400),
        (Method::PUT, "/sandbox/box/labels", &[], Some(json!({ "labels": { "": "x" } })), 400),
        (
            Method::POST,
            "/sandbox/box/network-settings",
            &[],
            Some(json!({ "networkAllowList": "10.0.0.0" })),
            400,
        ),
    ];
    for (method, path, headers, body, status) in asked {
        let answer = world.send(method.clone(), path, headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.body);
        assert_eq!(records(&world), before, "{method} {path} is in the log");
    }
}

#[tokio::test]
async fn what_cannot_wait_for_work_in_flight_is_a_conflict_that_says_when_to_come_back() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    world.machine.script(None, Act::Resize, Twist::HangBefore);
    let grown = json!({ "cpu": 2 });
    let resizing = world.post("/sandbox/box/resize", Some(grown));
    let meanwhile = async {
        world.machine.hung().await;
        let before = records(&world);
        let answer = world.post("/sandbox/box/archive", None).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (409, "BUSY"), "{}", answer.body);
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(answer.text("message").contains("Resizing"), "{}", answer.body);
        assert_eq!(records(&world), before, "it is in the log");
        world.machine.release();
    };
    tokio::join!(resizing, meanwhile);
}
