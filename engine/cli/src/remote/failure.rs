//! Why the API did not do what was asked, and the exit code that tells programs.

use std::process::ExitCode;

use serde::Deserialize;
use ureq::Body;
use ureq::http::Response;

/// What verbs end with, beside 0, 1 for anything else that went wrong and 2 for a wrong command line.
pub(crate) const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 refused or failed; 2 the command line is wrong; 3 there is no such sandbox; 4 nobody answers; 124 the
wait was over first. `exec` and `shell` end with the command's own code, or with 125 if it could not be run.";
const NOT_FOUND: u8 = 3;
const UNREACHABLE: u8 = 4;
const TIMED_OUT: u8 = 124;

/// The most bytes of a refusal that are read.
const REFUSAL_MOST: u64 = 64 * 1024;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The API says why.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its sentence.
        message: String,
    },
    /// The API will answer later.
    #[error("{message}")]
    Later {
        /// In how many seconds.
        wait: u64,
        /// Its sentence.
        message: String,
    },
    /// Nothing came back.
    #[error(
        "{api} does not answer; see that `hourglass up` runs there, or name another place with --api or --data"
    )]
    Unreachable {
        /// The API's address.
        api: String,
        /// What happened instead.
        source: Box<ureq::Error>,
    },
    /// What came back is not of this API.
    #[error("what answers at {api} is not this API; its address often ends with /api")]
    Strange {
        /// The API's address.
        api: String,
    },
    /// The address is none.
    #[error("{url:?} is no address: {found}")]
    Address {
        /// What was to be asked.
        url: String,
        /// What is wrong with it.
        found: String,
    },
    /// A state was waited for in vain.
    #[error("{sandbox} is {state} after {seconds} s")]
    TimedOut {
        /// Its name.
        sandbox: String,
        /// Where it is.
        state: String,
        /// How long was waited.
        seconds: u64,
    },
}

/// What the API says when it does not do what it is asked.
#[derive(Deserialize)]
struct Envelope {
    message: String,
}

impl Failure {
    pub(crate) fn unreachable(api: &str, source: ureq::Error) -> Self {
        Self::Unreachable { api: api.to_owned(), source: Box::new(source) }
    }

    pub(crate) fn strange(api: &str) -> Self {
        Self::Strange { api: api.to_owned() }
    }

    pub(super) fn address(url: &str, error: &ureq::http::Error) -> Self {
        Self::Address { url: url.to_owned(), found: error.to_string() }
    }

    /// What an answer says that is not a success.
    pub(super) fn answered(api: &str, mut answer: Response<Body>) -> Self {
        let status = answer.status().as_u16();
        let later = answer.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer.body_mut().with_config().limit(REFUSAL_MOST).read_to_vec().unwrap_or_default();
        let Ok(Envelope { message }) = serde_json::from_slice(&body) else { return Self::strange(api) };
        match later {
            Some(wait) => Self::Later { wait, message },
            None => Self::Refused { status, message },
        }
    }

    /// The command's exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused { status: 404, .. } => NOT_FOUND.into(),
            Self::Unreachable { .. } => UNREACHABLE.into(),
            Self::TimedOut { .. } => TIMED_OUT.into(),
            Self::Refused { .. } | Self::Later { .. } | Self::Strange { .. } | Self::Address { .. } => {
                ExitCode::FAILURE
            }
        }
    }
}
