//! Disks and networks made beforehand, so that a sandbox that is asked for waits for little but its own start.
//!
//! ```text
//! <data>/pool/<gib>.<serial>.img      a formatted disk, on a loop device; another ending while it is made
//! <run>/pool/<serial>/                a network, as the directory a life begins with; `.part` while it is made
//! ```
//!
//! What is taken is renamed to what it becomes, which is one step and cannot be done twice: before it is the pool's and
//! after it is the sandbox's, whoever is killed when. Nothing is remembered; how much there is is what lies there. A
//! next driver keeps disks, makes networks anew, and takes away halves and what it is not to keep. It is filled in the
//! background, one thing at a time.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hourglass_events::Fault;

use super::doing::Doing;
use super::lock::Lock;
use super::net::Networks;
use super::place::{LifePlaces, Places, names};
use super::{disk, mounts};
use crate::step;

/// How much is kept ready.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pool {
    /// How many disks of which size, in GiB. They are sparse: one of 3 GiB takes about 1 MiB until it is written to.
    pub disks: BTreeMap<u32, usize>,
    /// How many networks. Each takes one of the driver's addresses.
    pub networks: usize,
}

impl Pool {
    /// The most that is kept of one thing, whatever is asked for.
    pub const MOST: usize = 256;

    /// `count` networks, and as many disks of the size sandboxes have unless they ask for another.
    #[must_use]
    pub fn of(count: usize) -> Self {
        let usual = hourglass_events::Resources::DEFAULT.disk_gib;
        Self { disks: BTreeMap::from([(usual, count)]), networks: count }
    }
}

/// The gauge that tells how much is ready, under the label `kind`: `disk` or `network`.
pub const POOLED: &str = "hourglass_native_pooled";

/// The counter of what was taken, under the labels `kind` and `from`: `pool`, or `anew` where nothing was ready.
pub const TAKEN: &str = "hourglass_native_taken";

/// The pool of one driver.
#[derive(Debug)]
pub(super) struct Stock {
    wanted: Pool,
    disks: PathBuf,
    networks: PathBuf,
    lock: PathBuf,
    serial: AtomicU64,
    filling: AtomicBool,
    /// Held by every driver that uses the pool; who gets it alone is the last.
    users: File,
}

impl Stock {
    /// The pool at `places`, without what is no longer to be kept.
    pub(super) fn open(places: &Places, wanted: &Pool, joined: &Networks) -> Result<Self, Fault> {
        let doing = "open the pool";
        let (disks, networks) = (places.data.join("pool"), places.run.join("pool"));
        let lock = places.run.join("pool.lock");
        let held = Lock::take(&lock)?;
        for dir in [&disks, &networks] {
            DirBuilder::new().recursive(true).mode(0o700).create(dir).doing(doing)?;
        }
        let users = File::create(places.run.join("pool.users")).doing(doing)?;
        let alone = users.try_lock().is_ok();
        users.lock_shared().doing(doing)?;
        let most = |count: &usize| (*count).min(Pool::MOST);
        let wanted = Pool {
            disks: wanted.disks.iter().map(|(gib, count)| (*gib, most(count))).collect(),
            networks: most(&wanted.networks),
        };
        let serial = names(&disks).iter().filter_map(|name| serial(name)).max().map_or(0, |last| last + 1);
        let (serial, filling) = (AtomicU64::new(serial), AtomicBool::new(false));
        let stock = Self { wanted, disks, networks, lock, serial, filling, users };
        if alone {
            stock.sweep(false, joined, &held)?;
        }
        stock.tell();
        Ok(stock)
    }

    /// Take away halves, networks, and disks beyond what is wanted; with `all`, every disk too.
    fn sweep(&self, all: bool, joined: &Networks, lock: &Lock) -> Result<(), Fault> {
        let mut kept = BTreeMap::<u32, usize>::new();
        for name in names(&self.disks) {
            let count = disk_size(&name).map(|gib| (gib, kept.entry(gib).or_default()));
            if let Some((gib, count)) = count.filter(|_| !all)
                && *count < self.wanted.disks.get(&gib).copied().unwrap_or_default()
            {
                *count += 1;
                continue;
            }
            let path = self.disks.join(&name);
            disk::release(&path, lock)?;
            fs::remove_file(&path).doing("remove a disk from the pool")?;
        }
        let dirs: Vec<LifePlaces> =
            names(&self.networks).iter().map(|name| LifePlaces { dir: self.networks.join(name) }).collect();
        for places in &dirs {
            mounts::clear(&places.dir)?;
        }
        for places in &dirs {
            joined.gone(OWNER, places)?;
            fs::remove_dir_all(&places.dir).doing("remove a network from the pool")?;
        }
        Ok(())
    }

    /// Make a ready disk of this size the file `to`. Whether there was one.
    pub(super) fn take_disk(&self, gib: u32, to: &Path) -> Result<bool, Fault> {
        let fitting = names(&self.disks).into_iter().filter(|name| disk_size(name) == Some(gib));
        let taken = take(fitting.map(|name| self.disks.join(name)), to).doing("take a disk from the pool")?;
        count("disk", taken && self.wanted.disks.contains_key(&gib));
        Ok(taken)
    }

