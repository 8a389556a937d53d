//! How fast a log is folded: `cargo bench -p hourglass-kernel --bench replay`.
//!
//! Ten thousand sandboxes live their lives in turn, at about 200 bytes a record. The first row folds decoded records,
//! the second reads frames: it checks groups and the chain, decodes, and folds.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::sync::Arc;
use std::time::Duration;

use hourglass_events::codec::{self, GroupView};
use hourglass_events::{
    Actor, Capabilities, Class, Command, CorrelationId, Create, Digest, Finding, HostCall, HostId, HostNews,
    HostProfile, IdempotencyKey, Image, Incarnation, OrganizationId, Report, Request, Resources, SandboxId,
    ShardNumber, SnapshotContent, SnapshotId, StopMode, Timestamp,
};
use hourglass_kernel::{Entry, Fleet, Input, Outcome, Output, Replay, RequestId, Shard, ShardConfig};

const SANDBOXES: u64 = 10_000;
const ROUNDS: u64 = 6;
const HOST: HostId = HostId::from_u128(1);
const SHARD: ShardNumber = ShardNumber(0);

/// A shard, and the log it wrote.
struct Recording {
    shard: Shard,
    now: Timestamp,
    frames: Vec<Arc<[u8]>>,
    records: Vec<Arc<Entry>>,
    serial: u64,
}

impl Recording {
    fn feed(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            self.now = Timestamp(self.now.0 + 1_000);
            self.shard.handle(self.now, input);
            while let Some(output) = self.shard.poll() {
                match output {
                    Output::Append { slot, frame } => {
                        self.frames.push(frame);
                        inputs.push(Input::Appended { slot, outcome: Outcome::Durable });
                    }
                    Output::Committed(entries) => self.records.extend(entries),
                    // The host does at once what it is told.
                    Output::Call { host, call: HostCall::Do(order) } => {
                        self.serial += 1;
                        let (sandbox, number) = (order.sandbox, order.number);
                        let finding = Finding::Done(None);
                        let report = Report { serial: self.serial, shard: SHARD, sandbox, number, finding };
                        inputs.insert(0, Input::News { host, news: HostNews::Reported(report) });
                    }
                    Output::Read { .. } | Output::Reply { .. } | Output::Call { .. } | Output::Halted(_) => {}
                }
            }
        }
    }

    fn ask(&mut self, key: Option<String>, command: Command) {
        let request = Request {
            organization: OrganizationId::from_u128(7),
            actor: Actor::Client("bench".to_owned()),
            key: key.map(|key| IdempotencyKey::new(&key).expect("a key")),
            correlation: CorrelationId::from_u128(self.now.0.into()),
            command,
        };
        self.feed(Input::Request { id: RequestId(self.now.0), request: Box::new(request) });
    }
}

