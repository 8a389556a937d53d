//! The unmodified public SDKs, against a real `hourglass up`.

use hourglass_tests::hourglass::{printed, run};
use hourglass_tests::{Census, Ground, Need, Sdk, Up, may_run};
use rustix::process::Signal;

/// Every script of samples, and the SDK it is for.
const SAMPLES: &[(Sdk, &str)] =
    &[(Sdk::Python, "samples.py"), (Sdk::Python, "samples_async.py"), (Sdk::TypeScript, "samples.mjs")];

#[test]
fn every_sample_runs_on_pretended_machines() {
    if may_run("every_sample_runs_on_pretended_machines", Need::Sdk) {
        let ground = Ground::new();
        every_sample_runs(&ground, &["--driver", "scripted"], &[]);
    }
}

#[test]
fn every_sample_runs_on_containers_and_leaves_nothing() {
    let test = "every_sample_runs_on_containers_and_leaves_nothing";
    if may_run(test, Need::Sdk) && may_run(test, Need::Native) {
        let ground = Ground::with_runtimes();
        every_sample_runs(&ground, &["--pool", "3"], &[("CONTAINERS", "1")]);
        // What is kept ready is given back by one that keeps nothing.
        assert!(Up::start(ground.data(), &["--pool", "0"]).end(Signal::TERM).success());
        let left = Census::of(ground.data());
        assert!(left.is_quiet() && left.disks == 0, "left over: {left:?}");
    }
}

#[test]
fn figures_are_taken_of_everything_they_tell() {
    if !may_run("figures_are_taken_of_everything_they_tell", Need::Sdk) {
        return;
    }
    let ground = Ground::new();
    let up = Up::start(ground.data(), &["--driver", "scripted"]);
    let output = Sdk::Python.command("figures.py").args(["2", "4"]).envs(up.environment()).output().unwrap();
    let (said, why) = (printed(&output), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{why}");
    let told = ["create", "exec", "stop", "start", "delete and wait", "create, 4 at once", "all 4 of them"];
    assert_eq!(said.lines().count(), told.len(), "{said}");
    for (line, what) in said.lines().zip(told) {
        let figures = line.strip_prefix(what).unwrap_or_else(|| panic!("{what:?} is not in {line:?}"));
        let figures: Vec<f64> = figures.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
        assert!(matches!(figures[..], [median, least, most] if least <= median && median <= most), "{line}");
    }
}

fn every_sample_runs(ground: &Ground, arguments: &[&str], environment: &[(&str, &str)]) {
    let up = Up::start(ground.data(), arguments);
    for (sdk, script) in SAMPLES {
        let output = sdk.run(script, environment, &up);
        let (said, why) = (printed(&output), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}:\n{said}\n{why}");
        assert!(
            said.lines().count() >= 5 && said.lines().all(|line| line.starts_with("ok ")),
            "{script}:\n{said}"
        );
    }
    let all_gone = |up: &Up| {
        let left = up.ask("GET", "/sandbox", None).body["items"].as_array().map_or(0, Vec::len);
        (left == 0).then_some(())
    };
    up.until("the end of all deletions", all_gone);
    assert!(up.end(Signal::TERM).success());
    assert!(printed(&run(&["verify"], ground.data())).contains("intact"));
}