    /// Make a ready network the directory `to`. Whether there was one.
    pub(super) fn take_network(&self, to: &Path) -> Result<bool, Fault> {
        let whole = names(&self.networks).into_iter().filter(|name| name.parse::<u64>().is_ok());
        let taken =
            take(whole.map(|name| self.networks.join(name)), to).doing("take a network from the pool")?;
        count("network", taken);
        Ok(taken)
    }

    /// How many disks and networks are ready.
    pub(super) fn ready(&self) -> (usize, usize) {
        let disks = names(&self.disks).iter().filter(|name| disk_size(name).is_some()).count();
        let networks = names(&self.networks).iter().filter(|name| name.parse::<u64>().is_ok()).count();
        (disks, networks)
    }

    /// The files of ready disks.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        names(&self.disks).into_iter().map(|name| self.disks.join(name)).collect()
    }

    /// Begin filling, unless somebody does or there is nothing to do.
    pub(super) fn begin(&self) -> bool {
        self.missing().is_some() && !self.filling.swap(true, Ordering::SeqCst)
    }

    /// Make one thing that is missing. Whether there may be more to do; if not, filling has ended.
    pub(super) fn fill(&self, joined: &Networks) -> bool {
        let made = match self.missing() {
            None => Ok(false),
            Some(Missing::Disk(gib)) => self.add_disk(gib).map(|()| true),
            Some(Missing::Network) => self.add_network(joined).map(|()| true),
        };
        self.tell();
        match made {
            Ok(true) => true,
            Ok(false) => {
                self.filling.store(false, Ordering::SeqCst);
                // Something may have been taken between the look and the end.
                self.begin()
            }
            Err(fault) => {
                tracing::warn!(%fault, "the pool cannot be filled; what is missing is made when it is asked for");
                self.filling.store(false, Ordering::SeqCst);
                false
            }
        }
    }

    /// The first thing there is too little of. Networks first: without one a sandbox waits longer.
    fn missing(&self) -> Option<Missing> {
        if self.ready().1 < self.wanted.networks {
            return Some(Missing::Network);
        }
        let there = names(&self.disks);
        let ready = |gib: u32| there.iter().filter(|name| disk_size(name) == Some(gib)).count();
        let short = self.wanted.disks.iter().find(|(gib, count)| ready(**gib) < **count);
        short.map(|(gib, _)| Missing::Disk(*gib))
    }

    fn add_disk(&self, gib: u32) -> Result<(), Fault> {
        let lock = Lock::take(&self.lock)?;
        let name = format!("{gib}.{}.new", self.serial.fetch_add(1, Ordering::Relaxed));
        let fresh = self.disks.join(name);
        disk::make(&fresh, gib, &lock)?;
        // The device stays on the file whatever it is called.
        disk::attach(&fresh, &lock)?;
        fs::rename(&fresh, fresh.with_extension("img")).doing("put a disk into the pool")?;
        step::done("pool.disk.ready");
        Ok(())
    }

    fn add_network(&self, joined: &Networks) -> Result<(), Fault> {
        let _lock = Lock::take(&self.lock)?;
        let name = self.serial.fetch_add(1, Ordering::Relaxed).to_string();
        let whole = self.networks.join(&name);
        let part = LifePlaces { dir: self.networks.join(name + ".part") };
        DirBuilder::new().mode(0o700).create(&part.dir).doing("make room for a network")?;
        joined.prepare(OWNER, &part)?;
        fs::rename(&part.dir, whole).doing("put a network into the pool")?;
        step::done("pool.network.ready");
        Ok(())
    }

    fn tell(&self) {
        let (disks, networks) = self.ready();
        for (kind, count) in [("disk", disks), ("network", networks)] {
            metrics::gauge!(POOLED, "kind" => kind).set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        }
    }

    /// Leave nothing of the pool, unless another driver uses it.
    pub(super) fn close(&self, joined: &Networks) -> Result<(), Fault> {
        let lock = Lock::take(&self.lock)?;
        if self.users.try_lock().is_err() {
            return Ok(());
        }
        self.sweep(true, joined, &lock)
    }
}

/// What may be missing.
#[derive(Debug, Clone, Copy)]
enum Missing {
    Disk(u32),
    Network,
}

/// Whom the port of a network in the pool belongs to.
const OWNER: &str = "pool";

/// Rename the first that nobody else takes meanwhile.
fn take(ready: impl Iterator<Item = PathBuf>, to: &Path) -> io::Result<bool> {
    for one in ready {
        match fs::rename(one, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => return done.map(|()| true),
        }
    }
    Ok(false)
}

fn count(kind: &'static str, pooled: bool) {
    let from = if pooled { "pool" } else { "anew" };
    metrics::counter!(TAKEN, "kind" => kind, "from" => from).increment(1);
}

/// The size a whole disk in the pool has, by its name.
fn disk_size(name: &str) -> Option<u32> {
    let (gib, serial) = name.strip_suffix(".img")?.split_once('.')?;
    serial.parse::<u64>().ok()?;
    gib.parse().ok()
}

/// The serial in the name of a disk in the pool, whole or half.
fn serial(name: &str) -> Option<u64> {
    name.split('.').nth(1)?.parse().ok()
}
