//! Native containers: sandboxes as Linux namespaces and control groups on this machine, without any daemon.
//!
//! A sandbox is an overlay of its own small file system over a shared base image, a control group with its limits,
//! and a process namespace whose PID 1 is Hourglass's agent. What is on the machine is always read from the machine:
//! every object bears the sandbox and the order that made it in its name, and nothing runs as a child of this
//! process, so a host worker that was killed finds everything again. Resizing, pausing and snapshots are not here yet.

mod bundle;
mod cgroup;
mod config;
mod disk;
mod doing;
mod exec;
mod exits;
mod helper;
mod life;
mod lock;
mod mounts;
mod net;
mod part;
mod place;
mod pool;
mod preflight;
mod process;
mod programs;
mod survey;
mod talk;
mod unopened;
mod wait;
mod wanted;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hourglass_events::{
    Class, ExitCause, Fault, Image, NetworkPolicy, OrderNumber, Plan, Resources, SandboxId, Span,
};
use hourglass_tunnel::{Refused, Target};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use self::cgroup::Groups;
use self::doing::Doing;
use self::lock::Lock;
use self::net::Networks;
use self::part::part;
use self::place::{Life, Places};
use self::pool::Stock;
use self::programs::Programs;
use self::wanted::{Asker, Wanted};
use crate::driver::{Command, Driver, ExecError, Exit, Present, Ran, Stream};
use crate::image::{Base, ImageError, Store};
use crate::step;

pub use self::bundle::{CAPABILITIES, MASKED};
pub use self::config::Config;
pub(crate) use self::mounts::below as mounted_below;
pub use self::net::{Bridged, Network, NetworkError};
pub use self::part::HISTOGRAM;
pub use self::pool::{POOLED, Pool, TAKEN};
pub use self::preflight::Preflight;
pub(crate) use self::preflight::{TOOLS, installed};
pub use self::unopened::OpenError;

/// Runs sandboxes as native containers. One for each data directory.
#[derive(Debug)]
pub struct NativeDriver {
    inner: Arc<Inner>,
    exits: tokio::sync::Mutex<UnboundedReceiver<Exit>>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    places: Places,
    groups: Groups,
    networks: Networks,
    stock: Stock,
    programs: Programs,
    images: Store,
    running: Mutex<BTreeMap<SandboxId, Running>>,
    exits: UnboundedSender<Exit>,
    runtime: Handle,
}

/// A sandbox that runs.
#[derive(Debug, Clone)]
struct Running {
    number: OrderNumber,
    init: Arc<OwnedFd>,
}

impl NativeDriver {
    /// A driver on these directories. What an earlier one left running there is found and watched again; what ended
    /// meanwhile is told by [`Driver::exited`].
    pub async fn new(config: Config) -> Result<Self, OpenError> {
        let runtime = Handle::current();
        let opened = tokio::task::spawn_blocking(move || Self::open(config, runtime)).await;
        opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    fn open(mut config: Config, runtime: Handle) -> Result<Self, OpenError> {
        preflight::root()?;
        for dir in [&mut config.data_dir, &mut config.run_dir] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&*dir);
            // Mounts and loop devices are found again by their full names.
            let whole = made.and_then(|()| fs::canonicalize(&*dir));
            *dir = whole.map_err(|error| Preflight::Unusable { path: dir.clone(), error })?;
        }
        let trees = preflight::check(&config.data_dir, &config.network)?;
        let places = Places { data: config.data_dir.clone(), run: config.run_dir.clone() };
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |error| Preflight::Unusable { path, error }
        };
        fs::create_dir_all(places.disks()).map_err(unusable(&places.disks()))?;
        let programs = Programs::write(&places.programs()).map_err(unusable(&places.programs()))?;
        let instance = blake3::hash(config.data_dir.as_os_str().as_encoded_bytes()).to_hex()[..12].to_owned();
        let networks = Networks::open(&config.network, &instance, &config.run_dir)?;
        let stock = Stock::open(&places, &config.pool, &networks).map_err(OpenError::Adopt)?;
        let (exits, told) = unbounded_channel();
        let inner = Arc::new(Inner {
            images: Store::new(&config.data_dir),
            groups: Groups::new(trees, instance),
            networks,
            stock,
            running: Mutex::default(),
            config,
            places,
            programs,
            exits,
            runtime,
        });
        inner.adopt().map_err(OpenError::Adopt)?;
        inner.replenish();
        Ok(Self { inner, exits: tokio::sync::Mutex::new(told) })
    }

    /// The base images of this driver's data directory.
    #[must_use]
    pub fn images(&self) -> &Store {
        &self.inner.images
    }

    /// How many disks and networks lie ready.
    #[must_use]
    pub fn pooled(&self) -> (usize, usize) {
        self.inner.stock.ready()
    }

    /// Do `work`, which blocks, where that keeps nobody waiting. Once it holds a sandbox's lock it runs to its end even
    /// if nobody awaits it any more; before that, and while it waits out a grace, it is called off (see [`Wanted`]).
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Inner>, &Wanted) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let inner = Arc::clone(&self.inner);
        let wanted = Wanted::default();
        let _asker = Asker(wanted.clone());
        let done = tokio::task::spawn_blocking(move || work(&inner, &wanted)).await;
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }
}

