//! Which status and code each problem is answered with.

use axum::http::StatusCode;
use hourglass_engine::AskError;
use hourglass_events::Fault;
use hourglass_projections::roster::QueryError;

use super::{Problem, inside, refused};
use crate::auth::Unauthenticated;

/// How a problem is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// After how many seconds repeating it may help.
    pub(crate) retry: Option<u32>,
    pub(crate) source: Source,
}

/// Who answers so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The API.
    Api,
    /// The agent inside a sandbox.
    Agent,
}

impl Answer {
    pub(super) const fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, retry: None, source: Source::Api }
    }

    pub(super) const fn retry(status: StatusCode, code: &'static str, seconds: u32) -> Self {
        Self { status, code, retry: Some(seconds), source: Source::Api }
    }
}

impl Answer {
    /// The same, said by the agent inside a sandbox.
    pub(super) const fn inside(mut self) -> Self {
        self.source = Source::Agent;
        self
    }
}

impl Problem {
    pub(crate) fn answer(&self) -> Answer {
        use StatusCode as S;
        match self {
            Self::Asked(error) => asked(error),
            Self::NotReady => Answer::retry(S::SERVICE_UNAVAILABLE, "NOT_READY", 1),
            Self::Query(QueryError::BadLimit { .. }) => Answer::new(S::BAD_REQUEST, "BAD_LIMIT"),
            Self::Query(QueryError::BadCursor | QueryError::OtherOrder) => {
                Answer::new(S::BAD_REQUEST, "BAD_CURSOR")
            }
            Self::Unauthenticated(why) => unauthenticated(why),
            Self::BadOrganization { .. } => Answer::new(S::BAD_REQUEST, "BAD_ORGANIZATION"),
            Self::Unsupported(capability) => Answer::new(S::UNPROCESSABLE_ENTITY, capability.code()),
            Self::BadLanguage { .. } => Answer::new(S::BAD_REQUEST, "BAD_LABELS"),
            Self::BadBody { .. } => Answer::new(S::BAD_REQUEST, "BAD_BODY"),
            Self::BodyTooLarge { .. } => Answer::new(S::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE"),
            Self::BadQuery | Self::BadParameter { .. } | Self::TooManyValues { .. } => {
                Answer::new(S::BAD_REQUEST, "BAD_PARAMETER")
            }
            Self::BadPath => Answer::new(S::BAD_REQUEST, "BAD_PATH"),
            Self::UnknownParameter { .. } => Answer::new(S::BAD_REQUEST, "UNKNOWN_PARAMETER"),
            Self::NothingToChange(_) => Answer::new(S::BAD_REQUEST, "NOTHING_TO_CHANGE"),
            Self::MissingParameter { .. } => Answer::new(S::BAD_REQUEST, "MISSING_PARAMETER"),
            Self::Empty(_) | Self::TooLong { .. } => Answer::new(S::BAD_REQUEST, "BAD_TEXT"),
            Self::NoForm | Self::BadForm { .. } | Self::MissingPart { .. } | Self::BadVariables => {
                Answer::new(S::BAD_REQUEST, "BAD_FORM")
            }
            Self::TooManyFiles { .. } => Answer::new(S::BAD_REQUEST, "TOO_MANY_FILES"),
            Self::NotUploaded { .. } => Answer::new(S::BAD_REQUEST, "NOT_UPLOADED").inside(),
            Self::Stalled { .. } => Answer::new(S::REQUEST_TIMEOUT, "STALLED"),
            Self::NotTerminalSocket => Answer::new(S::BAD_REQUEST, "NOT_A_WEBSOCKET"),
            Self::Dial(error) => inside::dial(error),
            Self::Inside { area, failure } => inside::failure(*area, failure),
            Self::AgentBroke { .. } => Answer::new(S::BAD_GATEWAY, "AGENT_BROKE_OFF"),
            Self::CommandTimedOut { .. } => {
                Answer::new(S::REQUEST_TIMEOUT, "PROCESS_EXECUTION_TIMEOUT").inside()
            }
            Self::Together(_) => Answer::new(S::BAD_REQUEST, "NOT_TOGETHER"),
            Self::Inherited(_) => Answer::new(S::BAD_REQUEST, "INHERITED"),
            Self::NoSuchSnapshot(_) => Answer::new(S::NOT_FOUND, "NO_SUCH_SNAPSHOT"),
            Self::NoRoute => Answer::new(S::NOT_FOUND, "NO_SUCH_PATH"),
            Self::NoParent { .. } => Answer::new(S::NOT_FOUND, "NO_PARENT"),
            Self::WrongMethod => Answer::new(S::METHOD_NOT_ALLOWED, "WRONG_METHOD"),
            Self::UrlTooLong { .. } => Answer::new(S::URI_TOO_LONG, "URL_TOO_LONG"),
            Self::HeadersTooLong { .. } => {
                Answer::new(S::REQUEST_HEADER_FIELDS_TOO_LARGE, "HEADERS_TOO_LONG")
            }
            Self::TooMany { seconds, .. } => {
                Answer::retry(S::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", *seconds)
            }
            Self::Busy { .. } => Answer::retry(S::SERVICE_UNAVAILABLE, "BUSY", 1),
            Self::Closing => Answer::retry(S::SERVICE_UNAVAILABLE, "GOING_DOWN", 1),
            Self::TimedOut { .. } => Answer::new(S::GATEWAY_TIMEOUT, "TIMED_OUT"),
            // The engine can, the machine it was given to cannot: what a client may not expect of this sandbox.
            Self::Failed { fault: Fault::Unsupported { .. } } => {
                Answer::new(S::UNPROCESSABLE_ENTITY, "UNSUPPORTED_BY_HOST")
            }
            Self::Failed { .. } => Answer::new(S::INTERNAL_SERVER_ERROR, "OPERATION_FAILED"),
            Self::NotWebSocket => Answer::new(S::BAD_REQUEST, "NOT_A_WEBSOCKET"),
        }
    }
}

/// What is said where the engine did not take a request.
fn asked(error: &AskError) -> Answer {
    use StatusCode as S;
    match error {
        AskError::Refused(refusal) => refused::answer(refusal),
        AskError::Vault { .. } => Answer::retry(S::SERVICE_UNAVAILABLE, "VAULT_UNAVAILABLE", 10),
        AskError::Ended { .. } => Answer::retry(S::SERVICE_UNAVAILABLE, "SHARD_ENDED", 10),
        AskError::Closed => Answer::retry(S::SERVICE_UNAVAILABLE, "NOT_READY", 1),
    }
}

/// What is said to whom no key, or the key of another organization, speaks for.
const fn unauthenticated(why: &Unauthenticated) -> Answer {
    use StatusCode as S;
    match why {
        Unauthenticated::Unknown => Answer::new(S::UNAUTHORIZED, "UNKNOWN_KEY"),
        Unauthenticated::Unavailable => Answer::retry(S::SERVICE_UNAVAILABLE, "KEYS_UNAVAILABLE", 1),
        Unauthenticated::OtherOrganization => Answer::new(S::FORBIDDEN, "OTHER_ORGANIZATION"),
    }
}
