//! Everything on the machine that sandboxes of one data directory could leave behind.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// What is kept on purpose when no sandbox is left: the log, what is derived from it, the vault's key, images, programs,
/// the ledger.
const KEPT: &[&str] = &["log", "checkpoints", "vault/key", "host/images", "host/programs", "host/ledger"];

/// What was found, without what differs from one data directory to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    /// Mount points, below the data directory.
    pub mounts: BTreeSet<PathBuf>,
    /// Files that loop devices are made of.
    pub loops: BTreeSet<PathBuf>,
    /// Control groups.
    pub cgroups: BTreeSet<PathBuf>,
    /// Namespaces of the processes in them.
    pub namespaces: BTreeSet<String>,
    /// Devices that join their networks to the host's.
    pub devices: BTreeSet<String>,
    /// Live processes in them.
    pub processes: usize,
    /// Files, but for those that are kept.
    pub files: BTreeSet<PathBuf>,
    /// Disks among them.
    pub disks: usize,
}

impl Census {
    /// Count what has to do with the data directory `data`.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        let data = data.canonicalize().unwrap();
        let instance = instance(&data);
        let mut census = Self::default();
        let below = |text: &str| Path::new(text).strip_prefix(&data).ok().map(Path::to_owned);
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
        census.mounts = table.lines().filter_map(|line| line.split(' ').nth(4)).filter_map(below).collect();
        for device in listed(Path::new("/sys/block")) {
            let file = fs::read_to_string(device.join("loop/backing_file")).unwrap_or_default();
            census.loops.extend(below(file.trim()));
        }
        for root in listed(Path::new("/sys/fs/cgroup")).into_iter().chain(["/sys/fs/cgroup".into()]) {
            let ours = root.join("hourglass").join(&instance);
            walk(&ours, &mut |path| {
                if path.is_dir() {
                    census.cgroups.insert(path.strip_prefix(&ours).unwrap().to_owned());
                }
                true
            });
        }
        let port = format!("hg{}-", &instance[..8]);
        let devices = listed(Path::new("/sys/class/net")).into_iter();
        let devices =
            devices.filter_map(|device| device.file_name()?.to_str()?.strip_prefix(&port).map(str::to_owned));
        census.devices = devices.collect();
        for process in listed(Path::new("/proc")) {
            let groups = fs::read_to_string(process.join("cgroup")).unwrap_or_default();
            if groups.contains(&instance) && !is_dead(&process) {
                census.processes += 1;
                let namespaces =
                    listed(&process.join("ns")).into_iter().filter_map(|ns| fs::read_link(ns).ok());
                census.namespaces.extend(namespaces.map(|ns| ns.to_string_lossy().into_owned()));
            }
        }
        walk(&data, &mut |path| {
            let path = path.strip_prefix(&data).unwrap();
            let wanted = !KEPT.iter().any(|kept| path.starts_with(kept));
            if wanted {
                census.files.insert(path.to_owned());
            }
            // What is mounted below is in the sandbox, not left by it.
            wanted && !census.mounts.contains(path)
        });
        let is_disk = |path: &&PathBuf| path.parent() == Some(Path::new("host/disks"));
        census.disks = census.files.iter().filter(is_disk).count();
        census
    }

    /// Whether nothing is left but files.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.mounts.is_empty()
            && self.loops.is_empty()
            && self.devices.is_empty()
            && self.processes == 0
            && self.cgroups.len() <= 1
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mounts, loops, cgroups, namespaces, devices, processes, files: _, disks } = self;
        let (mounts, loops, cgroups, namespaces, devices) =
            (mounts.len(), loops.len(), cgroups.len(), namespaces.len(), devices.len());
        write!(
            f,
            "{processes} processes, {namespaces} namespaces, {devices} devices, {mounts} mounts, {loops} loops, {cgroups} cgroups, {disks} disks"
        )
    }
}

/// What the control groups of the driver in `data` are called.
fn instance(data: &Path) -> String {
    let host = data.join("host");
    blake3::hash(host.as_os_str().as_encoded_bytes()).to_hex()[..12].to_owned()
}

fn is_dead(process: &Path) -> bool {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, fields)| fields.starts_with(" Z"))
}

fn listed(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Show `dir` and, where `see` says so, all below it.
fn walk(dir: &Path, see: &mut dyn FnMut(&Path) -> bool) {
    if dir.exists() && see(dir) && !dir.is_symlink() {
        for path in listed(dir) {
            walk(&path, see);
        }
    }
}
