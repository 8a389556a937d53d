//! A data directory with a base image, and the image all of them share.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hourglass_events::Image;
use hourglass_hostd::Driver as _;
use hourglass_hostd::image::{Progress, Recipe, Store};
use hourglass_hostd::native::{Config, NativeDriver};

use crate::census::Census;

/// Names the directory in which images are kept between runs.
pub const CACHE: &str = "HOURGLASS_TEST_CACHE";

/// A data directory of its own. What a failing test leaves there running is taken off the machine all the same.
#[derive(Debug)]
pub struct Ground {
    dir: tempfile::TempDir,
}

impl Ground {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix("hourglass-test-").tempdir().unwrap() }
    }

    /// One with the Debian base image, at which `entrypoint` runs in every sandbox; and that image.
    #[must_use]
    pub fn with_image(entrypoint: &[&str]) -> (Self, Image) {
        let ground = Self::new();
        let images = ground.data().join("host/images");
        let digest = format!("entered-{}", blake3::hash(entrypoint.join("\n").as_bytes()).to_hex());
        let dir = images.join(&digest);
        fs::create_dir_all(&dir).unwrap();
        let base = debian();
        symlink(cached().join(&base.digest).join("rootfs"), dir.join("rootfs")).unwrap();
        let words: Vec<String> = entrypoint.iter().map(|word| format!("{word:?}")).collect();
        fs::write(dir.join("image.json"), format!("{{\"entrypoint\":[{}]}}", words.join(","))).unwrap();
        (ground, Image { digest })
    }

    /// One with the image that `hourglass demo` would build, so that it finds it built.
    #[must_use]
    pub fn with_debian() -> Self {
        debian();
        Self::with_built()
    }

    /// The same with the image that `hourglass up` would build.
    #[must_use]
    pub fn with_runtimes() -> Self {
        static BUILT: OnceLock<Image> = OnceLock::new();
        BUILT.get_or_init(|| build(&Recipe::runtimes()));
        Self::with_built()
    }

    /// One with every image that was built before.
    fn with_built() -> Self {
        let ground = Self::new();
        let images = ground.data().join("host/images");
        fs::create_dir_all(images.join("recipes")).unwrap();
        let noted = fs::read_dir(cached().join("recipes")).unwrap().flatten();
        // Another builder may be noting one.
        for recipe in noted.filter(|recipe| recipe.path().extension().is_none()) {
            let digest = fs::read_to_string(recipe.path()).unwrap();
            symlink(cached().join(&digest), images.join(&digest)).unwrap();
            fs::write(images.join("recipes").join(recipe.file_name()), digest).unwrap();
        }
        ground
    }

    /// The directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.dir.path()
    }
}

impl Default for Ground {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if Census::of(self.data()).is_quiet() {
            return;
        }
        let tidy = || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let driver = NativeDriver::new(Config::new(self.data().join("host"))).await.unwrap();
                for found in driver.survey().await.unwrap() {
                    driver.erase(found.sandbox).await.unwrap();
                }
            });
        };
        // On a thread of its own, because the failing test may already run in a runtime.
        if std::thread::scope(|scope| scope.spawn(tidy).join()).is_err() {
            let _ = writeln!(std::io::stderr(), "could not tidy up {}", self.data().display());
        }
    }
}

/// Where images are kept between runs.
fn cache() -> PathBuf {
    let named = std::env::var_os(CACHE).map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-cache"))
}

fn cached() -> PathBuf {
    cache().canonicalize().unwrap().join("images")
}

/// The Debian base image, built once for all tests.
fn debian() -> Image {
    static BUILT: OnceLock<Image> = OnceLock::new();
    BUILT.get_or_init(|| build(&Recipe::default())).clone()
}

fn build(recipe: &Recipe) -> Image {
    Store::new(&cache()).build(recipe, &Loud).unwrap()
}

struct Loud;

impl Progress for Loud {
    fn phase(&self, what: &str) {
        let _ = writeln!(std::io::stderr(), "base image: {what}");
    }

    fn fraction(&self, _done: f32) {}
}
