//! Base images: directories that many sandboxes share as the bottom of their root, named by digest.
//!
//! One is built from Debian's packages ([`Store::build`]) or unpacked from a tar file ([`Store::import`]). Each is
//! made under another name, written to storage, then renamed, so that a name always means a whole image; what a
//! builder that was killed left behind is swept by the next. Registries are not here.
//!
//! ```text
//! <data>/images/<digest>/rootfs      the files, never written to again
//! <data>/images/<digest>/image.json  entrypoint and environment
//! <data>/images/recipes/<key>        the digest a recipe came to, so that it is built once
//! <data>/images/lock                 held by the one builder
//! ```

mod debian;
mod manifest;
mod recipe;
mod unpack;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use hourglass_events::Image;
use serde::{Deserialize, Serialize};

pub use self::debian::{install, missing_packages, missing_tools};
pub use self::recipe::{Program, Recipe};
use crate::native::mounted_below;

/// Hears how a long work goes on.
pub trait Progress: Send + Sync {
    /// What is being done from now on.
    fn phase(&self, what: &str);

    /// How much of the whole work is done, from 0 to 1.
    fn fraction(&self, done: f32);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unheard;

impl Progress for Unheard {
    fn phase(&self, _what: &str) {}

    fn fraction(&self, _done: f32) {}
}

/// What an image says beside its files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Settings {
    /// What runs in every sandbox from it; with none a sandbox idles until it is stopped.
    #[serde(default)]
    pub entrypoint: Vec<String>,
    /// Environment of everything that runs.
    #[serde(default)]
    pub env: Vec<(String, String)>,
}