impl Inner {
    /// The lock of a sandbox, for work that is still wanted.
    fn turn(&self, sandbox: SandboxId, wanted: &Wanted) -> Result<Lock, Fault> {
        let lock = Lock::take(&self.places.lock(sandbox))?;
        match wanted.check() {
            Ok(()) => Ok(lock),
            Err(fault) => self.let_go(sandbox, lock).and(Err(fault)),
        }
    }

    /// Have the pool filled in the background, if it is not full. Its thread ends with the driver.
    fn replenish(self: &Arc<Self>) {
        if !self.stock.begin() {
            return;
        }
        let inner = Arc::downgrade(self);
        self.runtime.spawn_blocking(move || {
            while inner.upgrade().is_some_and(|inner| inner.stock.fill(&inner.networks)) {}
        });
    }

    fn provision(&self, life: Life, plan: &Plan, wanted: &Wanted) -> Result<(), Fault> {
        self.base(&plan.image)?;
        let lock = self.turn(life.sandbox, wanted)?;
        let gib = plan.resources.disk_gib;
        part("disk", || disk::provision(&self.places, &self.stock, life, gib, &lock))
    }

    fn boot(self: &Arc<Self>, life: Life, plan: &Plan, wanted: &Wanted) -> Result<(), Fault> {
        let lock = self.turn(life.sandbox, wanted)?;
        for found in self.lives_of(life.sandbox) {
            if found == life && self.runs(life) {
                return Ok(());
            }
            self.stop(found, Span::ZERO, &lock, wanted)?;
        }
        let init = part("boot", || self.begin(life, plan, &lock, wanted))?;
        // Not before, because it would be in the way of the very start it is for.
        self.replenish();
        self.watch(life, init)
    }

    /// Whether `life` is whole and its agent answers.
    fn runs(&self, life: Life) -> bool {
        let places = self.places.life(life);
        self.knows(life)
            && places.booted().exists()
            && !places.halting().exists()
            && talk::answers(&places.shared())
    }

    fn halt(&self, sandbox: SandboxId, grace: Span, wanted: &Wanted) -> Result<ExitCause, Fault> {
        let lock = self.turn(sandbox, wanted)?;
        let cause = self.stop_all(sandbox, grace, &lock, wanted)?;
        self.let_go(sandbox, lock)?;
        Ok(cause)
    }

    fn set_network(
        &self,
        sandbox: SandboxId,
        number: OrderNumber,
        policy: &NetworkPolicy,
        wanted: &Wanted,
    ) -> Result<(), Fault> {
        let lock = self.turn(sandbox, wanted)?;
        let Some(life) = self.lives_of(sandbox).into_iter().find(|life| self.knows(*life)) else {
            return self.let_go(sandbox, lock).and(Err(Fault::Missing { what: "running life".to_owned() }));
        };
        part("policy", || self.networks.hold(&self.places.life(life), policy, number, &lock))
    }

    fn stop_all(
        &self,
        sandbox: SandboxId,
        grace: Span,
        lock: &Lock,
        wanted: &Wanted,
    ) -> Result<ExitCause, Fault> {
        let mut cause = ExitCause::Vanished;
        for life in self.lives_of(sandbox) {
            let ended = self.stop(life, grace, lock, wanted)?;
            if ended != ExitCause::Vanished {
                cause = ended;
            }
        }
        for disk in self.places.found_disks(Some(sandbox)) {
            disk::release(&disk.path, lock)?;
        }
        Ok(cause)
    }

