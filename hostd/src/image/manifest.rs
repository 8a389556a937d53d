//! The name of an image, from its files; and taking the building machine's traces out of them.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// BLAKE3 over every path with its kind, owner, mode and content, in order. Times are left out: they differ between
/// builds of the same thing.
pub(super) fn digest(rootfs: &Path, settings: &[u8]) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(settings);
    add(&mut hasher, rootfs, rootfs)?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn add(hasher: &mut blake3::Hasher, root: &Path, dir: &Path) -> io::Result<()> {
    let mut entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let meta = entry.metadata()?;
        let name = path.strip_prefix(root).unwrap_or(&path).as_os_str().as_bytes();
        hasher.update(&name.len().to_le_bytes()).update(name);
        for number in [meta.mode(), meta.uid(), meta.gid()] {
            hasher.update(&number.to_le_bytes());
        }
        if meta.is_dir() {
            add(hasher, root, &path)?;
        } else if meta.is_symlink() {
            hasher.update(fs::read_link(&path)?.as_os_str().as_bytes());
        } else if meta.is_file() {
            hasher.update(&meta.len().to_le_bytes()).update_reader(fs::File::open(&path)?)?;
        }
    }
    Ok(())
}

/// Remove what tells of the machine it was built on, and device nodes, which a sandbox never uses.
pub(super) fn anonymize(rootfs: &Path) -> io::Result<()> {
    let etc = rootfs.join("etc");
    // Inside the image a link may point anywhere; files are replaced, never written through.
    for name in ["hostname", "hosts", "resolv.conf", "machine-id"] {
        match fs::remove_file(etc.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    if fs::symlink_metadata(&etc).is_ok_and(|found| found.is_dir()) {
        fs::write(etc.join("resolv.conf"), "")?;
    }
    let dev = rootfs.join("dev");
    if fs::symlink_metadata(&dev).is_ok_and(|found| found.is_dir()) {
        for entry in fs::read_dir(&dev)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_char_device() || kind.is_block_device() {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}
