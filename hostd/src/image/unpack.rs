//! Unpacking a root file system from a tar file, whatever it is compressed with.
//!
//! Paths cannot lead out of the image: the tar crate refuses that. Device nodes are left out; the white-outs of
//! layered images are refused, because one tar is a whole image here.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{ImageError, Making, Progress};

/// Unpack `tar` into `rootfs`.
pub(super) fn unpack(tar: &Path, rootfs: &Path, progress: &dyn Progress) -> Result<(), ImageError> {
    progress.phase("unpacking the image");
    let bad = |why: String| ImageError::BadTar { path: tar.to_owned(), why };
    let mut file = File::open(tar).map_err(|error| bad(error.to_string()))?;
    let whole = file.metadata().making("read the tar")?.len().max(1);
    let mut magic = [0; 4];
    let known = file.read(&mut magic).making("read the tar")?;
    file.rewind().making("read the tar")?;

    let passed = Arc::new(AtomicU64::new(0));
    let counted = BufReader::with_capacity(1 << 20, Counted { inner: file, passed: Arc::clone(&passed) });
    let plain: Box<dyn Read> = match magic.get(..known) {
        Some([0x1f, 0x8b, ..]) => Box::new(flate2::read::MultiGzDecoder::new(counted)),
        Some([0x28, 0xb5, 0x2f, 0xfd]) => Box::new(
            ruzstd::decoding::StreamingDecoder::new(counted).map_err(|error| bad(error.to_string()))?,
        ),
        _ => Box::new(counted),
    };
    fs::create_dir(rootfs).making("make the image's directory")?;
    let mut archive = tar::Archive::new(plain);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(true);
    archive.set_unpack_xattrs(true);
    for entry in archive.entries().map_err(|error| bad(error.to_string()))? {
        let mut entry = entry.map_err(|error| bad(error.to_string()))?;
        let kind = entry.header().entry_type();
        if kind.is_character_special() || kind.is_block_special() || kind.is_fifo() {
            continue;
        }
        let path = entry.path().map_err(|error| bad(error.to_string()))?.into_owned();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".wh.")) {
            return Err(bad(format!(
                "{} is a white-out; flatten the image's layers into one tar",
                path.display()
            )));
        }
        match entry.unpack_in(rootfs) {
            Ok(true) => {}
            Ok(false) => return Err(bad(format!("{} leads out of the image", path.display()))),
            Err(error) if is_full(&error) => return Err(ImageError::NoSpace("unpack the image")),
            Err(error) => return Err(bad(causes(&error))),
        }
        progress.fraction(0.9 * share(passed.load(Ordering::Relaxed), whole));
    }
    Ok(())
}

/// The tar crate wraps the error that says why.
fn chain(error: &io::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source())
}

fn is_full(error: &io::Error) -> bool {
    let full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
    chain(error).any(|error| error.downcast_ref::<io::Error>().is_some_and(full))
}

fn causes(error: &io::Error) -> String {
    let told: Vec<String> = chain(error).map(ToString::to_string).collect();
    told.join(": ")
}

#[allow(clippy::cast_precision_loss, reason = "a bar on a screen")]
fn share(done: u64, whole: u64) -> f32 {
    (done as f32 / whole as f32).min(1.0)
}

/// Counts what is read.
#[derive(Debug)]
struct Counted {
    inner: File,
    passed: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.passed.fetch_add(u64::try_from(read).unwrap_or_default(), Ordering::Relaxed);
        Ok(read)
    }
}
