//! What is kept ready: taken once, made again, gone with the driver; and many lives that leave nothing.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};

use hourglass_events::{OrderNumber, SandboxId};
use hourglass_hostd::driver::Driver;
use hourglass_hostd::native::{Config, NativeDriver, Pool};
use native_common::{Census, Ground, census, command, dead, eventually, may_run, plan, text};

/// Held by each test: one of them counts the open files of this process, which all share.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn with(pool: Pool) -> Ground {
    Ground::with(|config| config.pool = pool).await
}

/// Nothing is there but directories and locks.
fn is_bare(census: &Census) -> bool {
    let Census { mounts, loops, cgroups, namespaces, devices, processes, files } = census;
    let disks = files.iter().any(|file| file.extension().is_some_and(|word| word == "img" || word == "part"));
    let quiet = mounts.is_empty() && loops.is_empty() && cgroups.is_empty() && namespaces.is_empty();
    quiet && devices.is_empty() && *processes == 0 && !disks
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ready_is_taken_once_and_made_again() {
    if !may_run("what_is_ready_is_taken_once_and_made_again") {
        return;
    }
    let _alone = ALONE.lock().await;
    let ground = with(Pool::of(2)).await;
    let full = || ground.driver.pooled() == (2, 2);
    eventually("a full pool", full).await;
    let ready = census(ground.dir.path());
    assert_eq!((ready.loops.len(), ready.devices.len(), ready.processes), (2, 2, 0), "{ready:?}");
    // More than there are, at once: each has its own.
    let ids: Vec<SandboxId> = (1..=5).map(SandboxId::from_u128).collect();
    let (a, b, c, d, e) = tokio::join!(
        ground.running(1),
        ground.running(2),
        ground.running(3),
        ground.running(4),
        ground.running(5)
    );
    assert_eq!(vec![a, b, c, d, e], ids);
    let mut addresses = Vec::new();
    for &sandbox in &ids {
        addresses.push(
            ground.sh(sandbox, "getent hosts box-1 | cut -d' ' -f1; df --output=size / | tail -1").await,
        );
    }
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), ids.len(), "{addresses:?}");
    eventually("a full pool again", full).await;
    assert_eq!(ground.driver.survey().await.unwrap().len(), 5);
    for sandbox in ids {
        ground.driver.erase(sandbox).await.unwrap();
    }
    let Ground { driver, dir } = ground;
    drop(driver);
    eventually("an empty machine", || is_bare(&census(dir.path()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_driver_keeps_what_it_is_to_keep_and_no_more() {
    if !may_run("a_next_driver_keeps_what_it_is_to_keep_and_no_more") {
        return;
    }
    let _alone = ALONE.lock().await;
    let ground = with(Pool { disks: BTreeMap::from([(1, 2), (2, 1)]), networks: 0 }).await;
    eventually("a full pool", || ground.driver.pooled() == (3, 0)).await;
    // As after a kill: halves lie about, and nobody has tidied.
    let Ground { driver, dir } = ground;
    let pool = dir.path().join("pool");
    let kept = dir.path().join("kept");
    fs::create_dir(&kept).unwrap();
    for entry in fs::read_dir(&pool).unwrap().flatten() {
        fs::copy(entry.path(), kept.join(entry.file_name())).unwrap();
    }
    drop(driver);
    eventually("an empty machine", || is_bare(&census(dir.path()))).await;
    for entry in fs::read_dir(&kept).unwrap().flatten() {
        fs::copy(entry.path(), pool.join(entry.file_name())).unwrap();
    }
    fs::write(pool.join("1.77.img.part"), "half").unwrap();
    let mut config = Config::new(dir.path());
    config.pool = Pool { disks: BTreeMap::from([(1, 1)]), networks: 0 };
    let next = NativeDriver::new(config).await.unwrap();
    let names: Vec<_> = fs::read_dir(&pool).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(names.len() == 1 && names[0].to_str().unwrap().starts_with("1."), "{names:?}");
    drop(next);
    eventually("an empty machine", || is_bare(&census(dir.path()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_lives_leave_nothing() {
    if may_run("many_lives_leave_nothing") {
        lives(30).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; says how long each part takes"]
async fn a_thousand_lives_leave_nothing() {
    if may_run("a_thousand_lives_leave_nothing") {
        lives(1000).await;
    }
}

/// Create, use and delete `count` sandboxes, one after the other.
async fn lives(count: usize) {
    let _alone = ALONE.lock().await;
    let ground = with(Pool::of(3)).await;
    let (mut created, mut used, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let mut before = None;
    for number in 0..count {
        eventually("a full pool", || ground.driver.pooled() == (3, 3)).await;
        let sandbox = SandboxId::from_u128(number as u128 + 1);
        let began = Instant::now();
        ground.driver.provision(sandbox, OrderNumber(1), &plan()).await.unwrap();
        ground.driver.boot(sandbox, OrderNumber(1), &plan()).await.unwrap();
        created.push(began.elapsed());
        let began = Instant::now();
        assert_eq!(text(&ground.driver.exec(sandbox, command(&["echo", "up"])).await.unwrap()), "up");
        used.push(began.elapsed());
        let began = Instant::now();
        ground.driver.erase(sandbox).await.unwrap();
        deleted.push(began.elapsed());
        // The first ones open what stays open.
        if number == 4 {
            before = Some(open());
        }
    }
    assert!(
        before.is_none_or(|before| open() <= before + 4),
        "{before:?} files were open, and now {}",
        open()
    );
    eventually("that init takes note of the dead", || dead(ground.dir.path()) == 0).await;
    assert_eq!(ground.driver.survey().await.unwrap(), Vec::new());
    let Ground { driver, dir } = ground;
    drop(driver);
    eventually("an empty machine", || is_bare(&census(dir.path()))).await;
    let said = |what: &str, times: &mut Vec<Duration>| {
        times.sort();
        let at = |part: usize| times[times.len() * part / 10].as_secs_f64() * 1e3;
        format!("{what} {:.1} / {:.1} / {:.1} ms", at(0), at(5), at(9))
    };
    let said =
        [said("create", &mut created), said("exec", &mut used), said("delete", &mut deleted)].join(", ");
    let _ = writeln!(std::io::stderr(), "{count} lives, least / median / p90: {said}");
}
