//! Forks and linked sandboxes: what a client asks and is told.

use axum::http::{Method, StatusCode};
use hourglass_events::{Class, Fault, State};
use hourglass_hostd::scripted::{Act, Twist};
use serde_json::{Value, json};

use super::world::{Answer, World, snapshot};

/// A world with a virtual machine that runs.
async fn world() -> World {
    let world = World::new().await;
    let mut content = snapshot("machine");
    content.class = Class::LinuxVm;
    world.engine.register_snapshot(content).await.expect("it is registered");
    let env = json!({ "TOKEN": "secret" });
    let made = world.create(json!({ "name": "box", "snapshot": "machine", "env": env })).await;
    assert_eq!((made.status, made.text("state")), (StatusCode::OK, "started"), "{}", made.body);
    world
}

async fn fork(world: &World, of: &str, body: Value) -> Answer {
    world.post(&format!("/sandbox/{of}/fork"), Some(body)).await
}

/// The names in a list of sandboxes.
fn names(answer: &Answer) -> Vec<&str> {
    let all = answer.body.as_array().unwrap_or_else(|| panic!("no list: {}", answer.body));
    all.iter().map(|sandbox| sandbox["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn a_fork_is_answered_with_the_new_sandbox_which_is_all_its_parent_was() {
    let world = world().await;
    let labelled = json!({ "labels": { "team": "platform" } });
    world.send(Method::PUT, "/sandbox/box/labels", &[], Some(labelled)).await;
    world.post("/sandbox/box/autostop/0", None).await;
    world.post("/sandbox/box/network-settings", Some(json!({ "networkBlockAll": true }))).await;
    let forked = fork(&world, "box", json!({ "name": "my-forked-sandbox" })).await;
    assert_eq!((forked.status, forked.text("state")), (StatusCode::OK, "started"), "{}", forked.body);
    let parent = world.get("/sandbox/box").await;
    assert_eq!((forked.text("name"), parent.text("state")), ("my-forked-sandbox", "started"));
    assert_ne!(forked.text("id"), parent.text("id"));
    for field in
        ["labels", "env", "snapshot", "cpu", "memory", "disk", "user", "autoStopInterval", "networkBlockAll"]
    {
        assert_eq!(forked.body[field], parent.body[field], "{field}");
    }
    assert_eq!(forked.body["env"], json!({ "TOKEN": "secret" }));
    let id = forked.text("id").parse().expect("an id");
    let inside = world.machine.environment(id).expect("it runs");
    assert_eq!(inside.expose().collect::<Vec<_>>(), [("TOKEN", "secret")]);
    let nameless = fork(&world, "box", json!({})).await;
    assert_eq!(nameless.text("name"), nameless.text("id"));
}

#[tokio::test]
async fn the_fork_tree_shows_parents_children_and_ancestors() {
    let world = world().await;
    fork(&world, "box", json!({ "name": "child" })).await;
    fork(&world, "child", json!({ "name": "grandchild" })).await;
    fork(&world, "box", json!({ "name": "other" })).await;
    assert_eq!(names(&world.get("/sandbox/grandchild/ancestors").await), ["child", "box"]);
    assert_eq!(world.get("/sandbox/child/parent").await.text("name"), "box");
    let orphan = world.get("/sandbox/box/parent").await;
    assert_eq!((orphan.status.as_u16(), orphan.text("code")), (404, "NO_PARENT"), "{}", orphan.body);
    assert_eq!(names(&world.get("/sandbox/box/ancestors").await), [""; 0]);
    let mut forks = world.get("/sandbox/box/forks").await;
    assert_eq!(names(&forks), ["child", "other"]);
    let id = world.get("/sandbox/other").await.text("id").to_owned();
    world.send(Method::DELETE, "/sandbox/other", &[], None).await;
    world.reach(&id, State::Deleted).await;
    forks = world.get("/sandbox/box/forks").await;
    assert_eq!(names(&forks), ["child"]);
    forks = world.get("/sandbox/box/forks?includeDestroyed=true").await;
    assert_eq!(names(&forks), ["child", "other"]);
}

#[tokio::test]
async fn a_parent_with_forks_is_not_deleted() {
    let world = world().await;
    fork(&world, "box", json!({ "name": "child" })).await;
    let refused = world.send(Method::DELETE, "/sandbox/box", &[], None).await;
    assert_eq!((refused.status.as_u16(), refused.text("code")), (400, "HAS_FORKS"), "{}", refused.body);
    world.send(Method::DELETE, "/sandbox/child", &[], None).await;
    let deleted = world.send(Method::DELETE, "/sandbox/box", &[], None).await;
    assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.body);
}

#[tokio::test]
async fn what_cannot_be_forked_is_told_why() {
    let world = world().await;
    world.create(json!({ "name": "container" })).await;
    let container = fork(&world, "container", json!({})).await;
    assert_eq!((container.status.as_u16(), container.text("code")), (422, "NOT_FOR_CLASS"));
    let taken = fork(&world, "box", json!({ "name": "container" })).await;
    assert_eq!((taken.status.as_u16(), taken.text("code")), (409, "NAME_TAKEN"));
    let nobody = fork(&world, "nobody", json!({})).await;
    assert_eq!((nobody.status.as_u16(), nobody.text("code")), (404, "NO_SUCH_SANDBOX"));
    let wrong = fork(&world, "box", json!({ "nmae": "x" })).await;
    assert_eq!((wrong.status.as_u16(), wrong.text("code")), (400, "BAD_BODY"));
    world.post("/sandbox/box/stop", None).await;
    let stopped = fork(&world, "box", json!({})).await;
    assert_eq!((stopped.status.as_u16(), stopped.text("code")), (400, "WRONG_STATE"));
}

#[tokio::test]
async fn a_fork_that_fails_is_told_and_its_parent_runs_on() {
    let world = world().await;
    let fault = Fault::NoSpace { doing: "copy the disk".to_owned() };
    world.machine.script(None, Act::Fork, Twist::FailHalfway(fault));
    let failed = fork(&world, "box", json!({ "name": "child" })).await;
    assert_eq!((failed.status.as_u16(), failed.text("code")), (500, "OPERATION_FAILED"), "{}", failed.body);
    assert!(failed.text("message").contains("copy the disk"));
    assert_eq!(world.get("/sandbox/box").await.text("state"), "started");
    let child = world.get("/sandbox/child").await;
    assert_eq!((child.text("state"), &child.body["recoverable"]), ("error", &json!(false)));
    let id = child.text("id").to_owned();
    world.send(Method::DELETE, "/sandbox/child", &[], None).await;
    world.reach(&id, State::Deleted).await;
    assert!(world.machine.is_clear_of(id.parse().expect("an id")), "the half of a copy is gone too");
}

#[tokio::test]
async fn a_fork_repeated_under_a_key_is_the_same_fork() {
    let world = world().await;
    let key = [("idempotency-key", "k")];
    let ask = || world.send(Method::POST, "/sandbox/box/fork", &key, Some(json!({ "name": "child" })));
    let (first, again) = (ask().await, ask().await);
    assert_eq!((again.status, again.text("id")), (StatusCode::OK, first.text("id")), "{}", again.body);
    assert_eq!(names(&world.get("/sandbox/box/forks").await), ["child"]);
}

#[tokio::test]
async fn a_linked_sandbox_names_its_parent_and_is_deleted_with_it() {
    let world = World::new().await;
    let parent = world.create(json!({ "name": "parent" })).await.text("id").to_owned();
    for linked in ["parent", parent.as_str()] {
        let child = world.create(json!({ "linkedSandbox": linked, "autoDeleteInterval": 0 })).await;
        assert_eq!(child.text("linkedSandboxId"), parent, "{}", child.body);
    }
    let child =
        world.create(json!({ "name": "c", "linkedSandbox": "parent", "autoDeleteInterval": 0 })).await;
    let chain = world.create(json!({ "linkedSandbox": "c", "autoDeleteInterval": 0 })).await;
    assert_eq!((chain.status.as_u16(), chain.text("code")), (400, "LINKED_ITSELF"), "{}", chain.body);
    let keeps = world.create(json!({ "linkedSandbox": "parent" })).await;
    assert_eq!((keeps.status.as_u16(), keeps.text("code")), (400, "LINKED_MUST_BE_EPHEMERAL"));
    let nobody = world.create(json!({ "linkedSandbox": "nobody", "autoDeleteInterval": 0 })).await;
    assert_eq!((nobody.status.as_u16(), nobody.text("code")), (404, "NO_SUCH_SANDBOX"));
    world.send(Method::DELETE, "/sandbox/parent", &[], None).await;
    world.reach(child.text("id"), State::Deleted).await;
}
