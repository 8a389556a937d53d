//! Records and groups as bytes, and back.
//!
//! A record is a MessagePack array of its envelope; the event inside is a map with field names, kept as bytes so that
//! readers of envelopes do not pay for bodies. A group is what is appended at once. Bytes that this build does not
//! fully understand are an error that says so; nothing is skipped or guessed.

mod foreign;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::event::{
    HostEventKind, OrganizationEventKind, SandboxEventKind, ShardEventKind, SnapshotEventKind,
};
use crate::id::{CorrelationId, OrganizationId, RecordId, Seq};
use crate::record::{Actor, Cause, Digest, Event, Record, SCHEMA, Subject};
use crate::time::Timestamp;

/// The most records in a group.
pub const GROUP_RECORDS_MOST: usize = 512;
/// The most bytes of the records of a group.
pub const GROUP_BYTES_MOST: usize = 256 << 10;
/// The most bytes of one record: whatever is accepted fits a group of its own.
pub const RECORD_BYTES_MOST: usize = 192 << 10;

/// The envelope on the wire, with the event's bytes left alone.
#[derive(Serialize, Deserialize)]
struct Envelope<'a, A, C>(
    Seq,
    RecordId,
    Timestamp,
    Subject,
    OrganizationId,
    u64,
    A,
    C,
    CorrelationId,
    Digest,
    u32,
    #[serde(with = "serde_bytes", borrow)] &'a [u8],
);

/// Why bytes are not a record or a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not what this codec writes.
    #[error("these bytes are not {what}: {why}")]
    Malformed {
        /// What was expected, with its article.
        what: &'static str,
        /// What the decoder found.
        why: String,
    },
    /// Written under a schema of a newer build.
    #[error("record {seq} is written in schema {found}; this build reads up to {known}, use a newer one")]
    NewerSchema {
        /// The record.
        seq: Seq,
        /// Its schema.
        found: u32,
        /// The newest this build knows.
        known: u32,
    },
    /// An envelope of another shape, or with content this build does not know.
    #[error(
        "record {seq} has an envelope this build cannot read ({why}); use the build that wrote it or a newer one"
    )]
    UnknownEnvelope {
        /// The record.
        seq: Seq,
        /// What the decoder found.
        why: String,
    },
    /// An event of a kind this build does not know.
    #[error(
        "record {seq} holds an event of the unknown kind {kind:?}; use the build that wrote it or a newer one"
    )]
    UnknownKind {
        /// The record.
        seq: Seq,
        /// The kind's name.
        kind: String,
    },
    /// A known kind with content this build does not know.
    #[error(
        "record {seq} holds a {kind} this build cannot read ({why}); use the build that wrote it or a newer one"
    )]
    UnknownContent {
        /// The record.
        seq: Seq,
        /// The kind's name.
        kind: String,
        /// What the decoder found.
        why: String,
    },
}

/// The bytes of `record`.
///
/// # Panics
/// Never: every type in a record serializes into memory.
#[must_use]
pub fn encode(record: &Record) -> Vec<u8> {
    let mut body = Vec::with_capacity(128);
    match &record.event {
        Event::Shard(event) => rmp_serde::encode::write_named(&mut body, event),
        Event::Organization(event) => rmp_serde::encode::write_named(&mut body, event),
        Event::Host(event) => rmp_serde::encode::write_named(&mut body, event),
        Event::Snapshot(event) => rmp_serde::encode::write_named(&mut body, event),
        Event::Sandbox(event) => rmp_serde::encode::write_named(&mut body, event),
    }
    .expect("events serialize into memory");
    let envelope = Envelope(
        record.seq,
        record.id,
        record.at,
        record.subject,
        record.organization,
        record.version,
        &record.actor,
        &record.cause,
        record.correlation,
        record.prev,
        record.schema,
        &body,
    );
    let mut bytes = Vec::with_capacity(body.len() + 256);
    rmp_serde::encode::write(&mut bytes, &envelope).expect("envelopes serialize into memory");
    bytes
}

