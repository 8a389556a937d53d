//! The ground native tests stand on: whether they can run here, one base image for all, a driver of their own.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::missing_panics_doc, reason = "a test's harness")]

pub(crate) mod internet;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hourglass_events::{Image, OrderNumber, OrganizationId, Plan, SandboxId, Span};
use hourglass_hostd::driver::{Command, Driver, Ran};
use hourglass_hostd::image::{Progress, Recipe, Store, missing_packages};
use hourglass_hostd::native::{Config, NativeDriver};

/// Why native tests cannot run here, if they cannot.
pub(crate) fn obstacle() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    FOUND.get_or_init(look).as_deref()
}

fn look() -> Option<String> {
    let mut missing = missing_packages();
    // Tests look at networks by it; the driver needs no program for that.
    missing.extend(host_is_without("ip").then_some("iproute2"));
    if !missing.is_empty() {
        return Some(format!("not installed: {}", missing.join(" ")));
    }
    let dir = tempfile::tempdir().unwrap();
    // On a thread of its own, because the asking test already runs in a runtime.
    let open = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(NativeDriver::new(Config::new(dir.path()))).err().map(|error| error.to_string())
    };
    std::thread::scope(|scope| scope.spawn(open).join().unwrap())
}

fn host_is_without(program: &str) -> bool {
    Program::new(program).arg("-V").output().is_err()
}

/// Whether the test may go on. Says out loud when it may not, and fails when it must.
pub(crate) fn may_run(test: &str) -> bool {
    let Some(why) = obstacle() else { return true };
    let required = std::env::var("HOURGLASS_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|word| word == "native"), "{test} is required and cannot run: {why}");
    // Not by a macro, whose output the test runner keeps to itself when the test passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
    false
}

/// Where images are kept between runs.
pub(crate) fn cache() -> PathBuf {
    let named = std::env::var_os("HOURGLASS_TEST_CACHE").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-cache"))
}

/// The Debian base image, built once for all tests.
pub(crate) fn debian() -> Image {
    static BUILT: OnceLock<Image> = OnceLock::new();
    let build = || Store::new(&cache()).build(&Recipe::default(), &Loud).unwrap();
    BUILT.get_or_init(build).clone()
}

struct Loud;

impl Progress for Loud {
    fn phase(&self, what: &str) {
        eprintln!("base image: {what}");
    }

    fn fraction(&self, _done: f32) {}
}

/// A directory of its own. When a test fails, what it had made there is taken off the machine all the same.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = census(self.path());
        if left.mounts.is_empty() && left.loops.is_empty() && left.cgroups.is_empty() {
            return;
        }
        let tidy = || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let driver = open(self.path()).await;
                for found in driver.survey().await.unwrap() {
                    driver.erase(found.sandbox).await.unwrap();
                }
            });
        };
        // On a thread of its own, because the failing test may already run in a runtime.
        if std::thread::scope(|scope| scope.spawn(tidy).join()).is_err() {
            eprintln!("could not tidy up {}", self.path().display());
        }
    }
}

/// A driver of its own, on directories of its own.
pub(crate) struct Ground {
    /// Before its directories, which it tidies when it goes.
    pub(crate) driver: NativeDriver,
    pub(crate) dir: Place,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With a configuration that is not the usual.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = Place(tempfile::tempdir().unwrap());
        share_base(dir.path());
        let mut config = Config::new(dir.path());
        change(&mut config);
        Self { driver: NativeDriver::new(config).await.unwrap(), dir }
    }

    /// Make and boot a sandbox by order 1.
    pub(crate) async fn running(&self, number: u128) -> SandboxId {
        let sandbox = SandboxId::from_u128(number);
        self.driver.provision(sandbox, OrderNumber(1), &plan()).await.unwrap();
        self.driver.boot(sandbox, OrderNumber(1), &plan()).await.unwrap();
        sandbox
    }

    pub(crate) async fn run(&self, sandbox: SandboxId, argv: &[&str]) -> Ran {
        self.driver.exec(sandbox, command(argv)).await.unwrap()
    }

    /// What a shell in the sandbox prints for `script`.
    pub(crate) async fn sh(&self, sandbox: SandboxId, script: &str) -> String {
        let ran = self.run(sandbox, &["sh", "-c", script]).await;
        text(&ran)
    }

    /// Have another image from the cache here.
    pub(crate) fn share(&self, image: &Image) {
        share(self.dir.path(), image);
    }

    /// The Debian base image with an entrypoint.
    pub(crate) fn entered(&self, script: &str) -> Image {
        let digest = format!("entered-{}", blake3::hash(script.as_bytes()).to_hex());
        let images = self.dir.path().join("images");
        let dir = images.join(&digest);
        fs::create_dir(&dir).unwrap();
        std::os::unix::fs::symlink(images.join(&debian().digest).join("rootfs"), dir.join("rootfs")).unwrap();
        let settings = serde_json::json!({ "entrypoint": ["sh", "-c", script] });
        fs::write(dir.join("image.json"), settings.to_string()).unwrap();
        Image { digest }
    }
}

/// Have the Debian base image in `dir` too, by its name: an overlay's lower layer may lie anywhere.
pub(crate) fn share_base(dir: &Path) {
    fs::create_dir(dir.join("images")).unwrap();
    share(dir, &debian());
}

/// Have `image` from the cache in `dir` too.
fn share(dir: &Path, image: &Image) {
    let shared = cache().canonicalize().unwrap().join("images").join(&image.digest);
    std::os::unix::fs::symlink(shared, dir.join("images").join(&image.digest)).unwrap();
}

pub(crate) async fn open(dir: &Path) -> NativeDriver {
    NativeDriver::new(Config::new(dir)).await.unwrap()
}

