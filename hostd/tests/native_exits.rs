//! Sandboxes end by themselves, and are told of with their cause, also across a restart of the host worker.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::time::{Duration, Instant};

use hourglass_events::{ExitCause, Fault, Image, OrderNumber, SandboxId, Span};
use hourglass_hostd::driver::{Driver, ExecError, Exit, Present};
use hourglass_hostd::native::NativeDriver;
use native_common::{Ground, census, command, may_run, open, plan_of, text};

async fn told(driver: &NativeDriver) -> Exit {
    tokio::time::timeout(Duration::from_secs(30), driver.exited()).await.unwrap()
}

async fn begin(ground: &Ground, number: u128, image: Image) -> SandboxId {
    let sandbox = SandboxId::from_u128(number);
    let plan = plan_of(image);
    ground.driver.provision(sandbox, OrderNumber(1), &plan).await.unwrap();
    ground.driver.boot(sandbox, OrderNumber(1), &plan).await.unwrap();
    sandbox
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entrypoint_that_ends_is_told_with_its_code_and_releases_everything() {
    if !may_run("an_entrypoint_that_ends_is_told_with_its_code_and_releases_everything") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox =
        begin(&ground, 1, ground.entered("while [ ! -e /tmp/end ]; do sleep 0.02; done; exit 7")).await;
    // The command may or may not be answered before the sandbox it ends is gone.
    drop(ground.driver.exec(sandbox, command(&["touch", "/tmp/end"])).await);
    let cause = ExitCause::Entrypoint { code: 7 };
    assert_eq!(told(&ground.driver).await, Exit { sandbox, number: OrderNumber(1), cause });
    let left = census(ground.dir.path());
    assert!(left.mounts.is_empty() && left.loops.is_empty() && left.cgroups.is_empty(), "{left:?}");
    assert_eq!(ground.driver.exec(sandbox, command(&["true"])).await, Err(ExecError::NotRunning(sandbox)));
    // Its disk is as it was, so it can be started again.
    ground.driver.boot(sandbox, OrderNumber(2), &plan_of(ground.entered("sleep 1000"))).await.unwrap();
    assert_eq!(ground.sh(sandbox, "ls /tmp/end").await, "/tmp/end");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_whose_entrypoint_takes_too_much_memory_is_out_of_memory() {
    if !may_run("a_sandbox_whose_entrypoint_takes_too_much_memory_is_out_of_memory") {
        return;
    }
    let ground = Ground::new().await;
    let bomb = "while [ ! -e /tmp/go ]; do sleep 0.02; done; exec python3 -c 'x = bytearray(3 << 30)'";
    let sandbox = begin(&ground, 1, ground.entered(bomb)).await;
    ground.sh(sandbox, "touch /tmp/go").await;
    assert_eq!(told(&ground.driver).await.cause, ExitCause::OutOfMemory);
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_takes_too_much_memory_dies_alone_and_visibly() {
    if !may_run("a_command_that_takes_too_much_memory_dies_alone_and_visibly") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let ran = ground.run(sandbox, &["python3", "-c", "x = bytearray(3 << 30)"]).await;
    assert_eq!((ran.code, ran.timed_out), (137, false));
    assert_eq!(ground.sh(sandbox, "echo still here").await, "still here");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entrypoint_killed_by_hand_did_not_starve_though_a_command_did_before() {
    if !may_run("an_entrypoint_killed_by_hand_did_not_starve_though_a_command_did_before") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = begin(&ground, 1, ground.entered("echo $$ > /tmp/pid; exec sleep 1000")).await;
    let ran = ground.run(sandbox, &["python3", "-c", "x = bytearray(3 << 30)"]).await;
    assert_eq!(ran.code, 137);
    let kill = "while [ ! -s /tmp/pid ]; do sleep 0.02; done; kill -9 $(cat /tmp/pid)";
    drop(ground.driver.exec(sandbox, command(&["sh", "-c", kill])).await);
    assert_eq!(told(&ground.driver).await.cause, ExitCause::Entrypoint { code: 137 });
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_worker_finds_what_runs_and_what_ended_meanwhile() {
    if !may_run("a_new_worker_finds_what_runs_and_what_ended_meanwhile") {
        return;
    }
    let ground = Ground::new().await;
    let stays = ground.running(1).await;
    let leaves =
        begin(&ground, 2, ground.entered("while [ ! -e /tmp/end ]; do sleep 0.02; done; exit 3")).await;
    ground.sh(stays, "sleep 1000 >/dev/null 2>&1 & echo $! > /dev/shm/pid").await;
    // Its end is brought about by a process of its own, so that it comes after the worker is gone.
    ground.sh(leaves, "(sleep 0.3; touch /tmp/end) >/dev/null 2>&1 &").await;
    let dir = ground.dir;
    drop(ground.driver);
    native_common::eventually("the end of the second sandbox", || census(dir.path()).processes <= 2).await;

    let next = open(dir.path()).await;
    let cause = ExitCause::Entrypoint { code: 3 };
    assert_eq!(told(&next).await, Exit { sandbox: leaves, number: OrderNumber(1), cause });
    let running = |found: &Present| (found.sandbox, found.running);
    let found: Vec<_> = next.survey().await.unwrap().iter().map(running).collect();
    assert_eq!(found, vec![(stays, Some(OrderNumber(1))), (leaves, None)]);

    // What ran goes on, is left alone by its own order, and its end is seen.
    let plan = native_common::plan();
    next.boot(stays, OrderNumber(1), &plan).await.unwrap();
    let alive =
        next.exec(stays, command(&["sh", "-c", "kill -0 $(cat /dev/shm/pid) && echo alive"])).await.unwrap();
    assert_eq!(text(&alive), "alive");
    for sandbox in [stays, leaves] {
        next.erase(sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entrypoint_that_cannot_be_run_is_a_fault_that_names_it() {
    if !may_run("an_entrypoint_that_cannot_be_run_is_a_fault_that_names_it") {
        return;
    }
    let ground = Ground::new().await;
    let image = ground.entered("true");
    let settings = r#"{ "entrypoint": ["/no/such/program"] }"#;
    std::fs::write(ground.dir.path().join("images").join(&image.digest).join("image.json"), settings)
        .unwrap();
    let sandbox = SandboxId::from_u128(1);
    let plan = plan_of(image);
    let empty = census(ground.dir.path());
    ground.driver.provision(sandbox, OrderNumber(1), &plan).await.unwrap();
    let fault = ground.driver.boot(sandbox, OrderNumber(1), &plan).await.unwrap_err();
    let Fault::EntrypointUnusable { program, error } = fault else { panic!("{fault}") };
    assert_eq!(program, "/no/such/program");
    assert!(error.contains("No such file"), "{error}");
    ground.driver.erase(sandbox).await.unwrap();
    assert_eq!(census(ground.dir.path()), empty);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_lets_a_process_flush_and_force_does_not() {
    if !may_run("a_term_lets_a_process_flush_and_force_does_not") {
        return;
    }
    let ground = Ground::new().await;
    let flushes =
        "trap 'echo flushed > /home/dev/trace; exit 0' TERM; touch /tmp/ready; while :; do sleep 0.02; done";
    let plan = plan_of(ground.entered(flushes));
    for (number, grace, cause, trace) in
        [(1, Span::seconds(20), ExitCause::Stopped, "flushed"), (2, Span::ZERO, ExitCause::Killed, "nothing")]
    {
        let sandbox = begin(&ground, number, plan.image.clone()).await;
        ground.sh(sandbox, "while [ ! -e /tmp/ready ]; do sleep 0.02; done").await;
        let began = Instant::now();
        assert_eq!(ground.driver.halt(sandbox, grace).await.unwrap(), cause);
        assert!(began.elapsed() < Duration::from_secs(10));
        ground.driver.boot(sandbox, OrderNumber(2), &native_common::plan()).await.unwrap();
        assert_eq!(ground.sh(sandbox, "cat /home/dev/trace 2>/dev/null || echo nothing").await, trace);
        ground.driver.erase(sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_ignores_a_term_is_killed_when_the_grace_has_passed() {
    if !may_run("who_ignores_a_term_is_killed_when_the_grace_has_passed") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    ground
        .sh(sandbox, "sh -c 'trap \"\" TERM; touch /tmp/ready; while :; do sleep 1; done' >/dev/null 2>&1 &")
        .await;
    ground.sh(sandbox, "while [ ! -e /tmp/ready ]; do sleep 0.02; done").await;
    assert_eq!(ground.driver.halt(sandbox, Span::millis(200)).await.unwrap(), ExitCause::Killed);
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_in_flight_is_interrupted_by_the_end_of_its_sandbox() {
    if !may_run("a_command_in_flight_is_interrupted_by_the_end_of_its_sandbox") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let long = ground.driver.exec(sandbox, command(&["sh", "-c", "touch /tmp/ready; sleep 1000"]));
    let end = async {
        ground.sh(sandbox, "while [ ! -e /tmp/ready ]; do sleep 0.02; done").await;
        ground.driver.halt(sandbox, Span::ZERO).await
    };
    let (ran, halted) = tokio::join!(long, end);
    assert_eq!(ran, Err(ExecError::Interrupted(sandbox)));
    assert_eq!(halted.unwrap(), ExitCause::Killed);
    ground.driver.erase(sandbox).await.unwrap();
}
