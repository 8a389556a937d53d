//! Other embedded stores, used so that what they acknowledge survives a power cut.

#[cfg(feature = "peers")]
mod stores;

/// A store that records are appended to.
pub(super) trait Peer {
    fn name(&self) -> &'static str;

    /// Store the records of a group under the numbers that follow, all or nothing, durably.
    fn store(&mut self, group: &[&[u8]]) -> anyhow::Result<()>;
}

/// The stores of this build, each new in `dir`.
#[cfg(feature = "peers")]
pub(super) fn open(dir: &std::path::Path) -> anyhow::Result<Vec<Box<dyn Peer>>> {
    Ok(vec![
        Box::new(stores::Sled::open(&dir.join("sled"))?),
        Box::new(stores::Redb::open(&dir.join("redb"))?),
    ])
}

/// The stores of this build: none.
#[cfg(not(feature = "peers"))]
#[expect(clippy::unnecessary_wraps, reason = "builds with stores can fail here")]
pub(super) const fn open(_dir: &std::path::Path) -> anyhow::Result<Vec<Box<dyn Peer>>> {
    Ok(Vec::new())
}

/// What to say where there are none.
pub(super) const ABSENT: Option<&str> =
    if cfg!(feature = "peers") { None } else { Some("build with --features peers") };
