//! What a log answers: any moment of the past, why, what next, how long and how much.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::Data;
use common::lived::{HOST, PATIENCE, lived, number, of_kind, start, views};
use hourglass_events::{ExitCause, Name, OrganizationId, State};
use serde_json::Value;

#[test]
fn replay_shows_any_moment_by_its_number_and_by_its_time() {
    let data = lived();
    let records = views(&data);
    for record in &records {
        let time = record["at"].as_str().unwrap();
        // As it is printed, a time is a millisecond long, and more than one record may be of it.
        let last = records.iter().rfind(|other| other["at"].as_str().unwrap() <= time).unwrap();
        let by_number = data.said("replay", &["--until", &number(last)]);
        assert_eq!(data.said("replay", &["--until", time]), by_number, "{time}");
    }
    let day = &records[0]["at"].as_str().unwrap()[..10];
    assert_eq!(data.said("replay", &["--until", day]), data.said("replay", &[]));
}

#[test]
fn a_moment_outside_of_the_log_is_answered_with_what_the_log_spans() {
    let data = lived();
    let records = views(&data);
    let (first, last) = (&records[0], records.last().unwrap());
    let times = [first["at"].as_str().unwrap(), last["at"].as_str().unwrap()];
    let early = data.refusal("replay", &["--until", "2020-01-01"]);
    assert!(early.contains(times[0]) && early.contains("record 1, the first"), "{early}");
    let late = data.refusal("replay", &["--until", "2100-01-01T00:00:00Z"]);
    assert!(times.iter().all(|time| late.contains(time)), "{late}");
    let wrong = data.refusal("replay", &["--until", "yesterday"]);
    assert!(wrong.contains("write the number of a record"), "{wrong}");
}

