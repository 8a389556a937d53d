//! Envelopes that this build cannot read as a whole, of which it reads what every build writes alike: the place of the
//! record, first, and the schema, in its field. What else there is may have any shape, and is not looked at.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use super::{DecodeError, exactly};
use crate::id::Seq;
use crate::record::SCHEMA;

/// The fields between the place and the schema. No later envelope may have more or fewer there.
const BETWEEN: usize = 9;

/// What `bytes` are, which are no record to this build because of `error`.
pub(super) fn judge(bytes: &[u8], error: DecodeError) -> DecodeError {
    let DecodeError::Malformed { why, .. } = &error else { return error };
    match exactly::<Outline>(bytes, "a record") {
        Ok(Outline { seq, schema }) if schema > SCHEMA => {
            DecodeError::NewerSchema { seq, found: schema, known: SCHEMA }
        }
        Ok(Outline { seq, .. }) => DecodeError::UnknownEnvelope { seq, why: why.clone() },
        Err(_) => error,
    }
}

/// Of an envelope of any build.
struct Outline {
    seq: Seq,
    schema: u32,
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the envelope of a record")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Outline, A::Error> {
        let short = || A::Error::custom("the envelope has too few fields");
        let seq = fields.next_element()?.ok_or_else(short)?;
        for _ in 0..BETWEEN {
            fields.next_element::<IgnoredAny>()?.ok_or_else(short)?;
        }
        let schema = fields.next_element()?.ok_or_else(short)?;
        // At least an event follows.
        fields.next_element::<IgnoredAny>()?.ok_or_else(short)?;
        while fields.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Outline { seq, schema })
    }
}
