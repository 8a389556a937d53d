//! The description of the API for machines.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::world::World;

async fn document(world: &World) -> Value {
    let answer = world.send(Method::GET, "/openapi.json", &[("authorization", "")], None).await;
    assert_eq!(answer.status, StatusCode::OK, "it asks for no key");
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.body
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().expect("it has paths").iter();
    paths.flat_map(|(path, verbs)| {
        verbs
            .as_object()
            .expect("a path has operations")
            .iter()
            .map(move |(verb, operation)| (path.as_str(), verb.as_str(), operation))
    })
}

/// Everything that is referred to within `value`.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn it_names_each_operation_once_and_refers_to_nothing_that_is_missing() {
    let world = World::new().await;
    let document = document(&world).await;
    let ids: Vec<_> = operations(&document).map(|(_, _, operation)| &operation["operationId"]).collect();
    let distinct: BTreeSet<_> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(ids.len(), distinct.len());
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("it is within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn each_operation_that_asks_for_a_key_says_that_it_may_be_refused_and_is() {
    let world = World::new().await;
    let document = document(&world).await;
    for (path, verb, operation) in operations(&document) {
        if operation["security"].as_array().unwrap().is_empty() {
            continue;
        }
        for status in ["400", "401", "403", "414", "429", "431", "503"] {
            assert!(operation["responses"].get(status).is_some(), "{verb} {path} may be {status}");
        }
        let method: Method = verb.to_uppercase().parse().unwrap();
        let path = path.replace(['{', '}'], "");
        let answer = world.send(method, &path, &[("authorization", "Bearer wrong")], None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{verb} {path}");
    }
}

#[tokio::test]
async fn it_says_which_fields_of_a_create_are_known_and_how_long_a_body_may_be() {
    let world = World::with(|settings| settings.body = 12_345).await;
    let document = document(&world).await;
    let create = &document["components"]["schemas"]["CreateSandbox"];
    assert_eq!(create["additionalProperties"], false);
    assert!(create["properties"]["autoStopInterval"].is_object());
    assert!(document["info"]["description"].as_str().unwrap().contains("12345 bytes"));
}
