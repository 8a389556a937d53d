//! Where everything of a sandbox lies, and how its names carry the order that made it.
//!
//! ```text
//! <data>/disks/<sandbox>.<order>.img      the disk; `.part` behind it while it is made
//! <data>/images/<digest>/rootfs           base images (see `crate::image`)
//! <data>/programs/<name>-<digest>         the agent and the launcher
//! <run>/<sandbox>.lock                    held while something is done to the sandbox
//! <run>/<sandbox>.<order>/                one life of it: mount points, bundle, network namespace, marks
//! <data>/pool/, <run>/pool/               what is kept ready (see `super::pool`)
//! <run>/network.lock, .users, .nft        held while the bridge is made or taken away; who uses it; its rules
//! cgroup hourglass/<instance>/<sandbox>.<order>
//! ```

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hourglass_events::{OrderNumber, SandboxId};

/// One life of a sandbox: which, and the order that began it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Life {
    pub(super) sandbox: SandboxId,
    pub(super) number: OrderNumber,
}

impl Life {
    /// The name every object of this life bears.
    pub(super) fn name(self) -> String {
        format!("{}.{}", self.sandbox, self.number)
    }

    /// The life a name tells of.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (sandbox, number) = name.split_once('.')?;
        Some(Self { sandbox: sandbox.parse().ok()?, number: OrderNumber(number.parse().ok()?) })
    }
}

/// The directories of one driver.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) data: PathBuf,
    pub(super) run: PathBuf,
}

impl Places {
    pub(super) fn disks(&self) -> PathBuf {
        self.data.join("disks")
    }

    pub(super) fn programs(&self) -> PathBuf {
        self.data.join("programs")
    }

    pub(super) fn disk(&self, life: Life) -> PathBuf {
        self.disks().join(format!("{}.img", life.name()))
    }

    pub(super) fn lock(&self, sandbox: SandboxId) -> PathBuf {
        self.run.join(format!("{sandbox}.lock"))
    }

    pub(super) fn life(&self, life: Life) -> LifePlaces {
        LifePlaces { dir: self.run.join(life.name()) }
    }

    /// The lives with a directory here, of `sandbox` or of all.
    pub(super) fn lives(&self, sandbox: Option<SandboxId>) -> Vec<Life> {
        let mut lives: Vec<Life> = names(&self.run).iter().filter_map(|name| Life::parse(name)).collect();
        lives.retain(|life| sandbox.is_none_or(|sandbox| life.sandbox == sandbox));
        lives.sort_unstable();
        lives
    }

    /// The disks here, whole ones and halves, of `sandbox` or of all.
    pub(super) fn found_disks(&self, sandbox: Option<SandboxId>) -> Vec<FoundDisk> {
        let disks = self.disks();
        let found = names(&disks).into_iter().filter_map(|name| {
            let (stem, whole) = match name.strip_suffix(".img") {
                Some(stem) => (stem, true),
                None => (name.strip_suffix(".img.part")?, false),
            };
            Some(FoundDisk { life: Life::parse(stem)?, whole, path: disks.join(&name) })
        });
        found.filter(|disk| sandbox.is_none_or(|sandbox| disk.life.sandbox == sandbox)).collect()
    }

    /// The bytes all disks here and those that are `ready` take of the host's storage; they are sparse.
    pub(super) fn written(&self, ready: &[PathBuf]) -> u64 {
        let taken = |path: &PathBuf| fs::metadata(path).map_or(0, |file| file.blocks() * 512);
        self.found_disks(None).iter().map(|disk| &disk.path).chain(ready).map(taken).sum()
    }

    /// The whole disk of `sandbox`.
    pub(super) fn whole_disk(&self, sandbox: SandboxId) -> Option<FoundDisk> {
        self.found_disks(Some(sandbox)).into_iter().find(|disk| disk.whole)
    }
}

/// A disk image that was found.
#[derive(Debug, Clone)]
pub(super) struct FoundDisk {
    /// The sandbox, and the order that made it.
    pub(super) life: Life,
    /// Whether it was finished.
    pub(super) whole: bool,
    /// The file.
    pub(super) path: PathBuf,
}

/// The places of one life.
#[derive(Debug, Clone)]
pub(super) struct LifePlaces {
    pub(super) dir: PathBuf,
}

impl LifePlaces {
    /// Mount point of the disk.
    pub(super) fn disk(&self) -> PathBuf {
        self.dir.join("disk")
    }

    /// Mount point of the root the sandbox sees.
    pub(super) fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    /// Mount point of the small directory shared with the agent.
    pub(super) fn shared(&self) -> PathBuf {
        self.dir.join("shared")
    }

    /// What the sandbox sees as `/sys/fs/cgroup`.
    pub(super) fn limits(&self) -> PathBuf {
        self.dir.join("limits")
    }

    /// What the launcher makes the container from.
    pub(super) fn bundle(&self) -> PathBuf {
        self.dir.join("bundle")
    }

    /// Where the container library keeps its state.
    pub(super) fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// Where its network namespace is kept.
    pub(super) fn space(&self) -> PathBuf {
        self.dir.join("space")
    }

    /// Names the port of the bridge its network is joined by, written before the port is made.
    pub(super) fn port(&self) -> PathBuf {
        self.dir.join("port")
    }

    /// The firewall's rules of its own network.
    pub(super) fn rules(&self) -> PathBuf {
        self.dir.join("policy.nft")
    }

    /// Present once the agent answered, with how often the kernel had killed in it for want of memory by then. Without
    /// it a life is a half.
    pub(super) fn booted(&self) -> PathBuf {
        self.dir.join("booted")
    }

    /// Present once its end was asked for, so that its end is nobody's surprise.
    pub(super) fn halting(&self) -> PathBuf {
        self.dir.join("halting")
    }
}

/// The names in a directory; none if it is not there.
pub(super) fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_disks_take_is_what_was_written_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places { data: dir.path().to_owned(), run: dir.path().join("run") };
        let life = Life { sandbox: SandboxId::from_u128(7), number: OrderNumber(1) };
        fs::create_dir(places.disks()).unwrap();
        fs::write(places.disk(life), vec![1; 1 << 20]).unwrap();
        fs::File::options().write(true).open(places.disk(life)).unwrap().set_len(1 << 30).unwrap();
        fs::File::open(places.disk(life)).unwrap().sync_all().unwrap();
        assert!((1 << 20..2 << 20).contains(&places.written(&[])), "{}", places.written(&[]));
    }

    #[test]
    fn a_name_tells_the_sandbox_and_the_order() {
        let life = Life { sandbox: SandboxId::from_u128(7), number: OrderNumber(42) };
        assert_eq!(Life::parse(&life.name()), Some(life));
        for other in ["", "7.42", "00000000-0000-0000-0000-000000000007.lock", "x.1"] {
            assert_eq!(Life::parse(other), None, "{other}");
        }
    }
}