pub(crate) fn text(ran: &Ran) -> String {
    let both = [ran.stdout.as_slice(), ran.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).trim().to_owned()
}

pub(crate) fn command(argv: &[&str]) -> Command {
    let argv = argv.iter().map(|&word| word.to_owned()).collect();
    Command { argv, env: Vec::new(), cwd: None, timeout: Some(Span::seconds(60)) }
}

pub(crate) fn plan() -> Plan {
    plan_of(debian())
}

pub(crate) fn plan_of(image: Image) -> Plan {
    Plan { user: "dev".to_owned(), ..Plan::new(OrganizationId::from_u128(1), "box-1", image) }
}

/// Everything on the machine a sandbox could leave behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) mounts: BTreeSet<String>,
    pub(crate) loops: BTreeSet<String>,
    pub(crate) cgroups: BTreeSet<PathBuf>,
    pub(crate) namespaces: BTreeSet<String>,
    pub(crate) devices: BTreeSet<String>,
    pub(crate) processes: usize,
    pub(crate) files: BTreeSet<PathBuf>,
}

/// Count what is on the machine, as far as it has to do with `dir`. The dead who wait for the machine's init to take
/// note are counted by [`dead`].
pub(crate) fn census(dir: &Path) -> Census {
    let dir = dir.canonicalize().unwrap();
    let text = dir.to_str().unwrap().to_owned();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let instance = instance(&dir);
    let mut loops = BTreeSet::new();
    for entry in fs::read_dir("/sys/block").unwrap().flatten() {
        let file = fs::read_to_string(entry.path().join("loop/backing_file")).unwrap_or_default();
        if file.contains(&text) {
            loops.insert(file);
        }
    }
    let mut cgroups = BTreeSet::new();
    for root in fs::read_dir("/sys/fs/cgroup")
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .chain(["/sys/fs/cgroup".into()])
    {
        let ours = root.join("hourglass").join(&instance);
        if ours.exists() {
            walk(&ours, &mut |path| path.is_dir().then(|| cgroups.insert(path.to_owned())));
        }
    }
    // The bridge is the driver's, and is told of by the namespaces that hang on it.
    let port = format!("hg{}-", &instance[..8]);
    let devices = fs::read_dir("/sys/class/net").unwrap().flatten();
    let devices = devices.filter_map(|device| device.file_name().into_string().ok());
    let devices = devices.filter(|name| name.starts_with(&port)).collect();
    let mut namespaces = BTreeSet::new();
    let mut processes = 0;
    for process in grouped(&instance).iter().filter(|process| !is_dead(process)) {
        processes += 1;
        let ns = fs::read_dir(process.join("ns")).into_iter().flatten().flatten();
        namespaces.extend(ns.filter_map(|ns| Some(fs::read_link(ns.path()).ok()?.to_str()?.to_owned())));
    }
    let mut files = BTreeSet::new();
    for place in ["disks", "pool", "run"] {
        walk(&dir.join(place), &mut |path| Some(files.insert(path.to_owned())));
    }
    let mounts = mounts.lines().filter(|line| line.contains(&text)).map(str::to_owned).collect();
    Census { mounts, loops, cgroups, namespaces, devices, processes, files }
}

/// Kill the first process of `sandbox` from outside, to its end.
pub(crate) fn kill(dir: &Path, sandbox: SandboxId) {
    for process in grouped(&instance(dir)) {
        let named = |file: &str, what: &str| {
            let text = fs::read_to_string(process.join(file)).unwrap_or_default();
            text.lines().any(|line| line.contains(what) && !line.contains("deleted"))
        };
        if named("cgroup", &sandbox.to_string()) && named("status", "NSpid:") {
            let status = fs::read_to_string(process.join("status")).unwrap_or_default();
            let first = status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1"));
            let id = process.file_name().unwrap().to_str().unwrap().parse().ok();
            if let Some(id) = id.and_then(rustix::process::Pid::from_raw).filter(|_| first) {
                rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
                let deadline = Instant::now() + Duration::from_secs(30);
                while !is_dead(&process) {
                    assert!(Instant::now() < deadline, "{id:?} was killed and lives on");
                    std::thread::yield_now();
                }
            }
        }
    }
}

/// How many dead processes of sandboxes on `dir` nobody has taken note of yet.
pub(crate) fn dead(dir: &Path) -> usize {
    grouped(&instance(dir)).iter().filter(|process| is_dead(process)).count()
}

/// The directories in `/proc` of all that is in a group of `instance`.
fn grouped(instance: &str) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let ours = |process: &PathBuf| {
        fs::read_to_string(process.join("cgroup")).is_ok_and(|text| text.contains(instance))
    };
    processes.filter(ours).collect()
}

fn is_dead(process: &Path) -> bool {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    // Its first thread may be gone before the others, with which it still runs.
    let threads = fs::read_dir(process.join("task")).map_or(0, Iterator::count);
    stat.rsplit_once(')').is_none_or(|(_, fields)| fields.starts_with(" Z") && threads <= 1)
}

/// What the control groups of a driver on `dir` are called.
pub(crate) fn instance(dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap();
    blake3::hash(dir.as_os_str().as_encoded_bytes()).to_hex()[..12].to_owned()
}

fn walk(dir: &Path, see: &mut dyn FnMut(&Path) -> Option<bool>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        see(&entry.path());
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), see);
        }
    }
    see(dir);
}

/// Wait until `there` holds, for at most half a minute.
pub(crate) async fn eventually(what: &str, mut there: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !there() {
        assert!(Instant::now() < deadline, "{what} did not come about within 30 s");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What a program on the host prints.
pub(crate) fn host(program: &str, arguments: &[&str]) -> String {
    let output = Program::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
