//! Commands and code.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{refusal, world};
use crate::http::world::OTHER_KEY;

#[tokio::test]
async fn a_command_is_run_to_its_end() {
    let world = world().await;
    let said = world.execute("echo hello").await;
    assert_eq!(
        (said.status, &said.body["exitCode"], said.text("result")),
        (StatusCode::OK, &json!(0), "hello\n")
    );
    let failed = world.execute("false").await;
    assert_eq!((failed.status, &failed.body["exitCode"]), (StatusCode::OK, &json!(1)));
}

#[tokio::test]
async fn tools_are_where_older_clients_look_for_them_too() {
    let world = world().await;
    let said =
        world.post("/toolbox/box/toolbox/process/execute", Some(json!({ "command": "echo hello" }))).await;
    assert_eq!(said.text("result"), "hello\n");
    let address = world.get("/sandbox/box/toolbox-proxy-url").await.text("url").to_owned();
    assert_eq!(address, world.get("/sandbox/box").await.text("toolboxProxyUrl"));
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_and_said_to_have_been() {
    let world = world().await;
    let asked = json!({ "command": "sleep 60", "timeout": 1 });
    let killed = world.tool(Method::POST, "process/execute", Some(asked)).await;
    assert_eq!(refusal(&killed), (408, "PROCESS_EXECUTION_TIMEOUT", "DAYTONA_DAEMON"));
    assert!(killed.text("message").contains("1 s"));
}

#[tokio::test]
async fn a_tool_of_a_sandbox_that_does_not_run_says_how_it_is() {
    let world = world().await;
    world.post("/sandbox/box/stop", None).await;
    let stopped = world.execute("echo hello").await;
    assert_eq!(refusal(&stopped), (400, "WRONG_STATE", "DAYTONA_API"));
    assert!(stopped.text("message").contains("Stopped") && stopped.text("message").contains("start it"));
    let nobody = world.post("/toolbox/nobody/process/execute", Some(json!({ "command": "true" }))).await;
    assert_eq!(refusal(&nobody), (404, "NO_SUCH_SANDBOX", "DAYTONA_API"));
}

#[tokio::test]
async fn the_tools_of_another_organization_are_not_there() {
    let world = world().await;
    let bearer = format!("Bearer {OTHER_KEY}");
    let path = "/toolbox/box/process/execute";
    let asked = Some(json!({ "command": "true" }));
    let answer = world.send(Method::POST, path, &[("authorization", &bearer)], asked).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_command_that_cannot_be_meant_is_refused() {
    let world = world().await;
    for (asked, code) in [
        (json!({}), "BAD_BODY"),
        (json!({ "command": " " }), "BAD_TEXT"),
        (json!({ "command": "x".repeat(200_000) }), "BAD_TEXT"),
        (json!({ "command": "true", "timeout": -1 }), "BAD_BODY"),
        (json!({ "command": "true", "colour": "red" }), "BAD_BODY"),
        (json!({ "command": "true", "envs": { "A": 1 } }), "BAD_BODY"),
    ] {
        let answer = world.tool(Method::POST, "process/execute", Some(asked)).await;
        assert_eq!(refusal(&answer), (400, code, "DAYTONA_API"));
    }
}

#[tokio::test]
async fn code_is_run_in_the_language_that_is_asked_for_or_that_the_label_says() {
    let world = world().await;
    let run = async |asked| world.tool(Method::POST, "process/code-run", Some(asked)).await;
    let python = run(json!({ "code": "print(1)" })).await;
    assert_eq!(python.status, StatusCode::OK, "{}", python.body);
    assert_eq!(python.body["artifacts"], json!({ "charts": [] }));
    let unknown = run(json!({ "code": "x", "language": "cobol" })).await;
    assert_eq!((unknown.status.as_u16(), unknown.text("code")), (400, "BAD_LABELS"));
    // The pretended machine has no Node.js, and says which program it lacks.
    let labels = json!({ "labels": { "code-toolbox-language": "javascript" } });
    world.send(Method::PUT, "/sandbox/box/labels", &[], Some(labels)).await;
    let javascript = run(json!({ "code": "1" })).await;
    assert_eq!(refusal(&javascript), (422, "UNPROCESSABLE_ENTITY", "DAYTONA_DAEMON"));
    assert!(javascript.text("message").contains("node"));
}

#[tokio::test]
async fn a_sandbox_says_where_its_home_and_its_work_are() {
    let world = world().await;
    for place in ["user-home-dir", "work-dir"] {
        let answer = world.tool(Method::GET, place, None).await;
        assert!(answer.text("dir").starts_with('/'), "{place}: {}", answer.body);
    }
    assert_eq!(world.tool(Method::GET, "version", None).await.text("version"), env!("CARGO_PKG_VERSION"));
}
