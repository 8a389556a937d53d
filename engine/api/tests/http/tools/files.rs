//! Files.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::forms::{parts, send};
use super::{refusal, world};
use crate::http::world::World;

#[tokio::test]
async fn a_file_is_uploaded_seen_read_and_removed() {
    let world = world().await;
    for tool in ["files/upload", "files/upload-v2"] {
        let uploaded = send(&world, &format!("{tool}?path=/tmp/a.txt"), &[("file", "hello")]).await;
        assert_eq!(uploaded.status, StatusCode::OK, "{}", uploaded.body);
        assert_eq!(uploaded.text("path"), "/tmp/a.txt");
    }
    let info = world.tool(Method::GET, "files/info?path=/tmp/a.txt", None).await;
    assert_eq!((info.text("name"), &info.body["size"]), ("a.txt", &json!(5)));
    assert_eq!((info.text("permissions"), info.text("mode")), ("0644", "-rw-r--r--"));
    assert_eq!(info.body["isDir"], false);
    let list = world.tool(Method::GET, "files?path=/tmp", None).await;
    assert!(list.body.as_array().unwrap().iter().any(|file| file["name"] == "a.txt"), "{}", list.body);
    let read = world.tool(Method::GET, "files/download?path=/tmp/a.txt", None).await;
    assert_eq!(read.bytes, b"hello");
    assert_eq!(read.headers["content-type"], "application/octet-stream");
    let moved = world.tool(Method::POST, "files/move?source=/tmp/a.txt&destination=/tmp/b.txt", None).await;
    assert_eq!(moved.status, StatusCode::OK);
    let removed = world.tool(Method::DELETE, "files?path=/tmp/b.txt", None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    missing(&world, "/tmp/b.txt").await;
}

async fn missing(world: &World, path: &str) {
    for tool in ["info", "download"] {
        let answer = world.tool(Method::GET, &format!("files/{tool}?path={path}"), None).await;
        assert_eq!(refusal(&answer), (404, "FILE_NOT_FOUND", "DAYTONA_DAEMON"), "{tool}");
    }
}

#[tokio::test]
async fn many_files_are_uploaded_and_downloaded_at_once() {
    let world = world().await;
    let uploaded = send(
        &world,
        "files/bulk-upload",
        &[
            ("files[0].path", "/tmp/a.txt"),
            ("files[1].path", "/tmp/b.txt"),
            ("files[0].file", "first"),
            ("files[1].file", "second"),
        ],
    )
    .await;
    let files = json!([{ "path": "/tmp/a.txt", "bytes": 5 }, { "path": "/tmp/b.txt", "bytes": 6 }]);
    assert_eq!((uploaded.status, &uploaded.body["files"]), (StatusCode::OK, &files), "{}", uploaded.body);
    let asked = json!({ "paths": ["/tmp/a.txt", "/tmp/nothing", "/tmp/b.txt"] });
    let downloaded = world.tool(Method::POST, "files/bulk-download", Some(asked)).await;
    assert_eq!(downloaded.status, StatusCode::OK);
    let parts = parts(&downloaded);
    let (heads, contents): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    assert!(heads[0].contains("name=\"file\"; filename=\"/tmp/a.txt\""), "{}", heads[0]);
    assert!(heads[1].contains("name=\"error\"; filename=\"/tmp/nothing\""), "{}", heads[1]);
    assert_eq!((contents[0].as_str(), contents[2].as_str()), ("first", "second"));
    assert!(contents[1].contains("FILE_NOT_FOUND") && contents[1].contains("\"statusCode\":404"));
}

#[tokio::test]
async fn an_upload_that_is_not_whole_says_what_is_missing() {
    let world = world().await;
    let parts = [("files[0].path", "/tmp/a.txt"), ("files[7].file", "lost")];
    let answer = send(&world, "files/bulk-upload", &parts).await;
    assert_eq!(refusal(&answer), (400, "NOT_UPLOADED", "DAYTONA_DAEMON"));
    let errors = answer.body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 2, "{errors:?}");
    let nothing = send(&world, "files/upload?path=/tmp/a.txt", &[("other", "x")]).await;
    assert_eq!(refusal(&nothing), (400, "BAD_FORM", "DAYTONA_API"));
    let plain = world.tool(Method::POST, "files/upload?path=/tmp/a.txt", Some(json!({}))).await;
    assert_eq!(refusal(&plain), (400, "BAD_FORM", "DAYTONA_API"));
}

