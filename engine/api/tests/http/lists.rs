//! Lists of sandboxes.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::world::World;

async fn names(world: &World, query: &str) -> Vec<String> {
    let page = world.get(&format!("/sandbox{query}")).await;
    assert_eq!(page.status, StatusCode::OK, "{query}: {}", page.body);
    let items = page.body["items"].as_array().expect("a page has items").iter();
    items.map(|item| item["name"].as_str().expect("an item has a name").to_owned()).collect()
}

async fn world_of(names: &[&str]) -> World {
    let world = World::new().await;
    for name in names {
        let made = world.create(json!({ "name": name, "labels": { "first": &name[..1] } })).await;
        assert_eq!(made.status, StatusCode::OK);
    }
    world
}

#[tokio::test]
async fn a_list_is_read_to_its_end_by_its_cursors() {
    let world = world_of(&["a", "b", "c", "d", "e"]).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/sandbox?limit=2&sort=name&order=asc&cursor={cursor}")).await;
        assert_eq!(page.status, StatusCode::OK);
        let items = page.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let next = page.body.get("nextCursor").expect("it is never left out");
        let Value::String(next) = next else {
            assert!(next.is_null());
            break;
        };
        cursor.clone_from(next);
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_list_is_filtered_by_state_label_name_and_id() {
    let world = world_of(&["ada", "alan", "grace"]).await;
    world.post("/sandbox/alan/stop", None).await;
    assert_eq!(names(&world, "?states=stopped").await, ["alan"]);
    assert_eq!(names(&world, "?states=stopped&states=error").await, ["alan"]);
    assert_eq!(names(&world, "?name=A&sort=name&order=desc").await, ["alan", "ada"]);
    assert_eq!(names(&world, "?labels=%7B%22first%22%3A%22g%22%7D").await, ["grace"]);
    let id = world.get("/sandbox/ada").await.text("id").to_owned();
    assert_eq!(names(&world, &format!("?id={id}")).await, ["ada"]);
    // Unless another order is asked for, what was used last comes first.
    assert_eq!(names(&world, "").await.len(), 3);
    world.post("/sandbox/ada/last-activity", None).await;
    assert_eq!(names(&world, "?limit=1").await, ["ada"]);
}

#[tokio::test]
async fn a_list_is_filtered_by_everything_the_contract_names() {
    let world = world_of(&["a", "b"]).await;
    let created = world.get("/sandbox/b").await.text("createdAt").to_owned();
    let states = "states=started&states=stopped,error";
    for (query, found) in [
        (states, 2),
        ("snapshots=default", 2),
        ("snapshots=default&snapshots=other", 2),
        ("snapshots=other", 0),
        ("regionIds=local", 2),
        ("regionIds=mars", 0),
        ("sandboxClasses=container", 2),
        ("sandboxClasses=linux-vm,windows", 0),
        ("minCpu=1&maxCpu=1.5", 2),
        ("minCpu=1.5", 0),
        ("maxMemoryGiB=99999999999", 2),
        ("minMemoryGiB=2", 0),
        ("minDiskGiB=3&maxDiskGiB=3", 2),
        ("maxDiskGiB=2", 0),
        ("minGpu=0&maxGpu=0", 2),
        ("minGpu=1", 0),
        ("isPublic=false", 2),
        ("isPublic=true", 0),
        ("isRecoverable=false", 2),
        ("isRecoverable=true", 0),
        ("createdAtAfter=2020-01-01T00:00:00Z", 2),
        ("createdAtBefore=2020-01-01T00:00:00%2B02:00", 0),
        ("lastEventAfter=1900-01-01T00:00:00Z", 2),
        ("lastEventBefore=2020-01-01T00:00:00Z", 0),
        ("autoDestroyAtAfter=2020-01-01T00:00:00Z", 0),
        ("includeErroredDeleted=true&includeWarm=false", 2),
        (&format!("createdAtAfter={created}&name=b"), 1),
    ] {
        assert_eq!(names(&world, &format!("?{query}")).await.len(), found, "{query}");
    }
}

#[tokio::test]
async fn a_list_sorted_by_size_is_read_to_its_end_though_all_are_equal() {
    let world = world_of(&["a", "b", "c"]).await;
    for sort in ["cpu", "memoryGib", "diskGib"] {
        for order in ["asc", "desc"] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            for _ in 0..3 {
                let query = format!("/sandbox?limit=1&sort={sort}&order={order}&cursor={cursor}");
                let page = world.get(&query).await;
                seen.push(page.body["items"][0]["name"].as_str().unwrap().to_owned());
                page.body["nextCursor"].as_str().unwrap_or_default().clone_into(&mut cursor);
            }
            seen.sort();
            assert_eq!(
                (seen.as_slice(), cursor.as_str()),
                (["a", "b", "c"].map(str::to_owned).as_slice(), "")
            );
        }
    }
}

#[tokio::test]
async fn a_list_item_has_what_the_sdk_requires_of_one() {
    let world = world_of(&["a"]).await;
    let item = &world.get("/sandbox").await.body["items"][0];
    for field in [
        "id",
        "organizationId",
        "name",
        "target",
        "user",
        "public",
        "networkBlockAll",
        "cpu",
        "gpu",
        "memory",
        "disk",
        "labels",
        "toolboxProxyUrl",
        "state",
        "sandboxClass",
    ] {
        assert!(!item[field].is_null(), "{field} in {item}");
    }
    assert!(item.get("env").is_none());
}

#[tokio::test]
async fn a_list_that_cannot_be_given_says_why() {
    let world = world_of(&["a", "b"]).await;
    let cursor = world.get("/sandbox?limit=1&sort=name").await.text("nextCursor").to_owned();
    for (query, status, code) in [
        ("limit=0", 400, "BAD_LIMIT"),
        ("limit=201", 400, "BAD_LIMIT"),
        ("limit=some", 400, "BAD_PARAMETER"),
        ("cursor=zz", 400, "BAD_CURSOR"),
        (&format!("sort=createdAt&cursor={cursor}"), 400, "BAD_CURSOR"),
        ("states=Started", 400, "BAD_PARAMETER"),
        ("labels=a", 400, "BAD_PARAMETER"),
        ("labels=%7B%22a%22%3A1%7D", 400, "BAD_PARAMETER"),
        ("sort=color", 400, "BAD_PARAMETER"),
        ("order=up", 400, "BAD_PARAMETER"),
        ("colour=red", 400, "UNKNOWN_PARAMETER"),
        ("name=%ff", 200, ""),
        ("minCpu=many", 400, "BAD_PARAMETER"),
        ("minCpu=-1", 400, "BAD_PARAMETER"),
        ("maxDiskGiB=NaN", 400, "BAD_PARAMETER"),
        ("isPublic=perhaps", 400, "BAD_PARAMETER"),
        ("sandboxClasses=android", 400, "BAD_PARAMETER"),
        ("createdAtAfter=yesterday", 400, "BAD_PARAMETER"),
        ("regionIds=mars&limit=0", 400, "BAD_LIMIT"),
    ] {
        let answer = world.get(&format!("/sandbox?{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}: {}", answer.body);
        assert_eq!(answer.body["code"].as_str().unwrap_or_default(), code, "{query}");
    }
}
