//! The body of every answer that is not a success.

use hourglass_events::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::moment;
use crate::problem::Answer;

/// The contract's word for answers of the API, as opposed to those of the agent inside a sandbox. The SDK chooses
/// exceptions by it.
const SOURCE: &str = "DAYTONA_API";

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub(crate) struct Envelope {
    status_code: u16,
    error: &'static str,
    message: String,
    code: &'static str,
    source: &'static str,
    path: String,
    timestamp: String,
}

impl Envelope {
    pub(crate) fn of(answer: Answer, message: String, path: &str, at: Timestamp) -> Self {
        Self {
            status_code: answer.status.as_u16(),
            error: answer.status.canonical_reason().unwrap_or("Error"),
            message,
            code: answer.code,
            source: SOURCE,
            path: path.to_owned(),
            timestamp: moment(at),
        }
    }
}
