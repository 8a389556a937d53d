//! A shard with a crowd of stopped sandboxes, on a log that holds everything the moment it is sent and keeps none of it,
//! and with a host that does everything at once.

use anyhow::{Context as _, bail, ensure};
use hourglass_events::{
    Actor, Alarm, AutoDelete, Blueprint, Capabilities, Cause, Class, Command, CorrelationId, Create, Digest,
    Finding, HostCall, HostId, HostNews, HostProfile, Incarnation, Minutes, Order, Report, Request,
    Resources, SandboxId, ShardNumber, SnapshotId, Span, State, StopMode, Subject, Timestamp,
};
use hourglass_kernel::{
    Checkpoint, Entry, Input, Mark, Outcome, Output, Replay, RequestId, Shard, ShardConfig,
};

use crate::bench::workload::{HOST, LIFE, OWNER, Workload, content};

const SHARD: ShardNumber = ShardNumber(0);
/// Drawn once by a writer; here it is always the same.
const NONCE: u128 = 0x0c20;
/// Records of a group: births are large.
const GROUP: usize = 256;
/// The auto-delete interval: longer than any crowd takes to gather, at the times its records have.
const MINUTES: u32 = 60;

/// The parent of a family.
const PARENT: SandboxId = SandboxId::from_u128(0);

pub(super) struct Crowd {
    shard: Shard,
    now: Timestamp,
    sandboxes: usize,
    used: usize,
    serial: u64,
}

impl Crowd {
    /// So many sandboxes, each created and stopped, with records `step` apart. Says to `show` how far it has come.
    pub(super) fn gather(sandboxes: usize, step: Span, mut show: impl FnMut(f64)) -> anyhow::Result<Self> {
        let mut workload =
            Workload::new(sandboxes)?.every(step).deleting(AutoDelete::After(Minutes(MINUTES)));
        let (mut replay, mut mark) = (Replay::new(SHARD, 1), Mark::START);
        let records = 1 + LIFE * sandboxes;
        for begin in (0..records).step_by(GROUP) {
            let entries: Vec<Entry> = (begin..records.min(begin + GROUP)).map(|_| workload.entry()).collect();
            let bytes = entries.iter().map(|entry| entry.bytes.as_slice()).collect();
            let last = entries.last().map_or(Digest::NONE, |entry| entry.digest);
            let (next, frame) = mark.frame(mark == Mark::START, NONCE, bytes, last);
            mark = next;
            replay.fold(&frame, |_, _, _| {})?;
            show(begin as f64 / records as f64);
        }
        Self::open(replay)
    }

    /// The crowd of a checkpoint.
    pub(super) fn resume(checkpoint: Checkpoint) -> anyhow::Result<Self> {
        Self::open(Replay::from_checkpoint(checkpoint))
    }

    /// Open an epoch, and hear from the host.
    fn open(replay: Replay) -> anyhow::Result<Self> {
        let (now, sandboxes) = (replay.fleet().at(), replay.fleet().len());
        let shard = replay.open(ShardConfig::new(NONCE), now)?;
        let mut crowd = Self { shard, now, sandboxes, used: 0, serial: 0 };
        crowd.drain(|_| {})?;
        let capacity = Resources { cpu: u32::MAX, memory_gib: u32::MAX, disk_gib: u32::MAX, gpu: 0 };
        let profile = HostProfile {
            host: HOST,
            incarnation: Incarnation(1),
            region: Blueprint::REGION.to_owned(),
            classes: vec![Class::Container],
            capacity,
            gpu_type: None,
            capabilities: Capabilities::all(),
        };
        for news in [HostNews::Joined(Box::new(profile)), HostNews::Synced] {
            crowd.feed(Input::News { host: HOST, news }, |_| {})?;
        }
        ensure!(crowd.shard.is_resynced(), "the shard waits for hosts that have spoken");
        Ok(crowd)
    }

    pub(super) const fn shard(&self) -> &Shard {
        &self.shard
    }

    /// How many records there are.
    pub(super) const fn records(&self) -> u64 {
        self.shard.committed().seq().0
    }

