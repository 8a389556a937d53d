//! A driver for machines without anything: sandboxes in memory, which do what a script says.
//!
//! It keeps the contract of [`Driver`] and passes its conformance suite, so what is built on it holds on real ones. It
//! outlives a host worker that is started again with the same [`Arc`]. Time in it is tokio's, which
//! tests can stop. It isolates nothing and runs no real programs.

mod files;
mod inside;
mod look;
mod machine;
mod script;
mod shell;
mod step;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hourglass_agent::client::Agent;
use hourglass_events::{
    Build, Capabilities, Capture, Class, ExitCause, Fault, Image, NetworkPolicy, OrderNumber, Plan,
    Resources, SandboxId, Span,
};
use hourglass_tunnel::{Refused, Target};
use tokio::sync::Notify;

use self::machine::Machine;
pub use self::script::{Act, Taken, Twist};
use self::script::{Point, Script};
use self::step::Step;
use crate::driver::{Command, Driver, ExecError, Exit, Present, Ran, Stream};
use crate::exec::{self, Went};

/// A machine in memory.
#[derive(Debug)]
pub struct Scripted {
    capacity: Resources,
    capabilities: Capabilities,
    machine: Arc<Mutex<Machine>>,
    script: Mutex<Script>,
    /// Woken on every change of either.
    changed: Arc<Notify>,
}

impl Default for Scripted {
    fn default() -> Self {
        Self::new()
    }
}

impl Scripted {
    /// An empty machine without a script.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(Resources { cpu: 64, memory_gib: 256, disk_gib: 4096, gpu: 0 })
    }

    /// An empty machine that gives itself out to be so large.
    #[must_use]
    pub fn with_capacity(capacity: Resources) -> Self {
        Self {
            capacity,
            capabilities: Capabilities::all(),
            machine: Arc::default(),
            script: Mutex::default(),
            changed: Arc::default(),
        }
    }

    /// This machine, which says that it can do this and no more.
    #[must_use]
    pub fn able_to(self, capabilities: Capabilities) -> Self {
        Self { capabilities, ..self }
    }

    /// The next time `act` is taken on `sandbox` (or on any, when none is named), `twist` happens, once.
    pub fn script(&self, sandbox: impl Into<Option<SandboxId>>, act: Act, twist: Twist) {
        lock(&self.script).add(sandbox.into(), act, twist);
    }

    /// Lets every step that hangs right now go on, and forgets the rest of the script.
    pub fn release(&self) {
        lock(&self.script).release();
        self.changed.notify_waiters();
    }

    /// Waits until a step hangs, and says which.
    pub async fn hung(&self) -> Taken {
        self.wait(|| lock(&self.script).hanging()).await
    }

    /// Every step begun so far, in order.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        lock(&self.script).taken.clone()
    }

    /// Ends a sandbox that runs, as if by itself. Nothing happens to one that does not run.
    pub fn end(&self, sandbox: SandboxId, cause: ExitCause) {
        self.change(|machine| machine.end_by_itself(sandbox, cause));
    }

    /// Ends everything that runs without a trace, as when the machine is switched off. Disks and images stay.
    pub fn power_off(&self) {
        self.change(Machine::power_off);
    }

    fn begin(&self, sandbox: Option<SandboxId>, act: Act) -> Step<'_> {
        let taken = Taken { sandbox, act };
        Step { driver: self, taken, twist: lock(&self.script).take(taken) }
    }

    /// Waits for `look` to find something. Dropping the future loses nothing.
    async fn wait<T>(&self, look: impl FnMut() -> Option<T>) -> T {
        wait(&self.changed, look).await
    }

    fn change<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        let done = work(&mut lock(&self.machine));
        self.changed.notify_waiters();
        done
    }
}

#[async_trait]
impl Driver for Scripted {
    fn classes(&self) -> Vec<Class> {
        vec![Class::Container, Class::LinuxVm, Class::Windows]
    }

    fn capacity(&self) -> Resources {
        self.capacity
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    async fn survey(&self) -> Result<Vec<Present>, Fault> {
        Ok(self.change(Machine::survey))
    }

    async fn pull(&self, image: &Image) -> Result<(), Fault> {
        let step = self.begin(None, Act::Pull);
        step.pass(Point::Before).await?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.fetch(image))?;
        step.pass(Point::After).await
    }

