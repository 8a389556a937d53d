//! Limits, and the list of a sandbox's processes, by control groups of either version.
//!
//! Version 1 has a tree for each controller and version 2 one for all; a hybrid machine is a version 1 machine here,
//! because its controllers are there. A sandbox has a group in every tree, also in those without a controller: by one
//! of them systemd would take a sandbox for a part of the host worker, and end it with it. The sandbox never writes to
//! its groups.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hourglass_events::{Fault, Resources};
use rustix::process::{Pid, Signal, kill_process};

use super::doing::Doing;
use super::wait;

/// The directory of all groups of Hourglass, in every tree.
const TOP: &str = "hourglass";

/// The controllers without which limits cannot be kept.
const NEEDED: [&str; 3] = ["cpu", "memory", "pids"];

/// The tree that needs more than a directory before a process can join: left to the container library.
const PREPARED: &str = "cpuset";

/// The scheduling period in microseconds, which a quota is a share of.
const PERIOD: u64 = 100_000;

/// The machine's control groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trees {
    /// A tree for each controller, by its name; also those without one, such as systemd's own.
    Each(BTreeMap<String, PathBuf>),
    /// One tree.
    One(PathBuf),
}

/// The groups of one driver.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    trees: Trees,
    instance: String,
}

/// The limits of a sandbox, as files inside show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    cpu: u64,
    memory: u64,
    pids: u32,
}

impl Limits {
    pub(super) fn new(resources: &Resources, pids: u32) -> Self {
        Self { cpu: u64::from(resources.cpu), memory: u64::from(resources.memory_gib) << 30, pids }
    }

    /// What the sandbox reads, by file name, in version 2's words whatever the host has.
    pub(super) fn shown(self) -> [(&'static str, String); 3] {
        [
            ("cpu.max", format!("{} {PERIOD}\n", self.cpu * PERIOD)),
            ("memory.max", format!("{}\n", self.memory)),
            ("pids.max", format!("{}\n", self.pids)),
        ]
    }
}

impl Trees {
    /// The machine's, or the controllers that are missing.
    pub(super) fn detect() -> Result<Self, Vec<&'static str>> {
        Self::read(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default(), |root| {
            fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default()
        })
    }

    fn read(mountinfo: &str, controllers: impl Fn(&Path) -> String) -> Result<Self, Vec<&'static str>> {
        let mut each = BTreeMap::new();
        let mut one = None;
        for line in mountinfo.lines() {
            let Some((left, right)) = line.split_once(" - ") else { continue };
            let (Some(point), mut right) = (left.split(' ').nth(4), right.split(' ')) else { continue };
            match (right.next(), right.nth(1)) {
                (Some("cgroup"), Some(options)) => {
                    let named = options.split(',').filter(|option| !matches!(*option, "rw" | "ro" | "xattr"));
                    each.extend(named.map(|name| (name.to_owned(), PathBuf::from(point))));
                }
                (Some("cgroup2"), _) => one = Some(PathBuf::from(point)),
                _ => {}
            }
        }
        if NEEDED.iter().all(|needed| each.contains_key(*needed)) {
            each.extend(one.map(|root| ("unified".to_owned(), root)));
            return Ok(Self::Each(each));
        }
        let offered = one.as_deref().map(controllers).unwrap_or_default();
        let missing: Vec<&str> = NEEDED
            .into_iter()
            .filter(|needed| !offered.split_whitespace().any(|name| name == *needed))
            .collect();
        match one {
            Some(root) if missing.is_empty() => Ok(Self::One(root)),
            Some(_) | None => Err(missing),
        }
    }

    /// Every tree, once.
    fn roots(&self) -> Vec<&Path> {
        match self {
            Self::Each(each) => {
                let mut roots: Vec<&Path> = each.values().map(PathBuf::as_path).collect();
                roots.sort_unstable();
                roots.dedup();
                roots
            }
            Self::One(root) => vec![root],
        }
    }

    /// The tree with the `controller`.
    fn of(&self, controller: &str) -> &Path {
        match self {
            Self::Each(each) => each.get(controller).map_or(Path::new("/sys/fs/cgroup"), PathBuf::as_path),
            Self::One(root) => root,
        }
    }
}