/// An image that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its files.
    pub rootfs: PathBuf,
    /// What it says.
    pub settings: Settings,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It was never made here.
    #[error("it was not built or imported on this host")]
    Absent,
    /// Its name is none.
    #[error("{0:?} is not the name of an image")]
    BadName(String),
    /// Something the build needs is not installed.
    #[error("{} must be installed to build the base image; run `apt-get install {}`", .0.join(" and "), .0.join(" "))]
    Uninstalled(Vec<&'static str>),
    /// There is nowhere to get packages from.
    #[error(
        "no Debian package sources were found in /etc/apt; give a rootfs tar, or build on a Debian machine"
    )]
    NoSources,
    /// The suite is not known.
    #[error("this machine's Debian suite is not in /etc/os-release; name one")]
    NoSuite,
    /// A program failed.
    #[error("{program} failed: {said}")]
    Failed {
        /// Which.
        program: String,
        /// The last it said.
        said: String,
    },
    /// The tar is not to be used.
    #[error("{} cannot be unpacked: {why}", path.display())]
    BadTar {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The host's storage is full.
    #[error("the host's storage is full while it was to {0}; free some and build again")]
    NoSpace(&'static str),
    /// The operating system refused.
    #[error("could not {doing}: {error}")]
    System {
        /// The step.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

/// Says what a failing call was for.
trait Making<T> {
    fn making(self, doing: &'static str) -> Result<T, ImageError>;
}

impl<T> Making<T> for io::Result<T> {
    fn making(self, doing: &'static str) -> Result<T, ImageError> {
        self.map_err(|error| {
            let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
            if full { ImageError::NoSpace(doing) } else { ImageError::System { doing, error } }
        })
    }
}

/// The images of one data directory.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// The images of `data_dir`.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { dir: data_dir.join("images") }
    }

    /// The image, if it is here.
    pub fn find(&self, image: &Image) -> Result<Base, ImageError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if image.digest.is_empty() || !image.digest.chars().all(plain) {
            return Err(ImageError::BadName(image.digest.clone()));
        }
        let dir = self.dir.join(&image.digest);
        let settings = match fs::read(dir.join("image.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ImageError::Absent),
            read => serde_json::from_slice(&read.making("read the image's settings")?),
        };
        let settings = settings.map_err(io::Error::from).making("understand the image's settings")?;
        Ok(Base { rootfs: dir.join("rootfs"), settings })
    }

    /// The image `recipe` came to, if it was built before.
    #[must_use]
    pub fn built(&self, recipe: &Recipe) -> Option<Image> {
        let digest = fs::read_to_string(self.recipes().join(recipe.key())).ok()?;
        let image = Image { digest };
        self.find(&image).is_ok().then_some(image)
    }

    /// Build `recipe`, unless it was built before. Blocks, for a quarter of a minute to a whole one; waits for another
    /// builder.
    pub fn build(&self, recipe: &Recipe, progress: &dyn Progress) -> Result<Image, ImageError> {
        if let Some(image) = self.built(recipe) {
            return Ok(image);
        }
        let lock = self.lock(progress)?;
        if let Some(image) = self.built(recipe) {
            return Ok(image);
        }
        let part = self.begin()?;
        debian::build(recipe, &part.join("rootfs"), &lock, progress)?;
        let image = self.finish(&part, &Settings::default(), progress)?;
        fs::create_dir_all(self.recipes()).making("note the recipe")?;
        let noted = self.recipes().join(recipe.key());
        let fresh = noted.with_extension("part");
        fs::write(&fresh, &image.digest)
            .and_then(|()| fs::rename(&fresh, &noted))
            .making("note the recipe")?;
        Ok(image)
    }

    /// Unpack a tar of a root file system: plain, gzip or zstd. The same tar and settings give the same image.
    pub fn import(
        &self,
        tar: &Path,
        settings: &Settings,
        progress: &dyn Progress,
    ) -> Result<Image, ImageError> {
        let _lock = self.lock(progress)?;
        let part = self.begin()?;
        unpack::unpack(tar, &part.join("rootfs"), progress)?;
        self.finish(&part, settings, progress)
    }

    fn recipes(&self) -> PathBuf {
        self.dir.join("recipes")
    }

    /// Be the one builder, until dropped.
    fn lock(&self, progress: &dyn Progress) -> Result<File, ImageError> {
        fs::create_dir_all(&self.dir).making("make the directory of images")?;
        let lock = File::options().create(true).truncate(false).write(true).open(self.dir.join("lock"));
        let lock = lock.making("open the builders' lock")?;
        if lock.try_lock().is_err() {
            progress.phase("waiting for another builder");
            lock.lock().making("take the builders' lock")?;
        }
        Ok(lock)
    }

    /// An empty place to build in. Whatever is left in such places is swept, since no other builder is at work.
    fn begin(&self) -> Result<PathBuf, ImageError> {
        for entry in fs::read_dir(&self.dir).making("list the images")?.flatten() {
            if entry.file_name().to_string_lossy().starts_with("part.") {
                sweep(&entry.path())?;
            }
        }
        let part = self.dir.join(format!("part.{}", std::process::id()));
        fs::create_dir(&part).making("make a place to build in")?;
        Ok(part)
    }

    /// Name what was built by what it is, and make it last.
    fn finish(&self, part: &Path, settings: &Settings, progress: &dyn Progress) -> Result<Image, ImageError> {
        progress.phase("naming the image");
        let rootfs = part.join("rootfs");
        manifest::anonymize(&rootfs).making("take the host's traces out of the image")?;
        let said =
            serde_json::to_vec(settings).map_err(io::Error::from).making("write the image's settings")?;
        let digest = manifest::digest(&rootfs, &said).making("read the image")?;
        fs::write(part.join("image.json"), said).making("write the image's settings")?;
        progress.fraction(0.95);
        progress.phase("writing the image to storage");
        let held = File::open(part).making("write the image to storage")?;
        rustix::fs::syncfs(&held).map_err(io::Error::from).making("write the image to storage")?;

        let image = Image { digest };
        let whole = self.dir.join(&image.digest);
        if self.find(&image).is_ok() {
            sweep(part)?;
        } else {
            sweep(&whole)?;
            fs::rename(part, &whole).making("name the image")?;
            File::open(&self.dir).and_then(|dir| dir.sync_all()).making("name the image")?;
        }
        progress.fraction(1.0);
        Ok(image)
    }
}

/// Remove a half-built image, and first what its builder may have left mounted in it.
fn sweep(dir: &Path) -> Result<(), ImageError> {
    if !dir.exists() {
        return Ok(());
    }
    let dir = fs::canonicalize(dir).making("remove a half-built image")?;
    let inside = || mounted_below(&dir).making("read what is mounted");
    for point in inside()?.into_iter().rev() {
        let unmounted = rustix::mount::unmount(&point, rustix::mount::UnmountFlags::DETACH);
        unmounted.map_err(io::Error::from).making("unmount a half-built image")?;
    }
    // Through a mount, files of the host would be deleted.
    if let Some(point) = inside()?.first() {
        let error = io::Error::other(format!("{} is still mounted", point.display()));
        return Err(error).making("remove a half-built image");
    }
    fs::remove_dir_all(dir).making("remove a half-built image")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_deletes_nothing_through_a_mount() {
        let dir = tempfile::tempdir().unwrap();
        let (half, host) = (dir.path().join("a data directory/part.1"), dir.path().join("host"));
        fs::create_dir_all(half.join("rootfs/proc")).unwrap();
        fs::create_dir(&host).unwrap();
        fs::write(host.join("file"), "of the host").unwrap();
        if let Err(error) = rustix::mount::mount_bind(&host, half.join("rootfs/proc")) {
            eprintln!("SKIPPED a_sweep_deletes_nothing_through_a_mount: {error}");
            return;
        }
        sweep(&half).unwrap();
        assert!(!half.exists());
        assert_eq!(fs::read_to_string(host.join("file")).unwrap(), "of the host");
    }
}
