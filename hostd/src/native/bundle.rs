//! What the container library is told to make, in the words of the OCI runtime specification.
//!
//! Everything a sandbox may see or do is decided here, but for the system call filter, which its agent sets.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use hourglass_agent::place;
use hourglass_events::{Fault, Plan};
use rustix::process::{Resource, getrlimit};
use serde_json::{Value, json};

use super::cgroup::Limits;
use super::doing::Doing;
use super::place::{LifePlaces, names};
use crate::image::Settings;

/// What root in a sandbox may do: own files, change identity, end processes, bind low ports.
pub const CAPABILITIES: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// What must not even be read: it tells of the host or of its other tenants.
pub const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/bootconfig",
    "/proc/buddyinfo",
    "/proc/cmdline",
    "/proc/consoles",
    "/proc/diskstats",
    "/proc/driver",
    "/proc/interrupts",
    "/proc/iomem",
    "/proc/ioports",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/kmsg",
    "/proc/kpagecgroup",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/latency_stats",
    "/proc/mdstat",
    "/proc/modules",
    "/proc/mtrr",
    "/proc/pagetypeinfo",
    "/proc/partitions",
    "/proc/pressure",
    "/proc/sched_debug",
    "/proc/schedstat",
    "/proc/scsi",
    "/proc/slabinfo",
    "/proc/softirqs",
    "/proc/swaps",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/vmallocinfo",
    "/proc/zoneinfo",
    "/sys/block",
    "/sys/bus",
    "/sys/class/bdi",
    "/sys/class/block",
    "/sys/class/dmi",
    "/sys/dev",
    "/sys/devices/virtual/bdi",
    "/sys/devices/virtual/block",
    "/sys/devices/virtual/dmi",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/ext4",
    "/sys/hypervisor",
    "/sys/kernel",
    "/sys/module",
    "/sys/power",
];

/// The devices of a machine that programs count processors and look for networks in; all others are masked, whatever
/// their kinds are called on this machine.
const SEEN_DEVICES: [&str; 2] = ["system", "virtual"];

/// The most files a process may have open, as far as this process may pass that on. Root in a sandbox cannot raise it.
///
/// How many processes there are is for the control group alone: the kernel counts the other limit for each user across
/// all sandboxes, so one of them could take it from the others.
const FILES_MOST: u64 = 65_536;

/// What may be read and never written.
const READ_ONLY: &[&str] = &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Where programs are looked for unless the image says otherwise.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a bundle is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contents<'a> {
    pub(super) plan: &'a Plan,
    pub(super) settings: &'a Settings,
    pub(super) limits: Limits,
    /// The agent's program on the host.
    pub(super) agent: &'a Path,
    /// The group, from the root of each tree.
    pub(super) group: &'a str,
    /// The kernel's account of the group's memory.
    pub(super) memory: &'a Path,
}

/// Write the bundle of one life, and the files that show its limits.
pub(super) fn write(places: &LifePlaces, contents: &Contents<'_>) -> Result<(), Fault> {
    show(places, contents.limits)?;
    for dir in [places.bundle(), places.state()] {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).doing("make the sandbox's bundle")?;
    }
    let config = config(places, contents).to_string();
    fs::write(places.bundle().join("config.json"), config).doing("write the sandbox's bundle")
}

/// Write the limits where the sandbox reads them: in place, because it has these very files mounted.
pub(super) fn show(places: &LifePlaces, limits: Limits) -> Result<(), Fault> {
    fs::create_dir_all(places.limits()).doing("make the directory of limits")?;
    for (name, text) in limits.shown() {
        fs::write(places.limits().join(name), text).doing("show the sandbox its limits")?;
    }
    Ok(())
}