/// The record in `bytes`, all of them.
pub fn decode(bytes: &[u8]) -> Result<Record, DecodeError> {
    let Envelope(seq, id, at, subject, organization, version, actor, cause, correlation, prev, schema, body) =
        exactly::<Envelope<Actor, Cause>>(bytes, "a record").map_err(|error| foreign::judge(bytes, error))?;
    if schema > SCHEMA {
        return Err(DecodeError::NewerSchema { seq, found: schema, known: SCHEMA });
    }
    let event = match subject {
        Subject::Shard(_) => {
            body_of(seq, body, |name| ShardEventKind::named(name).is_some()).map(Event::Shard)
        }
        Subject::Organization(_) => {
            body_of(seq, body, |name| OrganizationEventKind::named(name).is_some()).map(Event::Organization)
        }
        Subject::Host(_) => body_of(seq, body, |name| HostEventKind::named(name).is_some()).map(Event::Host),
        Subject::Snapshot(_) => {
            body_of(seq, body, |name| SnapshotEventKind::named(name).is_some()).map(Event::Snapshot)
        }
        Subject::Sandbox(_) => {
            body_of(seq, body, |name| SandboxEventKind::named(name).is_some()).map(Event::Sandbox)
        }
    }?;
    Ok(Record { seq, id, at, subject, organization, version, actor, cause, correlation, prev, schema, event })
}

/// What the record in `bytes` is about. Nothing else of it is decoded, which takes a fraction of the time.
pub fn subject(bytes: &[u8]) -> Result<Subject, DecodeError> {
    match exactly::<Envelope<IgnoredAny, IgnoredAny>>(bytes, "a record") {
        Ok(envelope) => Ok(envelope.3),
        Err(error) => Err(foreign::judge(bytes, error)),
    }
}

/// What is appended at once: records that become durable together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The slot that opened the writer's epoch; a group that opens one names its own slot.
    pub epoch: u64,
    /// The how-many-eth group of the shard this is, from 1.
    pub number: u64,
    /// Drawn by the writer at its start, so that two writers' bytes never agree.
    pub nonce: u128,
    /// The [digest](GroupView::digest) of the group in front of it.
    pub previous: Digest,
    /// The records' bytes, 1 to 512.
    pub records: Vec<Vec<u8>>,
}

/// The most bytes a group takes beside its records, and for the length of each.
const GROUP_HEAD_MOST: usize = 96;
const LENGTH_MOST: usize = 5;

/// The head (epoch, number, nonce, the group in front, the length of each record), and then the records, one behind the
/// other up to the end of the frame.
#[derive(Serialize, Deserialize)]
struct GroupWire<'a>(u64, u64, u128, Digest, Vec<u32>, #[serde(with = "serde_bytes", borrow)] &'a [u8]);

impl Group {
    /// The group as one frame.
    ///
    /// # Panics
    /// Never: every part serializes into memory.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let records = self.records.iter().map(Vec::as_slice).collect();
        let (epoch, number, nonce, previous) = (self.epoch, self.number, self.nonce, self.previous);
        GroupView { epoch, number, nonce, previous, records }.encode()
    }

    /// The group in `frame`, all of it. Records are not decoded.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        let view = GroupView::decode(frame)?;
        let records = view.records.iter().map(|record| record.to_vec()).collect();
        Ok(Self {
            epoch: view.epoch,
            number: view.number,
            nonce: view.nonce,
            previous: view.previous,
            records,
        })
    }
}

/// A group whose records lie elsewhere, in the frame or where they were encoded, for those in a hurry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupView<'a> {
    /// As [`Group::epoch`].
    pub epoch: u64,
    /// As [`Group::number`].
    pub number: u64,
    /// As [`Group::nonce`].
    pub nonce: u128,
    /// As [`Group::previous`].
    pub previous: Digest,
    /// The records' bytes.
    pub records: Vec<&'a [u8]>,
}

