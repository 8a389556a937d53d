//! Which API is meant, and how texts are put into its addresses.

use std::path::Path;

use anyhow::bail;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::keys::Keys;
use crate::place;

/// What need not be encoded, in paths and queries alike.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The API's address and the key to it.
pub(super) fn find(data: &Path, api: Option<&str>, key: Option<&str>) -> anyhow::Result<(String, String)> {
    let here = place::read(data)?.map(|url| format!("{url}/api"));
    let base = match (api, &here) {
        (Some(api), _) => api.trim_end_matches('/').to_owned(),
        (None, Some(here)) => here.clone(),
        (None, None) => bail!(
            "no `hourglass up` has its data in {}; start one, name its data directory with --data, or say where the \
             API is with --api or HOURGLASS_API_URL",
            data.display()
        ),
    };
    if !base.starts_with("http://") && !base.starts_with("https://") {
        bail!(
            "{base:?} is no address of an API; it begins with http:// or https://, and often ends with /api"
        );
    }
    let key = match key {
        Some(key) => key.to_owned(),
        // The key of one place is not for another to see.
        None if here.as_ref() == Some(&base) => match Keys::of(data).own()? {
            Some(key) => key,
            None => bail!("the key of this `up` was revoked; give one with --api-key or HOURGLASS_API_KEY"),
        },
        None => bail!("a key to {base} is needed; give it with --api-key or HOURGLASS_API_KEY"),
    };
    Ok((base, key))
}

/// `text` as one part of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A query, with its question mark.
pub(crate) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = pairs.into_iter().map(|(name, value)| format!("{}={}", segment(name), segment(value)));
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}
