//! The event socket, as a client of it sees it.

use std::time::Duration;

use serde_json::json;

use super::listener::Listener;
use super::world::{KEY, ORGANIZATION, OTHER_KEY, World};

#[tokio::test]
async fn each_change_of_state_is_pushed_once_it_is_durable() {
    let world = World::new().await;
    let mut listener = Listener::known(&world, KEY).await;
    let made = world.create(json!({})).await;
    let created = listener.event().await;
    assert_eq!((created.0.as_str(), &created.1["id"]), ("sandbox.created", &made.body["id"]));
    assert!(created.1["kvm"].is_boolean() && created.1["env"].is_object(), "it is whole");
    let mut seen = vec![created.1["state"].as_str().unwrap().to_owned()];
    while seen.last().map(String::as_str) != Some("started") {
        let (sandbox, old, new) = listener.change().await;
        assert_eq!(sandbox["id"], made.body["id"]);
        assert_eq!(sandbox["state"], *new);
        assert!(sandbox["kvm"].is_boolean(), "it is whole");
        assert_eq!(seen.last(), Some(&old), "none is left out");
        seen.push(new);
    }
    assert_eq!(seen, ["pulling_snapshot", "creating", "started"]);
    // A change of something else is none of state.
    world.post(&format!("/sandbox/{}/autostop/3", made.text("id")), None).await;
    world.post(&format!("/sandbox/{}/stop", made.text("id")), None).await;
    assert_eq!(listener.change().await.2, "stopping");
    assert_eq!(listener.change().await.2, "stopped");
}

#[tokio::test]
async fn another_organization_hears_nothing_of_it() {
    let world = World::new().await;
    let mut other = Listener::known(&world, OTHER_KEY).await;
    world.create(json!({ "name": "mine" })).await;
    let bearer = format!("Bearer {OTHER_KEY}");
    let headers = [("authorization", bearer.as_str())];
    world.send(axum::http::Method::POST, "/sandbox", &headers, Some(json!({ "name": "theirs" }))).await;
    assert_eq!(other.event().await.1["name"], "theirs");
}

#[tokio::test]
async fn whoever_is_not_known_is_told_so_and_let_go() {
    let world = World::new().await;
    for packet in ["40{\"token\":\"wrong\"}", "40", "nonsense"] {
        let mut listener = Listener::connect(&world).await;
        listener.hear().await.unwrap();
        listener.say(packet).await;
        assert!(listener.hear().await.unwrap().starts_with("44{\"message\":"), "{packet}");
        assert_eq!(listener.hear().await, None);
    }
}

#[tokio::test]
async fn an_organization_that_a_socket_names_must_be_the_keys() {
    let world = World::new().await;
    let theirs = "00000000-0000-0000-0000-000000000002";
    for (named, answer) in [(ORGANIZATION.to_string().as_str(), "40{"), (theirs, "44{")] {
        let mut listener = Listener::naming(&world, named).await;
        listener.hear().await.unwrap();
        listener.say(&format!("40{}", json!({ "token": KEY }))).await;
        assert!(listener.hear().await.unwrap().starts_with(answer), "{named}");
    }
}

#[tokio::test]
async fn a_socket_answers_pings_and_ends_when_its_client_leaves() {
    let world = World::new().await;
    let mut listener = Listener::known(&world, KEY).await;
    listener.say("2").await;
    assert_eq!(listener.hear().await.as_deref(), Some("3"));
    listener.say("41").await;
    assert_eq!(listener.hear().await, None);
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_let_go() {
    let world = World::pinging(Duration::from_millis(50)).await;
    let mut listener = Listener::known(&world, KEY).await;
    assert_eq!(listener.hear().await.as_deref(), Some("2"));
    assert_eq!(listener.hear().await, None);
}
