//! Engine, embedded log and one local host in one process.

use std::fs;
use std::io::{ErrorKind, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use hourglass_engine::{Engine, HostLink, Store};
use hourglass_events::{Class, HostId, Image, Resources, ShardNumber, SnapshotContent};
use hourglass_hostd::host::EngineEnd;
use hourglass_hostd::image::{self, Recipe, Settings};
use hourglass_hostd::ledger::{Ledger, SledLedger};
use hourglass_hostd::native::{Config, NativeDriver};
use hourglass_hostd::{Driver, Host, HostConfig, HostHandle, Link, Scripted};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::offer::Offer;
use crate::progress::Bar;
use crate::{durable, paint};

/// What runs sandboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriverKind {
    /// Linux containers, on this machine, without any daemon. Needs root.
    Native,
    /// A script that only pretends. Needs nothing.
    Scripted,
}

/// How the local machine is set up.
#[derive(Debug, clap::Args)]
pub(crate) struct LocalArguments {
    /// What runs sandboxes.
    #[arg(long, value_enum, default_value_t = DriverKind::Native)]
    pub(crate) driver: DriverKind,
    #[command(flatten)]
    base: BaseArguments,
}

/// Where the base image comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct BaseArguments {
    /// Use the root file system in this tar (plain, gzip or zstd) as the base image, and build none.
    #[arg(long, value_name = "TAR")]
    pub(crate) rootfs: Option<PathBuf>,
    /// Install what is missing without asking.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// What runs sandboxes here, and what they start from.
pub(crate) struct Machine {
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) image: Image,
}

/// An engine with one host attached.
pub(crate) struct Local {
    pub(crate) engine: Engine,
    pub(crate) host: HostHandle,
    /// The name of the snapshot sandboxes are created from.
    pub(crate) snapshot: String,
    link: JoinHandle<()>,
}

/// How long the host may take until the engine knows it.
const JOIN_PATIENCE: Duration = Duration::from_secs(30);

impl Local {
    /// Prepare the machine, open the log in `data`, and attach the host.
    ///
    /// `ready` disks and networks are kept ready for new sandboxes.
    pub(crate) async fn start(
        data: &Path,
        arguments: &LocalArguments,
        offer: Offer,
        ready: usize,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(data).with_context(|| {
            format!("the data directory {} cannot be made; name another with --data", data.display())
        })?;
        // The log's lock is taken before anything of the machine is touched: another instance may be at work there.
        let engine =
            Engine::builder(Store::embedded(data)).start().await.context("the engine could not start")?;
        engine.notices().for_each(note);
        let machine = machine(data, arguments, offer, ready).await?;
        let image = machine.image.clone();
        let ledger =
            SledLedger::open(&data.join("host/ledger")).context("the host's ledger could not be opened")?;
        if let Some(aside) = ledger.moved_aside() {
            note(format!(
                "the host's ledger was damaged; it was moved to {} and is made anew from what is on this machine",
                aside.display()
            ));
        }
        let mut local = Self::attach(engine, machine, Box::new(ledger), host_id(data)?).await?;
        if let Some(usual) = offer.register(&local.engine, &image).await? {
            local.snapshot = usual.to_owned();
        }
        Ok(local)
    }

    /// Attach `machine` to `engine` as the host `id`, and wait until the engine knows it.
    pub(crate) async fn attach(
        engine: Engine,
        machine: Machine,
        ledger: Box<dyn Ledger>,
        id: HostId,
    ) -> anyhow::Result<Self> {
        let Machine { driver, image } = machine;
        let (link, end) = Link::pair(1_024);
        let config = HostConfig::new(id, "local");
        let host = Host::start(config, driver, ledger, link).await.context("the host could not start")?;
        let link = engine.attach_host(id, links(host.clone(), end));
        let snapshot = register(&engine, image).await?;
        wait_for_host(&engine, id).await?;
        Ok(Self { engine, host, snapshot, link })
    }

    /// End in order. Sandboxes go on running.
    pub(crate) async fn shutdown(self) {
        self.link.abort();
        self.host.shutdown().await;
        self.engine.shutdown().await;
    }
}

/// Say what was found and mended. It is no part of what the command is asked for, which a program may read.
fn note(line: impl std::fmt::Display) {
    paint::aside(format!("note: {line}"));
}

/// Links to `host`: the one it was started with, then a new one each time.
fn links(host: HostHandle, first: EngineEnd) -> impl FnMut() -> Option<HostLink> + Send + 'static {
    let mut first = Some(first);
    move || {
        if host.is_ended() {
            return None;
        }
        let EngineEnd { calls, news, tunnels } = first.take().unwrap_or_else(|| {
            let (link, end) = Link::pair(1_024);
            host.connect(link);
            end
        });
        Some(HostLink { calls, news, tunnels })
    }
}

