//! The task of a host worker: wait for one input, let the agent take it in, do what it asks.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::sync::Arc;

use hourglass_events::{Fault, HostCall, HostNews, OrderNumber, SandboxId};
use hourglass_tunnel::{Dial, Refused};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::clock::Clock;
use super::traffic::{Remember, Road, TRAFFIC_MOST, Traffic};
use super::{Ask, HostConfig, Link};
use crate::agent::{Agent, Effect, Outcome, Run, RunId, Step};
use crate::driver::{Driver, ExecError, Exit};
use crate::ledger::{Ledger, LedgerError, Write};

pub(super) struct Worker {
    config: HostConfig,
    clock: Clock,
    agent: Agent,
    driver: Arc<dyn Driver>,
    ledger: Box<dyn Ledger>,
    asked: mpsc::Receiver<Ask>,
    link: Option<Link>,
    /// News the link has no room for yet.
    outbox: VecDeque<HostNews>,
    steps: JoinSet<Outcome>,
    running: BTreeMap<RunId, AbortHandle>,
    tasks: BTreeMap<Id, (SandboxId, RunId)>,
    traffic: Traffic,
}

/// What a worker waits for.
enum Input {
    Call(HostCall),
    Unlinked,
    Room,
    Step(Id, Outcome),
    Exit(Exit),
    Dialled(Dial),
    Over(SandboxId, OrderNumber),
    UseDue,
    Ask(Ask),
    Abandoned,
}

impl Worker {
    pub(super) fn new(
        config: HostConfig,
        clock: Clock,
        agent: Agent,
        driver: Arc<dyn Driver>,
        ledger: Box<dyn Ledger>,
        asked: mpsc::Receiver<Ask>,
    ) -> Self {
        Self {
            config,
            clock,
            agent,
            driver,
            ledger,
            asked,
            link: None,
            outbox: VecDeque::new(),
            steps: JoinSet::new(),
            running: BTreeMap::new(),
            tasks: BTreeMap::new(),
            traffic: Traffic::default(),
        }
    }

