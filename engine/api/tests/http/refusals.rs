//! What bad input, and what is not done yet, gets.

use axum::http::{Method, StatusCode};
use hourglass_events::ShardNumber;
use serde_json::{Value, json};

use super::world::{ORGANIZATION, OTHER_KEY, World};

#[tokio::test]
async fn a_bad_create_is_refused_with_what_was_found_and_records_nothing() {
    let world = World::new().await;
    let before = world.engine.view(ShardNumber(0)).fleet().seq();
    for (body, status, code, says) in [
        (json!({ "colour": "red" }), 400, "BAD_BODY", "unknown field `colour`"),
        (json!({ "name": 7 }), 400, "BAD_BODY", "at \"name\""),
        (json!({ "autoStopInterval": "15" }), 400, "BAD_BODY", "at \"autoStopInterval\""),
        (json!({ "autoStopInterval": 0.5 }), 400, "BAD_BODY", "floating point"),
        (json!({ "labels": { "a": 1 } }), 400, "BAD_BODY", "at \"labels.a\""),
        (json!({ "labels": { "": "x" } }), 400, "BAD_LABELS", "empty key"),
        (json!({ "name": "<b>" }), 400, "BAD_NAME", "<b>"),
        (json!({ "name": "" }), 400, "BAD_NAME", "not a name"),
        (json!({ "autoStopInterval": -1 }), 400, "BAD_INTERVAL", "-1 minutes"),
        (json!({ "autoArchiveInterval": -1 }), 400, "BAD_INTERVAL", "-1 minutes"),
        (json!({ "autoDeleteInterval": -2 }), 400, "BAD_INTERVAL", "-2 minutes"),
        (json!({ "autoStopInterval": 99_999_999 }), 400, "BAD_INTERVAL", "or 1 to"),
        (json!({ "snapshot": "nothing" }), 400, "NO_SUCH_SNAPSHOT", "nothing"),
        (json!({ "cpu": 0 }), 400, "OUT_OF_LIMITS", "may have 1 to 4"),
        (json!({ "cpu": 5 }), 400, "OUT_OF_LIMITS", "5 vCPU"),
        (json!({ "memory": 9 }), 400, "OUT_OF_LIMITS", "1 to 8"),
        (json!({ "disk": 11 }), 400, "OUT_OF_LIMITS", "1 to 10"),
        (json!({ "cpu": -1 }), 400, "BAD_BODY", "at \"cpu\""),
        (json!({ "snapshot": "default", "cpu": 2 }), 400, "INHERITED", "cpu"),
        (json!({ "snapshot": "default", "buildInfo": {} }), 400, "NOT_TOGETHER", "buildInfo"),
        (json!({ "networkAllowList": "10.0.0.0" }), 400, "BAD_NETWORK", "10.0.0.0"),
        (json!({ "domainAllowList": "10.0.0.1" }), 400, "BAD_NETWORK", "10.0.0.1"),
        (json!({ "env": { "A=B": "1" } }), 400, "BAD_ENVIRONMENT", "A=B"),
        (json!({ "env": { "A": "x".repeat(40_000) } }), 400, "BAD_ENVIRONMENT", "\"A\""),
        (json!({ "target": "mars" }), 404, "NO_SUCH_REGION", "mars"),
        (json!({ "user": "" }), 400, "BAD_TEXT", "user's name"),
    ] {
        let answer = world.create(body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (status, code), "{body}: {}", answer.body);
        assert!(answer.text("message").contains(says), "{body}: {}", answer.text("message"));
    }
    assert_eq!(world.engine.view(ShardNumber(0)).fleet().seq(), before);
}

#[tokio::test]
async fn what_cannot_be_asked_yet_is_a_capability_and_its_default_is_taken() {
    let world = World::new().await;
    for (asked, code) in [
        (json!({ "gpu": 1 }), "UNSUPPORTED_GPU"),
        (json!({ "gpu": 1, "target": "us-east-1" }), "UNSUPPORTED_GPU"),
        (json!({ "gpuType": ["H100"] }), "UNSUPPORTED_GPU"),
        (json!({ "outboundProxyUrl": "http://mirror.example" }), "UNSUPPORTED_PROXY"),
        (json!({ "kvm": true }), "UNSUPPORTED_KVM"),
        (json!({ "spot": true }), "UNSUPPORTED_SPOT"),
        (json!({ "autoPauseInterval": 5 }), "UNSUPPORTED_AUTO_PAUSE"),
        (json!({ "ttlMinutes": 5 }), "UNSUPPORTED_TTL"),
        (json!({ "queueTimeout": 5 }), "UNSUPPORTED_QUEUE_TIMEOUT"),
        (json!({ "volumes": [{ "volumeId": "v", "mountPath": "/v" }] }), "UNSUPPORTED_VOLUMES"),
        (json!({ "secrets": [{ "A": "b" }] }), "UNSUPPORTED_SECRETS"),
    ] {
        let answer = world.create(asked.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (422, code), "{asked}: {}", answer.body);
    }
    let defaults = json!({
        "env": {}, "public": false, "networkBlockAll": false, "kvm": false, "spot": false, "autoPauseInterval": 0,
        "ttlMinutes": 0, "volumes": [], "secrets": [], "target": "local", "name": null, "gpu": null,
    });
    assert_eq!(world.create(defaults).await.status, StatusCode::OK);
}

