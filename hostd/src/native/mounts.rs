//! The mounts of one life: its disk, the root made of base image and disk, and the directory shared with its agent.
//!
//! They are in the host's own mount namespace and the sandbox has its copies, so they are taken away by hand when it
//! has ended; what is mounted is read back from the kernel, never remembered.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use hourglass_events::Fault;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::doing::Doing;
use super::place::LifePlaces;
use crate::step;

/// Mount the disk on `device` and, over `base`, the root.
pub(super) fn make(places: &LifePlaces, device: &Path, base: &Path) -> Result<(), Fault> {
    let disk = places.disk();
    // No device node made in a sandbox's files may ever work.
    mount(device, &disk, "ext4", MountFlags::NODEV | MountFlags::NOSUID, None).doing("mount the disk")?;
    step::done("disk.mounted");

    let (upper, work) = (disk.join("upper"), disk.join("work"));
    for dir in [&upper, &work] {
        DirBuilder::new().recursive(true).mode(0o755).create(dir).doing("lay out the disk")?;
    }
    let layers =
        format!("lowerdir={},upperdir={},workdir={}", base.display(), upper.display(), work.display());
    let layers = std::ffi::CString::new(layers).map_err(std::io::Error::from).doing("name the layers")?;
    mount(
        "overlay",
        places.root(),
        "overlay",
        MountFlags::NODEV | MountFlags::NOSUID,
        Some(layers.as_c_str()),
    )
    .doing("mount the root over the base image")?;
    step::done("overlay.mounted");

    // Small and in memory: a sandbox must not fill its host's storage through the one directory both can write.
    mount("tmpfs", places.shared(), "tmpfs", shared_flags(), Some(c"size=256k,nr_inodes=64,mode=700"))
        .doing("mount the agent's directory")?;
    step::done("shared.mounted");
    Ok(())
}

fn shared_flags() -> MountFlags {
    MountFlags::NODEV | MountFlags::NOSUID | MountFlags::NOEXEC
}

/// Unmount everything below `dir`, last mounted first.
pub(super) fn clear(dir: &Path) -> Result<(), Fault> {
    loop {
        let Some(last) = below(dir).doing("read what is mounted")?.pop() else { return Ok(()) };
        match unmount(&last, UnmountFlags::empty()) {
            // Somebody on the host looks into it. It goes from sight at once and for good when they leave.
            Err(rustix::io::Errno::BUSY) => {
                unmount(&last, UnmountFlags::DETACH).doing("unmount the sandbox's files")?;
            }
            done => done.doing("unmount the sandbox's files")?,
        }
    }
}

/// What is mounted at or below `dir`, in the order it was mounted.
pub(crate) fn below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    // Bytes, because a mount of somebody else's may have any name.
    let table = fs::read("/proc/self/mountinfo")?;
    let fields =
        table.split(|&byte| byte == b'\n').filter_map(|line| line.split(|&byte| byte == b' ').nth(4));
    Ok(fields.map(unescape).filter(|point| point.starts_with(dir)).collect())
}

/// A path as the kernel writes it in its tables: space, tab, newline and backslash in octal.
fn unescape(mut path: &[u8]) -> PathBuf {
    let mut plain = Vec::with_capacity(path.len());
    while let [first, rest @ ..] = path {
        let (byte, rest) = match path {
            [b'\\', b'0', b'4', b'0', rest @ ..] => (b' ', rest),
            [b'\\', b'0', b'1', b'1', rest @ ..] => (b'\t', rest),
            [b'\\', b'0', b'1', b'2', rest @ ..] => (b'\n', rest),
            [b'\\', b'1', b'3', b'4', rest @ ..] => (b'\\', rest),
            _ => (*first, rest),
        };
        plain.push(byte);
        path = rest;
    }
    PathBuf::from(OsString::from_vec(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_escapes_are_undone() {
        assert_eq!(unescape(b"/a\\040b\\134c"), Path::new("/a b\\c"));
        assert_eq!(unescape(b"/a\\134040"), Path::new("/a\\040"));
    }
}
