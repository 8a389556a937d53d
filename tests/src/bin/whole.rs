//! The whole system in one process, which does as it is told word by word and may be told when to die.
//!
//! `whole DATA IMAGE WORD…` does each word and answers it with a line: the word, a tab, the answer.

#![allow(clippy::print_stdout, reason = "this is how it answers")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use hourglass_engine::Client;
use hourglass_events::{
    Command, Create, IdempotencyKey, Image, Name, OrganizationId, SandboxId, Span, State, StopMode, Subject,
    Target, Values,
};
use hourglass_hostd::driver;
use hourglass_kernel::Accepted;
use hourglass_step::Fatal;
use hourglass_tests::system::SNAPSHOT;
use hourglass_tests::{Census, System};
use uuid::Uuid;

/// Whose sandbox it is, and what it is called.
const ORGANIZATION: OrganizationId = OrganizationId::from_u128(0x71);
const NAME: &str = "box";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let data = PathBuf::from(arguments.next().context("the data directory is missing")?);
    let digest = arguments.next().context("the image is missing")?;
    if std::env::var_os(hourglass_step::VARIABLE).is_none() {
        hourglass_step::begin(None);
    }
    let system = System::native(&data, Image { digest }).await?;
    let client = system.engine.client(ORGANIZATION, "scenario");
    let whole = Whole { data: &data, system: &system, client, asked: Cell::new(1) };
    for word in arguments {
        let answer = whole.obey(&word).await.with_context(|| word.clone())?;
        println!("{word}\t{answer}");
    }
    system.shutdown().await;
    Ok(())
}

struct Whole<'a> {
    data: &'a Path,
    system: &'a System,
    client: Client,
    /// How often the engine was asked anything.
    asked: Cell<usize>,
}

impl Whole<'_> {
    async fn obey(&self, word: &str) -> anyhow::Result<String> {
        let (word, argument) = word.split_once('=').unwrap_or((word, ""));
        match word {
            "create" => self.create(word).await,
            "stop" => {
                self.ask(word, Command::Stop(box_itself(), StopMode::Graceful(None)), State::Stopped).await
            }
            "kill" => self.ask(word, Command::Stop(box_itself(), StopMode::Force), State::Stopped).await,
            "start" => self.ask(word, Command::Start(box_itself()), State::Started).await,
            "delete" => self.ask(word, Command::Delete(box_itself()), State::Deleted).await,
            "run" => self.run(argument).await,
            "until" => self.until(argument).await,
            "census" => Ok(Census::of(self.data).to_string()),
            "count" => self.begin(None).await,
            "steps" => steps().await,
            "die" => self.begin(Fatal::parse(argument)).await,
            "survive" => {
                // What is still to come of the order before is under way; nothing else would end this.
                tokio::time::timeout(PATIENCE, std::future::pending::<()>()).await?;
                Ok(String::new())
            }
            other => bail!("{other} is no word"),
        }
    }

    /// Count steps from here on, when none of what went before is still to come.
    async fn begin(&self, fatal: Option<Fatal>) -> anyhow::Result<String> {
        self.system.touch().await?;
        self.asked.update(|asked| asked + 1);
        let begun = Instant::now();
        while count(&hourglass_step::passed(), "engine.reply.sent") < self.asked.get() {
            anyhow::ensure!(begun.elapsed() < PATIENCE, "an answer was not sent");
            tokio::task::yield_now().await;
        }
        self.asked.set(0);
        hourglass_step::begin(fatal);
        Ok(String::new())
    }

    /// Create it with a variable, which is in the vault before the creation is in the log.
    async fn create(&self, word: &str) -> anyhow::Result<String> {
        let mut create = Create::new(SandboxId(Uuid::now_v7()));
        create.name = Some(Name::new(NAME)?);
        create.snapshot = Some(SNAPSHOT.to_owned());
        let values = Values::new(BTreeMap::from([("WORD".to_owned(), "secret".to_owned())]))?;
        self.asked.update(|asked| asked + 1);
        let accepted = self.client.ask_to_create(create, values, Some(IdempotencyKey::new(word)?)).await?;
        self.reach(&accepted, State::Started).await
    }

    /// Ask under a key that is the same in every life of this process; which sandbox it is about.
    async fn ask(&self, word: &str, command: Command, state: State) -> anyhow::Result<String> {
        self.asked.update(|asked| asked + 1);
        let accepted = self.client.ask_once(IdempotencyKey::new(word)?, command).await?;
        self.reach(&accepted, state).await
    }

    async fn reach(&self, accepted: &Accepted, state: State) -> anyhow::Result<String> {
        let Subject::Sandbox(id) = accepted.subject else { bail!("it is about {}", accepted.subject) };
        self.system.engine.wait_for(id, state, PATIENCE).await?;
        Ok(id.to_string())
    }

    /// What a script prints in the sandbox.
    async fn run(&self, script: &str) -> anyhow::Result<String> {
        let sandbox = self.client.get(box_itself()).context("there is no sandbox")?;
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let command = driver::Command { argv, env: Vec::new(), cwd: None, timeout: Some(Span::seconds(60)) };
        let ran = self.system.host.exec(sandbox.id, None, command).await?;
        anyhow::ensure!(ran.code == 0, "{script} ended with code {}", ran.code);
        Ok(String::from_utf8(ran.stdout)?.trim().to_owned())
    }

    /// The same, again until it prints something.
    async fn until(&self, script: &str) -> anyhow::Result<String> {
        let begun = Instant::now();
        loop {
            let said = self.run(script).await?;
            if !said.is_empty() || begun.elapsed() > PATIENCE {
                return Ok(said);
            }
        }
    }
}

/// The steps passed since they are counted, once every report made since is acknowledged. That ends an operation.
async fn steps() -> anyhow::Result<String> {
    let begun = Instant::now();
    loop {
        let passed = hourglass_step::passed();
        let (received, acknowledged) =
            (count(&passed, "engine.report.received"), count(&passed, "engine.report.acknowledged"));
        if received > 0 && received == acknowledged {
            return Ok(passed.join(" "));
        }
        anyhow::ensure!(begun.elapsed() < PATIENCE, "a report is not acknowledged: {passed:?}");
        tokio::task::yield_now().await;
    }
}

fn count(passed: &[&str], step: &str) -> usize {
    passed.iter().filter(|passed| **passed == step).count()
}

fn box_itself() -> Target {
    Target::Text(NAME.to_owned())
}