    pub(super) async fn run(mut self, link: Link) {
        self.connect(link);
        let mut beat = interval(self.config.use_every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let driver = Arc::clone(&self.driver);
        // The future is kept across turns, so that no exit depends on how the driver takes being dropped.
        let mut exited = driver.exited();
        loop {
            let input = self.next_input(&mut beat, &mut exited).await;
            match input {
                Input::Exit(_) => exited = driver.exited(),
                Input::Ask(Ask::ShutDown { done }) => return self.shut_down(done).await,
                Input::Ask(Ask::Kill { done }) => {
                    self.steps.shutdown().await;
                    drop(self);
                    let _ = done.send(());
                    return;
                }
                Input::Abandoned => return,
                Input::Call(_)
                | Input::Unlinked
                | Input::Room
                | Input::Step(..)
                | Input::Dialled(_)
                | Input::Over(..)
                | Input::UseDue
                | Input::Ask(_) => {}
            }
            self.take_in(input);
        }
    }

    async fn next_input(
        &mut self,
        beat: &mut Interval,
        exited: &mut (impl Future<Output = Exit> + Unpin),
    ) -> Input {
        let Self { link, outbox, steps, asked, traffic, .. } = self;
        let (calls, news, tunnels) = match link {
            Some(Link { calls, news, tunnels }) => (Some(calls), Some(news), Some(tunnels)),
            None => (None, None, None),
        };
        let called = async {
            match calls {
                Some(calls) => calls.recv().await,
                None => pending().await,
            }
        };
        let dialled = async {
            match tunnels {
                Some(tunnels) => tunnels.recv().await,
                None => None,
            }
        };
        let room = async {
            match news.filter(|_| !outbox.is_empty()) {
                Some(news) => news.reserve().await.is_ok(),
                None => pending().await,
            }
        };
        // In this order what has happened is known before more is asked for, and what an engine said before it was
        // replaced is heard.
        tokio::select! {
            biased;
            exit = exited => Input::Exit(exit),
            Some(ended) = steps.join_next_with_id() => step_input(ended),
            room = room => if room { Input::Room } else { Input::Unlinked },
            call = called => call.map_or(Input::Unlinked, Input::Call),
            (sandbox, number) = traffic.ended() => Input::Over(sandbox, number),
            Some(dial) = dialled => Input::Dialled(dial),
            ask = asked.recv() => ask.map_or(Input::Abandoned, Input::Ask),
            _ = beat.tick() => Input::UseDue,
        }
    }

    fn take_in(&mut self, input: Input) {
        let now = self.clock.now();
        match input {
            Input::Call(call) => {
                let ordered = match &call {
                    HostCall::Do(order) => Some(order.sandbox),
                    HostCall::Acknowledge { .. } | HostCall::AskUse { .. } => None,
                };
                self.agent.handle_call(call, now);
                self.close(ordered);
            }
            Input::Step(id, outcome) => self.end_step(id, &outcome),
            Input::Exit(exit) => {
                tracing::info!(sandbox = %exit.sandbox, boot = %exit.number, cause = %exit.cause, "exited");
                self.agent.handle_exit(exit);
                self.close(Some(exit.sandbox));
            }
            Input::Dialled(dial) => self.tunnel(dial),
            Input::Over(sandbox, number) => self.agent.handle_command_ended(sandbox, number, now),
            Input::UseDue => self.agent.handle_use_due(now),
            Input::Unlinked => {
                tracing::info!("the engine is gone; sandboxes run on");
                self.link = None;
                self.outbox.clear();
            }
            Input::Ask(Ask::Connect(link)) => self.connect(link),
            Input::Ask(Ask::Exec { sandbox, number, command, answer }) => match self.begin(sandbox, number) {
                Ok(life) => self.traffic.command((sandbox, life), command, answer, self.road()),
                Err(refused) => {
                    let _ = answer.send(Err(refused));
                }
            },
            Input::Room | Input::Abandoned | Input::Ask(Ask::ShutDown { .. } | Ask::Kill { .. }) => {}
        }
        self.act();
        self.send();
    }

    fn connect(&mut self, link: Link) {
        self.outbox.clear();
        self.link = Some(link);
        self.agent.handle_link(self.clock.now());
        self.act();
        self.send();
    }

    /// A use of a sandbox begins, if it may; the life it belongs to.
    fn begin(&mut self, sandbox: SandboxId, number: Option<OrderNumber>) -> Result<OrderNumber, ExecError> {
        if self.traffic.is_full() {
            return Err(ExecError::Busy { most: TRAFFIC_MOST });
        }
        let life = self.agent.handle_command_began(sandbox, number, self.clock.now())?;
        // Written down before anything of it can be made durable.
        self.act();
        Ok(life)
    }

    fn tunnel(&mut self, dial: Dial) {
        let refused = match self.begin(dial.sandbox, Some(dial.number)) {
            Ok(life) => return self.traffic.tunnel(life, dial, self.road()),
            Err(ExecError::Busy { most }) => Refused::Busy { most },
            Err(ExecError::NotRunning(sandbox) | ExecError::Interrupted(sandbox)) => {
                Refused::NotRunning(sandbox)
            }
            Err(error @ (ExecError::Unusable { .. } | ExecError::Empty | ExecError::Agent(_))) => {
                Refused::Agent(error.to_string())
            }
        };
        // Who has hung up already does not need to know.
        let _ = dial.answer.send(Err(refused));
    }

    fn road(&self) -> Road {
        Road { driver: Arc::clone(&self.driver), flush: Remember(self.ledger.flusher()) }
    }

    /// Close the tunnels of a sandbox that is ending or has ended.
    fn close(&self, sandbox: Option<SandboxId>) {
        if let Some(sandbox) = sandbox {
            self.traffic.close(sandbox, self.agent.open_life(sandbox));
        }
    }

    fn end_step(&mut self, id: Id, outcome: &Outcome) {
        let Some((sandbox, run)) = self.tasks.remove(&id) else { return };
        self.running.remove(&run);
        if let Outcome::Failed(fault) = outcome {
            tracing::warn!(%sandbox, %fault, "a step failed");
        }
        self.agent.handle_step(sandbox, run, outcome, self.clock.now());
    }

    /// Does what the agent asks, after writing down all of what it wants remembered.
    fn act(&mut self) {
        let effects: Vec<_> = std::iter::from_fn(|| self.agent.poll_effect()).collect();
        let mut writes = Vec::new();
        for effect in effects {
            match effect {
                Effect::Write(write) => writes.push(write),
                Effect::Run(run) => self.begin_step(run),
                Effect::Cancel(run) => {
                    if let Some(step) = self.running.get(&run) {
                        step.abort();
                    }
                }
                Effect::Tell(news) => self.post(news),
                Effect::Warn(oddity) => tracing::warn!("{oddity}"),
            }
        }
        self.remember(&writes);
    }

    fn remember(&mut self, writes: &[Write]) {
        if writes.is_empty() {
            return;
        }
        // The ledger holds nothing that the machine and the engine do not: without it the worker goes on.
        if let Err(error) = self.ledger.write(writes) {
            tracing::error!("{error}");
        }
    }

    fn begin_step(&mut self, run: Run) {
        tracing::debug!(sandbox = %run.sandbox, order = %run.number, step = %run.step, "step");
        let (id, sandbox) = (run.id, run.sandbox);
        let task = self.steps.spawn(take(Arc::clone(&self.driver), run));
        self.tasks.insert(task.id(), (sandbox, id));
        self.running.insert(id, task);
    }

    fn post(&mut self, news: HostNews) {
        if self.link.is_some() {
            // Ages not yet sent are out of date as soon as there are newer ones.
            if let HostNews::Used(ages) = &news {
                self.outbox.retain(|waiting| match waiting {
                    HostNews::Used(older) => {
                        !older.iter().all(|one| ages.iter().any(|new| new.sandbox == one.sandbox))
                    }
                    HostNews::Joined(_) | HostNews::Reported(_) | HostNews::Synced => true,
                });
            }
            self.outbox.push_back(news);
        }
    }

    fn send(&mut self) {
        let Some(link) = &self.link else { return };
        while let Some(news) = self.outbox.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(news)) = link.news.try_send(news) {
                self.outbox.push_front(news);
                return;
            }
        }
    }

    /// Lets steps in flight end for a while, then ends. What they did is found again either way.
    async fn shut_down(mut self, done: oneshot::Sender<()>) {
        self.link = None;
        let grace = self.config.shutdown_grace;
        let _ = tokio::time::timeout(grace, async {
            while let Some(ended) = self.steps.join_next_with_id().await {
                if let Input::Step(id, outcome) = step_input(ended) {
                    self.end_step(id, &outcome);
                    self.act();
                }
            }
        })
        .await;
        self.steps.shutdown().await;
        let Self { ledger, .. } = self;
        if let Err(error) = flush(ledger).await {
            tracing::error!("{error}");
        }
        let _ = done.send(());
    }
}

