//! What a test needs of its machine. Where that is missing it is skipped by name and out loud, or fails when it must
//! not be skipped.

use std::io::Write as _;
use std::sync::OnceLock;

use hourglass_hostd::image::missing_packages;
use hourglass_hostd::native::{Config, NativeDriver};

use crate::sdk::Sdk;

/// Names, with commas between, what must not be missing.
pub const VARIABLE: &str = "HOURGLASS_REQUIRE";

/// Something not every machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To be root.
    Root,
    /// All that native containers need, a base image of Debian's packages included.
    Native,
    /// The public SDKs, from their package indexes.
    Sdk,
}

impl Need {
    /// How it is named where it is required.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Native => "native",
            Self::Sdk => "sdk",
        }
    }

    /// Why it is not to be had here, if it is not.
    #[must_use]
    pub fn obstacle(self) -> Option<String> {
        static NATIVE: OnceLock<Option<String>> = OnceLock::new();
        match self {
            Self::Root => (!rustix::process::geteuid().is_root()).then(|| "this is not root".to_owned()),
            Self::Native => NATIVE.get_or_init(no_containers).clone(),
            Self::Sdk => Sdk::Python.obstacle().or_else(|| Sdk::TypeScript.obstacle()),
        }
    }
}

/// Whether `test` may go on. Says so when it may not, and fails when that is not to be.
#[must_use]
pub fn may_run(test: &str, need: Need) -> bool {
    let Some(why) = need.obstacle() else { return true };
    let required = std::env::var(VARIABLE).unwrap_or_default();
    assert!(
        !required.split(',').any(|word| word == need.name()),
        "{test} is required to run and cannot: {why}"
    );
    // Not by a macro, whose output the test runner keeps to itself when the test passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
    false
}

fn no_containers() -> Option<String> {
    let missing = missing_packages();
    if !missing.is_empty() {
        return Some(format!("not installed: {}", missing.join(" ")));
    }
    let dir = tempfile::tempdir().unwrap();
    // On a thread of its own, because whoever asks may already run in a runtime.
    let open = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(NativeDriver::new(Config::new(dir.path()))).err().map(|error| error.to_string())
    };
    std::thread::scope(|scope| scope.spawn(open).join().unwrap())
}
