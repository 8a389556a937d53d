//! Forms with files: reading their parts piece by piece, and writing the heads of parts.

use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use tokio::time::timeout;

use crate::problem::Problem;
use crate::shared::Inner;

/// How long a client may take to send the next piece of a file.
const STALL: Duration = Duration::from_secs(60);

/// The next part.
pub(crate) async fn next<'a>(form: &'a mut Multipart, shared: &Inner) -> Result<Option<Field<'a>>, Problem> {
    let part = timeout(STALL, form.next_field()).await.map_err(|_| Problem::Stalled { after: STALL })?;
    part.map_err(|error| broken(&error, shared))
}

/// The next piece of a part.
pub(crate) async fn chunk(field: &mut Field<'_>, shared: &Inner) -> Result<Option<Bytes>, Problem> {
    let chunk = timeout(STALL, field.chunk()).await.map_err(|_| Problem::Stalled { after: STALL })?;
    chunk.map_err(|error| broken(&error, shared))
}

/// A part that is a text of at most this many bytes.
pub(crate) async fn text(field: &mut Field<'_>, shared: &Inner, most: usize) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = chunk(field, shared).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            return Err(Problem::TooLong { what: "a path", found: bytes.len(), most });
        }
    }
    String::from_utf8(bytes).map_err(|_| Problem::BadForm { found: "a path that is not UTF-8".to_owned() })
}

fn broken(error: &MultipartError, shared: &Inner) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge { most: shared.settings.upload },
        _ => Problem::BadForm { found: error.body_text() },
    }
}

/// What stands before the content of a part.
pub(crate) fn head(boundary: &str, name: &str, file: &str, content_type: &str) -> String {
    let file = file_name(file);
    format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; {file}\r\nContent-Type: {content_type}\r\n\r\n"
    )
}

/// A file's name as a header says it: as well as that can be for old readers, and exactly for others.
pub(crate) fn file_name(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if (' '..='~').contains(&c) && !"\"\\".contains(c) { c } else { '_' }).collect();
    let exact = name.bytes().fold(String::new(), |mut exact, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            exact.push(char::from(byte));
        } else {
            let _ = write!(exact, "%{byte:02X}");
        }
        exact
    });
    format!("filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_spelt_so_that_strict_readers_take_it() {
        assert_eq!(file_name("a/b.txt"), "filename=\"a/b.txt\"; filename*=UTF-8''a%2Fb.txt");
    }

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        let name = file_name("a\"\r\nb é");
        assert_eq!(name, "filename=\"a___b _\"; filename*=UTF-8''a%22%0D%0Ab%20%C3%A9");
    }
}
