//! Pause and resume of virtual machines.

use super::story::check;

/// A world in which `vm` can be created.
fn machines(story: &str) {
    check(&format!(
        "0s    h2      connect class=linux-vm   -> Seen
         0s    client  register vm class=linux-vm -> Registered
         {story}"
    ));
}

#[test]
fn a_paused_machine_keeps_its_memory_and_runs_on_when_started() {
    machines(
        "0s    client  create a snapshot=vm     -> PullBegan + h2 Pull
         1s    h2      done a                   -> SnapshotReady + h2 Create
         2s    h2      done a                   -> Booted
         3s    client  pause a                  -> PauseBegan + h2 SaveMemory
         4s    client  pause a                  -> already
         5s    h2      done a                   -> MemorySaved
         6s    client  pause a                  -> already
         9h    client  start a                  -> ResumeBegan + h2 Resume
         9h1s  client  start a                  -> already
         9h2s  h2      done a                   -> Resumed
         9h3s  look    a                        -> Started",
    );
}

#[test]
fn a_container_has_no_memory_to_keep() {
    check(
        "0s    given   started a                -> ready
         1s    client  pause a                  -> refused: a sandbox of class container cannot be asked to pause; only virtual machines (linux-vm, windows) can",
    );
}

#[test]
fn a_paused_machine_can_be_stopped_and_booted() {
    machines(
        "0s    given   paused a snapshot=vm host=2 -> ready
         1s    client  stop a                   -> StopBegan + h2 Stop(10 s)
         2s    h2      done a stopped           -> Exited(stopped)
         3s    client  start a                  -> BootBegan + h2 Boot
         4s    h2      done a                   -> Booted",
    );
}

#[test]
fn a_start_while_pausing_waits_and_runs_it_on() {
    machines(
        "0s    given   pausing a snapshot=vm host=2 -> ready
         1s    client  start a                  -> IntentQueued(start)
         2s    h2      done a                   -> MemorySaved + ResumeBegan + h2 Resume",
    );
}

#[test]
fn a_pause_takes_back_a_start_that_waits_for_it() {
    machines(
        "0s    given   pausing a snapshot=vm host=2 -> ready
         1s    client  start a                  -> IntentQueued(start)
         2s    client  pause a                  -> IntentDropped(Replaced)
         3s    h2      done a                   -> MemorySaved",
    );
}

#[test]
fn a_stop_while_pausing_waits_and_stops_it() {
    machines(
        "0s    given   pausing a snapshot=vm host=2 -> ready
         1s    client  stop a                   -> IntentQueued(stop)
         2s    h2      done a                   -> MemorySaved + StopBegan + h2 Stop(10 s)",
    );
}

#[test]
fn a_pause_waits_for_a_boot() {
    machines(
        "0s    given   starting a snapshot=vm host=2 -> ready
         1s    client  pause a                  -> IntentQueued(pause)
         2s    client  pause a                  -> already
         3s    h2      done a                   -> Booted + PauseBegan + h2 SaveMemory",
    );
}

#[test]
fn what_does_not_run_cannot_be_paused() {
    machines(
        "0s    given   stopped a snapshot=vm host=2 -> ready
         1s    client  pause a                  -> refused: a sandbox that is Stopped cannot be asked to pause; start it first",
    );
}

#[test]
fn memory_that_cannot_be_saved_leaves_the_machine_running_with_its_fault_in_sight() {
    machines(
        "0s    given   pausing a snapshot=vm host=2 stop=0 -> ready
         1s    h2      failed a                 -> Abandoned(the sandbox's disk is not on the host any more) + h2 ask
         2s    look    a                        -> Started, fault the sandbox's disk is not on the host any more",
    );
}

#[test]
fn a_pause_nobody_hears_of_fails_because_nothing_may_run_any_more() {
    machines(
        "0s    given   pausing a snapshot=vm host=2 -> ready
         5m    timer                            -> a Failed(the host was to save the sandbox's memory and did not within 5 min) + a h2 Quiesce",
    );
}

#[test]
fn a_resume_that_fails_is_an_error() {
    machines(
        "0s    given   resuming a snapshot=vm host=2 -> ready
         1s    h2      failed a                 -> Failed(the sandbox's disk is not on the host any more) + h2 Quiesce",
    );
}

#[test]
fn a_machine_that_is_pausing_paused_or_resuming_can_be_deleted() {
    for state in ["pausing", "paused", "resuming"] {
        machines(&format!(
            "0s    given   {state} a snapshot=vm host=2 -> ready
             1s    client  delete a                 -> DeleteBegan + h2 Remove
             2s    h2      done a                   -> Removed"
        ));
    }
}

#[test]
fn an_ephemeral_machine_that_is_stopped_while_paused_is_deleted() {
    machines(
        "0s    given   paused a snapshot=vm host=2 delete=0 -> ready
         1s    client  stop a                   -> StopBegan + h2 Stop(10 s)
         2s    h2      done a stopped           -> Exited(stopped) + DeleteBegan(Ephemeral) + h2 Remove",
    );
}

#[test]
fn nothing_goes_off_while_a_machine_is_paused() {
    machines(
        "0s    given   paused a snapshot=vm host=2 stop=1 delete=5 -> ready
         200h  look    a                        -> Paused",
    );
}
