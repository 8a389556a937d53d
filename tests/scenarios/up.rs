//! `hourglass up`: what it serves, who is let in, and how it begins and ends.

use std::fs;

use hourglass_tests::hourglass::{complained, printed, run};
use hourglass_tests::{Ground, Need, Up, may_run};
use rustix::process::Signal;
use serde_json::json;

const SCRIPTED: &[&str] = &["--driver", "scripted"];

#[test]
fn up_serves_until_it_is_told_to_end_and_loses_nothing() {
    let ground = Ground::new();
    let mut ids = Vec::new();
    for signal in [Signal::TERM, Signal::INT] {
        let up = Up::start(ground.data(), SCRIPTED);
        let created = up.ask("POST", "/sandbox", Some(&json!({})));
        assert_eq!((created.status, &created.body["state"]), (200, &json!("started")), "{created:?}");
        ids.push(created.body["id"].as_str().unwrap().to_owned());
        for id in &ids {
            assert_eq!(up.ask("GET", &format!("/sandbox/{id}"), None).status, 200);
        }
        let measured = ureq::get(format!("{}/metrics", up.url)).call().unwrap().body_mut().read_to_string();
        assert!(measured.unwrap().contains("\nhourglass_records_total "), "it is measured");
        assert_eq!(up.ask("GET", "/ready", None).body, json!({ "status": "ready" }));
        assert!(up.end(signal).success());
        assert!(!ground.data().join("url").exists(), "nobody is told to ask it any more");
        assert!(printed(&run(&["verify"], ground.data())).contains("intact"));
    }
}

#[test]
fn up_offers_the_contracts_snapshots_and_takes_the_small_one_unless_told() {
    let ground = Ground::new();
    let up = Up::start(ground.data(), SCRIPTED);
    let created = |body| {
        let answer = up.ask("POST", "/sandbox", Some(&body));
        assert_eq!(answer.status, 200, "{answer:?}");
        let size = ["cpu", "memory", "disk"].map(|field| answer.body[field].as_u64().unwrap());
        (answer.body["snapshot"].as_str().unwrap().to_owned(), size)
    };
    assert_eq!(created(json!({})), ("daytona-small".to_owned(), [1, 1, 3]));
    assert_eq!(created(json!({ "snapshot": "daytona-medium" })), ("daytona-medium".to_owned(), [2, 4, 8]));
    assert_eq!(created(json!({ "snapshot": "daytona-large" })), ("daytona-large".to_owned(), [4, 8, 10]));
}

#[test]
fn code_runs_in_each_language_of_the_contract_on_containers() {
    if !may_run("code_runs_in_each_language_of_the_contract_on_containers", Need::Native) {
        return;
    }
    let ground = Ground::with_runtimes();
    let up = Up::start(ground.data(), &[]);
    let created = up.ask("POST", "/sandbox", Some(&json!({ "env": { "WORD": "secret" } })));
    assert_eq!(created.body["state"], "started", "{created:?}");
    let id = created.body["id"].as_str().unwrap();
    for (language, code) in [
        ("python", "import os; print(os.environ['WORD'], 6 * 7)"),
        ("javascript", "console.log(process.env.WORD, 6 * 7)"),
        ("typescript", "const x: number = 6 * 7; console.log(process.env.WORD as string, x)"),
    ] {
        let asked = json!({ "code": code, "language": language });
        let ran = up.ask("POST", &format!("/toolbox/{id}/process/code-run"), Some(&asked));
        assert_eq!(
            (&ran.body["exitCode"], &ran.body["result"]),
            (&json!(0), &json!("secret 42\n")),
            "{ran:?}"
        );
    }
    assert_eq!(up.ask("DELETE", &format!("/sandbox/{id}"), None).status, 200);
    up.until("the end of the sandbox", |up| {
        (up.ask("GET", &format!("/sandbox/{id}"), None).status == 404).then_some(())
    });
    assert!(up.end(Signal::TERM).success());
}

#[test]
fn a_running_up_takes_in_keys_that_are_made_and_taken_away() {
    let ground = Ground::new();
    let up = Up::start(ground.data(), SCRIPTED);
    assert_eq!(up.ask("POST", "/sandbox", Some(&json!({ "name": "ours" }))).status, 200);
    let theirs = printed(&run(&["key", "create", "ci", "--org", "new"], ground.data()));
    let theirs = theirs.trim();
    let status = |up: &Up| up.ask_as(theirs, "GET", "/sandbox/ours", None).status;
    up.until("the new key's effect", |up| (status(up) != 401).then_some(()));
    assert_eq!(status(&up), 404, "it opens another organization");
    assert!(printed(&run(&["key", "list"], ground.data())).contains("ci "));

    assert!(run(&["key", "revoke", "ci"], ground.data()).status.success());
    up.until("the revoked key's end", |up| (status(up) == 401).then_some(()));
    assert_eq!(up.ask("GET", "/sandbox/ours", None).status, 200, "the other one is as good as ever");
}

#[test]
fn the_key_is_the_same_after_a_restart_and_no_hash_gives_it_away() {
    let ground = Ground::new();
    let up = Up::start(ground.data(), SCRIPTED);
    let key = up.key.clone();
    let up = up.again(SCRIPTED);
    assert_eq!(up.key, key);
    let given = "a-key-of-my-own-choosing";
    let up = up.again(&[SCRIPTED, &["--key", given]].concat());
    assert_eq!((up.key.as_str(), up.ask("GET", "/sandbox", None).status), (given, 200));
    assert_eq!(up.ask_as(&key, "GET", "/sandbox", None).status, 401);
    assert!(!fs::read_to_string(ground.data().join("keys.json")).unwrap().contains(given));
}

#[test]
fn what_keeps_up_from_coming_up_is_told_with_a_way_out() {
    let (ground, other) = (Ground::new(), Ground::new());
    let up = Up::start(ground.data(), SCRIPTED);
    let place = up.url.strip_prefix("http://").unwrap();
    let fails = |data, arguments: &[&str], parts: &[&str]| {
        let output = run(&[&["up"], SCRIPTED, arguments].concat(), data);
        let said = complained(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: ") && parts.iter().all(|part| said.contains(part)), "{said}");
    };
    fails(other.data(), &["--listen", place], &["listens at", place, "--listen"]);
    fails(other.data(), &["--listen", "localhost"], &["no port", "localhost:3000"]);
    fails(other.data(), &["--listen", "0.0.0.0:0"], &["--url"]);
    fails(other.data(), &["--listen", "localhost:0", "--key", "short"], &["16 to 256"]);
    fails(
        ground.data(),
        &["--listen", "localhost:0"],
        &["another instance holds", "stop it, or choose another"],
    );
    assert_eq!(up.ask("GET", "/sandbox", None).status, 200, "it is not disturbed");
}
