//! Booting and ending one life of a sandbox. Blocking; called with the sandbox's lock held.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::process::Command;
use std::time::{Duration, Instant};

use hourglass_agent::place;
use hourglass_events::{ExitCause, Fault, Plan, Span};
use rustix::process::Signal;

use super::bundle::{self, Contents};
use super::cgroup::Limits;
use super::doing::Doing;
use super::lock::Lock;
use super::part::part;
use super::place::{FoundDisk, Life};
use super::process::Init;
use super::{Inner, Wanted, disk, helper, mounts, talk, wait};
use crate::image::Base;
use crate::step;

/// How long a grace is waited out before it is asked again whether the stop is still wanted.
const SLICE: Duration = Duration::from_millis(25);

impl Inner {
    /// Make `life` run, from a disk and an image that are here. What is half done when this fails is taken away.
    pub(super) fn begin(&self, life: Life, plan: &Plan, lock: &Lock, wanted: &Wanted) -> Result<Init, Fault> {
        let missing = || Fault::Missing { what: "disk".to_owned() };
        let disk = self.places.whole_disk(life.sandbox).ok_or_else(missing)?;
        let base = self.base(&plan.image)?;
        self.raise(life, plan, &disk, &base, lock, wanted).inspect_err(|_| {
            if let Err(fault) = self.end(life, lock) {
                tracing::warn!(life = life.name(), %fault, "a life that could not begin left something behind");
            }
        })
    }

    fn raise(
        &self,
        life: Life,
        plan: &Plan,
        disk: &FoundDisk,
        base: &Base,
        lock: &Lock,
        wanted: &Wanted,
    ) -> Result<Init, Fault> {
        let (places, name) = (self.places.life(life), life.name());
        if self.stock.take_network(&places.dir)? {
            step::done("network.taken");
        }
        for dir in [places.disk(), places.root(), places.shared()] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .doing("make the sandbox's directories")?;
        }
        step::done("run.made");
        let device = part("loop", || disk::attach(&disk.path, lock))?;
        step::done("loop.attached");
        part("mounts", || mounts::make(&places, &device, &base.rootfs))?;

        part("network", || self.networks.join(life, &places, &plan.network, lock))?;

        let limits = Limits::new(&plan.resources, self.config.pids_most);
        part("cgroup", || self.groups.make(&name, limits))?;
        step::done("cgroup.made");
        let group = self.groups.path(&name);
        let agent = &self.programs.agent;
        let memory = self.groups.memory(&name);
        let contents =
            Contents { plan, settings: &base.settings, limits, agent, group: &group, memory: &memory };
        bundle::write(&places, &contents)?;
        step::done("bundle.written");