#[tokio::test]
async fn operations_that_are_not_done_yet_are_capabilities_of_what_exists() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    for (method, operation, code) in [
        (Method::POST, "recover?skipStart=true", "UNSUPPORTED_SKIP_START"),
        (Method::POST, "autopause/5", "UNSUPPORTED_AUTO_PAUSE"),
        (Method::POST, "ttl/5", "UNSUPPORTED_TTL"),
        (Method::GET, "ports/80/preview-url", "UNSUPPORTED_PREVIEW"),
        (Method::GET, "telemetry/traces/7", "UNSUPPORTED_TELEMETRY"),
    ] {
        let answer = world.send(method.clone(), &format!("/sandbox/box/{operation}"), &[], None).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (422, code), "{operation}");
        let answer = world.send(method, &format!("/sandbox/nobody/{operation}"), &[], None).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (404, "NO_SUCH_SANDBOX"), "{operation}");
    }
    let tool = world.get("/toolbox/box/git/status").await;
    assert_eq!((tool.status.as_u16(), tool.text("code")), (422, "UNSUPPORTED_TOOLBOX"));
    for path in
        ["/config", "/volumes", "/volumes/by-name/x", "/secret", "/object-storage/push-access", "/warm-pools"]
    {
        assert_eq!(world.get(path).await.status.as_u16(), 422, "{path}");
    }
}

#[tokio::test]
async fn what_the_contract_keeps_books_of_is_not_supported_rather_than_not_there() {
    let world = World::new().await;
    for (method, path, code) in [
        (Method::GET, "/organizations", "UNSUPPORTED_MANAGEMENT"),
        (Method::GET, "/organizations/7/usage", "UNSUPPORTED_MANAGEMENT"),
        (Method::PATCH, "/runners/7/scheduling", "UNSUPPORTED_MANAGEMENT"),
        (Method::POST, "/api-keys", "UNSUPPORTED_MANAGEMENT"),
        (Method::GET, "/jobs/poll?timeout=1", "UNSUPPORTED_MANAGEMENT"),
        (Method::GET, "/users/me", "UNSUPPORTED_MANAGEMENT"),
        (Method::GET, "/preview/7/public", "UNSUPPORTED_PREVIEW"),
        (Method::GET, "/sandbox/ssh-access/validate", "UNSUPPORTED_SSH"),
    ] {
        let answer = world.send(method.clone(), path, &[], None).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (422, code), "{path}");
        let answer = world.send(method, path, &[("authorization", "Bearer wrong")], None).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (401, "UNKNOWN_KEY"), "{path}");
    }
    assert_eq!(world.get("/organizationsfor").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/health/ready").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_taken_name_names_its_holder_and_its_state() {
    let world = World::new().await;
    let id = world.create(json!({ "name": "box" })).await.text("id").to_owned();
    let taken = world.create(json!({ "name": "box" })).await;
    assert_eq!((taken.status, taken.text("code")), (StatusCode::CONFLICT, "NAME_TAKEN"));
    assert!(taken.text("message").contains(&id) && taken.text("message").contains("Started"));
}

#[tokio::test]
async fn the_envelope_has_what_the_sdk_reads() {
    let world = World::new().await;
    let answer = world.get("/sandbox/nobody").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.body["statusCode"], 404);
    assert_eq!(answer.text("error"), "Not Found");
    assert_eq!(answer.text("message"), "there is no sandbox \"nobody\"");
    assert_eq!(answer.text("code"), "NO_SUCH_SANDBOX");
    assert_eq!(answer.text("source"), "DAYTONA_API");
    assert_eq!(answer.text("path"), "/api/sandbox/nobody");
    assert!(answer.text("timestamp").ends_with('Z'));
}

#[tokio::test]
async fn a_key_that_is_missing_or_wrong_opens_nothing() {
    let world = World::new().await;
    for value in ["Bearer wrong", "Basic abc", "nothing"] {
        let answer = world.send(Method::GET, "/sandbox", &[("authorization", value)], None).await;
        assert_eq!(
            (answer.status, answer.text("code")),
            (StatusCode::UNAUTHORIZED, "UNKNOWN_KEY"),
            "{value}"
        );
    }
}

