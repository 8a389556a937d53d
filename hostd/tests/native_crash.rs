//! The host worker is killed after every single step of every order, and the order is given again: done once,
//! nothing left over.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

mod native_common;

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command as Program, Stdio};
use std::time::Duration;

use hourglass_events::{NetworkPolicy, OrderNumber, SandboxId, Span};
use hourglass_hostd::driver::{DiskFound, Driver, Present};
use hourglass_hostd::native::{Config, NativeDriver, Pool};
use hourglass_hostd::step::{STEPS, VARIABLE};
use native_common::{Ground, census, command, eventually, may_run, plan, text};

/// Tells the child where to work, and at what.
const DIR: &str = "HOURGLASS_TEST_DIR";
const ORDER: &str = "HOURGLASS_TEST_ORDER";

/// Says how a connection fails: by 111 at once where it is forbidden, by silence where nobody answers.
const DIAL: &str =
    "import socket; s = socket.socket(); s.settimeout(1); print(s.connect_ex(('198.18.0.1', 80)))";

const SANDBOX: SandboxId = SandboxId::from_u128(7);

/// Carry out one order, as the host worker does.
async fn carry_out(driver: &NativeDriver, order: &str) {
    match order {
        "create" | "pooled" => {
            eventually("a full pool", || driver.pooled() == if order == "pooled" { (1, 1) } else { (0, 0) })
                .await;
            driver.pull(&plan().image).await.unwrap();
            driver.provision(SANDBOX, OrderNumber(1), &plan()).await.unwrap();
            driver.boot(SANDBOX, OrderNumber(1), &plan()).await.unwrap();
        }
        "stop" => drop(driver.halt(SANDBOX, Span::seconds(5)).await.unwrap()),
        "kill" => drop(driver.halt(SANDBOX, Span::ZERO).await.unwrap()),
        "start" => driver.boot(SANDBOX, OrderNumber(3), &plan()).await.unwrap(),
        "block" => driver.set_network(SANDBOX, OrderNumber(3), &NetworkPolicy::Blocked).await.unwrap(),
        "delete" => driver.erase(SANDBOX).await.unwrap(),
        other => panic!("no order is called {other}"),
    }
}

/// A driver that keeps ready what `order` takes.
async fn open_for(dir: &Path, order: &str) -> NativeDriver {
    let mut config = Config::new(dir);
    config.pool = if order == "pooled" { Pool::of(1) } else { Pool::default() };
    NativeDriver::new(config).await.unwrap()
}

/// What must have happened before `order`.
fn before(order: &str) -> &'static [&'static str] {
    match order {
        "create" | "pooled" => &[],
        "start" => &["create", "stop"],
        _ => &["create"],
    }
}

/// What is here once `order` is done.
fn after(order: &str) -> Vec<Present> {
    let running = match order {
        "create" | "pooled" | "block" => Some(OrderNumber(1)),
        "start" => Some(OrderNumber(3)),
        "delete" => return Vec::new(),
        _ => None,
    };
    vec![Present { sandbox: SANDBOX, disk: DiskFound::Made(OrderNumber(1)), running, saved: None }]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_worker_dies_after_any_step_is_done_once_by_the_next() {
    if !may_run("an_order_whose_worker_dies_after_any_step_is_done_once_by_the_next") {
        return;
    }
    let steps: BTreeSet<&str> = STEPS.iter().copied().collect();
    let mut died_after = BTreeSet::new();
    for order in ["create", "pooled", "block", "stop", "kill", "start", "delete"] {
        for &step in &steps {
            let ground = Ground::new().await;
            let empty = census(ground.dir.path());
            for earlier in before(order) {
                carry_out(&ground.driver, earlier).await;
            }
            let dir = ground.dir;
            drop(ground.driver);
            if die_after(dir.path(), order, step) {
                died_after.insert(step);
            }

            let next = open_for(dir.path(), order).await;
            carry_out(&next, order).await;
            assert_eq!(next.survey().await.unwrap(), after(order), "{order} again, after death at {step}");
            if after(order).iter().any(|found| found.running.is_some()) {
                let ran = next.exec(SANDBOX, command(&["echo", "here"])).await.unwrap();
                assert_eq!(text(&ran), "here", "{order} again, after death at {step}");
            }
            if order == "block" {
                let ran = next.exec(SANDBOX, command(&["python3", "-c", DIAL])).await.unwrap();
                assert_eq!(text(&ran), "111", "{order} again, after death at {step}");
            }
            let told = tokio::time::timeout(Duration::from_millis(20), next.exited()).await;
            assert!(
                told.is_err(),
                "{order}, death at {step}: an end that was asked for was told as {told:?}"
            );
            next.erase(SANDBOX).await.unwrap();
            drop(next);
            eventually("the state before", || census(dir.path()) == empty).await;
        }
    }
    assert_eq!(died_after, steps, "every step must be fatal to some order");
}

/// Carry out `order` in a process that dies after `step`; whether it did.
fn die_after(dir: &Path, order: &str, step: &str) -> bool {
    let mut child = Program::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "child"]).env(DIR, dir).env(ORDER, order).env(VARIABLE, step);
    let status = child.stdout(Stdio::null()).stderr(Stdio::inherit()).status().unwrap();
    assert!(status.success() || status.signal() == Some(9), "{order}, death at {step}: {status}");
    !status.success()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above in a process of its own"]
async fn child() {
    let dir = std::env::var_os(DIR).unwrap();
    let order = std::env::var(ORDER).unwrap();
    carry_out(&open_for(dir.as_ref(), &order).await, &order).await;
}
