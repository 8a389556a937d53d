//! What hosts report: once, again, late, about older orders, from the wrong host, and exits nobody asked for.

use super::story::check;

#[test]
fn a_repeated_report_is_acknowledged_and_changes_nothing() {
    check(
        "0s    given   creating a               -> ready
         1s    h1      done a                   -> Booted
         2s    h1      done a                   ->
         3s    h1      failed a                 ->
         4s    look    a                        -> Started",
    );
}

#[test]
fn a_report_of_an_older_order_does_not_end_the_present_one() {
    check(
        "0s    given   stopped a                -> ready
         1s    client  start a                  -> BootBegan + h1 Boot
         2s    h1      done a order=2           ->
         3s    h1      failed a order=3         ->
         4s    h1      done a order=4           -> Booted",
    );
}

#[test]
fn a_report_from_another_host_changes_nothing() {
    check(
        "0s    h2      connect room=1/1/3       -> Seen
         0s    given   creating a               -> ready
         1s    h2      done a order=2           ->
         2s    h2      failed a order=2         ->
         3s    h1      done a                   -> Booted
         4s    h2      exited a oom             ->
         5s    look    a                        -> Started",
    );
}

#[test]
fn a_sandbox_that_exits_by_itself_keeps_the_cause() {
    check(
        "0s    given   started a                -> ready
         1s    h1      exited a oom             -> Exited(out of memory)
         2s    look    a                        -> Stopped, exit out of memory
         3s    client  start a                  -> BootBegan + h1 Boot
         4s    h1      done a                   -> Booted
         5s    look    a                        -> Started
         6s    h1      exited a 3               -> Exited(the entrypoint ended with code 3)",
    );
}

#[test]
fn a_late_exit_of_an_older_boot_cannot_stop_the_next_life() {
    check(
        "0s    given   started a                -> ready
         1s    h1      exited a oom             -> Exited(out of memory)
         2s    client  start a                  -> BootBegan + h1 Boot
         3s    h1      exited a oom order=2     ->
         4s    h1      done a                   -> Booted
         5s    h1      exited a oom order=2     ->
         6s    look    a                        -> Started
         7s    h1      exited a vanished        -> Exited(found gone)",
    );
}

#[test]
fn an_exit_during_a_stop_is_the_stops_to_report() {
    check(
        "0s    given   started a                -> ready
         1s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         2s    h1      exited a oom order=2     ->
         3s    h1      done a oom               -> Exited(out of memory)",
    );
}

#[test]
fn a_failure_of_any_work_leads_to_error_and_quiet() {
    for state in ["pulling", "creating", "starting", "stopping"] {
        check(&format!(
            "0s    given   {state} a                -> ready
             1s    h1      failed a                 -> Failed(the sandbox's disk is not on the host any more) + h1 Quiesce
             2s    h1      done a                   -> Quiesced"
        ));
    }
}

#[test]
fn an_ephemeral_sandbox_does_not_outlive_its_stop() {
    check(
        "0s    given   started a delete=0       -> ready
         0s    given   started b delete=0       -> ready
         0s    given   stopped c                -> ready
         1s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         2s    h1      done a                   -> Exited(stopped) + DeleteBegan(Ephemeral) + h1 Remove
         3s    h1      done a                   -> Removed
         4s    h1      exited b 0               -> Exited(the entrypoint ended with code 0) + DeleteBegan(Ephemeral) + h1 Remove
         5s    client  autodelete c 0           -> AutoDeleteSet + DeleteBegan(Ephemeral) + h1 Remove",
    );
}
