//! Start and stop: with grace, by force, and both again.

use super::story::check;

#[test]
fn a_stop_gives_processes_their_grace_and_files_stay() {
    check(
        "0s    given   started a                -> ready
         1s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         5s    h1      done a stopped           -> Exited(stopped)
         6s    client  start a                  -> BootBegan + h1 Boot
         7s    h1      done a                   -> Booted
         8s    client  stop a 30s               -> StopBegan + h1 Stop(30 s)
         9s    look    a                        -> Stopping",
    );
}

#[test]
fn a_grace_lasts_an_hour_at_most() {
    check(
        "0s    given   started a                -> ready
         1s    client  stop a 90m               -> refused: a stop that waits 90 min for processes to end was asked for; it may wait at most 60 min, or force it
         2s    client  stop a 60m               -> StopBegan + h1 Stop(60 min)
         3s    client  stop a 61m               -> refused: a stop that waits 61 min for processes to end was asked for; it may wait at most 60 min, or force it
         4s    look    a                        -> Stopping",
    );
}

#[test]
fn a_forced_stop_kills_at_once() {
    check(
        "0s    given   started a                -> ready
         1s    client  stop a force             -> StopBegan + h1 Stop(0 µs)
         2s    h1      done a                   -> Exited(killed)
         3s    look    a                        -> Stopped, exit killed",
    );
}

#[test]
fn force_sharpens_a_stop_under_way_once() {
    check(
        "0s    given   started a                -> ready
         1s    client  stop a 30s               -> StopBegan + h1 Stop(30 s)
         2s    client  stop a                   -> already
         3s    client  stop a force             -> StopForced + h1 Stop(0 µs)
         4s    client  stop a force             -> already
         5s    client  stop a 10s               -> already
         6s    h1      done a order=3           ->
         7s    h1      done a order=4           -> Exited(killed)",
    );
}

#[test]
fn what_is_stopped_cannot_be_stopped_again() {
    check(
        "0s    given   stopped a                -> ready
         1s    client  stop a                   -> refused: a sandbox that is Stopped cannot be asked to stop; nothing of it runs
         2s    client  stop a force             -> refused: a sandbox that is Stopped cannot be asked to stop; nothing of it runs",
    );
}

#[test]
fn what_runs_or_is_about_to_is_not_started_again() {
    check(
        "0s    given   started a                -> ready
         0s    given   starting b               -> ready
         0s    given   creating c               -> ready
         1s    client  start a                  -> already
         1s    client  start b                  -> already
         1s    client  start c                  -> already",
    );
}

#[test]
fn an_errored_sandbox_is_neither_started_nor_stopped() {
    check(
        "0s    given   quiet a                  -> ready
         1s    client  start a                  -> refused: a sandbox that is Error cannot be asked to start; recover or delete it
         1s    client  stop a                   -> refused: a sandbox that is Error cannot be asked to stop; recover or delete it",
    );
}

#[test]
fn a_sandbox_that_is_being_deleted_takes_no_command_but_delete() {
    check(
        "0s    given   deleting a               -> ready
         1s    client  start a                  -> refused: a sandbox that is Deleting cannot be asked to start; it is being deleted
         1s    client  stop a                   -> refused: a sandbox that is Deleting cannot be asked to stop; it is being deleted
         1s    client  labels a k=v             -> refused: a sandbox that is Deleting cannot be asked to change; it is being deleted
         1s    client  autostop a 5             -> refused: a sandbox that is Deleting cannot be asked to change; it is being deleted
         1s    client  refresh a                -> refused: a sandbox that is Deleting cannot be asked to change; it is being deleted
         1s    client  delete a                 -> already
         2s    h1      done a                   -> Removed
         3s    client  delete a                 -> refused: there is no sandbox \"a\"",
    );
}

#[test]
fn a_stop_by_somebody_elses_client_finds_nothing() {
    check(
        "0s    given    started a               -> ready
         1s    stranger stop a                  -> refused: there is no sandbox \"a\"",
    );
}
