//! The event socket, as a client of it sees it.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::world::{KEY, OTHER_KEY, World};

const PATIENCE: Duration = Duration::from_secs(30);

/// A client of the event socket.
struct Listener {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Listener {
    async fn connect(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let router = world.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let query = "source=sdk-python&sdkVersion=0.226.1&transport=websocket&EIO=4&t=1";
        let (socket, _) =
            connect_async(format!("ws://{address}/api/socket.io/?{query}")).await.expect("it is upgraded");
        Self { socket }
    }

    async fn known(world: &World, key: &str) -> Self {
        let mut listener = Self::connect(world).await;
        assert!(listener.hear().await.is_some_and(|packet| packet.starts_with("0{")));
        listener.say(&format!("40{}", json!({ "token": key }))).await;
        assert!(listener.hear().await.is_some_and(|packet| packet.starts_with("40{\"sid\":")));
        listener
    }

    async fn say(&mut self, packet: &str) {
        self.socket.send(Message::text(packet)).await.expect("the socket is open");
    }

    /// The next packet; none once the socket is closed.
    async fn hear(&mut self) -> Option<String> {
        let heard = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("something is said");
        match heard?.ok()? {
            Message::Text(text) => Some(text.to_string()),
            Message::Binary(_)
            | Message::Ping(_)
            | Message::Pong(_)
            | Message::Close(_)
            | Message::Frame(_) => None,
        }
    }

    /// The next event: its name and what comes with it.
    async fn event(&mut self) -> (String, Value) {
        let packet = self.hear().await.expect("the socket is open");
        serde_json::from_str(packet.trim_start_matches("42")).expect("it is an event")
    }

    /// The next change of state: sandbox, old and new state.
    async fn change(&mut self) -> (Value, String, String) {
        let (name, change) = self.event().await;
        assert_eq!(name, "sandbox.state.updated");
        let text = |field: &str| change[field].as_str().expect("it is text").to_owned();
        (change["sandbox"].clone(), text("oldState"), text("newState"))
    }
}

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
