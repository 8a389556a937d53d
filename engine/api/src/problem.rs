//! Why a request is not answered as hoped, and with which status and code.

mod answer;
mod inside;
mod refused;

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use hourglass_agent::Failure;
use hourglass_engine::{AskError, DialError};
use hourglass_events::{Fault, Refusal, SandboxId};
use hourglass_projections::roster::QueryError;

use crate::auth::Unauthenticated;
use crate::capability::Capability;
use crate::wire::language::TOOLBOX_LANGUAGE;
pub(crate) use answer::{Answer, Source};
pub(crate) use inside::Area;

/// What was found, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// The engine refused it.
    #[error(transparent)]
    Asked(#[from] AskError),
    /// A list cannot be given.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Nobody is known to ask.
    #[error(transparent)]
    Unauthenticated(#[from] Unauthenticated),
    /// What names no organization.
    #[error("{found:?} is not an organization's id; send a UUID, or none with a key that implies it")]
    BadOrganization {
        /// What was sent.
        found: String,
    },
    /// It is not done yet.
    #[error("{} is not supported by this server yet", .0.phrase())]
    Unsupported(Capability),
    /// A language that sandboxes cannot be labelled with.
    #[error(
        "the label {TOOLBOX_LANGUAGE} is {found:?}; it may be python, typescript or javascript, or left out"
    )]
    BadLanguage {
        /// What was sent.
        found: String,
    },
    /// The body cannot be read.
    #[error("the body cannot be read at {place:?}: {found}")]
    BadBody {
        /// The path of the field.
        place: String,
        /// What is wrong with it.
        found: String,
    },
    /// A sandbox that is no fork.
    #[error("sandbox {id} was not forked from another; it has no parent")]
    NoParent {
        /// The sandbox.
        id: SandboxId,
    },
    /// The body is too long.
    #[error("the body is longer than {most} bytes; shorten it")]
    BodyTooLarge {
        /// The most bytes.
        most: usize,
    },
    /// The query is no query.
    #[error("the query cannot be read; encode it as name=value pairs in UTF-8, without zero bytes")]
    BadQuery,
    /// The path is no path.
    #[error("the path cannot be read; encode it in UTF-8")]
    BadPath,
    /// A parameter that cannot be one.
    #[error("{found:?} is not a value of {name}; send {allowed}")]
    BadParameter {
        /// Its name.
        name: &'static str,
        /// What was sent.
        found: String,
        /// What would do.
        allowed: &'static str,
    },
    /// More values of a parameter than are looked at.
    #[error("{name} is given {found} times; give it at most {most} times")]
    TooManyValues {
        /// Its name.
        name: &'static str,
        /// How many came.
        found: usize,
        /// The most.
        most: usize,
    },
    /// A parameter that nothing here has.
    #[error("there is no parameter {name:?} here; leave it out")]
    UnknownParameter {
        /// Its name.
        name: String,
    },
    /// A change that changes nothing.
    #[error("nothing to change is named; send {0}")]
    NothingToChange(&'static str),
    /// A parameter that must be given.
    #[error("the parameter {name:?} is missing; send it")]
    MissingParameter {
        /// Its name.
        name: &'static str,
    },
    /// A text that must not be empty.
    #[error("{0} is empty; send one")]
    Empty(&'static str),
    /// A text that is too long.
    #[error("{what} has {found} bytes; at most {most} are taken")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// How long it is.
        found: usize,
        /// The most.
        most: usize,
    },
    /// The body is no form.
    #[error("the body is no form; send multipart/form-data with a boundary")]
    NoForm,
    /// The form cannot be read.
    #[error("the form cannot be read: {found}")]
    BadForm {
        /// What is wrong with it.
        found: String,
    },
    /// A part of a form is not there.
    #[error("the form has no part {name:?}; send it")]
    MissingPart {
        /// Its name.
        name: &'static str,
    },
    /// More files than are taken at once.
    #[error("{found} files or more were named; at most {most} are taken at once")]
    TooManyFiles {
        /// How many.
        found: usize,
        /// The most.
        most: usize,
    },
    /// Some files could not be written.
    #[error("{} of the files could not be written: {}", errors.len(), errors.join("; "))]
    NotUploaded {
        /// Which, and why.
        errors: Vec<String>,
    },
    /// The body does not come.
    #[error("the body did not come within {} s; send it without pausing", after.as_secs())]
    Stalled {
        /// How long it was waited for.
        after: Duration,
    },
    /// Variables that cannot be read.
    #[error("the variables cannot be read; encode a JSON object of texts in URL-safe base64 without padding")]
    BadVariables,
    /// A terminal was asked for in another way than it is served.
    #[error("terminals are served to WebSockets only; ask for an upgrade")]
    NotTerminalSocket,
    /// The inside of a sandbox cannot be reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// Something inside a sandbox was not done.
    #[error("{failure}")]
    Inside {
        /// What it is about.
        area: Area,
        /// Why not.
        failure: Failure,
    },
    /// The agent inside a sandbox did not answer to the end.
    #[error("the sandbox ended or its agent broke off before it had answered: {error}")]
    AgentBroke {
        /// What was met.
        error: String,
    },
    /// A command ran longer than it might.
    #[error(
        "the command did not end within {after} s and was killed; give it a longer timeout, or run it in a session"
    )]
    CommandTimedOut {
        /// How many seconds it had.
        after: u64,
    },
    /// What cannot be asked together.
    #[error("{0} cannot be given together; leave one out")]
    Together(&'static str),
    /// Resources beside a snapshot.
    #[error("{0} comes from the snapshot and cannot be given; leave it out, or name a snapshot of that size")]
    Inherited(&'static str),
    /// No snapshot to read. To create from one that is not there is the engine's to refuse, with another status.
    #[error("there is no snapshot {0:?}; list the snapshots to see which there are")]
    NoSuchSnapshot(String),
    /// Nothing is there.
    #[error("there is nothing at this path")]
    NoRoute,
    /// Something is there that takes another method.
    #[error("this path does not take this method")]
    WrongMethod,
    /// The event socket was asked for in another way than it is served.
    #[error("events are served to WebSockets only: ask with transport=websocket and EIO=4")]
    NotWebSocket,
    /// The address is too long.
    #[error("path and query have {found} bytes; at most {most} are read")]
    UrlTooLong {
        /// How long it is.
        found: usize,
        /// The most.
        most: usize,
    },
    /// The headers are too long.
    #[error("the headers have {found} bytes; at most {most} are read")]
    HeadersTooLong {
        /// How long they are.
        found: usize,
        /// The most.
        most: usize,
    },
    /// The organization asks too often.
    #[error("an organization may ask for {most} {what} in a minute; ask again in {seconds} s")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it may.
        most: u32,
        /// When there is room for one again.
        seconds: u32,
    },
    /// Too much is in hand.
    #[error("{most} {what} are in hand already, the most there may be; repeat the request in a moment")]
    Busy {
        /// Of what.
        what: &'static str,
        /// The most.
        most: u32,
    },
    /// The server is on its way down.
    #[error("the server is going down; repeat the request in a moment")]
    Closing,
    /// The request took too long.
    #[error("the request was not done within {} s; read how far it came before repeating it", after.as_secs())]
    TimedOut {
        /// How long it had.
        after: Duration,
    },
    /// The world failed, and the sandbox is as it was.
    #[error("it was tried and failed, and the sandbox is as it was: {fault}")]
    Failed {
        /// What went wrong.
        fault: Fault,
    },
    /// The engine did not answer in time.
    #[error("the engine does not answer; repeat the request in a moment")]
    NotReady,
}

impl Problem {
    /// Whether it is a matter of one thing inside a sandbox, and others may go better.
    pub(crate) const fn is_inside(&self) -> bool {
        matches!(self, Self::Inside { .. })
    }

    /// The errors of its parts, if it has parts.
    pub(crate) fn errors(&self) -> Option<&[String]> {
        if let Self::NotUploaded { errors } = self { Some(errors) } else { None }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Asked(AskError::Refused(refusal))
    }
}

/// The body is written by the envelope, which knows the path.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.answer().status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