#[tokio::test]
async fn an_upload_may_be_longer_than_other_bodies_and_not_without_end() {
    let world = World::with(|settings| (settings.body, settings.upload) = (100, 1_000)).await;
    world.create(json!({ "name": "box" })).await;
    let file = "x".repeat(500);
    let uploaded = send(&world, "files/upload?path=/tmp/a", &[("file", &file)]).await;
    assert_eq!(uploaded.status, StatusCode::OK);
    let file = "x".repeat(2_000);
    let refused = send(&world, "files/upload?path=/tmp/b", &[("file", &file)]).await;
    assert_eq!(refusal(&refused), (413, "BODY_TOO_LARGE", "DAYTONA_API"));
    assert!(refused.text("message").contains("1000 bytes"));
    missing(&world, "/tmp/b").await;
}

#[tokio::test]
async fn files_are_found_and_their_text_replaced() {
    let world = world().await;
    send(&world, "files/upload?path=/tmp/dir/a.txt", &[("file", "one\ntwo\n")]).await;
    let found = world.tool(Method::GET, "files/find?path=/tmp/dir&pattern=two", None).await;
    assert_eq!(found.body, json!([{ "file": "/tmp/dir/a.txt", "line": 2, "content": "two" }]));
    let named = world.tool(Method::GET, "files/search?path=/tmp/dir&pattern=*.txt", None).await;
    assert_eq!(named.body["files"], json!(["/tmp/dir/a.txt"]));
    let asked = json!({ "files": ["/tmp/dir/a.txt", "/tmp/none"], "pattern": "two", "newValue": "2" });
    let replaced = world.tool(Method::POST, "files/replace", Some(asked)).await;
    assert_eq!((&replaced.body[0]["success"], &replaced.body[1]["success"]), (&json!(true), &json!(false)));
    assert!(replaced.body[1]["error"].as_str().unwrap().contains("does not exist"));
    let read = world.tool(Method::GET, "files/download?path=/tmp/dir/a.txt", None).await;
    assert_eq!(read.bytes, b"one\n2\n");
    let empty = json!({ "files": [], "pattern": "", "newValue": "2" });
    let refused = world.tool(Method::POST, "files/replace", Some(empty)).await;
    assert_eq!(refusal(&refused), (400, "BAD_TEXT", "DAYTONA_API"));
}

#[tokio::test]
async fn folders_are_made_with_permissions_in_octal() {
    let world = world().await;
    let made = world.tool(Method::POST, "files/folder?path=/tmp/dir&mode=700", None).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let info = world.tool(Method::GET, "files/info?path=/tmp/dir", None).await;
    assert_eq!((&info.body["isDir"], info.text("permissions")), (&json!(true), "0700"));
    let changed = world.tool(Method::POST, "files/permissions?path=/tmp/dir&mode=0755", None).await;
    assert_eq!(changed.status, StatusCode::OK);
    for mode in ["", "abc", "9", "77777", "-1", "+7"] {
        let refused = world.tool(Method::POST, &format!("files/folder?path=/tmp/x&mode={mode}"), None).await;
        assert_eq!(refusal(&refused), (400, "BAD_PARAMETER", "DAYTONA_API"), "{mode:?}");
    }
    let zero = world.tool(Method::POST, "files/folder?path=/tmp/%00&mode=755", None).await;
    assert_eq!(refusal(&zero), (400, "BAD_PARAMETER", "DAYTONA_API"));
    let none = world.tool(Method::POST, "files/folder?mode=755", None).await;
    assert_eq!(refusal(&none), (400, "MISSING_PARAMETER", "DAYTONA_API"));
}
