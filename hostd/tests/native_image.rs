//! Base images: built once, unpacked from tars of every kind, never half there.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::sync::Mutex;

use hourglass_events::{Fault, Image, OrderNumber, SandboxId};
use hourglass_hostd::driver::Driver;
use hourglass_hostd::image::{ImageError, Progress, Recipe, Settings, Store, Unheard};
use native_common::{Ground, cache, command, debian, may_run, plan_of};

/// A tar of a root with one program that needs nothing else, in three wrappings.
fn tars(dir: &Path) -> Vec<PathBuf> {
    let root = dir.join("root");
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::create_dir_all(root.join("etc")).unwrap();
    let data = tempfile::tempdir().unwrap();
    // The agent is static: the one program at hand that runs in an empty root.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    drop(runtime.block_on(native_common::open(data.path())));
    let programs = data.path().join("programs");
    let agent = fs::read_dir(&programs)
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with("agent-"));
    fs::copy(agent.unwrap().path(), root.join("bin/only")).unwrap();
    std::os::unix::fs::symlink("only", root.join("bin/link")).unwrap();
    fs::write(root.join("etc/hostname"), "the builder's own").unwrap();
    let made = |name: &str, option: &str| {
        let tar = dir.join(name);
        assert!(
            Program::new("tar")
                .args(["-C", root.to_str().unwrap(), option, "-cf"])
                .arg(&tar)
                .arg(".")
                .status()
                .unwrap()
                .success()
        );
        tar
    };
    vec![made("plain.tar", "--no-xattrs"), made("root.tar.gz", "-z"), made("root.tar.zst", "--zstd")]
}

