//! The machine under the sandboxes: full, crowded, or not fit at all.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::fs;
use std::path::PathBuf;
use std::process::Command as Program;

use hourglass_events::{Fault, OrderNumber, SandboxId, Span};
use hourglass_hostd::driver::Driver;
use hourglass_hostd::native::{Config, NativeDriver, OpenError, Preflight};
use native_common::{Ground, census, may_run, open, plan, text};

/// A file system of its own, unmounted when dropped.
struct Small(PathBuf);

impl Small {
    fn new(at: PathBuf, size: &str) -> Self {
        fs::create_dir_all(&at).unwrap();
        let mount = Program::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&at)
            .status();
        assert!(mount.unwrap().success());
        Self(at)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Program::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_host_refuses_new_disks_keeps_what_runs_and_resumes() {
    if !may_run("a_full_host_refuses_new_disks_keeps_what_runs_and_resumes") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let small = Small::new(dir.path().join("data"), "1100M");
    native_common::share_base(&small.0);
    let driver = open(&small.0).await;
    let sandbox = SandboxId::from_u128(1);
    let ballast = small.0.join("ballast");
    assert!(Program::new("fallocate").args(["-l", "900M"]).arg(&ballast).status().unwrap().success());

    let empty = census(&small.0);
    let fault = driver.provision(sandbox, OrderNumber(1), &plan()).await.unwrap_err();
    assert!(matches!(&fault, Fault::NoSpace { .. }), "{fault}");
    assert!(fault.to_string().contains("free storage"), "{fault}");
    driver.erase(sandbox).await.unwrap();
    assert_eq!(census(&small.0), empty);
    drop(driver);
    let closed = NativeDriver::new(Config::new(&small.0)).await.unwrap_err();
    assert!(matches!(&closed, OpenError::Preflight(Preflight::NoRoom { .. })), "{closed}");

    fs::remove_file(&ballast).unwrap();
    let driver = open(&small.0).await;
    driver.provision(sandbox, OrderNumber(2), &plan()).await.unwrap();
    driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_booted_and_erased_at_once() {
    if !may_run("many_are_booted_and_erased_at_once") {
        return;
    }
    let ground = Ground::new().await;
    let empty = census(ground.dir.path());
    // More than the eight loop devices a machine begins with.
    let sandboxes: Vec<SandboxId> = (1..=16).map(SandboxId::from_u128).collect();
    let each = |sandbox: SandboxId| {
        let ground = &ground;
        async move {
            ground.driver.provision(sandbox, OrderNumber(1), &plan()).await.unwrap();
            ground.driver.boot(sandbox, OrderNumber(1), &plan()).await.unwrap();
            let ran = ground.driver.exec(sandbox, native_common::command(&["echo", "up"])).await.unwrap();
            assert_eq!(text(&ran), "up");
        }
    };
    futures_all(sandboxes.iter().map(|&sandbox| each(sandbox))).await;
    assert_eq!(ground.driver.survey().await.unwrap().len(), 16);
    futures_all(sandboxes.iter().map(|&sandbox| {
        let ground = &ground;
        async move { ground.driver.erase(sandbox).await.unwrap() }
    }))
    .await;
    assert_eq!(census(ground.dir.path()), empty);
}

/// All of them at once, on this task.
async fn futures_all(each: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut waiting: Vec<_> = each.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_orders_for_one_sandbox_take_turns() {
    if !may_run("two_orders_for_one_sandbox_take_turns") {
        return;
    }
    let ground = Ground::new().await;
    let empty = census(ground.dir.path());
    let sandbox = SandboxId::from_u128(1);
    let first = plan();
    ground.driver.provision(sandbox, OrderNumber(1), &first).await.unwrap();
    let (boot, erase) =
        tokio::join!(ground.driver.boot(sandbox, OrderNumber(1), &first), ground.driver.erase(sandbox));
    erase.unwrap();
    // Whichever came first: nothing is left, or what was booted after is whole.
    match boot {
        Ok(()) | Err(Fault::Missing { .. }) => {}
        Err(fault) => panic!("{fault}"),
    }
    ground.driver.halt(sandbox, Span::ZERO).await.unwrap();
    ground.driver.erase(sandbox).await.unwrap();
    assert_eq!(census(ground.dir.path()), empty);
}

#[test]
fn who_is_not_root_is_told_what_to_do() {
    if !may_run("who_is_not_root_is_told_what_to_do") {
        return;
    }
    // The test program itself may lie where only root can look, so a copy is run.
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    for open in [dir.path(), &copy] {
        fs::set_permissions(open, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let mut child = Program::new("setpriv");
    child.args(["--reuid=65534", "--clear-groups"]).arg(&copy).args([
        "--ignored",
        "--exact",
        "as_nobody",
        "--nocapture",
    ]);
    let output = child.env("TMPDIR", "/tmp").output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("need root, and this is user 65534"), "{said}");
}

#[tokio::test]
#[ignore = "run by the test above as another user"]
#[allow(clippy::print_stdout, reason = "read by the test above")]
async fn as_nobody() {
    let dir = tempfile::tempdir().unwrap();
    println!("{}", NativeDriver::new(Config::new(dir.path().join("data"))).await.unwrap_err());
}