    /// Start one that is stopped, or stop one that runs, and have it done. They are taken in a scattered order.
    pub(super) fn use_one(&mut self) -> anyhow::Result<()> {
        let id = SandboxId::from_u128((self.used * 7_919 % self.sandboxes) as u128);
        let state = self.shard.committed().sandbox(id).context("a sandbox of the crowd")?.state;
        let command = if state == State::Stopped {
            Command::Start(id.into())
        } else {
            Command::Stop(id.into(), StopMode::Graceful(None))
        };
        self.ask(command)
    }

    /// A sandbox and so many that are linked with it, all running.
    pub(super) fn family(children: usize) -> anyhow::Result<Self> {
        let mut family = Self::open(Replay::new(SHARD, 1))?;
        family.ask(Command::RegisterSnapshot(SnapshotId::from_u128(3), content()))?;
        for member in 0..=children {
            let mut create = Create::new(SandboxId::from_u128(member as u128));
            create.snapshot = Some(content().name);
            if member > 0 {
                create.linked = Some(PARENT.into());
                create.auto_delete = Some(AutoDelete::AtOnce);
            }
            family.ask(Command::Create(create))?;
        }
        let running = family.shard.committed().sandboxes().filter(|member| member.state == State::Started);
        ensure!(running.count() == children + 1, "a family that runs");
        Ok(family)
    }

    /// Delete the parent of a family, and with it everybody.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        self.ask(Command::Delete(PARENT.into()))?;
        ensure!(self.shard.committed().is_empty(), "somebody outlived the parent");
        Ok(())
    }

    fn ask(&mut self, command: Command) -> anyhow::Result<()> {
        self.used += 1;
        let request = Request {
            organization: OWNER,
            actor: Actor::Client("bench".to_owned()),
            key: None,
            correlation: CorrelationId::from_u128(self.used as u128),
            command,
        };
        self.now = self.now.after(Span(1));
        self.feed(Input::Request { id: RequestId(self.used as u64), request: Box::new(request) }, |_| {})
    }

    /// When something goes off next.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.shard.deadline().map(|(at, _)| at)
    }

    /// Let it be `now`, without saying so.
    pub(super) fn hurry_to(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// Let it be `now`, and say when each alarm that went off was due.
    pub(super) fn ring(&mut self, now: Timestamp) -> anyhow::Result<Vec<Timestamp>> {
        self.hurry_to(now);
        let mut rung = Vec::new();
        let before = self.shard.committed().clone();
        self.feed(Input::Tick, |entry| {
            if let (Cause::Timer(Alarm::AutoDelete), Subject::Sandbox(id)) =
                (&entry.record.cause, entry.record.subject)
                && let Some(stopped) = before.sandbox(id).and_then(|sandbox| sandbox.stopped_since)
            {
                rung.push(stopped.after(Span::minutes(MINUTES.into())));
            }
        })?;
        Ok(rung)
    }

    /// Take in `input` and all that follows from it; show `see` what was committed.
    fn feed(&mut self, input: Input, see: impl FnMut(&Entry)) -> anyhow::Result<()> {
        self.shard.handle(self.now, input);
        self.drain(see)
    }

    fn drain(&mut self, mut see: impl FnMut(&Entry)) -> anyhow::Result<()> {
        while let Some(output) = self.shard.poll() {
            let input = match output {
                Output::Append { slot, .. } => Input::Appended { slot, outcome: Outcome::Durable },
                Output::Committed(entries) => {
                    entries.iter().for_each(|entry| see(entry));
                    continue;
                }
                Output::Call { host, call: HostCall::Do(order) } => self.done(host, &order),
                Output::Reply { reply, .. } => {
                    reply.context("a request of the bench")?;
                    continue;
                }
                Output::Halted(why) => bail!("the shard stopped: {why}"),
                Output::Read { .. } | Output::Call { .. } => continue,
            };
            self.shard.handle(self.now, input);
        }
        Ok(())
    }

    fn done(&mut self, host: HostId, order: &Order) -> Input {
        self.serial += 1;
        let (sandbox, number) = (order.sandbox, order.number);
        let finding = Finding::Done(None);
        Input::News {
            host,
            news: HostNews::Reported(Report { serial: self.serial, shard: SHARD, sandbox, number, finding }),
        }
    }
}