fn config(places: &LifePlaces, contents: &Contents<'_>) -> Value {
    let Contents { plan, settings, agent, group, memory, limits: _ } = *contents;
    let hostname = hostname(&plan.name);
    let mut arguments = vec![place::PROGRAM.to_owned(), hostname.clone(), plan.user.clone()];
    arguments.extend(settings.entrypoint.iter().cloned());
    let environment: Vec<_> =
        environment(plan, settings).iter().map(|(name, value)| format!("{name}={value}")).collect();
    // Nothing is inheritable or ambient: who is not root in the sandbox has no capability at all.
    let capabilities = json!({
        "bounding": CAPABILITIES, "effective": CAPABILITIES, "permitted": CAPABILITIES,
        "inheritable": [], "ambient": [],
    });
    let mut namespaces: Vec<Value> =
        ["pid", "mount", "uts", "ipc", "cgroup"].iter().map(|kind| json!({ "type": kind })).collect();
    // Made before, so that its rules hold from the first instruction on.
    namespaces.push(json!({ "type": "network", "path": places.space() }));
    let files = getrlimit(Resource::Nofile).maximum.map_or(FILES_MOST, |most| most.min(FILES_MOST));
    json!({
        "ociVersion": "1.0.2",
        "hostname": hostname,
        "root": { "path": places.root(), "readonly": false },
        "process": {
            "terminal": false, "user": { "uid": 0, "gid": 0 }, "cwd": "/",
            "args": arguments, "env": environment,
            "capabilities": capabilities, "noNewPrivileges": true,
            // What a program that crashed had in memory is written nowhere.
            "rlimits": [
                { "type": "RLIMIT_NOFILE", "soft": files, "hard": files },
                { "type": "RLIMIT_CORE", "soft": 0, "hard": 0 },
            ],
        },
        "mounts": mounts(places, agent, memory),
        "linux": {
            "cgroupsPath": group,
            "namespaces": namespaces,
            "maskedPaths": masked(), "readonlyPaths": READ_ONLY,
        },
    })
}

/// What every program inherits: the usual, then the image's own, then the sandbox's, the last word of each name.
fn environment<'a>(plan: &'a Plan, settings: &'a Settings) -> BTreeMap<&'a str, &'a str> {
    let mut environment = BTreeMap::from([("PATH", PATH), ("HOME", "/root"), ("LANG", "C.UTF-8")]);
    environment.extend(settings.env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    environment.extend(plan.values.expose());
    environment
}

/// What is masked on this machine.
fn masked() -> Vec<String> {
    let devices = names(Path::new("/sys/devices")).into_iter();
    let unseen = devices.filter(|name| !SEEN_DEVICES.contains(&name.as_str()));
    let unseen = unseen.map(|name| format!("/sys/devices/{name}"));
    MASKED.iter().map(|path| (*path).to_owned()).chain(unseen).collect()
}

fn mounts(places: &LifePlaces, agent: &Path, memory: &Path) -> Value {
    let mount = |at: &str, kind: &str, options: &[&str]| json!({ "destination": at, "type": kind, "source": kind, "options": options });
    let bind = |at: &str, from: &Path, options: &[&str]| json!({ "destination": at, "type": "bind", "source": from, "options": options });
    json!([
        mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/dev", "tmpfs", &["nosuid", "noexec", "strictatime", "mode=755", "size=64k"]),
        mount(
            "/dev/pts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
        ),
        mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        bind("/sys/fs/cgroup", &places.limits(), &["bind", "nosuid", "noexec", "nodev", "ro"]),
        bind(place::PROGRAM, agent, &["bind", "nosuid", "nodev", "ro"]),
        bind(place::MEMORY, memory, &["bind", "nosuid", "noexec", "nodev", "ro"]),
        bind(place::SHARED, &places.shared(), &["bind", "nosuid", "noexec", "nodev", "rw"]),
    ])
}

/// `name` as a hostname: at most 63 characters, those a hostname may have, a dash for any other.
fn hostname(name: &str) -> String {
    let fitting =
        |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_' { c } else { '-' };
    name.chars().map(fitting).take(63).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_gives_a_hostname() {
        assert_eq!(hostname("web-1.example"), "web-1.example");
        assert_eq!(hostname("mein Büro"), "mein-B-ro");
        assert_eq!(hostname(&"ü".repeat(255)).len(), 63);
    }
}