#[test]
fn replay_shows_all_that_is_known_of_one_sandbox() {
    let data = lived();
    let records = views(&data);
    let stopped = of_kind(&records, "Exited")[0];
    let told = data.said("replay", &["--of", "web", "--until", &number(stopped)]);
    let field = |name: &str| {
        let line = told.lines().find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap().split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!((field("state"), field("blueprint.name")), ("Stopped".to_owned(), "web".to_owned()));
    assert_eq!(field("stopped_since"), stopped["at"].as_str().unwrap());
    let json: Value =
        serde_json::from_str(&data.said("replay", &["--of", "web", "--until", &number(stopped), "--json"]))
            .unwrap();
    assert_eq!(json["state"], "Stopped");
}

#[test]
fn who_is_not_there_at_a_moment_is_said_to_come_later_or_to_be_deleted() {
    let data = lived();
    let records = views(&data);
    let removed = of_kind(&records, "Removed")[0];
    let gone = data.refusal("replay", &["--of", "gone"]);
    assert!(gone.contains(&format!("was deleted by record {}", number(removed))), "{gone}");
    let early = data.refusal("replay", &["--of", "gone", "--until", "2"]);
    assert!(early.contains("is created only by record"), "{early}");
}

#[test]
fn an_unknown_name_is_answered_with_those_near_to_it() {
    let data = lived();
    let records = views(&data);
    let id = of_kind(&records, "PullBegan")[0]["subject"]
        .as_str()
        .unwrap()
        .strip_prefix("sandbox ")
        .unwrap()
        .to_owned();
    for (command, asked) in
        [("why", "wep"), ("timeline", "WEB"), ("tree", "we"), ("why", &id[..30]), ("timeline", "wbe")]
    {
        let refusal = data.refusal(command, &[asked]);
        assert!(
            refusal.contains("near to it are") && refusal.contains(&format!("web ({id})")),
            "{asked}: {refusal}"
        );
    }
    let refusal = data.refusal("why", &["nothing-like-it"]);
    assert!(!refusal.contains("near"), "{refusal}");
}

#[test]
fn a_diff_names_what_came_what_went_and_which_fields_changed() {
    let data = lived();
    let records = views(&data);
    let (stop, exit) = (of_kind(&records, "StopBegan")[0], of_kind(&records, "Exited")[0]);
    let told = data.said("replay", &["--diff", &number(stop), &number(exit)]);
    assert!(told.contains(&format!("~ {} (web)\n", stop["subject"].as_str().unwrap())), "{told}");
    let state = told.lines().find(|line| line.trim_start().starts_with("state ")).unwrap();
    assert!(state.ends_with("Stopping → Stopped"), "{told}");
    let changes = |from: &str, to: &str| -> Vec<Value> {
        let told = data.said("replay", &["--diff", from, to, "--json"]);
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = changes("1", &number(records.last().unwrap()));
    assert!(all.iter().all(|change| change["change"] == "came"), "{all:?}");
    assert_eq!(
        all.iter().filter(|change| change["what"] == "sandbox").count(),
        2,
        "one of three has gone again"
    );
    let deleted = of_kind(&records, "DeleteBegan")[0];
    let removed = of_kind(&records, "Removed")[0];
    let went = changes(&number(deleted), &number(removed));
    assert_eq!(went.len(), 1);
    assert_eq!((&went[0]["change"], &went[0]["what"]), (&"went".into(), &"sandbox".into()));
    assert_eq!(data.said("replay", &["--diff", "3", "3"]).lines().last(), Some("nothing changed"));
    assert!(data.refusal("replay", &["--diff", "4", "3"]).contains("write the earlier moment first"));
}

#[test]
fn why_names_the_chain_of_causes_down_to_who_asked() {
    let data = lived();
    let records = views(&data);
    let exit = of_kind(&records, "Exited")[0];
    let told = data.said("why", &["web", "--until", &number(exit)]);
    assert!(told.starts_with("web (") && told.contains(" is Stopped since "), "{told}");
    let chain = told.split("because\n").nth(1).unwrap().split("next\n").next().unwrap();
    let lines: Vec<&str> = chain.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(lines[0].contains("Exited") && lines[0].contains("report on order"), "{told}");
    assert!(lines[1].contains("StopBegan") && lines[1].ends_with("request · ann"), "{told}");
    assert!(told.contains("is archived at "), "{told}");
}

#[test]
fn why_says_when_a_sandbox_stops_unless_it_is_used() {
    let data = lived();
    let json: Value = serde_json::from_str(&data.said("replay", &["--of", "web", "--json"])).unwrap();
    let used = json["last_activity"].as_u64().unwrap();
    let due =
        chrono::DateTime::from_timestamp_micros(i64::try_from(used).unwrap() + 15 * 60_000_000).unwrap();
    let told = data.said("why", &["web"]);
    let expected = format!("stops at {} unless it is used", due.format("%Y-%m-%dT%H:%M:%S%.3fZ"));
    assert!(told.contains(&expected), "{expected} is not in {told}");
    let gone = data.said("why", &["gone"]);
    assert!(gone.contains("is Deleted since") && gone.contains("nothing: it is gone"), "{gone}");
}

#[test]
fn why_says_what_a_host_is_to_do_and_until_when() {
    let data = lived();
    let records = views(&data);
    let pulled = of_kind(&records, "SnapshotReady")[0];
    let told = data.said("why", &["web", "--until", &number(pulled)]);
    assert!(
        told.contains(&format!("host {HOST} is to create the sandbox (order {}", number(pulled))),
        "{told}"
    );
    assert!(told.contains("is given up at "), "{told}");
}

#[test]
fn a_timeline_tells_each_state_with_its_cause_and_survives_deletion() {
    let data = lived();
    let told = data.said("timeline", &["gone"]);
    let states: Vec<&str> = told.lines().skip(1).map(|line| line[32..49].trim()).collect();
    assert_eq!(states, ["Pulling Snapshot", "Creating", "Started", "Deleting", "Deleted"], "{told}");
    assert!(told.contains("request · ann") && told.contains(&format!("host {HOST}")), "{told}");
    let path = data.0.join("timeline.svg");
    data.said("timeline", &["gone", "--svg", path.to_str().unwrap()]);
    let svg = fs::read_to_string(path).unwrap();
    assert!(states.iter().all(|state| svg.contains(&format!(">{state}</text>"))), "{svg}");
}

#[test]
fn replay_shows_what_hosts_had_promised_and_had_left_at_any_moment() {
    let data = lived();
    let at = |arguments: &[&str]| -> Vec<Value> {
        let told = data.said("replay", &[&["--hosts", "--json"], arguments].concat());
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert!(at(&["--until", "1"]).is_empty(), "no host was there yet");
    let hosts = at(&[]);
    assert_eq!((hosts.len(), hosts[0]["host"].as_str().unwrap()), (1, HOST.to_string().as_str()));
    // Two run, and nothing is left of the third.
    assert_eq!((&hosts[0]["sandboxes"], &hosts[0]["promised"]["cpu"]), (&2.into(), &2.into()));
    let stopped = number(of_kind(&views(&data), "Exited")[0]);
    let promised = &at(&["--until", &stopped])[0]["promised"];
    assert_eq!((&promised["cpu"], &promised["disk_gib"]), (&0.into(), &3.into()));
    let told = data.said("replay", &["--hosts"]);
    assert!(told.contains("local") && told.contains("container") && told.contains("open"), "{told}");
}

/// A sandbox that ran out of memory, and was deleted then.
async fn burst(data: &Data) {
    let (engine, host, machine) = start(data).await;
    let client = engine.client(OrganizationId::from_u128(1), "ann");
    let reach = async |id, state| engine.wait_for(id, state, PATIENCE).await.unwrap();
    let burst = client.create(|create| create.name = Some(Name::new("burst").unwrap())).await.unwrap().id;
    reach(burst, State::Started).await;
    machine.end(burst, ExitCause::OutOfMemory);
    reach(burst, State::Stopped).await;
    client.delete(burst).await.unwrap();
    reach(burst, State::Deleted).await;
    host.shutdown().await;
    engine.shutdown().await;
}

#[test]
fn running_out_of_memory_is_told_from_a_stop_also_after_deletion() {
    let data = Data::empty("burst");
    tokio::runtime::Runtime::new().unwrap().block_on(burst(&data));
    let told = data.said("timeline", &["burst"]);
    let exit = told.lines().find(|line| line.contains("Exited")).unwrap();
    assert!(exit.contains("out of memory") && exit.contains("Stopped"), "{told}");
    let exit = of_kind(&views(&data), "Exited")[0].clone();
    let why = data.said("why", &["burst", "--until", &number(&exit)]);
    assert!(why.contains("out of memory"), "{why}");
}

/// A line of `usage --csv` as fields by heading. Names here have commas only within quotes.
fn csv(told: &str) -> Vec<BTreeMap<String, String>> {
    let fields = |line: &str| {
        let (mut fields, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                c => fields.last_mut().unwrap().push(c),
            }
        }
        fields
    };
    let mut lines = told.lines();
    let headings = fields(lines.next().unwrap());
    lines.map(|line| headings.iter().cloned().zip(fields(line)).collect()).collect()
}

/// Seconds as microseconds.
fn micros(seconds: &str) -> u128 {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    format!("{whole}{part:0<6}").parse().unwrap()
}

#[test]
fn usage_adds_up_to_the_same_by_sandbox_organization_and_hour() {
    let data = lived();
    let sums = |by: &str| {
        let mut sums = BTreeMap::<(String, String), u128>::new();
        for row in csv(&data.said("usage", &["--csv", "--by", by])) {
            for (heading, value) in row.iter().filter(|(heading, _)| heading.ends_with("seconds")) {
                *sums.entry((row["phase"].clone(), heading.clone())).or_default() += micros(value);
            }
        }
        sums
    };
    let by_sandbox = sums("sandbox");
    assert!(by_sandbox[&("running".to_owned(), "vcpu_seconds".to_owned())] > 0);
    assert!(by_sandbox[&("stopped".to_owned(), "disk_gib_seconds".to_owned())] > 0);
    assert_eq!(by_sandbox[&("stopped".to_owned(), "vcpu_seconds".to_owned())], 0);
    assert_eq!(sums("organization"), by_sandbox);
    assert_eq!(sums("hour"), by_sandbox);
}

#[test]
fn the_usage_of_a_sandbox_is_what_its_timeline_says() {
    let data = lived();
    let records = views(&data);
    let rows = csv(&data.said("usage", &["--csv"]));
    let gone = rows.iter().find(|row| row["name"] == "gone").unwrap();
    let subject = format!("sandbox {}", gone["sandbox"]);
    let at = |kind: &str| {
        let found = of_kind(&records, kind).into_iter().find(|record| record["subject"] == subject.as_str());
        let time = found.unwrap()["at"].as_str().unwrap().to_owned();
        u128::try_from(chrono::DateTime::parse_from_rfc3339(&time).unwrap().timestamp_millis()).unwrap()
    };
    let millis = at("DeleteBegan") - at("PullBegan");
    let found = micros(&gone["seconds"]) / 1_000;
    assert!(found.abs_diff(millis) <= 1, "{found} ms, and the records say {millis} ms");
    assert!(data.said("usage", &["--csv"]).contains("\"a \"\"b\"\", c\""));
    assert_eq!(rows.iter().filter(|row| row["organization"].ends_with('2')).count(), 1);
    let only =
        csv(&data.said("usage", &["--csv", "--organization", &OrganizationId::from_u128(2).to_string()]));
    assert_eq!(only.len(), 1);
    let path = data.0.join("usage.svg");
    data.said("usage", &["--svg", path.to_str().unwrap()]);
    assert!(fs::read_to_string(path).unwrap().contains("a &quot;b&quot;, c"));
}

#[test]
fn a_log_without_kin_has_no_trees() {
    let data = lived();
    assert_eq!(data.said("tree", &[]), "nobody was forked, and nobody is linked\n");
    assert!(data.said("tree", &["web"]).contains("it was not forked"));
    assert!(data.said("tree", &["--dot"]).starts_with("digraph"));
}
