//! Whether this machine can run native containers, and if not, what to do about it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cgroup::Trees;
use super::net::Network;

/// Free space below which nothing is begun: a base image alone takes a good part of it.
const ROOM: u64 = 1 << 30;

/// Programs the driver runs, and the Debian package each is in.
pub(crate) const TOOLS: &[(&str, &str)] = &[("mkfs.ext4", "e2fsprogs"), ("losetup", "mount"), FIREWALL];

/// The one that only networks need.
const FIREWALL: (&str, &str) = ("nft", "nftables");

/// What stands in the way of native containers on this machine.
#[derive(Debug, thiserror::Error)]
pub enum Preflight {
    /// Not root.
    #[error(
        "native containers need root, and this is user {uid}; run it with sudo, or use the scripted driver"
    )]
    NotRoot {
        /// Who it is.
        uid: u32,
    },
    /// The limits could not be kept.
    #[error(
        "the control group controllers {} are not mounted; mount cgroup2 on /sys/fs/cgroup (systemd does), or in a \
         container start it with --privileged --cgroupns=host",
        missing.join(", ")
    )]
    NoCgroups {
        /// The controllers that were not found.
        missing: Vec<&'static str>,
    },
    /// No loop devices.
    #[error(
        "there are no loop devices (/dev/loop-control is missing); run `modprobe loop`, or give the container /dev"
    )]
    NoLoopDevices,
    /// A file system the kernel does not have.
    #[error("the kernel has no {name} file system; run `modprobe {name}`, or boot a kernel that has it")]
    NoFileSystem {
        /// Which.
        name: &'static str,
    },
    /// A program that is not installed.
    #[error("{tool} is not installed; run `apt-get install {package}`")]
    NoTool {
        /// The program.
        tool: &'static str,
        /// The Debian package it is in.
        package: &'static str,
    },
    /// The disk is full.
    #[error("{} has only {} MiB free and sandboxes need at least {} MiB; free some, or use another data directory", path.display(), free >> 20, ROOM >> 20)]
    NoRoom {
        /// The data directory.
        path: PathBuf,
        /// Bytes free.
        free: u64,
    },
    /// A path that cannot be named in mount options.
    #[error("the data directory {} has a comma, colon, backslash or newline in its path, which mounts cannot express; use another", path.display())]
    BadPath {
        /// The path.
        path: PathBuf,
    },
    /// A directory that cannot be used.
    #[error("cannot use {}: {error}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// Whether this is root. Asked first, because without it nothing else can be found out.
pub(super) fn root() -> Result<(), Preflight> {
    let user = rustix::process::geteuid();
    if user.is_root() { Ok(()) } else { Err(Preflight::NotRoot { uid: user.as_raw() }) }
}

/// Look at the machine; its control groups if all is well.
pub(super) fn check(data: &Path, network: &Network) -> Result<Trees, Preflight> {
    for (tool, package) in TOOLS {
        let needed = *network != Network::LoopbackOnly || *tool != FIREWALL.0;
        if needed && !installed(tool) {
            return Err(Preflight::NoTool { tool, package });
        }
    }
    for name in ["overlay", "ext4"] {
        if !has_file_system(name) {
            return Err(Preflight::NoFileSystem { name });
        }
    }
    if !Path::new("/dev/loop-control").exists() {
        load("loop");
        if !Path::new("/dev/loop-control").exists() {
            return Err(Preflight::NoLoopDevices);
        }
    }
    if data.to_str().is_none_or(|path| path.contains([',', ':', '\\', '\n'])) {
        return Err(Preflight::BadPath { path: data.to_owned() });
    }
    let unusable =
        |error: rustix::io::Errno| Preflight::Unusable { path: data.to_owned(), error: error.into() };
    let room = rustix::fs::statvfs(data).map_err(unusable)?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    if free < ROOM {
        return Err(Preflight::NoRoom { path: data.to_owned(), free });
    }
    Trees::detect().map_err(|missing| Preflight::NoCgroups { missing })
}

/// Whether a program is on the path, or where administrators' programs are.
pub(crate) fn installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    dirs.into_iter().any(|dir| dir.join(tool).is_file())
}

fn has_file_system(name: &str) -> bool {
    let known = || {
        let listed = fs::read_to_string("/proc/filesystems").unwrap_or_default();
        listed.split_whitespace().any(|word| word == name)
    };
    known() || {
        load(name);
        known()
    }
}

/// Ask for a kernel module; whether it helped is seen by what it brings.
fn load(module: &str) {
    let _ = Command::new("modprobe").args(["-q", module]).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_control_groups_is_told_which_and_how_to_mount_them() {
        let told = Preflight::NoCgroups { missing: vec!["cpu", "memory"] }.to_string();
        assert_eq!(
            told,
            "the control group controllers cpu, memory are not mounted; mount cgroup2 on /sys/fs/cgroup (systemd \
             does), or in a container start it with --privileged --cgroupns=host"
        );
    }

    #[test]
    fn a_machine_without_loop_devices_is_told_how_to_get_them() {
        assert_eq!(
            Preflight::NoLoopDevices.to_string(),
            "there are no loop devices (/dev/loop-control is missing); run `modprobe loop`, or give the container /dev"
        );
    }

    #[test]
    fn a_machine_without_a_tool_a_file_system_or_room_is_told_what_to_do() {
        let told = [
            Preflight::NoTool { tool: "nft", package: "nftables" },
            Preflight::NoFileSystem { name: "overlay" },
            Preflight::NoRoom { path: PathBuf::from("/data"), free: 5 << 20 },
            Preflight::NotRoot { uid: 7 },
        ]
        .map(|obstacle| obstacle.to_string());
        assert_eq!(
            told,
            [
                "nft is not installed; run `apt-get install nftables`",
                "the kernel has no overlay file system; run `modprobe overlay`, or boot a kernel that has it",
                "/data has only 5 MiB free and sandboxes need at least 1024 MiB; free some, or use another data \
                 directory",
                "native containers need root, and this is user 7; run it with sudo, or use the scripted driver",
            ]
        );
    }
}
