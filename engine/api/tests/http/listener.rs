//! A client of the event socket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::world::World;

const PATIENCE: Duration = Duration::from_secs(30);

/// A client of the event socket.
pub(crate) struct Listener {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Listener {
    pub(crate) async fn connect(world: &World) -> Self {
        Self::naming(world, "").await
    }

    /// Connects and names an organization.
    pub(crate) async fn naming(world: &World, organization: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let router = world.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let client = "source=sdk-python&sdkVersion=0.226.1&transport=websocket&EIO=4&t=1";
        let query = format!("organizationId={organization}&{client}");
        let (socket, _) =
            connect_async(format!("ws://{address}/api/socket.io/?{query}")).await.expect("it is upgraded");
        Self { socket }
    }

    pub(crate) async fn known(world: &World, key: &str) -> Self {
        let mut listener = Self::connect(world).await;
        assert!(listener.hear().await.is_some_and(|packet| packet.starts_with("0{")));
        listener.say(&format!("40{}", json!({ "token": key }))).await;
        assert!(listener.hear().await.is_some_and(|packet| packet.starts_with("40{\"sid\":")));
        listener
    }

    pub(crate) async fn say(&mut self, packet: &str) {
        self.socket.send(Message::text(packet)).await.expect("the socket is open");
    }

    /// The next packet; none once the socket is closed.
    pub(crate) async fn hear(&mut self) -> Option<String> {
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
    pub(crate) async fn event(&mut self) -> (String, Value) {
        let packet = self.hear().await.expect("the socket is open");
        serde_json::from_str(packet.trim_start_matches("42")).expect("it is an event")
    }

    /// The next change of state: sandbox, old and new state.
    pub(crate) async fn change(&mut self) -> (Value, String, String) {
        let (name, change) = self.event().await;
        assert_eq!(name, "sandbox.state.updated");
        let text = |field: &str| change[field].as_str().expect("it is text").to_owned();
        (change["sandbox"].clone(), text("oldState"), text("newState"))
    }
}