fn record() -> Recording {
    let now = Timestamp(1_700_000_000_000_000);
    let mut shard = Replay::new(SHARD, 1).open(ShardConfig::new(1), now).expect("an empty log opens");
    let mut frames = Vec::new();
    let mut opening = None;
    while let Some(output) = shard.poll() {
        if let Output::Append { slot, frame } = output {
            frames.push(frame);
            opening = Some(Input::Appended { slot, outcome: Outcome::Durable });
        }
    }
    let mut recording = Recording { shard, now, frames, records: Vec::new(), serial: 0 };
    recording.feed(opening.expect("an opening"));
    let capacity = Resources { cpu: u32::MAX, memory_gib: u32::MAX, disk_gib: u32::MAX, gpu: 0 };
    let (incarnation, region) = (Incarnation(1), "local".to_owned());
    let profile = HostProfile {
        host: HOST,
        incarnation,
        region,
        classes: vec![Class::Container],
        capacity,
        gpu_type: None,
        capabilities: Capabilities::none(),
    };
    recording.feed(Input::News { host: HOST, news: HostNews::Joined(Box::new(profile)) });
    let content = SnapshotContent {
        name: "default".to_owned(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: Image { digest: "cafe".repeat(16) },
    };
    recording.ask(None, Command::RegisterSnapshot(SnapshotId::from_u128(1), content));
    for sandbox in 0..SANDBOXES {
        let key = sandbox.is_multiple_of(2).then(|| format!("create-{sandbox}"));
        recording.ask(key, Command::Create(Create::new(SandboxId::from_u128((sandbox + 1).into()))));
    }
    for round in 0..ROUNDS {
        for sandbox in 0..SANDBOXES {
            // Not in the order of ids: neighbours in the log are seldom neighbours in memory.
            let sandbox = SandboxId::from_u128((sandbox * 7_919 % SANDBOXES + 1).into());
            let command = match round % 3 {
                0 => Command::Stop(sandbox.into(), StopMode::Graceful(None)),
                1 => Command::Start(sandbox.into()),
                _ => Command::RefreshActivity(sandbox.into()),
            };
            recording.ask(None, command);
        }
    }
    recording
}

/// Put many small frames' records into groups as full as a busy log's are.
fn regroup(recording: &Recording) -> Vec<Vec<u8>> {
    let (mut frames, mut previous) = (Vec::new(), Digest::NONE);
    for (index, entries) in recording.records.chunks(256).enumerate() {
        let number = index as u64 + 1;
        let records = entries.iter().map(|entry| entry.bytes.as_slice()).collect();
        let group = GroupView { epoch: 1, number, nonce: 1, previous, records };
        let frame = group.encode();
        previous = group.digest(&frame, entries.last().map_or(Digest::NONE, |entry| entry.digest));
        frames.push(frame);
    }
    frames
}

/// How long this thread has been on a core, so that neighbours on a busy machine do not count.
#[expect(clippy::disallowed_methods, reason = "what measures a pure crate need not be pure")]
fn on_core() -> Duration {
    let stat =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux says how long threads ran");
    let nanos = stat.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanos.expect("the first number is the time on a core"))
}

/// The best of nine, in records for each second on a core.
fn best(records: usize, mut run: impl FnMut()) -> f64 {
    let rate = |()| {
        let begun = on_core();
        run();
        #[expect(clippy::cast_precision_loss, reason = "records are far below 2^52")]
        let records = records as f64;
        records / (on_core() - begun).as_secs_f64()
    };
    [(); 9].map(rate).into_iter().fold(0.0, f64::max)
}

fn main() {
    let recording = record();
    let frames = regroup(&recording);
    let count = recording.records.len();
    let bytes: usize = recording.records.iter().map(|entry| entry.bytes.len()).sum();
    println!("{count} records of {SANDBOXES} sandboxes, {} bytes each", bytes / count);
    let folds = best(count, || {
        let mut fleet = Fleet::new(SHARD, 1);
        for entry in &recording.records {
            fleet.apply(&entry.record, entry.digest).expect("what was written can be folded");
        }
        assert_eq!(fleet.len() as u64, SANDBOXES);
    });
    let replays = best(count, || {
        let mut replay = Replay::new(SHARD, 1);
        for frame in &frames {
            replay.fold(frame, |_, _, _| {}).expect("what was written can be read");
        }
        assert_eq!(replay.fleet().len(), recording.shard.committed().len());
    });
    let digests = best(count, || {
        for entry in &recording.records {
            std::hint::black_box(Digest::of(&entry.bytes));
        }
    });
    let decodes = best(count, || {
        for entry in &recording.records {
            std::hint::black_box(codec::decode(&entry.bytes).expect("a record"));
        }
    });
    println!("{:<44} {:>12}", "on one core", "records/s");
    for (what, rate) in [
        ("Fleet::apply", folds),
        ("Replay::fold (check, decode, fold)", replays),
        ("  of that, digests alone", digests),
        ("  of that, decoding alone", decodes),
    ] {
        println!("{what:<44} {rate:>12.0}");
    }
}