    async fn build(&self, build: &Build) -> Result<(), Fault> {
        let step = self.begin(None, Act::Build);
        step.pass(Point::Before).await?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.have(&build.image));
        step.pass(Point::After).await
    }

    async fn capture(
        &self,
        sandbox: SandboxId,
        _number: OrderNumber,
        capture: &Capture,
    ) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::Capture);
        step.pass(Point::Before).await?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.capture(sandbox, capture))?;
        step.pass(Point::After).await
    }

    async fn scrap(&self, image: &Image) -> Result<(), Fault> {
        let step = self.begin(None, Act::Scrap);
        step.pass(Point::Before).await?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.scrap(image));
        step.pass(Point::After).await
    }

    async fn provision(&self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::Provision);
        step.pass(Point::Before).await?;
        self.change(|machine| machine.begin_disk(sandbox, &plan.image))?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.end_disk(sandbox, number, plan));
        step.pass(Point::After).await
    }

    async fn boot(&self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::Boot);
        step.pass(Point::Before).await?;
        self.change(|machine| machine.begin_life(sandbox, number, plan))?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.bring_up(sandbox, number));
        step.pass(Point::After).await
    }

    async fn save_memory(&self, sandbox: SandboxId, number: OrderNumber) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::SaveMemory);
        step.pass(Point::Before).await?;
        // Until all of it is saved it runs on.
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.save_memory(sandbox, number))?;
        step.pass(Point::After).await
    }

    async fn resume(&self, sandbox: SandboxId, number: OrderNumber, plan: &Plan) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::Resume);
        step.pass(Point::Before).await?;
        self.change(|machine| machine.begin_resume(sandbox, number, plan))?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.bring_up(sandbox, number));
        step.pass(Point::After).await
    }

    async fn fork(&self, sandbox: SandboxId, number: OrderNumber, child: SandboxId) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::Fork);
        step.pass(Point::Before).await?;
        self.change(|machine| machine.begin_fork(sandbox, number, child))?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.end_fork(sandbox, number, child))?;
        step.pass(Point::After).await
    }

    async fn archive(&self, sandbox: SandboxId, number: OrderNumber) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::Archive);
        step.pass(Point::Before).await?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.archive(sandbox, number))?;
        step.pass(Point::After).await
    }

    async fn restore(
        &self,
        sandbox: SandboxId,
        number: OrderNumber,
        from: OrderNumber,
        _plan: &Plan,
    ) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::Restore);
        step.pass(Point::Before).await?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.restore(sandbox, number, from))?;
        step.pass(Point::After).await
    }

    async fn drop_archives(&self, sandbox: SandboxId, numbers: &[OrderNumber]) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::DropArchives);
        step.pass(Point::Before).await?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.drop_archives(sandbox, numbers));
        step.pass(Point::After).await
    }

    async fn resize(
        &self,
        sandbox: SandboxId,
        _number: OrderNumber,
        resources: Resources,
    ) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::Resize);
        step.pass(Point::Before).await?;
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.resize(sandbox, resources))?;
        step.pass(Point::After).await
    }

    async fn set_network(
        &self,
        sandbox: SandboxId,
        _number: OrderNumber,
        policy: &NetworkPolicy,
    ) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::SetNetwork);
        step.pass(Point::Before).await?;
        // It is replaced at once, so half of it is all of it or nothing.
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.set_network(sandbox, policy))?;
        step.pass(Point::After).await
    }

    async fn halt(&self, sandbox: SandboxId, grace: Span) -> Result<ExitCause, Fault> {
        let step = self.begin(Some(sandbox), Act::Halt);
        step.pass(Point::Before).await?;
        // What runs is gone halfway; what it leaves, which says how it ended, goes last.
        let cause = self.change(|machine| machine.end_life(sandbox, grace));
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.clear_life(sandbox));
        step.pass(Point::After).await?;
        Ok(cause)
    }

    async fn erase(&self, sandbox: SandboxId) -> Result<(), Fault> {
        let step = self.begin(Some(sandbox), Act::Erase);
        step.pass(Point::Before).await?;
        self.change(|machine| machine.break_disk(sandbox));
        step.pass(Point::Halfway).await?;
        self.change(|machine| machine.forget(sandbox));
        step.pass(Point::After).await
    }

    async fn connect(&self, sandbox: SandboxId, target: Target) -> Result<Box<dyn Stream>, Refused> {
        let number = self.running(sandbox).ok_or(Refused::NotRunning(sandbox))?;
        let stream = inside::open(self, sandbox, number);
        match target {
            Target::Agent => Ok(Box::new(stream)),
            Target::Port(port) => match Agent::over(stream).port(port).await {
                Ok(stream) => Ok(Box::new(stream)),
                Err(error) => Err(Refused::Port { port, why: error.to_string() }),
            },
        }
    }

    async fn exec(&self, sandbox: SandboxId, command: Command) -> Result<Ran, ExecError> {
        let number = self.running(sandbox).ok_or(ExecError::NotRunning(sandbox))?;
        match exec::run(Box::new(inside::open(self, sandbox, number)), command).await {
            Went::Said(said) => said,
            Went::Broke(_) if self.running(sandbox) != Some(number) => Err(ExecError::Interrupted(sandbox)),
            Went::Broke(error) => Err(ExecError::Agent(error.to_string())),
        }
    }

    async fn exited(&self) -> Exit {
        self.wait(|| lock(&self.machine).next_exit()).await
    }
}

/// Waits for `look` to find something, and has it look at every change.
async fn wait<T>(changed: &Notify, mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        let changed = changed.notified();
        tokio::pin!(changed);
        // Listening from before the look, so that no change falls between the two.
        changed.as_mut().enable();
        if let Some(found) = look() {
            return found;
        }
        changed.await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left behind is looked at by a test that fails anyway.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
