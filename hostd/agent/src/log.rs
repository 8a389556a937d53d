//! What somebody wrote, as far as it is kept: the latest bytes, each with its stream, at positions that only grow.

use std::collections::VecDeque;

use crate::frame::{Bytes, CHUNK};
use crate::run::Output;

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// The latest bytes written. Positions count all bytes ever written.
#[derive(Debug, Clone, Default)]
pub struct Log {
    pieces: VecDeque<(Stream, VecDeque<u8>)>,
    start: u64,
    end: u64,
}

impl Log {
    /// Where the oldest byte that is kept stands.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Where the next byte will stand.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// How many bytes are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        usize::try_from(self.end - self.start).unwrap_or(usize::MAX)
    }

    /// Add `bytes`, and keep the latest `most` of all.
    pub fn push(&mut self, stream: Stream, bytes: &[u8], most: usize) {
        self.end += bytes.len() as u64;
        match self.pieces.back_mut() {
            Some((last, kept)) if *last == stream => kept.extend(bytes),
            Some(_) | None if bytes.is_empty() => {}
            Some(_) | None => self.pieces.push_back((stream, bytes.iter().copied().collect())),
        }
        self.cut(most);
    }

    /// Keep no more than the latest `most` bytes.
    pub fn cut(&mut self, most: usize) {
        let mut over = self.kept().saturating_sub(most);
        self.start += over as u64;
        while let Some((_, oldest)) = self.pieces.front_mut().filter(|_| over > 0) {
            let gone = over.min(oldest.len());
            oldest.drain(..gone);
            over -= gone;
            if oldest.is_empty() {
                self.pieces.pop_front();
            }
        }
    }

    /// What stands at `position`, at most a chunk of one stream, or that it is not kept; and the position after it.
    /// Nothing if it is yet to be written.
    #[must_use]
    pub fn at(&self, position: u64) -> Option<(Output, u64)> {
        if position < self.start {
            return Some((Output::Missed(self.start - position), self.start));
        }
        let mut before = usize::try_from(position - self.start).unwrap_or(usize::MAX);
        for (stream, piece) in &self.pieces {
            if before >= piece.len() {
                before -= piece.len();
                continue;
            }
            let bytes: Vec<u8> = piece.range(before..piece.len().min(before + CHUNK)).copied().collect();
            let after = position + bytes.len() as u64;
            let said = match stream {
                Stream::Out => Output::Stdout(Bytes(bytes)),
                Stream::Err => Output::Stderr(Bytes(bytes)),
            };
            return Some((said, after));
        }
        None
    }

    /// All that is kept.
    #[must_use]
    pub fn all(&self) -> Vec<Output> {
        let mut position = 0;
        let next = || {
            let (said, after) = self.at(position)?;
            position = after;
            Some(said)
        };
        std::iter::from_fn(next).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn out(text: &str) -> Output {
        Output::Stdout(text.as_bytes().into())
    }

    #[test]
    fn streams_are_kept_in_the_order_they_were_written() {
        let mut log = Log::default();
        for (stream, text) in [(Stream::Out, "a"), (Stream::Out, "b"), (Stream::Err, "c"), (Stream::Out, "d")]
        {
            log.push(stream, text.as_bytes(), 100);
        }
        assert_eq!(log.all(), [out("ab"), Output::Stderr(b"c".as_slice().into()), out("d")]);
    }

    #[test]
    fn who_is_behind_what_is_kept_is_told_how_much_it_missed() {
        let mut log = Log::default();
        log.push(Stream::Out, b"0123456789", 4);
        assert_eq!(log.at(3), Some((Output::Missed(3), 6)));
        assert_eq!(log.at(6), Some((out("6789"), 10)));
        assert_eq!(log.at(10), None);
    }

    proptest! {
        #[test]
        fn the_latest_bytes_are_kept(writes: Vec<(bool, Vec<u8>)>, most in 0_usize..50) {
            let mut log = Log::default();
            for (err, bytes) in &writes {
                log.push(if *err { Stream::Err } else { Stream::Out }, bytes, most);
            }
            let written: Vec<u8> = writes.into_iter().flat_map(|(_, bytes)| bytes).collect();
            let kept: Vec<u8> = log.all().into_iter().flat_map(|said| match said {
                Output::Stdout(bytes) | Output::Stderr(bytes) => bytes.0,
                Output::Missed(_) | Output::Ended(_) => Vec::new(),
            }).collect();
            prop_assert_eq!(kept.as_slice(), &written[written.len().saturating_sub(most)..]);
            prop_assert_eq!(log.end(), written.len() as u64);
        }
    }
}
