//! The opaque text that says where the next page begins.
//!
//! It names the last sandbox of a page and the key it was sorted by, so a page neither repeats nor leaves out what did
//! not move meanwhile. It carries no filter: whoever changes the filter between pages gets what comes after that place.

use std::fmt::Write as _;

use hourglass_events::{SandboxId, Timestamp};

use super::list::{Direction, QueryError, Sort};
use super::shelf::{Key, Place};

/// The first byte of each mark, to be raised when marks change.
const VERSION: u8 = 1;
const ID: usize = 16;

/// The text for the last place of a page.
pub(super) fn encode((key, id): &Place, sort: Sort, direction: Direction) -> String {
    let mut bytes = vec![VERSION, sort as u8, direction as u8];
    bytes.extend(id.0.as_u128().to_be_bytes());
    match key {
        Key::Moment(moment) => bytes.extend(moment.0.to_be_bytes()),
        Key::Number(number) => bytes.extend(number.to_be_bytes()),
        Key::Name(name) => bytes.extend(name.as_bytes()),
    }
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The place that `text` is for, if a list in this order wrote it.
pub(super) fn decode(text: &str, sort: Sort, direction: Direction) -> Result<Place, QueryError> {
    let bytes = unhex(text).ok_or(QueryError::BadCursor)?;
    let (&[version, by, towards], rest) = bytes.split_first_chunk().ok_or(QueryError::BadCursor)?;
    let (id, key) = rest.split_first_chunk::<ID>().ok_or(QueryError::BadCursor)?;
    if version != VERSION {
        return Err(QueryError::BadCursor);
    }
    if (by, towards) != (sort as u8, direction as u8) {
        return Err(QueryError::OtherOrder);
    }
    let key = match sort {
        Sort::Created | Sort::LastActivity => moment(key),
        Sort::Cpu | Sort::Memory | Sort::Disk => number(key),
        Sort::Name => str::from_utf8(key).ok().map(|name| Key::Name(name.to_owned())),
    };
    Ok((key.ok_or(QueryError::BadCursor)?, SandboxId::from_u128(u128::from_be_bytes(*id))))
}

fn moment(bytes: &[u8]) -> Option<Key> {
    Some(Key::Moment(Timestamp(u64::from_be_bytes(bytes.try_into().ok()?))))
}

fn number(bytes: &[u8]) -> Option<Key> {
    Some(Key::Number(u32::from_be_bytes(bytes.try_into().ok()?)))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}
