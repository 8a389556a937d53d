//! The tools inside a sandbox, on a machine that only pretends.

mod commands;
mod files;
mod forms;
mod sessions;
mod sockets;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::world::{Answer, World};

/// A world with a sandbox that runs.
async fn world() -> World {
    let world = World::new().await;
    assert_eq!(world.create(json!({ "name": "box" })).await.status, StatusCode::OK);
    world
}

fn at(tool: &str) -> String {
    format!("/toolbox/box/{tool}")
}

impl World {
    async fn tool(&self, method: Method, tool: &str, body: Option<Value>) -> Answer {
        self.send(method, &at(tool), &[], body).await
    }

    async fn execute(&self, command: &str) -> Answer {
        self.tool(Method::POST, "process/execute", Some(json!({ "command": command }))).await
    }
}

/// Status, code and source of a refusal.
fn refusal(answer: &Answer) -> (u16, &str, &str) {
    (answer.status.as_u16(), answer.text("code"), answer.text("source"))
}
