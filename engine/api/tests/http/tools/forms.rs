//! Forms, as clients write and read them.

use axum::http::Method;

use super::at;
use crate::http::world::{Answer, World};

const BOUNDARY: &str = "frontier";

/// Sends parts: name and content.
pub(super) async fn send(world: &World, tool: &str, parts: &[(&str, &str)]) -> Answer {
    let mut form = String::new();
    for (name, content) in parts {
        let file = if name.ends_with("file") { "; filename=\"f\"" } else { "" };
        form += &format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n"
        );
    }
    form += &format!("--{BOUNDARY}--\r\n");
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    world.raw(Method::POST, &at(tool), &[("content-type", &kind)], form).await
}

/// The parts of an answer: their heads and contents.
pub(super) fn parts(answer: &Answer) -> Vec<(String, String)> {
    let kind = answer.headers["content-type"].to_str().expect("it is text");
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").expect("it is a form");
    let text = String::from_utf8(answer.bytes.clone()).expect("it is text");
    let whole = text.strip_suffix(&format!("--{boundary}--\r\n")).expect("it ends");
    let delimiter = format!("--{boundary}\r\n");
    let parts = whole.split(&delimiter).skip(1);
    let parts = parts.map(|part| part.split_once("\r\n\r\n").expect("it has a head"));
    parts
        .map(|(head, body)| (head.to_owned(), body.strip_suffix("\r\n").expect("it ends").to_owned()))
        .collect()
}
