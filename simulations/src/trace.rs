//! The story of a run: one line per event, digested as it is told. Nobody has to keep the lines.

use std::fmt::{Arguments, Write};

use hourglass_events::{Digest, Span, Timestamp};

/// When every world begins.
pub(crate) const DAWN: Timestamp = Timestamp(1_800_000_000_000_000);

/// What is told of a run.
#[derive(Debug)]
pub(crate) struct Trace {
    hasher: blake3::Hasher,
    line: String,
    listener: Option<fn(&str)>,
    lines: u64,
}

impl Trace {
    /// A trace that also shows each line to `listener`.
    pub(crate) fn new(listener: Option<fn(&str)>) -> Self {
        Self { hasher: blake3::Hasher::new(), line: String::new(), listener, lines: 0 }
    }

    /// Something happened.
    pub(crate) fn say(&mut self, now: Timestamp, what: Arguments<'_>) {
        let Span(micros) = now.since(DAWN);
        self.line.clear();
        write!(self.line, "{:>5}.{:06} {what}", micros / 1_000_000, micros % 1_000_000)
            .expect("strings take any text");
        if let Some(listener) = self.listener {
            listener(&self.line);
        }
        self.lines += 1;
        self.hasher.update(self.line.as_bytes()).update(b"\n");
    }

    /// Bytes that are part of the story but that nobody reads.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// How many lines there were.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// The digest of the whole story.
    pub(crate) fn digest(&self) -> Digest {
        Digest(*self.hasher.finalize().as_bytes())
    }
}
