//! The status and code of each refusal.

use axum::http::StatusCode as S;
use hourglass_events::{Advice, Refusal, SnapshotRefusal};

use super::Answer;

pub(super) fn answer(refusal: &Refusal) -> Answer {
    match refusal {
        Refusal::OutOfLimits { .. } => Answer::new(S::BAD_REQUEST, "OUT_OF_LIMITS"),
        Refusal::OverQuota(_) => Answer::new(S::BAD_REQUEST, "OVER_QUOTA"),
        Refusal::BadGpuType { .. } | Refusal::GpuTypeTwice(_) => Answer::new(S::BAD_REQUEST, "BAD_GPU_TYPE"),
        Refusal::NoSuchRegion { .. } => Answer::new(S::NOT_FOUND, "NO_SUCH_REGION"),
        Refusal::TooManyRegions { .. } => Answer::new(S::BAD_REQUEST, "TOO_MANY_REGIONS"),
        Refusal::NoSuchHost(_) => Answer::new(S::NOT_FOUND, "NO_SUCH_HOST"),
        Refusal::HostLost(_) => Answer::retry(S::CONFLICT, "HOST_LOST", 60),
        Refusal::BadName { .. } => Answer::new(S::BAD_REQUEST, "BAD_NAME"),
        Refusal::TooManyLabels { .. } | Refusal::BadLabel { .. } => Answer::new(S::BAD_REQUEST, "BAD_LABELS"),
        Refusal::BadCidr { .. }
        | Refusal::BadDomain { .. }
        | Refusal::TooManyDestinations { .. }
        | Refusal::NoDestination => Answer::new(S::BAD_REQUEST, "BAD_NETWORK"),
        Refusal::BadVariable { .. }
        | Refusal::TooManyVariables { .. }
        | Refusal::TooMuchEnvironment { .. } => Answer::new(S::BAD_REQUEST, "BAD_ENVIRONMENT"),
        Refusal::BadInterval { .. } => Answer::new(S::BAD_REQUEST, "BAD_INTERVAL"),
        Refusal::GraceTooLong { .. } => Answer::new(S::BAD_REQUEST, "GRACE_TOO_LONG"),
        Refusal::BadKey { .. } => Answer::new(S::BAD_REQUEST, "BAD_IDEMPOTENCY_KEY"),
        Refusal::BadText { .. } => Answer::new(S::BAD_REQUEST, "BAD_TEXT"),
        Refusal::NameTaken { .. } => Answer::new(S::CONFLICT, "NAME_TAKEN"),
        // Ids are minted here, so that one is taken is nothing a client did.
        Refusal::IdTaken(_) | Refusal::SnapshotIdTaken(_) => {
            Answer::retry(S::SERVICE_UNAVAILABLE, "ID_TAKEN", 1)
        }
        Refusal::NoSuchSandbox(_) => Answer::new(S::NOT_FOUND, "NO_SUCH_SANDBOX"),
        // The public contract has it so when creating.
        Refusal::NoSuchSnapshot(_) => Answer::new(S::BAD_REQUEST, "NO_SUCH_SNAPSHOT"),
        Refusal::Snapshot(refusal) => snapshot(refusal),
        Refusal::SnapshotTaken(_) => Answer::new(S::CONFLICT, "SNAPSHOT_TAKEN"),
        Refusal::WrongClass { .. } => Answer::new(S::BAD_REQUEST, "WRONG_CLASS"),
        Refusal::WrongState { operation: _, state: _, advice } => wrong_state(*advice),
        Refusal::Ephemeral(_) => Answer::new(S::BAD_REQUEST, "EPHEMERAL"),
        Refusal::Linked { .. } => Answer::new(S::BAD_REQUEST, "LINKED"),
        Refusal::LinkedItself { .. } => Answer::new(S::BAD_REQUEST, "LINKED_ITSELF"),
        Refusal::LinkedOutlives => Answer::new(S::BAD_REQUEST, "LINKED_MUST_BE_EPHEMERAL"),
        Refusal::LinkedApart { .. } => Answer::new(S::BAD_REQUEST, "LINKED_APART"),
        Refusal::HasForks { .. } => Answer::new(S::BAD_REQUEST, "HAS_FORKS"),
        Refusal::HasLinked { .. } => Answer::new(S::BAD_REQUEST, "HAS_LINKED"),
        Refusal::NotWithGpu(_) => Answer::new(S::UNPROCESSABLE_ENTITY, "NOT_WITH_GPU"),
        Refusal::NoRoomBeside { .. } => Answer::new(S::BAD_REQUEST, "NO_ROOM_BESIDE"),
        Refusal::NotRecoverable { .. } => Answer::new(S::BAD_REQUEST, "NOT_RECOVERABLE"),
        Refusal::Busy { .. } => Answer::retry(S::CONFLICT, "BUSY", 1),
        Refusal::NotForClass { .. } => Answer::new(S::UNPROCESSABLE_ENTITY, "NOT_FOR_CLASS"),
        Refusal::NothingToResize | Refusal::DiskShrinks { .. } | Refusal::NotWhileRunning { .. } => {
            Answer::new(S::BAD_REQUEST, "BAD_RESIZE")
        }
        Refusal::MustStayEphemeral => Answer::new(S::BAD_REQUEST, "MUST_STAY_EPHEMERAL"),
        Refusal::KeyReused(_) => Answer::new(S::CONFLICT, "IDEMPOTENCY_KEY_REUSED"),
        Refusal::Unsupported(_) => Answer::new(S::UNPROCESSABLE_ENTITY, "UNSUPPORTED_BY_HOST"),
        Refusal::TooLarge { .. } => Answer::new(S::PAYLOAD_TOO_LARGE, "TOO_LARGE"),
        Refusal::StorageFull => Answer::retry(S::SERVICE_UNAVAILABLE, "STORAGE_FULL", 10),
        Refusal::Overloaded { .. } => Answer::retry(S::TOO_MANY_REQUESTS, "OVERLOADED", 1),
        Refusal::Fenced => Answer::retry(S::SERVICE_UNAVAILABLE, "FENCED", 1),
        Refusal::NotReady => Answer::retry(S::SERVICE_UNAVAILABLE, "NOT_READY", 1),
    }
}

