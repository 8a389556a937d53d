//! A data directory in which an engine has run, and the command asked about it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod lived;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hourglass_engine::log::EventLog as _;
use hourglass_engine::log::segments::{Inspection, Options, SegmentLog};
use hourglass_engine::{Engine, Settings, Store};
use hourglass_events::{Class, Digest, Image, OrganizationId, Resources, Seq, ShardNumber, SnapshotContent};
use hourglass_kernel::{Input, Output as Wanted, Replay, ShardConfig};

pub(crate) const SEGMENT: &str = "log/shard-0/00000000000000000001.segment";

/// A data directory that is removed in the end.
pub(crate) struct Data(pub(crate) PathBuf);

impl Drop for Data {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Data {
    /// One in which an engine has run.
    pub(crate) fn new(name: &str) -> Self {
        let data = Self::empty(name);
        data.live();
        data
    }

    /// One that is not there yet.
    pub(crate) fn empty(name: &str) -> Self {
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id())))
    }

    /// The life of one engine: a snapshot, and four sandboxes that wait for a host. It notes a digest of its state
    /// after every checkpoint, and makes one after every group.
    pub(crate) fn live(&self) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let settings = Settings { checkpoint_records: 1, ..Settings::default() };
            let engine = Engine::builder(Store::embedded(&self.0)).settings(settings).start().await.unwrap();
            engine.register_snapshot(snapshot()).await.unwrap();
            let client = engine.client(OrganizationId::from_u128(1), "test");
            let create = || client.create(|_| {});
            // While the first is on its way to the disk the others gather in one group.
            tokio::try_join!(create(), create(), create(), create()).unwrap();
            engine.shutdown().await;
        });
    }

    pub(crate) fn hourglass(&self, command: &str, arguments: &[&str]) -> Output {
        let mut hourglass = Command::new(env!("CARGO_BIN_EXE_hourglass"));
        hourglass.arg(command).arg("--data").arg(&self.0).args(arguments).output().unwrap()
    }

    pub(crate) fn said(&self, command: &str, arguments: &[&str]) -> String {
        let output = self.hourglass(command, arguments);
        assert!(output.status.success(), "{command} {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn refusal(&self, command: &str, arguments: &[&str]) -> String {
        let output = self.hourglass(command, arguments);
        assert!(!output.status.success(), "{command} {arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Every file, with its bytes.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.0.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    files.insert(path, bytes);
                }
            }
        }
        files
    }

    /// Let another writer take over that notes this as the digest of the state at record `through`.
    pub(crate) fn note(&self, through: u64, hash: Digest) {
        let (log, _) = SegmentLog::open(&self.0.join("log/shard-0"), Options::new(0)).unwrap();
        let (reader, mut replay) = (log.reader(), Replay::new(ShardNumber(0), 1));
        let mut scan = reader.scan(replay.next_slot());
        while let Some(scanned) = scan.next_frame().unwrap() {
            replay.fold(scanned.frame, |_, _, _| {}).unwrap();
        }
        let now = replay.fleet().at();
        let mut shard = replay.open(ShardConfig::new(7), now).unwrap();
        let mut inputs = vec![Input::StateHashed { through: Seq(through), hash }];
        loop {
            while let Some(output) = shard.poll() {
                if let Wanted::Append { slot, frame } = output {
                    let append = log.append(slot, frame);
                    let outcome = tokio::runtime::Runtime::new().unwrap().block_on(append);
                    inputs.push(Input::Appended { slot, outcome });
                }
            }
            let Some(input) = inputs.pop() else { break };
            shard.handle(now, input);
        }
    }

    /// Leave part of a frame behind the last one, as a power cut does.
    pub(crate) fn tear(&self) {
        let segment = self.0.join(SEGMENT);
        let used = fs::read(&segment).unwrap().iter().rposition(|&byte| byte != 0).unwrap() as u64;
        let file = fs::OpenOptions::new().write(true).open(segment).unwrap();
        file.write_all_at(&[0xee; 200], (used / 8 + 8) * 8).unwrap();
    }
}

pub(crate) fn snapshot() -> SnapshotContent {
    SnapshotContent {
        name: "default".to_owned(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: Image { digest: "tiny".to_owned() },
    }
}

/// The last record of each group.
pub(crate) fn groups_end(data: &Data) -> Vec<u64> {
    let path = Store::log_directory(&data.0, ShardNumber(0));
    let inspection = Inspection::open(&path, &Options::new(0)).unwrap();
    let mut replay = Replay::new(ShardNumber(0), 1);
    let mut ends = Vec::new();
    let reader = inspection.reader();
    let mut scan = reader.scan(replay.next_slot());
    while let Some(scanned) = scan.next_frame().unwrap() {
        replay.fold(scanned.frame, |_, _, _| {}).unwrap();
        ends.push(replay.fleet().seq().0);
    }
    ends
}
