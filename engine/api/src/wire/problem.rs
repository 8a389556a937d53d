//! The body of every answer that is not a success.

use hourglass_events::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::moment;
use crate::problem::{Problem, Source};

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub(crate) struct Envelope {
    status_code: u16,
    error: &'static str,
    message: String,
    code: &'static str,
    /// Clients choose exceptions by this and the code.
    source: &'static str,
    path: String,
    timestamp: String,
    /// One for each part that went wrong, where a request has parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<String>>,
}

impl Envelope {
    pub(crate) fn of(problem: &Problem, path: &str, at: Timestamp) -> Self {
        let answer = problem.answer();
        Self {
            status_code: answer.status.as_u16(),
            error: answer.status.canonical_reason().unwrap_or("Error"),
            message: problem.to_string(),
            code: answer.code,
            source: match answer.source {
                Source::Api => "DAYTONA_API",
                Source::Agent => "DAYTONA_DAEMON",
            },
            path: path.to_owned(),
            timestamp: moment(at),
            errors: problem.errors().map(<[String]>::to_vec),
        }
    }
}