impl Groups {
    pub(super) fn new(trees: Trees, instance: String) -> Self {
        Self { trees, instance }
    }

    /// The path of a group as the container library wants it: from the root of each tree.
    pub(super) fn path(&self, name: &str) -> String {
        format!("/{TOP}/{}/{name}", self.instance)
    }

    /// Make the group and set its limits.
    pub(super) fn make(&self, name: &str, limits: Limits) -> Result<(), Fault> {
        match &self.trees {
            Trees::Each(_) => self.joined(name).iter().try_for_each(|dir| self.make_dir(dir))?,
            Trees::One(root) => {
                let top = root.join(TOP);
                self.make_dir(&top.join(&self.instance))?;
                for parent in [root.clone(), top.clone(), top.join(&self.instance)] {
                    write(&parent.join("cgroup.subtree_control"), "+cpu +memory +pids")?;
                }
                self.make_dir(&self.dir("cpu", name))?;
            }
        }
        self.limit(name, limits)
    }

    /// The directories of the group that a process joins to be in it.
    pub(super) fn joined(&self, name: &str) -> Vec<PathBuf> {
        let prepared = match &self.trees {
            Trees::Each(each) => each.get(PREPARED).map(PathBuf::as_path),
            Trees::One(_) => None,
        };
        let roots = self.trees.roots().into_iter().filter(|root| Some(*root) != prepared);
        roots.map(|root| root.join(TOP).join(&self.instance).join(name)).collect()
    }

    /// Set the limits of a group that is there.
    pub(super) fn limit(&self, name: &str, limits: Limits) -> Result<(), Fault> {
        let Limits { cpu, memory, pids } = limits;
        let (cpus, memories, processes) =
            (self.dir("cpu", name), self.dir("memory", name), self.dir("pids", name));
        write(&processes.join("pids.max"), &pids.to_string())?;
        match &self.trees {
            Trees::Each(_) => {
                write(&cpus.join("cpu.cfs_period_us"), &PERIOD.to_string())?;
                write(&cpus.join("cpu.cfs_quota_us"), &(cpu * PERIOD).to_string())?;
                write(&memories.join("memory.limit_in_bytes"), &memory.to_string())?;
                write_if_there(&memories.join("memory.memsw.limit_in_bytes"), &memory.to_string())
            }
            Trees::One(_) => {
                write(&cpus.join("cpu.max"), &format!("{} {PERIOD}", cpu * PERIOD))?;
                write(&memories.join("memory.max"), &memory.to_string())?;
                write_if_there(&memories.join("memory.swap.max"), "0")
            }
        }
    }

    /// The processes in the group.
    pub(super) fn processes(&self, name: &str) -> Vec<Pid> {
        let listed = fs::read_to_string(self.dir("pids", name).join("cgroup.procs")).unwrap_or_default();
        listed.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
    }

    /// The file in which the kernel counts what it killed for want of memory in the group.
    pub(super) fn memory(&self, name: &str) -> PathBuf {
        let file = match &self.trees {
            Trees::Each(_) => "memory.oom_control",
            Trees::One(_) => "memory.events",
        };
        self.dir("memory", name).join(file)
    }