impl<'a> GroupView<'a> {
    /// The group as one frame.
    ///
    /// # Panics
    /// Never: every part serializes into memory.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let size: usize = self.records.iter().map(|record| record.len() + LENGTH_MOST).sum();
        let mut frame = Vec::with_capacity(size + GROUP_HEAD_MOST);
        let length = |record: &&[u8]| u32::try_from(record.len()).unwrap_or(u32::MAX);
        let lengths = self.records.iter().map(length).collect();
        let records = self.records.concat();
        let wire = GroupWire(self.epoch, self.number, self.nonce, self.previous, lengths, &records);
        rmp_serde::encode::write(&mut frame, &wire).expect("groups serialize into memory");
        frame
    }

    /// The group in `frame`, all of it.
    pub fn decode(frame: &'a [u8]) -> Result<Self, DecodeError> {
        let GroupWire(epoch, number, nonce, previous, lengths, mut rest) = exactly(frame, "a group")?;
        let malformed = |why| DecodeError::Malformed { what: "a group", why };
        if lengths.is_empty() || lengths.len() > GROUP_RECORDS_MOST || rest.len() > GROUP_BYTES_MOST {
            return Err(malformed(format!("it has {} records of {} bytes", lengths.len(), rest.len())));
        }
        let mut records = Vec::with_capacity(lengths.len());
        for length in lengths {
            let parts = rest.split_at_checked(usize::try_from(length).unwrap_or(usize::MAX));
            let cut_off = || malformed("its records are longer than it is".to_owned());
            let (record, after) = parts.ok_or_else(cut_off)?;
            records.push(record);
            rest = after;
        }
        if !rest.is_empty() {
            return Err(malformed(format!("{} bytes in it belong to no record", rest.len())));
        }
        Ok(Self { epoch, number, nonce, previous, records })
    }

    /// What the next group names as the one in front of it: BLAKE3 of everything in `frame` that is in front of the
    /// records, and of the digest of the `last` record.
    ///
    /// That covers every byte: a record names the digest of the one before it, so the last one vouches for all of them,
    /// and nothing stands behind or between them.
    #[must_use]
    pub fn digest(&self, frame: &[u8], last: Digest) -> Digest {
        let records: usize = self.records.iter().map(|record| record.len()).sum();
        let head = &frame[..frame.len().saturating_sub(records)];
        Digest::of_parts([head, &last.0])
    }
}

/// Exactly one value in `bytes`: what follows it would be a guess.
fn exactly<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &'static str) -> Result<T, DecodeError> {
    let malformed = |why: String| DecodeError::Malformed { what, why };
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    let value = T::deserialize(&mut reader).map_err(|error| malformed(error.to_string()))?;
    // The reader does not say how far it came, but only at its end does it find no further marker.
    match <()>::deserialize(&mut reader) {
        Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => Ok(value),
        Ok(()) | Err(_) => Err(malformed("more bytes follow its end".to_owned())),
    }
}

/// The event in `body`; an error tells an unknown kind from unknown content.
fn body_of<T: DeserializeOwned>(
    seq: Seq,
    body: &[u8],
    known: impl Fn(&str) -> bool,
) -> Result<T, DecodeError> {
    exactly(body, "an event").map_err(|error| match kind_of(body) {
        Some(kind) if !known(&kind) => DecodeError::UnknownKind { seq, kind },
        Some(kind) => DecodeError::UnknownContent { seq, kind, why: error.to_string() },
        None => error,
    })
}

/// The name an event body begins with: a bare string, or the one key of a map.
fn kind_of(body: &[u8]) -> Option<String> {
    let name = if body.first() == Some(&0x81) { &body[1..] } else { body };
    let mut reader = rmp_serde::Deserializer::from_read_ref(name);
    <&str>::deserialize(&mut reader).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests;