/// What is wrong with a snapshot, or with what one is made of.
fn snapshot(refusal: &SnapshotRefusal) -> Answer {
    match refusal {
        SnapshotRefusal::NameTaken { .. } => Answer::new(S::CONFLICT, "SNAPSHOT_TAKEN"),
        SnapshotRefusal::BadName { .. } => Answer::new(S::BAD_REQUEST, "BAD_SNAPSHOT_NAME"),
        SnapshotRefusal::TooMany { .. } => Answer::new(S::BAD_REQUEST, "TOO_MANY_SNAPSHOTS"),
        SnapshotRefusal::State { .. } => Answer::new(S::BAD_REQUEST, "WRONG_SNAPSHOT_STATE"),
        SnapshotRefusal::InUse { .. } => Answer::new(S::CONFLICT, "SNAPSHOT_IN_USE"),
        SnapshotRefusal::General(_) => Answer::new(S::FORBIDDEN, "GENERAL_SNAPSHOT"),
        SnapshotRefusal::LinkedImage(_) | SnapshotRefusal::AndImage => {
            Answer::new(S::BAD_REQUEST, "NOT_TOGETHER")
        }
        SnapshotRefusal::NotMadeOf { .. } => Answer::new(S::BAD_REQUEST, "NOT_FOR_CLASS"),
        SnapshotRefusal::BadReference { .. } => Answer::new(S::BAD_REQUEST, "BAD_IMAGE"),
        SnapshotRefusal::BadDockerfile { .. } | SnapshotRefusal::BadContext { .. } => {
            Answer::new(S::BAD_REQUEST, "BAD_BUILD")
        }
    }
}

/// At rest in a wrong state is a bad request; on the way elsewhere is a conflict.
fn wrong_state(advice: Advice) -> Answer {
    match advice {
        Advice::StartFirst
        | Advice::StopFirst
        | Advice::NothingIsWrong
        | Advice::NothingRuns
        | Advice::RecoverOrDelete
        | Advice::RebuildOrDelete => Answer::new(S::BAD_REQUEST, "WRONG_STATE"),
        Advice::BeingDeleted => Answer::new(S::CONFLICT, "BEING_DELETED"),
        Advice::NotSupportedYet => Answer::new(S::UNPROCESSABLE_ENTITY, "UNSUPPORTED_STATE"),
    }
}

#[cfg(test)]
mod tests {
    use hourglass_events::{Operation, State};

    use super::*;

    fn told(refusal: &Refusal) -> (u16, &'static str, bool) {
        let Answer { status, code, retry, .. } = answer(refusal);
        (status.as_u16(), code, retry.is_some())
    }

    #[test]
    fn what_may_pass_by_itself_says_when_to_come_back() {
        assert_eq!(told(&Refusal::StorageFull), (503, "STORAGE_FULL", true));
        assert_eq!(told(&Refusal::Overloaded { waiting: 9 }), (429, "OVERLOADED", true));
        assert_eq!(told(&Refusal::Fenced), (503, "FENCED", true));
        assert_eq!(told(&Refusal::NotReady), (503, "NOT_READY", true));
    }

    #[test]
    fn a_wrong_state_is_a_bad_request_at_rest_and_a_conflict_on_the_way_out() {
        let wrong =
            |advice| told(&Refusal::WrongState { operation: Operation::Start, state: State::Error, advice });
        assert_eq!(wrong(Advice::RecoverOrDelete), (400, "WRONG_STATE", false));
        assert_eq!(wrong(Advice::BeingDeleted), (409, "BEING_DELETED", false));
        assert_eq!(wrong(Advice::NotSupportedYet), (422, "UNSUPPORTED_STATE", false));
    }
}
