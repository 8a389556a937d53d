//! The disk of a sandbox: a sparse file with an ext4 on it, attached as a loop device while the sandbox runs.
//!
//! A file system of its own is what makes the limit hard, and what `df` inside shows. Growing and copying disks are
//! not here yet.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hourglass_events::Fault;

use super::doing::Doing;
use super::helper;
use super::lock::Lock;
use super::place::{Life, Places};
use super::pool::Stock;
use crate::step;

/// Free space the host keeps: a disk is sparse, but an image that cannot even be formatted helps nobody.
const RESERVE: u64 = 256 << 20;

/// How long a loop device that was told to go may stay before it is left to the kernel.
const HELD: Duration = Duration::from_secs(2);

/// Make the disk of `life`, unless the sandbox has one.
pub(super) fn provision(
    places: &Places,
    stock: &Stock,
    life: Life,
    gib: u32,
    lock: &Lock,
) -> Result<(), Fault> {
    for disk in places.found_disks(Some(life.sandbox)) {
        if disk.whole {
            return Ok(());
        }
        fs::remove_file(&disk.path).doing("remove a half-made disk")?;
    }
    let whole = places.disk(life);
    if stock.take_disk(gib, &whole)? {
        step::done("disk.taken");
    } else {
        make(&whole, gib, lock)?;
    }
    sync_directory(&places.disks())?;
    step::done("disk.named");
    Ok(())
}

/// Make a disk of this size: the file `whole`, which is not there until it is whole.
pub(super) fn make(whole: &Path, gib: u32, lock: &Lock) -> Result<(), Fault> {
    let directory = whole.parent().unwrap_or(whole);
    let room = rustix::fs::statvfs(directory).doing("look for room for the disk")?;
    if room.f_bavail.saturating_mul(room.f_frsize) < RESERVE {
        return Err(Fault::NoSpace { doing: "make the sandbox's disk".to_owned() });
    }
    let part = whole.with_extension("img.part");
    let file = File::create_new(&part).doing("make the disk's file")?;
    file.set_len(u64::from(gib) << 30).doing("size the disk's file")?;
    step::done("disk.made");
    format(&part, lock)?;
    step::done("disk.formatted");
    // A sandbox that was reported as created must be there after a power cut.
    file.sync_data().doing("write the disk to storage")?;
    fs::rename(&part, whole).doing("name the disk")
}

/// Put an empty file system on the file, leaving its tables and journal as the holes they are.
fn format(image: &Path, lock: &Lock) -> Result<(), Fault> {
    let mut mkfs = Command::new("mkfs.ext4");
    // Nothing is reserved for root, because root in a sandbox is its user.
    mkfs.args(["-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"]).arg(image);
    helper::run(&mut mkfs, lock, "format the disk").map(drop)
}

/// Make a rename in `directory` last.
fn sync_directory(directory: &Path) -> Result<(), Fault> {
    File::open(directory).and_then(|dir| dir.sync_all()).doing("write the directory of disks to storage")
}

/// Attach the image as a loop device, or find the one it is attached as.
pub(super) fn attach(image: &Path, lock: &Lock) -> Result<PathBuf, Fault> {
    if let Some(device) = attached(image).into_iter().next() {
        return Ok(device);
    }
    let mut losetup = Command::new("losetup");
    losetup.args(["--find", "--show"]).arg(image);
    helper::run(&mut losetup, lock, "attach the disk as a loop device").map(PathBuf::from)
}

/// Detach the image from every loop device it is on.
///
/// A mount namespace made by somebody else while the sandbox ran has a copy of its mount and holds the device. The
/// kernel lets go of it when that namespace ends, and until then the device can be used again for the same image; a
/// sandbox that cannot be stopped would be worse.
pub(super) fn release(image: &Path, lock: &Lock) -> Result<(), Fault> {
    for device in attached(image) {
        let mut losetup = Command::new("losetup");
        losetup.arg("--detach").arg(&device);
        let detached = helper::run(&mut losetup, lock, "release the disk's loop device");
        // The kernel releases a device by itself when its last user goes, which may be between the two.
        if attached(image).contains(&device) {
            detached?;
            if !super::wait::within(HELD, || !attached(image).contains(&device)) {
                tracing::warn!(device = %device.display(), "another mount namespace still holds a sandbox's disk");
            }
        }
    }
    Ok(())
}

/// The loop devices `image` is on, as the kernel tells.
fn attached(image: &Path) -> Vec<PathBuf> {
    let names = super::place::names(Path::new("/sys/block"));
    let on = |name: &String| {
        let told = fs::read_to_string(format!("/sys/block/{name}/loop/backing_file")).unwrap_or_default();
        Path::new(told.trim_end_matches('\n')) == image
    };
    names
        .into_iter()
        .filter(|name| name.starts_with("loop") && on(name))
        .map(|name| Path::new("/dev").join(name))
        .collect()
}
