//! The status and code of each failure inside a sandbox, and of each tunnel that could not be opened. The SDK chooses
//! exceptions by these codes.

use axum::http::StatusCode as S;
use hourglass_agent::Failure;
use hourglass_engine::{DialError, Refused};
use hourglass_events::State;

use super::Answer;

/// What a failure is about, as far as its code depends on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    /// Files.
    Files,
    /// Commands, sessions and terminals.
    Processes,
    /// The input of a command.
    Input,
}

pub(super) fn failure(area: Area, failure: &Failure) -> Answer {
    let files = area == Area::Files;
    let (status, code) = match failure {
        Failure::Missing { .. } if files => (S::NOT_FOUND, "FILE_NOT_FOUND"),
        Failure::Missing { .. } => (S::NOT_FOUND, "PROCESS_NOT_FOUND"),
        Failure::Exists { .. } => (S::CONFLICT, "CONFLICT"),
        Failure::Denied { .. } => (S::FORBIDDEN, "FILE_ACCESS_DENIED"),
        Failure::Wrong { .. } if files => (S::BAD_REQUEST, "INVALID_FILE_PATH"),
        Failure::Wrong { .. } => (S::BAD_REQUEST, "BAD_REQUEST"),
        Failure::TooMany { .. } | Failure::Unusable { .. } => {
            (S::UNPROCESSABLE_ENTITY, "UNPROCESSABLE_ENTITY")
        }
        Failure::Full { .. } => (S::UNPROCESSABLE_ENTITY, "DISK_FULL"),
        Failure::Ended { .. } if area == Area::Input => (S::GONE, "COMMAND_ALREADY_COMPLETED"),
        Failure::Ended { .. } => (S::GONE, "SESSION_ENDED"),
        Failure::System { .. } if files => (S::INTERNAL_SERVER_ERROR, "FILE_READ_FAILED"),
        Failure::System { .. } => (S::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR"),
    };
    Answer::new(status, code).inside()
}

pub(super) fn dial(error: &DialError) -> Answer {
    match error {
        DialError::Unknown(_) => Answer::new(S::NOT_FOUND, "NO_SUCH_SANDBOX"),
        DialError::NotRunning { state, .. } => not_running(*state),
        DialError::Disconnected { .. } | DialError::Silent { .. } => {
            Answer::retry(S::SERVICE_UNAVAILABLE, "HOST_UNAVAILABLE", 2)
        }
        DialError::Refused(refused) => match refused {
            // It stopped between two looks at it.
            Refused::NotRunning(_) => Answer::retry(S::CONFLICT, "IN_TRANSITION", 1),
            Refused::Agent(_) => Answer::new(S::BAD_GATEWAY, "AGENT_UNREACHABLE"),
            Refused::Port { .. } => Answer::new(S::BAD_GATEWAY, "PORT_UNREACHABLE"),
            Refused::Busy { .. } => Answer::retry(S::TOO_MANY_REQUESTS, "HOST_BUSY", 1),
            Refused::Gone => Answer::retry(S::SERVICE_UNAVAILABLE, "HOST_UNAVAILABLE", 2),
        },
    }
}

/// At rest it takes somebody to start it; on the way it takes patience.
fn not_running(state: State) -> Answer {
    match state {
        State::Stopped | State::Paused | State::Archived | State::Error | State::BuildFailed => {
            Answer::new(S::BAD_REQUEST, "WRONG_STATE")
        }
        State::Deleting | State::Deleted => Answer::new(S::CONFLICT, "BEING_DELETED"),
        State::Unknown
        | State::PendingBuild
        | State::BuildingSnapshot
        | State::PullingSnapshot
        | State::Creating
        | State::Starting
        | State::Started
        | State::Stopping
        | State::Pausing
        | State::Resuming
        | State::Archiving
        | State::Restoring
        | State::Resizing
        | State::Snapshotting
        | State::Forking => Answer::retry(S::CONFLICT, "IN_TRANSITION", 1),
    }
}
