//! Delete: accepted wherever a sandbox is, and carried on until nothing is left.

use super::story::{check, check_bare};

#[test]
fn delete_is_accepted_in_every_state_a_sandbox_reaches() {
    for state in ["pulling", "creating", "started", "stopping", "stopped", "starting", "error", "quiet"] {
        check(&format!(
            "0s    given   {state} a                -> ready
             1s    client  delete a                 -> DeleteBegan + h1 Remove
             2s    client  delete a                 -> already
             3s    h1      done a                   -> Removed
             4s    look    a                        -> gone"
        ));
    }
}

#[test]
fn a_sandbox_that_never_had_a_host_is_gone_at_once() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    client  create a                 -> PullBegan(no host)
         1s    client  delete a                 -> DeleteBegan + Removed
         1s    look    a                        -> gone
         40m   timer                            ->",
    );
}

#[test]
fn a_report_of_superseded_work_cannot_revive_what_is_being_deleted() {
    check(
        "0s    given   creating a               -> ready
         1s    client  delete a                 -> DeleteBegan + h1 Remove
         2s    h1      done a order=2           ->
         3s    h1      failed a order=2         ->
         4s    h1      done a                   -> Removed",
    );
}

#[test]
fn a_deletion_never_gives_up() {
    check(
        "0s    given   deleting a               -> ready
         1s    h1      failed a                 -> Struggled(1)
         2s    timer                            -> a h1 Remove
         3s    h1      failed a                 -> Struggled(2)
         5s    timer                            -> a h1 Remove
         6s    h1      failed a                 -> Struggled(3)
         10s   timer                            -> a h1 Remove
         1h    look    a                        -> Deleting, fault the sandbox's disk is not on the host any more
         1h    h1      done a                   -> Removed",
    );
}

#[test]
fn a_retry_waits_for_its_time_also_when_the_host_comes_back() {
    check(
        "0s    given   deleting a               -> ready
         1s    h1      failed a                 -> Struggled(1)
         1s    h1      gone                     ->
         1s500ms h1    connect                  ->
         2s    timer                            -> a h1 Remove
         3s    h1      gone                     ->
         4s    h1      connect                  -> a h1 Remove",
    );
}

#[test]
fn an_error_owes_quiet_and_never_gives_up_either() {
    check(
        "0s    given   started a                -> ready
         1s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         2s    h1      failed a                 -> Failed(the sandbox's disk is not on the host any more) + h1 Quiesce
         3s    h1      failed a                 -> Struggled(1)
         4s    timer                            -> a h1 Quiesce
         5s    h1      done a                   -> Quiesced
         1h    look    a                        -> Error, fault the sandbox's disk is not on the host any more",
    );
}
