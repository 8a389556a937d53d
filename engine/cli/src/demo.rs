//! `hourglass demo`: one sandbox through its life, with every event as it is committed.

mod narrator;
mod proof;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use hourglass_engine::Client;
use hourglass_events::{AutoStop, Labels, Minutes, Name, OrganizationId, Sandbox, SandboxId, Span, State};
use hourglass_hostd::driver::Command;

use crate::local::{DriverKind, Local, LocalArguments};
use crate::offer::Offer;
use crate::progress::Bar;
use crate::{Data, paint};
use narrator::Narrator;

/// What the demo's sandboxes are labelled with, so that a later demo finds what an earlier one left.
const LABEL: (&str, &str) = ("hourglass", "demo");
/// Whose they are.
const ORGANIZATION: OrganizationId = OrganizationId::from_u128(0xde30);
/// The shortest idle interval there is.
const IDLE: Minutes = Minutes(1);
/// How long any one step may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    local: LocalArguments,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        tokio::select! {
            done = tell(arguments) => done,
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                anyhow::bail!("interrupted; the sandbox is left as it is, and the next demo removes it")
            }
        }
    })
}

async fn tell(arguments: &Arguments) -> anyhow::Result<()> {
    let data = &arguments.data.data;
    paint::say(format!("Hourglass {} · data in {}", env!("CARGO_PKG_VERSION"), data.display()));
    let local = Local::start(data, &arguments.local, Offer::One, 0).await?;
    let client = local.engine.client(ORGANIZATION, "demo");
    let narrator = Narrator::start(&local.engine, local.engine.shard_of(ORGANIZATION));
    let driver = arguments.local.driver;
    let mut story = Story { local: &local, client, narrator, driver };
    story.clear_away().await?;
    story.run().await?;
    let live = local.engine.view_of(ORGANIZATION).fleet();
    local.shutdown().await;
    proof::prove(data, &live)
}

/// One demo.
struct Story<'a> {
    local: &'a Local,
    client: Client,
    narrator: Narrator,
    driver: DriverKind,
}

impl Story<'_> {
    /// Remove what a demo that was cut short has left.
    async fn clear_away(&mut self) -> anyhow::Result<()> {
        let fleet = self.local.engine.view_of(ORGANIZATION).fleet();
        let labelled =
            |sandbox: &&std::sync::Arc<Sandbox>| sandbox.blueprint.labels.get(LABEL.0) == Some(LABEL.1);
        let left: Vec<SandboxId> = fleet.sandboxes().filter(labelled).map(|sandbox| sandbox.id).collect();
        if left.is_empty() {
            return Ok(());
        }
        paint::heading(format!("An earlier demo was cut short and left {}; removing", left.len()));
        for id in left {
            self.client.delete(id).await?;
            self.reach(id, State::Deleted).await?;
        }
        Ok(())
    }

    async fn run(&mut self) -> anyhow::Result<()> {
        paint::heading("1 · create");
        let id = self.create().await?;
        paint::heading("2 · run commands in it");
        self.exec(id, &["sh", "-c", "hostname; whoami"]).await?;
        if self.driver == DriverKind::Native {
            self.exec(id, &["python3", "-c", "import platform; print('Python', platform.python_version())"])
                .await?;
        }
        self.exec(id, &["sh", "-c", "echo 'written before the stop' > note.txt; cat note.txt"]).await?;
        paint::heading("3 · its limits, seen from inside");
        for command in [
            ["cat", "/sys/fs/cgroup/cpu.max"].as_slice(),
            &["cat", "/sys/fs/cgroup/memory.max"],
            &["df", "-h", "/"],
        ] {
            self.exec(id, command).await?;
        }
        paint::heading(format!("4 · leave it alone: after {IDLE} without use it stops by itself"));
        self.idle(id).await?;
        paint::heading("5 · start it again: its files are there");
        self.client.start(id).await?;
        self.reach(id, State::Started).await?;
        self.exec(id, &["cat", "note.txt"]).await?;
        paint::heading("6 · delete it");
        self.client.delete(id).await?;
        self.reach(id, State::Deleted).await?;
        Ok(())
    }

    async fn create(&mut self) -> anyhow::Result<SandboxId> {
        let labels = Labels::new([(LABEL.0.to_owned(), LABEL.1.to_owned())].into())?;
        let name = Name::new("demo")?;
        let sandbox = self
            .client
            .create(|create| {
                create.name = Some(name);
                create.snapshot = Some(self.local.snapshot.clone());
                create.labels = labels;
                create.auto_stop = Some(AutoStop::After(IDLE));
            })
            .await?;
        self.reach(sandbox.id, State::Started).await?;
        Ok(sandbox.id)
    }

    /// Wait for a state, and until the records that led there are printed.
    async fn reach(&mut self, id: SandboxId, state: State) -> anyhow::Result<()> {
        self.local.engine.wait_for(id, state, PATIENCE).await?;
        self.narrator.catch_up(&self.local.engine).await;
        Ok(())
    }

    /// Run a command, show what it printed, and take a failure of it for one of the demo.
    async fn exec(&self, id: SandboxId, argv: &[&str]) -> anyhow::Result<()> {
        paint::say(format!("  $ {}", shown(argv)));
        let command = Command {
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            env: Vec::new(),
            cwd: None,
            timeout: Some(Span::seconds(60)),
        };
        let ran = self.local.host.exec(id, None, command).await?;
        paint::quoted(&String::from_utf8_lossy(&ran.stdout));
        paint::quoted(&String::from_utf8_lossy(&ran.stderr));
        anyhow::ensure!(ran.code == 0, "`{}` ended with code {}", shown(argv), ran.code);
        Ok(())
    }

    /// Wait for the idle stop, with a bar that counts down.
    async fn idle(&mut self, id: SandboxId) -> anyhow::Result<()> {
        let bar = Bar::new("idle      ");
        let begun = tokio::time::Instant::now();
        let whole = Duration::from_secs(u64::from(IDLE.0) * 60);
        let stopped = self.local.engine.wait_for(id, State::Stopped, whole + PATIENCE);
        tokio::pin!(stopped);
        let mut beat = tokio::time::interval(Duration::from_millis(500));
        let ended = loop {
            tokio::select! {
                ended = &mut stopped => break ended,
                _ = beat.tick() => {
                    let passed = begun.elapsed();
                    let left = whole.saturating_sub(passed).as_secs();
                    bar.show(passed.as_secs_f64() / whole.as_secs_f64(), format!("stops in {left} s unless used"));
                }
            }
        };
        bar.finish();
        ended.context("the sandbox did not stop by itself")?;
        self.narrator.catch_up(&self.local.engine).await;
        Ok(())
    }
}

/// A command as one would type it.
fn shown(argv: &[&str]) -> String {
    match argv {
        ["sh", "-c", script] => (*script).to_owned(),
        words => words.join(" "),
    }
}

/// The log's directory, for the commands that follow a demo.
fn hint(data: &Path) -> String {
    if data == crate::default_data() { String::new() } else { format!(" --data {}", data.display()) }
}
