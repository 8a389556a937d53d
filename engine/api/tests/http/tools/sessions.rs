//! Sessions and terminals, asked without a socket.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{refusal, world};

#[tokio::test]
async fn a_session_runs_commands_one_after_the_other_and_keeps_what_they_wrote() {
    let world = world().await;
    let session = Some(json!({ "sessionId": "s" }));
    assert_eq!(
        world.tool(Method::POST, "process/session", session.clone()).await.status,
        StatusCode::CREATED
    );
    let again = world.tool(Method::POST, "process/session", session).await;
    assert_eq!(refusal(&again), (409, "CONFLICT", "DAYTONA_DAEMON"));
    let asked = json!({ "command": "echo hello", "runAsync": false, "suppressInputEcho": true });
    let done = world.tool(Method::POST, "process/session/s/exec", Some(asked)).await;
    assert_eq!((done.status, &done.body["exitCode"]), (StatusCode::OK, &json!(0)), "{}", done.body);
    assert_eq!((done.text("stdout"), done.text("stderr"), done.text("output")), ("hello\n", "", "hello\n"));
    let command = format!("process/session/s/command/{}", done.text("cmdId"));
    let shown = world.tool(Method::GET, &command, None).await;
    assert_eq!((shown.text("command"), &shown.body["exitCode"]), ("echo hello", &json!(0)));
    let logs = world.tool(Method::GET, &format!("{command}/logs"), None).await;
    assert_eq!((logs.text("stdout"), logs.text("output")), ("hello\n", "hello\n"));
    let followed = world.tool(Method::GET, &format!("{command}/logs?follow=true"), None).await;
    assert_eq!(followed.bytes, b"hello\n", "it ends with the command");
    let session = world.tool(Method::GET, "process/session/s", None).await;
    assert_eq!(session.body["commands"].as_array().unwrap().len(), 1);
    assert_eq!(world.tool(Method::GET, "process/session", None).await.body[0]["sessionId"], "s");
    assert_eq!(world.tool(Method::DELETE, "process/session/s", None).await.status, StatusCode::NO_CONTENT);
    let gone = world.tool(Method::GET, "process/session/s", None).await;
    assert_eq!(refusal(&gone), (404, "PROCESS_NOT_FOUND", "DAYTONA_DAEMON"));
}

#[tokio::test]
async fn a_command_that_is_not_waited_for_is_answered_at_once() {
    let world = world().await;
    world.tool(Method::POST, "process/session", Some(json!({ "sessionId": "s" }))).await;
    for asked in
        [json!({ "command": "sleep 60", "runAsync": true }), json!({ "command": "true", "async": true })]
    {
        let begun = world.tool(Method::POST, "process/session/s/exec", Some(asked)).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.body);
        assert!(begun.body.get("exitCode").is_none());
    }
}

#[tokio::test]
async fn terminals_are_made_sized_listed_and_ended() {
    let world = world().await;
    let asked = json!({ "id": "t", "cols": 100, "rows": 30, "lazyStart": true, "envs": { "A": "b" } });
    let made = world.tool(Method::POST, "process/pty", Some(asked)).await;
    assert_eq!((made.status, made.text("sessionId")), (StatusCode::CREATED, "t"));
    let unnamed = world.tool(Method::POST, "process/pty", Some(json!({}))).await;
    assert!(!unnamed.text("sessionId").is_empty());
    let shown = world.tool(Method::GET, "process/pty/t", None).await;
    assert_eq!((&shown.body["cols"], &shown.body["rows"]), (&json!(100), &json!(30)));
    assert_eq!((&shown.body["lazyStart"], &shown.body["envs"]), (&json!(true), &json!({ "A": "b" })));
    let resized =
        world.tool(Method::POST, "process/pty/t/resize", Some(json!({ "cols": 90, "rows": 20 }))).await;
    assert_eq!((resized.status, &resized.body["cols"]), (StatusCode::OK, &json!(90)), "{}", resized.body);
    let huge =
        world.tool(Method::POST, "process/pty/t/resize", Some(json!({ "cols": 9_000, "rows": 20 }))).await;
    assert_eq!(refusal(&huge), (400, "BAD_REQUEST", "DAYTONA_DAEMON"));
    let all = world.tool(Method::GET, "process/pty", None).await;
    assert_eq!(all.body["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(world.tool(Method::DELETE, "process/pty/t", None).await.status, StatusCode::OK);
    let gone = world.tool(Method::GET, "process/pty/t", None).await;
    assert_eq!(refusal(&gone), (404, "PROCESS_NOT_FOUND", "DAYTONA_DAEMON"));
}