        let mut launch = Command::new(&self.programs.launch);
        launch
            .env_clear()
            .arg(&name)
            .arg(places.state())
            .arg(places.bundle())
            .args(self.groups.joined(&name));
        part("container", || helper::run(&mut launch, lock, "make the container"))?;
        // It holds the sandbox's secrets, and nobody needs it any more.
        fs::remove_dir_all(places.bundle()).doing("remove the sandbox's bundle")?;
        step::done("container.started");
        let init = part("agent", || self.meet(life, base, wanted))?;
        step::done("agent.answered");
        fs::write(places.booted(), self.groups.out_of_memory(&name).to_string())
            .doing("mark the sandbox as booted")?;
        step::done("boot.marked");
        Ok(init)
    }

    /// Wait until the agent answers, or is gone, or has been silent for too long, or nobody wants the boot any more:
    /// whoever wants the lock would otherwise wait for a silent agent too.
    fn meet(&self, life: Life, base: &Base, wanted: &Wanted) -> Result<Init, Fault> {
        let (shared, name) = (self.places.life(life).shared(), life.name());
        let after = self.config.agent_patience;
        let deadline = Instant::now() + Duration::from_micros(after.0);
        let mut pause = Duration::from_micros(100);
        loop {
            let init = Init::find(&self.groups, &name);
            if talk::answers(&shared)
                && let Some(init) = init
            {
                return Ok(init);
            }
            if init.is_none_or(|init| init.ends_within(pause)) {
                return Err(self.stillborn(life, base));
            }
            if Instant::now() >= deadline {
                return Err(Fault::AgentSilent { after });
            }
            wanted.check()?;
            pause = (pause * 2).min(Duration::from_millis(5));
        }
    }

    /// Why a sandbox ended before its agent answered.
    fn stillborn(&self, life: Life, base: &Base) -> Fault {
        let shared = self.places.life(life).shared();
        let program = base.settings.entrypoint.first().cloned().unwrap_or_default();
        if let Some(error) = talk::note(&shared, place::UNUSABLE) {
            return Fault::EntrypointUnusable { program, error };
        }
        let said = talk::note(&shared, place::FAILED).or_else(|| {
            let code = talk::note(&shared, place::EXIT)?;
            Some(format!("the entrypoint ended with code {code} before the agent answered"))
        });
        let error = said.unwrap_or_else(|| "it ended without a word; see the kernel's log".to_owned());
        Fault::System { doing: "start the agent inside the sandbox".to_owned(), error }
    }

    /// End what runs of `life`: by asking, unless `grace` is nothing, then by force. Releases everything.
    ///
    /// Nothing is killed once the stop is not wanted any more: whoever takes the lock next decides about that.
    pub(super) fn stop(
        &self,
        life: Life,
        grace: Span,
        lock: &Lock,
        wanted: &Wanted,
    ) -> Result<ExitCause, Fault> {
        self.mark_halting(life);
        let cause = match Init::find(&self.groups, &life.name()) {
            None => ExitCause::Vanished,
            Some(init) if grace > Span::ZERO => {
                init.signal(Signal::TERM);
                if leaves(&init, grace, wanted)? { ExitCause::Stopped } else { ExitCause::Killed }
            }
            Some(_) => ExitCause::Killed,
        };
        self.end(life, lock)?;
        Ok(cause)
    }

    /// Say beforehand that the end of `life` is meant: to its watcher, and to a next host worker. Without its directory there is nothing to mistake.
    pub(super) fn mark_halting(&self, life: Life) {
        self.forget(life);
        if fs::write(self.places.life(life).halting(), []).is_ok() {
            step::done("halt.marked");
        }
    }

    /// Kill what is left of `life` and release its mounts, loop device, group and directory. From any half state.
    pub(super) fn end(&self, life: Life, lock: &Lock) -> Result<(), Fault> {
        let (places, name) = (self.places.life(life), life.name());
        let init = Init::find(&self.groups, &name);
        part("kill", || self.groups.kill(&name))?;
        if let Some(init) = init {
            // The kernel stops listing a process in its group before it is through with its end.
            wait::until("end the sandbox's first process", || init.ends_within(Duration::from_millis(10)))?;
            init.reap();
        }
        step::done("processes.ended");
        part("unmount", || mounts::clear(&places.dir))?;
        step::done("mounts.gone");
        part("release", || {
            let disks = self.places.found_disks(Some(life.sandbox));
            disks.iter().try_for_each(|disk| disk::release(&disk.path, lock))
        })?;
        step::done("loop.released");
        part("ungroup", || self.groups.remove(&name))?;
        step::done("cgroup.removed");
        // It went with its namespace, whose mount is gone since; the kernel has had all that time.
        part("unplug", || self.networks.gone(&name, &places))?;
        step::done("network.gone");
        // Mount points first and one by one: if one still held files, they must not be deleted through it.
        for point in [places.disk(), places.root(), places.shared()] {
            there(fs::remove_dir(point)).doing("remove the sandbox's mount points")?;
        }
        there(fs::remove_dir_all(&places.dir)).doing("remove the sandbox's directory")?;
        step::done("run.removed");
        Ok(())
    }

    /// Why a life that was not asked to end did. Its mounts and group must still be there.
    pub(super) fn cause(&self, life: Life) -> ExitCause {
        let shared = self.places.life(life).shared();
        let code = talk::note(&shared, place::EXIT).and_then(|code| code.parse().ok());
        // The kernel kills for want of memory with the signal anybody else might use, and only counts in the group. So
        // the agent says whether it was what ended the entrypoint; if the agent itself was killed, anything since the
        // boot was through may have been it.
        let starved = match code {
            Some(_) => talk::note(&shared, place::STARVED).is_some(),
            None => {
                let before = fs::read_to_string(self.places.life(life).booted()).unwrap_or_default();
                self.groups.out_of_memory(&life.name()) > before.parse().unwrap_or_default()
            }
        };
        match code {
            Some(137) | None if starved => ExitCause::OutOfMemory,
            Some(code) => ExitCause::Entrypoint { code },
            None => ExitCause::Vanished,
        }
    }
}

/// Whether the sandbox ends within its grace. The wait is given up when nobody wants its end any more: a forced stop
/// or an erasure wants the lock, and would otherwise wait for the whole grace.
fn leaves(init: &Init, grace: Span, wanted: &Wanted) -> Result<bool, Fault> {
    let (began, grace) = (Instant::now(), Duration::from_micros(grace.0));
    loop {
        let left = grace.saturating_sub(began.elapsed());
        if init.ends_within(left.min(SLICE)) {
            return Ok(true);
        }
        if left <= SLICE {
            return Ok(false);
        }
        wanted.check()?;
    }
}

/// What is gone already is as good as removed.
pub(super) fn there(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