async fn machine(
    data: &Path,
    arguments: &LocalArguments,
    offer: Offer,
    ready: usize,
) -> anyhow::Result<Machine> {
    match arguments.driver {
        DriverKind::Scripted => {
            let image = Image { digest: "scripted".to_owned() };
            Ok(Machine { driver: Arc::new(Scripted::new()), image })
        }
        DriverKind::Native => {
            install_tools(&arguments.base)?;
            let config = Config { pool: offer.pool(ready), ..Config::new(data.join("host")) };
            let driver = NativeDriver::new(config).await?;
            let image = base_image(driver.images().clone(), &arguments.base, offer.recipe()).await?;
            Ok(Machine { driver: Arc::new(driver), image })
        }
    }
}

/// Install what native containers need, after asking.
pub(crate) fn install_tools(arguments: &BaseArguments) -> anyhow::Result<()> {
    let otherwise = "or use the scripted driver, which only pretends";
    install("To run containers", &image::missing_tools(), arguments.yes, otherwise)
}

/// Install these packages, after asking unless `yes` was said already. `otherwise` is what else can be done.
fn install(purpose: &str, missing: &[&str], yes: bool, otherwise: &str) -> anyhow::Result<()> {
    // Without root the driver says better what is wrong.
    if missing.is_empty() || !is_root() {
        return Ok(());
    }
    let list = missing.join(", ");
    paint::say(format!("{purpose} these Debian packages are needed and will be installed: {list}"));
    if !yes && std::io::stdin().is_terminal() {
        paint::say("Install them with apt-get? [Y/n] ");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if !matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes") {
            bail!("nothing was installed; install {list} yourself, {otherwise}");
        }
    }
    let bar = Bar::new("packages  ");
    let installed = image::install(missing, &bar);
    bar.finish();
    installed.context("the packages could not be installed")
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The base image of `store`, made there if need be.
pub(crate) async fn base_image(
    store: image::Store,
    arguments: &BaseArguments,
    recipe: Recipe,
) -> anyhow::Result<Image> {
    let (rootfs, yes) = (arguments.rootfs.clone(), arguments.yes);
    tokio::task::spawn_blocking(move || find_or_make(&store, rootfs.as_deref(), &recipe, yes)).await?
}

fn find_or_make(
    store: &image::Store,
    rootfs: Option<&Path>,
    recipe: &Recipe,
    yes: bool,
) -> anyhow::Result<Image> {
    if rootfs.is_none()
        && let Some(image) = store.built(recipe)
    {
        return Ok(image);
    }
    if rootfs.is_none() {
        let otherwise = "or give a root file system with --rootfs";
        install("To build the base image", &image::missing_packages(), yes, otherwise)?;
    }
    let bar = Bar::new("base image");
    let image = match rootfs {
        None => {
            paint::say(format!("Building the base image from Debian's packages ({}), once:", recipe.title));
            store.build(recipe, &bar)
        }
        Some(tar) => store.import(tar, &Settings::default(), &bar),
    };
    bar.finish();
    image.context("there is no base image")
}

/// The id this data directory's host has, for ever. It is on the disk for good before anything is recorded under it.
fn host_id(data: &Path) -> anyhow::Result<HostId> {
    let path = data.join("host/id");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let id = HostId(Uuid::now_v7());
            let directory = data.join("host");
            fs::create_dir_all(&directory)
                .with_context(|| format!("the directory {} cannot be made", directory.display()))?;
            durable::write(&path, id.to_string().as_bytes())?;
            return Ok(id);
        }
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    text.trim().parse().with_context(|| {
        format!(
            "{} holds {text:?} and no host id; write into it the id of the host that `hourglass log` shows, under which \
             this machine's sandboxes are known",
            path.display()
        )
    })
}

/// Make `image` known as a snapshot; its name says which image it is.
async fn register(engine: &Engine, image: Image) -> anyhow::Result<String> {
    let short: String = image.digest.chars().take(12).collect();
    let name = format!("base-{short}");
    let content = SnapshotContent {
        name: name.clone(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image,
    };
    engine.register_snapshot(content).await.context("the base image could not be made known")?;
    Ok(name)
}

async fn wait_for_host(engine: &Engine, id: HostId) -> anyhow::Result<()> {
    let shard = ShardNumber(0);
    let mut records = engine.subscribe(shard, engine.view(shard).fleet().seq().next());
    let seen = async {
        while engine.view(shard).host(id).is_none() {
            records.next().await?;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(JOIN_PATIENCE, seen).await.context("the host did not join the engine in time")?
}