    fn erase(&self, sandbox: SandboxId, wanted: &Wanted) -> Result<(), Fault> {
        let lock = self.turn(sandbox, wanted)?;
        self.stop_all(sandbox, Span::ZERO, &lock, wanted)?;
        for disk in self.places.found_disks(Some(sandbox)) {
            life::there(fs::remove_file(&disk.path)).doing("remove the sandbox's disk")?;
        }
        step::done("disk.removed");
        lock.remove()?;
        step::done("lock.removed");
        Ok(())
    }

    /// Let go of a sandbox, leaving no lock behind of one of which nothing else is here.
    fn let_go(&self, sandbox: SandboxId, lock: Lock) -> Result<(), Fault> {
        let nothing = self.lives_of(sandbox).is_empty() && self.places.found_disks(Some(sandbox)).is_empty();
        if nothing { lock.remove() } else { Ok(()) }
    }

    /// The image, which must be here.
    fn base(&self, image: &Image) -> Result<Base, Fault> {
        let unavailable =
            |why: ImageError| Fault::ImageUnavailable { image: image.digest.clone(), why: why.to_string() };
        self.images.find(image).map_err(unavailable)
    }

    fn pull(&self, image: &Image) -> Result<(), Fault> {
        self.base(image)?;
        step::done("image.found");
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<SandboxId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `life` is known as running, and its end as nobody's wish.
    fn knows(&self, life: Life) -> bool {
        self.running().get(&life.sandbox).is_some_and(|running| running.number == life.number)
    }

    /// Know `life` as running no more; a later one may by now.
    fn forget(&self, life: Life) {
        let mut running = self.running();
        if running.get(&life.sandbox).is_some_and(|found| found.number == life.number) {
            running.remove(&life.sandbox);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(fault) = self.stock.close(&self.networks) {
            tracing::warn!(%fault, "the pool could not be cleared; the next driver takes it over");
        }
    }
}

#[async_trait]
impl Driver for NativeDriver {
    fn classes(&self) -> Vec<Class> {
        vec![Class::Container]
    }

    fn capacity(&self) -> Resources {
        self.inner.capacity()
    }

    async fn survey(&self) -> Result<Vec<Present>, Fault> {
        self.blocking(|inner, _| inner.survey()).await
    }

    async fn pull(&self, image: &Image) -> Result<(), Fault> {
        let image = image.clone();
        self.blocking(move |inner, _| inner.pull(&image)).await
    }

    async fn provision(&self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) -> Result<(), Fault> {
        let (life, plan) = (Life { sandbox, number }, plan.clone());
        self.blocking(move |inner, wanted| inner.provision(life, &plan, wanted)).await
    }

    async fn boot(&self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) -> Result<(), Fault> {
        Networks::can_hold(&plan.network)?;
        let (life, plan) = (Life { sandbox, number }, plan.clone());
        self.blocking(move |inner, wanted| inner.boot(life, &plan, wanted)).await
    }

    async fn set_network(
        &self,
        sandbox: SandboxId,
        number: OrderNumber,
        policy: &NetworkPolicy,
    ) -> Result<(), Fault> {
        Networks::can_hold(policy)?;
        let policy = policy.clone();
        self.blocking(move |inner, wanted| inner.set_network(sandbox, number, &policy, wanted)).await
    }

    async fn halt(&self, sandbox: SandboxId, grace: Span) -> Result<ExitCause, Fault> {
        self.blocking(move |inner, wanted| inner.halt(sandbox, grace, wanted)).await
    }

    async fn erase(&self, sandbox: SandboxId) -> Result<(), Fault> {
        self.blocking(move |inner, wanted| inner.erase(sandbox, wanted)).await
    }

    async fn connect(&self, sandbox: SandboxId, target: Target) -> Result<Box<dyn Stream>, Refused> {
        self.inner.connect(sandbox, target).await
    }

    async fn exec(&self, sandbox: SandboxId, command: Command) -> Result<Ran, ExecError> {
        self.inner.exec(sandbox, command).await
    }

    async fn exited(&self) -> Exit {
        match self.exits.lock().await.recv().await {
            Some(exit) => exit,
            // The sender lives as long as this driver.
            None => std::future::pending().await,
        }
    }
}