#[tokio::test]
async fn an_organization_that_is_named_must_be_the_keys() {
    let world = World::new().await;
    let ours = ORGANIZATION.to_string();
    for (named, status, code) in [
        (ours.as_str(), 200, ""),
        ("00000000-0000-0000-0000-000000000002", 403, "OTHER_ORGANIZATION"),
        ("ours", 400, "BAD_ORGANIZATION"),
    ] {
        let answer = world.send(Method::GET, "/sandbox", &[("x-daytona-organization-id", named)], None).await;
        assert_eq!(answer.status.as_u16(), status, "{named}");
        assert_eq!(answer.body["code"].as_str().unwrap_or_default(), code, "{named}");
    }
}

#[tokio::test]
async fn a_sandbox_is_labelled_with_a_language_that_clients_know_or_none() {
    let world = World::new().await;
    for (language, status) in
        [("", 200), ("python", 200), ("typescript", 200), ("javascript", 200), ("go", 400)]
    {
        let labels = json!({ "labels": { "code-toolbox-language": language } });
        let made = world.create(labels.clone()).await;
        assert_eq!(made.status.as_u16(), status, "{language}");
        world.create(json!({ "name": "box" })).await;
        let path = "/sandbox/box/labels";
        assert_eq!(
            world.send(Method::PUT, path, &[], Some(labels)).await.status.as_u16(),
            status,
            "{language}"
        );
    }
}

#[tokio::test]
async fn the_sandbox_of_another_organization_is_not_there() {
    let world = World::new().await;
    let id = world.create(json!({ "name": "box" })).await.text("id").to_owned();
    let bearer = format!("Bearer {OTHER_KEY}");
    let other = [("authorization", bearer.as_str())];
    for (method, path) in [
        (Method::GET, format!("/sandbox/{id}")),
        (Method::GET, "/sandbox/box".to_owned()),
        (Method::POST, format!("/sandbox/{id}/stop")),
        (Method::POST, format!("/sandbox/{id}/pause")),
        (Method::POST, format!("/sandbox/{id}/last-activity")),
        (Method::DELETE, format!("/sandbox/{id}")),
    ] {
        assert_eq!(world.send(method, &path, &other, None).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let list = world.send(Method::GET, "/sandbox", &other, None).await;
    assert_eq!(list.body, json!({ "items": [], "nextCursor": null }));
}

#[tokio::test]
async fn an_interval_in_a_path_is_a_whole_number_in_range() {
    let world = World::new().await;
    world.create(json!({ "name": "box" })).await;
    let before = world.engine.view(ShardNumber(0)).fleet().seq();
    for (path, code) in [
        ("autostop/-1", "BAD_INTERVAL"),
        ("autostop/0.5", "BAD_PARAMETER"),
        ("autostop/soon", "BAD_PARAMETER"),
        ("autoarchive/-1", "BAD_INTERVAL"),
        ("autodelete/-2", "BAD_INTERVAL"),
        ("autodelete/99999999999", "BAD_INTERVAL"),
        ("ttl/x", "BAD_PARAMETER"),
        ("public/perhaps", "BAD_PARAMETER"),
        ("stop?force=perhaps", "BAD_PARAMETER"),
        ("stop?colour=red", "UNKNOWN_PARAMETER"),
    ] {
        let answer = world.post(&format!("/sandbox/box/{path}"), None).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (400, code), "{path}");
    }
    assert_eq!(world.engine.view(ShardNumber(0)).fleet().seq(), before, "nothing was recorded");
}

#[tokio::test]
async fn what_is_no_request_at_all_gets_the_envelope_too() {
    let world = World::new().await;
    let long = "x".repeat(2 * 1024 * 1024);
    for (method, path, body, status, code) in [
        (Method::POST, "/sandbox", String::new(), 400, "BAD_BODY"),
        (Method::POST, "/sandbox", "{".to_owned(), 400, "BAD_BODY"),
        (Method::POST, "/sandbox", "{} {}".to_owned(), 400, "BAD_BODY"),
        (Method::POST, "/sandbox", "[]".to_owned(), 400, "BAD_BODY"),
        (Method::POST, "/sandbox", long, 413, "BODY_TOO_LARGE"),
        (Method::PUT, "/sandbox/box/labels", "{}".to_owned(), 400, "BAD_BODY"),
        (Method::GET, "/nothing", String::new(), 404, "NO_SUCH_PATH"),
        (Method::PUT, "/sandbox", String::new(), 405, "WRONG_METHOD"),
        (Method::GET, "/sandbox/%ff", String::new(), 400, "BAD_PATH"),
        (Method::GET, "/socket.io/?EIO=4&transport=polling", String::new(), 400, "NOT_A_WEBSOCKET"),
    ] {
        let answer = world.raw(method, path, &[], body).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (status, code), "{path}: {}", answer.body);
        assert!(matches!(answer.body["path"], Value::String(_)));
    }
    let key = "k".repeat(256);
    let answer = world.send(Method::POST, "/sandbox", &[("idempotency-key", &key)], Some(json!({}))).await;
    assert_eq!((answer.status.as_u16(), answer.text("code")), (400, "BAD_IDEMPOTENCY_KEY"));
}
