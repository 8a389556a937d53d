//! Terminals and logs over WebSockets, as the SDK uses them.

use std::time::Duration;

use axum::http::Method;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{at, world};
use crate::http::world::{KEY, World};

const PATIENCE: Duration = Duration::from_secs(30);
const EXIT_CONTROL: &str = "X-Daytona-Pty-Exit-Control";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(world: &World, tool: &str, protocols: &[&str]) -> Result<Socket, Box<Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let router = world.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut request = format!("ws://{address}/api{}", at(tool)).into_client_request().expect("it is one");
    let headers = request.headers_mut();
    headers.insert("authorization", format!("Bearer {KEY}").parse().expect("it is a header"));
    if !protocols.is_empty() {
        headers.insert("sec-websocket-protocol", protocols.join(", ").parse().expect("it is a header"));
    }
    connect_async(request).await.map(|(socket, _)| socket).map_err(Box::new)
}

async fn next(socket: &mut Socket) -> Message {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await.expect("something is said");
        let message = message.expect("it is open").expect("it is whole");
        if !message.is_ping() && !message.is_pong() {
            return message;
        }
    }
}

/// Bytes up to the next message of another kind, and that one.
async fn bytes(socket: &mut Socket) -> (Vec<u8>, Message) {
    let mut all = Vec::new();
    loop {
        let message = next(socket).await;
        let Message::Binary(bytes) = &message else { return (all, message) };
        all.extend_from_slice(bytes);
    }
}

fn control(message: &Message) -> Value {
    serde_json::from_str(message.to_text().expect("it is text")).expect("it is JSON")
}

#[tokio::test]
async fn a_terminal_is_made_and_used_over_a_socket() {
    let world = world().await;
    // {"GREETING": "hi"} in URL-safe base64.
    let envs = "X-Daytona-Pty-Envs~eyJHUkVFVElORyI6ICJoaSJ9";
    let tool = "process/pty/create-connect?id=t&cols=90&rows=20";
    let mut socket = open(&world, tool, &[EXIT_CONTROL, envs]).await.expect("it is upgraded");
    let connected = control(&next(&mut socket).await);
    assert_eq!(connected, json!({ "type": "control", "status": "connected" }));
    let shown = world.tool(Method::GET, "process/pty/t", None).await;
    assert_eq!((&shown.body["cols"], &shown.body["envs"]), (&json!(90), &json!({ "GREETING": "hi" })));
    socket.send(Message::binary("echo hello\n")).await.expect("it is open");
    socket.send(Message::text("exit 3\n")).await.expect("it is open");
    let (screen, end) = bytes(&mut socket).await;
    assert!(String::from_utf8_lossy(&screen).contains("hello"), "{screen:?}");
    assert_eq!(control(&end), json!({ "type": "control", "status": "exited", "exitCode": 3 }));
    let Message::Close(Some(frame)) = next(&mut socket).await else { panic!("it is closed") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1000, "{\"exitCode\":3}"));
}

#[tokio::test]
async fn a_terminal_that_is_not_there_is_refused_before_the_socket_is() {
    let world = world().await;
    let refused = open(&world, "process/pty/nothing/connect", &[]).await.expect_err("there is none");
    let Error::Http(response) = *refused else { panic!("it is answered: {refused:?}") };
    assert_eq!(response.status().as_u16(), 404);
    let plain = world.tool(Method::GET, "process/pty/nothing/connect", None).await;
    assert_eq!((plain.status.as_u16(), plain.text("code")), (400, "NOT_A_WEBSOCKET"));
}

#[tokio::test]
async fn what_a_command_writes_is_pushed_with_its_stream_and_the_socket_ends_with_it() {
    let world = world().await;
    world.tool(Method::POST, "process/session", Some(json!({ "sessionId": "s" }))).await;
    let asked = json!({ "command": "echo hello", "runAsync": true });
    let begun = world.tool(Method::POST, "process/session/s/exec", Some(asked)).await;
    let tool = format!("process/session/s/command/{}/logs?follow=true", begun.text("cmdId"));
    let mut socket = open(&world, &tool, &[]).await.expect("it is upgraded");
    let (said, end) = bytes(&mut socket).await;
    assert_eq!(said, b"\x01\x01\x01hello\n");
    let Message::Close(Some(frame)) = end else { panic!("it is closed: {end:?}") };
    assert_eq!(u16::from(frame.code), 1000);
}

#[tokio::test]
async fn a_drain_closes_terminals() {
    let world = world().await;
    let mut socket = open(&world, "process/pty/create-connect?id=t", &[]).await.expect("it is upgraded");
    next(&mut socket).await;
    assert!(world.api.drain(PATIENCE).await);
    let (_, end) = bytes(&mut socket).await;
    let Message::Close(Some(frame)) = end else { panic!("it is closed: {end:?}") };
    assert_eq!(u16::from(frame.code), 1001);
}
