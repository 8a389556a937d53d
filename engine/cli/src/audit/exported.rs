//! A log as `hourglass export` wrote it: one JSON object a line, each with the raw bytes of its record, from which alone
//! everything is folded. What stands beside the bytes for people is compared with them.
//!
//! ```text
//! {"export":{"version":1,"view":1,"shard":0,"shards":1,"build":"0.1.0"}}
//! {"seq":1,"at":"2026-…","event":"Opened", … ,"raw":"nAGwAZoI…"}
//! …
//! {"end":{"records":12,"head":"011709d6…"}}
//! ```

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hourglass_events::codec::{self, RECORD_BYTES_MOST};
use hourglass_events::{Digest, Record, Seq, ShardNumber};
use hourglass_kernel::Fleet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::past::{self, Moment};
use super::view;

/// The version of the lines' form.
pub(super) const VERSION: u32 = 1;
/// The most bytes of a line. A byte of a record takes at most six of its view, and four thirds of its raw form.
const LINE_MOST: u64 = 16 * RECORD_BYTES_MOST as u64;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) export: About,
}

/// What an export says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct About {
    /// The version of the lines' form.
    pub(super) version: u32,
    /// The version of what stands beside the raw records.
    pub(super) view: u32,
    pub(super) shard: ShardNumber,
    pub(super) shards: u64,
    /// Who wrote it.
    pub(super) build: String,
}

/// The last line.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Footer {
    pub(super) end: End,
}

/// Where an export ends: without this it was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) records: Seq,
    pub(super) head: Digest,
}

/// An export, read from its beginning.
pub(crate) struct Exported {
    path: PathBuf,
    lines: Lines,
    about: About,
    fleet: Fleet,
}

impl Exported {
    /// Open the export at `path`.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let (lines, about) = begin(path)?;
        let fleet = Fleet::new(about.shard, about.shards);
        Ok(Self { path: path.to_owned(), lines, about, fleet })
    }

    /// As [`Past::walk`](super::past::Past::walk).
    pub(super) fn walk(
        &mut self,
        mut wanted: impl FnMut(&Record) -> bool,
        mut see: impl FnMut(Moment<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        while let Some(line) = self.lines.next()? {
            let number = self.lines.number;
            let Line::Record { bytes, view } = line else {
                self.close(&line)?;
                return Ok(true);
            };
            let record = codec::decode(&bytes).with_context(|| format!("line {number}"))?;
            if !wanted(&record) {
                return Ok(false);
            }
            let digest = Digest::of(&bytes);
            self.fleet.apply(&record, digest).with_context(|| format!("line {number}"))?;
            if self.about.view == view::VERSION {
                agrees(number, &view, &view::of(&record, digest))?;
            }
            see(Moment { fleet: &self.fleet, record: &record, bytes: &bytes, digest })?;
        }
        bail!(
            "{} ends with line {} and without the line that ends an export: it was cut off; export it again",
            self.path.display(),
            self.lines.number
        );
    }

    /// Nothing follows the end, and it is where it says.
    fn close(&mut self, last: &Line) -> anyhow::Result<()> {
        let number = self.lines.number;
        let found = End { records: self.fleet.seq(), head: self.fleet.head() };
        match last {
            Line::End(end) => ensure!(
                *end == found,
                "line {number} says that {} records end with {}, and here are {} that end with {}: lines are missing",
                end.records,
                end.head,
                found.records,
                found.head
            ),
            Line::Record { .. } => {}
        }
        ensure!(self.lines.next()?.is_none(), "line {} follows the end of the export", self.lines.number);
        Ok(())
    }

    /// Every record about the shard itself. What cannot be read is left to whoever folds it.
    pub(super) fn of_shard(&self, see: impl FnMut(Record)) -> anyhow::Result<()> {
        let (mut lines, _) = begin(&self.path)?;
        let mut records = Vec::new();
        while let Some(Line::Record { bytes, .. }) = lines.next()? {
            records.extend(past::of_shard(&bytes));
        }
        records.into_iter().for_each(see);
        Ok(())
    }

    /// Whether what stands beside the raw records was compared with them.
    pub(super) const fn views_compared(&self) -> bool {
        self.about.view == view::VERSION
    }

    pub(super) const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn begin(path: &Path) -> anyhow::Result<(Lines, About)> {
    let unreadable = || format!("{} cannot be read", path.display());
    let file = File::open(path).with_context(unreadable)?;
    let mut lines = Lines { reader: BufReader::new(file), number: 0, buffer: Vec::new() };
    let no_export = || format!("{} is no export: `hourglass export FILE` writes one", path.display());
    let first = lines.read().with_context(unreadable)?.with_context(no_export)?;
    let Header { export: about } = serde_json::from_slice(first).ok().with_context(no_export)?;
    ensure!(
        about.version == VERSION,
        "{} is an export of version {}, and this build reads version {VERSION}; use the build that wrote it, {}",
        path.display(),
        about.version,
        about.build
    );
    Ok((lines, about))
}

/// The lines of a file, one at a time.
struct Lines {
    reader: BufReader<File>,
    /// The line last read, from 1.
    number: u64,
    buffer: Vec<u8>,
}

/// A line behind the first.
enum Line {
    Record {
        bytes: Vec<u8>,
        /// What else stands there.
        view: Map<String, Value>,
    },
    End(End),
}

impl Lines {
    fn read(&mut self) -> anyhow::Result<Option<&[u8]>> {
        self.buffer.clear();
        let mut bounded = (&mut self.reader).take(LINE_MOST + 1);
        bounded.read_until(b'\n', &mut self.buffer)?;
        self.number += 1;
        if self.buffer.is_empty() {
            self.number -= 1;
            return Ok(None);
        }
        ensure!(
            self.buffer.len() as u64 <= LINE_MOST,
            "line {} is longer than the {LINE_MOST} bytes that a line of an export has at most",
            self.number
        );
        Ok(Some(&self.buffer))
    }

    fn next(&mut self) -> anyhow::Result<Option<Line>> {
        let Some(line) = self.read()? else { return Ok(None) };
        let parsed = parse(line);
        parsed.map(Some).with_context(|| format!("line {} is damaged", self.number))
    }
}

fn parse(line: &[u8]) -> anyhow::Result<Line> {
    let mut view: Map<String, Value> = serde_json::from_slice(line)?;
    if view.contains_key("end") {
        let Footer { end } = serde_json::from_value(Value::Object(view))?;
        return Ok(Line::End(end));
    }
    let raw = view.remove("raw").context("it has no field \"raw\" with the bytes of a record")?;
    let raw = raw.as_str().context("its field \"raw\" is no text")?;
    let bytes = STANDARD.decode(raw).context("its field \"raw\" is not base64")?;
    Ok(Line::Record { bytes, view })
}

/// What is said of a record beside its bytes must be what they say.
fn agrees(number: u64, said: &Map<String, Value>, is: &Map<String, Value>) -> anyhow::Result<()> {
    let differs = |(name, value): &(&String, &Value)| said.get(*name) != Some(*value);
    if let Some((name, value)) = is.iter().find(differs) {
        let found = said.get(name).map_or_else(|| "nothing".to_owned(), Value::to_string);
        bail!("line {number} says {found} for {name:?}, and its raw record says {value}");
    }
    match said.keys().find(|name| !is.contains_key(*name)) {
        Some(name) => bail!("line {number} says something for {name:?}, and its raw record nothing"),
        None => Ok(()),
    }
}