async fn flush(ledger: Box<dyn Ledger>) -> Result<(), LedgerError> {
    // Dropping it, which releases it for the next life, blocks too.
    let flushed = tokio::task::spawn_blocking(move || ledger.flusher()()).await;
    flushed.unwrap_or(Ok(()))
}

async fn take(driver: Arc<dyn Driver>, run: Run) -> Outcome {
    let Run { id: _, sandbox, number, step } = run;
    let taken = match step {
        Step::Pull(image) => driver.pull(&image).await,
        Step::Build(build) => driver.build(&build).await,
        Step::Capture(capture) => driver.capture(sandbox, number, &capture).await,
        Step::Scrap(image) => driver.scrap(&image).await,
        Step::Provision(plan) => driver.provision(sandbox, number, &plan).await,
        Step::Boot(plan) => match plan.lacks() {
            None => driver.boot(sandbox, number, &plan).await,
            // A program that misses a variable may do worse than not run.
            Some(name) => Err(Fault::Missing { what: format!("value of the environment variable {name}") }),
        },
        Step::SaveMemory => driver.save_memory(sandbox, number).await,
        Step::Resume(plan) => driver.resume(sandbox, number, &plan).await,
        Step::Fork(child) => driver.fork(sandbox, number, child).await,
        Step::Archive => driver.archive(sandbox, number).await,
        Step::Restore(from, plan) => driver.restore(sandbox, number, from, &plan).await,
        Step::DropArchives(numbers) => driver.drop_archives(sandbox, &numbers).await,
        Step::Resize(resources) => driver.resize(sandbox, number, resources).await,
        Step::SetNetwork(policy) => driver.set_network(sandbox, number, &policy).await,
        Step::Erase => driver.erase(sandbox).await,
        Step::Halt { grace } => {
            return driver.halt(sandbox, grace).await.map_or_else(Outcome::Failed, Outcome::Halted);
        }
    };
    taken.map_or_else(Outcome::Failed, |()| Outcome::Done)
}

fn step_input(ended: Result<(Id, Outcome), JoinError>) -> Input {
    match ended {
        Ok((id, outcome)) => Input::Step(id, outcome),
        Err(error) if error.is_cancelled() => Input::Step(error.id(), Outcome::Cancelled),
        Err(error) => Input::Step(
            error.id(),
            Outcome::Failed(Fault::System {
                doing: "take a step with its driver".to_owned(),
                error: format!("the driver panicked: {error}"),
            }),
        ),
    }
}