    /// How often the kernel killed for want of memory in the group.
    pub(super) fn out_of_memory(&self, name: &str) -> u64 {
        let told = fs::read_to_string(self.memory(name)).unwrap_or_default();
        let count = told.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok());
        count.unwrap_or_default()
    }

    /// Kill all there is in the group, and wait until nothing is left of it.
    pub(super) fn kill(&self, name: &str) -> Result<(), Fault> {
        // What is frozen cannot die.
        let _ = fs::write(self.dir("freezer", name).join("freezer.state"), "THAWED");
        let _ = fs::write(self.dir("freezer", name).join("cgroup.freeze"), "0");
        wait::until("end the sandbox's processes", || {
            let left = self.processes(name);
            for &process in &left {
                let _ = kill_process(process, Signal::KILL);
            }
            left.is_empty()
        })
    }

    /// Remove the group from every tree, and the directories above it once they are empty.
    pub(super) fn remove(&self, name: &str) -> Result<(), Fault> {
        for root in self.trees.roots() {
            let group = root.join(TOP).join(&self.instance).join(name);
            // The kernel counts a dead process a moment longer than it lists it.
            wait::until("remove the sandbox's control group", || match fs::remove_dir(&group) {
                Ok(()) => true,
                Err(error) => error.kind() == io::ErrorKind::NotFound,
            })?;
            let _ = fs::remove_dir(root.join(TOP).join(&self.instance));
            let _ = fs::remove_dir(root.join(TOP));
        }
        Ok(())
    }

    /// The names of all groups here.
    pub(super) fn names(&self) -> Vec<String> {
        let dirs = self.trees.roots().into_iter().map(|root| root.join(TOP).join(&self.instance));
        let mut names: Vec<String> = dirs
            .flat_map(|dir| super::place::names(&dir).into_iter().filter(move |name| dir.join(name).is_dir()))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn dir(&self, controller: &str, name: &str) -> PathBuf {
        self.trees.of(controller).join(TOP).join(&self.instance).join(name)
    }

    /// Another sandbox's end may take an empty parent away just before a child is made in it.
    fn make_dir(&self, dir: &Path) -> Result<(), Fault> {
        let mut tries = 0;
        loop {
            match fs::create_dir_all(dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 100 => tries += 1,
                done => return done.doing("make the sandbox's control group"),
            }
        }
    }
}

fn write(file: &Path, value: &str) -> Result<(), Fault> {
    fs::write(file, value).doing(&format!("set {}", file.display()))
}

/// Machines without swap accounting lack the files about swap.
fn write_if_there(file: &Path, value: &str) -> Result<(), Fault> {
    if file.exists() { write(file, value) } else { Ok(()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const HYBRID: &str = "\
        30 1 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
        31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:1 - cgroup cgroup rw,cpu,cpuacct\n\
        32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
        33 30 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
        34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    const UNIFIED: &str = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn a_hybrid_machine_is_used_by_version_one() {
        let trees = Trees::read(HYBRID, |_| "hugetlb".to_owned()).unwrap();
        assert_eq!(trees.of("cpuacct"), Path::new("/sys/fs/cgroup/cpu,cpuacct"));
        assert_eq!(trees.roots().len(), 4);
    }

    #[test]
    fn a_unified_machine_needs_its_controllers() {
        let trees = Trees::read(UNIFIED, |_| "cpu io memory pids".to_owned());
        assert_eq!(trees, Ok(Trees::One(PathBuf::from("/sys/fs/cgroup"))));
        assert_eq!(Trees::read(UNIFIED, |_| "cpu io".to_owned()), Err(vec!["memory", "pids"]));
        assert_eq!(Trees::read("", |_| String::new()), Err(NEEDED.to_vec()));
    }

    #[test]
    fn limits_are_written_in_the_words_of_either_version() {
        let root = tempfile::tempdir().unwrap();
        let limits = Limits::new(&Resources { cpu: 2, memory_gib: 1, disk_gib: 3, gpu: 0 }, 99);
        for (trees, file, value) in [
            (Trees::One(root.path().join("one")), "one/hourglass/i/s/cpu.max", "200000 100000"),
            (
                Trees::Each(NEEDED.iter().map(|c| ((*c).to_owned(), root.path().join(c))).collect()),
                "memory/hourglass/i/s/memory.limit_in_bytes",
                "1073741824",
            ),
        ] {
            for tree in trees.roots() {
                fs::create_dir_all(tree).unwrap();
            }
            let groups = Groups::new(trees, "i".to_owned());
            groups.make("s", limits).unwrap();
            assert_eq!(fs::read_to_string(root.path().join(file)).unwrap(), value);
            assert_eq!(groups.names(), vec!["s"]);
        }
    }
}
