//! A sandbox's life on this machine: made, used, stopped, started, deleted, and nothing of it left.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::time::Duration;

use hourglass_events::{ExitCause, OrderNumber, Plan, SandboxId, Span};
use hourglass_hostd::driver::{DiskFound, Driver, ExecError, Present};
use native_common::{Ground, census, command, dead, eventually, may_run, plan};

#[tokio::test(flavor = "multi_thread")]
async fn files_survive_a_stop_and_memory_does_not() {
    if !may_run("files_survive_a_stop_and_memory_does_not") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    ground.sh(sandbox, "echo kept > /home/dev/file; echo lost > /dev/shm/file; sync").await;
    assert_eq!(ground.driver.halt(sandbox, Span::seconds(5)).await.unwrap(), ExitCause::Stopped);
    assert_eq!(ground.driver.exec(sandbox, command(&["true"])).await, Err(ExecError::NotRunning(sandbox)));

    ground.driver.boot(sandbox, OrderNumber(2), &plan()).await.unwrap();
    assert_eq!(ground.sh(sandbox, "cat /home/dev/file; ls /dev/shm").await, "kept");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_an_erased_sandbox() {
    if !may_run("nothing_is_left_of_an_erased_sandbox") {
        return;
    }
    let ground = Ground::new().await;
    let before = census(ground.dir.path());
    let sandbox = ground.running(2).await;
    let during = census(ground.dir.path());
    assert!(during.processes > 0 && during.loops.len() == 1 && during.devices.len() == 1);
    assert_eq!(during.mounts.len(), 4, "{:?}", during.mounts);
    let present = Present {
        sandbox,
        disk: DiskFound::Made(OrderNumber(1)),
        running: Some(OrderNumber(1)),
        saved: None,
    };
    assert_eq!(ground.driver.survey().await.unwrap(), vec![present]);

    ground.driver.erase(sandbox).await.unwrap();
    assert_eq!(census(ground.dir.path()), before);
    assert_eq!(ground.driver.survey().await.unwrap(), Vec::new());
    // Again, and of one that never was.
    ground.driver.erase(sandbox).await.unwrap();
    assert_eq!(ground.driver.halt(SandboxId::from_u128(99), Span::ZERO).await.unwrap(), ExitCause::Vanished);
    assert_eq!(census(ground.dir.path()), before);
    eventually("the end of the last dead process", || dead(ground.dir.path()) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_boot_nobody_wants_does_not_wait_for_a_silent_agent() {
    if !may_run("a_boot_nobody_wants_does_not_wait_for_a_silent_agent") {
        return;
    }
    let ground = Ground::with(|config| config.agent_patience = Span::minutes(60)).await;
    let (sandbox, number) = (SandboxId::from_u128(3), OrderNumber(1));
    let plan = Plan { user: "root".to_owned(), ..plan() };
    ground.driver.provision(sandbox, number, &plan).await.unwrap();
    ground.driver.boot(sandbox, number, &plan).await.unwrap();
    // The next agent reads this file before it answers, and nobody ever writes to it.
    ground.sh(sandbox, "rm /etc/passwd && mkfifo /etc/passwd && sync").await;
    ground.driver.halt(sandbox, Span::ZERO).await.unwrap();

    let next = OrderNumber(2);
    let group = || census(ground.dir.path()).processes > 0;
    tokio::select! {
        booted = ground.driver.boot(sandbox, next, &plan) => panic!("it answered: {booted:?}"),
        () = eventually("the container's first process", group) => {}
    }
    let erased = tokio::time::timeout(Duration::from_secs(120), ground.driver.erase(sandbox)).await;
    assert_eq!(erased.unwrap(), Ok(()));
}