#[test]
fn a_tar_gives_one_image_whatever_it_is_wrapped_in() {
    if !may_run("a_tar_gives_one_image_whatever_it_is_wrapped_in") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    let images: Vec<Image> = tars(dir.path())
        .iter()
        .map(|tar| store.import(tar, &Settings::default(), &Unheard).unwrap())
        .collect();
    assert!(images.windows(2).all(|pair| pair[0] == pair[1]), "{images:?}");
    let entered = Settings { entrypoint: vec!["/bin/only".to_owned()], env: Vec::new() };
    assert_ne!(store.import(&dir.path().join("plain.tar"), &entered, &Unheard).unwrap(), images[0]);

    let base = store.find(&images[0]).unwrap();
    assert_eq!(fs::read_link(base.rootfs.join("bin/link")).unwrap(), Path::new("only"));
    assert!(!base.rootfs.join("etc/hostname").exists(), "the image tells of its builder");
    let left = fs::read_dir(dir.path().join("images")).unwrap().flatten();
    assert!(!left.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("part.")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_boots_from_a_root_with_a_single_program() {
    if !may_run("a_sandbox_boots_from_a_root_with_a_single_program") {
        return;
    }
    let ground = Ground::new().await;
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().to_owned();
    let tar = tokio::task::spawn_blocking(move || tars(&at).remove(0)).await.unwrap();
    let image = ground.driver.images().import(&tar, &Settings::default(), &Unheard).unwrap();
    let sandbox = SandboxId::from_u128(1);
    let plan = plan_of(image);
    ground.driver.pull(&plan.image).await.unwrap();
    ground.driver.provision(sandbox, OrderNumber(1), &plan).await.unwrap();
    ground.driver.boot(sandbox, OrderNumber(1), &plan).await.unwrap();
    // Run beside its usual duty, the agent says how it is used and fails.
    assert_eq!(ground.driver.exec(sandbox, command(&["/bin/only"])).await.unwrap().code, 1);
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_here_is_a_fault() {
    if !may_run("an_image_that_is_not_here_is_a_fault") {
        return;
    }
    let ground = Ground::new().await;
    for digest in ["abc", "", "../../etc", "."] {
        let fault = ground.driver.pull(&Image { digest: digest.to_owned() }).await.unwrap_err();
        assert!(matches!(fault, Fault::ImageUnavailable { .. }), "{fault}");
    }
}

#[test]
fn a_tar_that_is_broken_layered_or_leads_out_is_refused_and_leaves_nothing() {
    if !may_run("a_tar_that_is_broken_layered_or_leads_out_is_refused_and_leaves_nothing") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    let whiteout = tar_of("etc/.wh.passwd");
    let cut = tar_of("etc/passwd")[..700].to_vec();
    for (what, bytes) in [("layered", whiteout), ("cut", cut), ("noise", vec![7; 4096])] {
        let tar = dir.path().join(what);
        fs::write(&tar, bytes).unwrap();
        let refused = store.import(&tar, &Settings::default(), &Unheard);
        assert!(matches!(refused, Err(ImageError::BadTar { .. })), "{what}: {refused:?}");
    }
    // What a refused import left is swept by the next that succeeds, as is what a killed builder left mounted.
    let killed = dir.path().join("images/part.1/rootfs/proc");
    fs::create_dir_all(&killed).unwrap();
    assert!(Program::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(&killed).status().unwrap().success());
    let tar = dir.path().join("whole");
    fs::write(&tar, tar_of("etc/passwd")).unwrap();
    let image = store.import(&tar, &Settings::default(), &Unheard).unwrap();
    let mut names: Vec<_> =
        fs::read_dir(dir.path().join("images")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    let mut expected = vec![image.digest.into(), "lock".into()];
    expected.sort();
    assert_eq!(names, expected as Vec<std::ffi::OsString>);
}

fn tar_of(path: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let content = vec![b'x'; 1000];
    let mut header = tar::Header::new_gnu();
    header.set_size(1000);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, path, content.as_slice()).unwrap();
    tar.into_inner().unwrap()
}

/// Remembers what it hears.
#[derive(Default)]
struct Heard(Mutex<Vec<f32>>);

impl Progress for Heard {
    fn phase(&self, _what: &str) {}

    fn fraction(&self, done: f32) {
        self.0.lock().unwrap().push(done);
    }
}

#[test]
fn a_recipe_is_built_once() {
    if !may_run("a_recipe_is_built_once") {
        return;
    }
    let built = debian();
    let heard = Heard::default();
    let began = std::time::Instant::now();
    assert_eq!(Store::new(&cache()).build(&Recipe::default(), &heard).unwrap(), built);
    assert!(began.elapsed() < std::time::Duration::from_secs(1));
    assert!(heard.0.lock().unwrap().is_empty());
}

#[test]
fn progress_only_grows() {
    if !may_run("progress_only_grows") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let heard = Heard::default();
    let tar = tars(dir.path()).remove(0);
    Store::new(dir.path()).import(&tar, &Settings::default(), &heard).unwrap();
    let heard = heard.0.into_inner().unwrap();
    assert!(heard.windows(2).all(|pair| pair[0] <= pair[1]), "{heard:?}");
    assert_eq!(heard.last(), Some(&1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_of_all_runtimes_runs_python_javascript_and_typescript() {
    if !may_run("the_image_of_all_runtimes_runs_python_javascript_and_typescript") {
        return;
    }
    let recipe = Recipe::runtimes();
    let image = tokio::task::spawn_blocking(move || Store::new(&cache()).build(&recipe, &Unheard).unwrap());
    let image = image.await.unwrap();
    let ground = Ground::new().await;
    ground.share(&image);
    let sandbox = SandboxId::from_u128(1);
    let plan = plan_of(image);
    ground.driver.provision(sandbox, OrderNumber(1), &plan).await.unwrap();
    ground.driver.boot(sandbox, OrderNumber(1), &plan).await.unwrap();
    assert_eq!(ground.sh(sandbox, "python3 -c 'print(6 * 7)'").await, "42");
    assert_eq!(ground.sh(sandbox, "node -e 'console.log(6 * 7)'").await, "42");
    assert!(ground.sh(sandbox, "tsc --version").await.starts_with("Version"));
    let run = async |code: &str, arguments: &str| {
        let script =
            format!("cat > /tmp/it.ts <<'END'\n{code}\nEND\nrun-typescript /tmp/it.ts {arguments}; echo $?");
        ground.sh(sandbox, &script).await
    };
    let typed = "import { existsSync } from 'fs';\ninterface A { x: number }\nconst a: A = { x: 41 };\n\
                 console.log(a.x + 1, existsSync('/tmp'), process.argv.slice(2).join('+'));";
    assert_eq!(run(typed, "b 'c d'").await, "42 true b+c d\n0");
    assert_eq!(run("const y: number = await Promise.resolve(42); console.log(y);", "").await, "42\n0");
    assert_eq!(run("process.exit(7 as number);", "").await, "7");
    let wrong = run("\nconst x: number = ;", "").await;
    assert!(wrong.contains("it.ts:2") && wrong.starts_with('1'), "{wrong}");
    let thrown = run("interface B {}\n\nthrow new Error('boom');", "").await;
    assert!(thrown.contains("boom") && thrown.contains("it.ts:3"), "{thrown}");
    assert_eq!(ground.sh(sandbox, "ls -A /tmp").await, "it.ts", "nothing is left beside the program");
    ground.driver.erase(sandbox).await.unwrap();
}
