//! Labels, the three intervals and explicit refreshes.

use super::story::check;

#[test]
fn labels_are_replaced_as_a_whole() {
    check(
        "0s    given   started a                -> ready
         1s    client  labels a x=1 y=2         -> LabelsReplaced
         2s    client  labels a y=3             -> LabelsReplaced
         3s    look    a                        -> Started, y=3
         4s    client  labels a y=3             -> already
         5s    client  labels a                 -> LabelsReplaced
         6s    look    a                        -> Started",
    );
}

#[test]
fn setting_what_holds_already_records_nothing() {
    check(
        "0s    given   stopped a                -> ready
         1s    client  autostop a 15            -> already
         1s    client  autostop a 5             -> AutoStopSet
         1s    client  autostop a 5             -> already
         1s    client  autostop a 0             -> AutoStopSet
         2s    client  autoarchive a 10080      -> already
         2s    client  autoarchive a 0          -> AutoArchiveSet
         2s    client  autoarchive a 43200      -> already
         3s    client  autodelete a -1          -> already
         3s    client  autodelete a 60          -> AutoDeleteSet
         3s    client  autodelete a 60          -> already",
    );
}

#[test]
fn settings_change_in_every_state_but_the_last() {
    for state in ["pulling", "creating", "started", "stopping", "stopped", "starting", "error", "quiet"] {
        check(&format!(
            "0s    given   {state} a                -> ready
             1s    client  labels a k=v             -> LabelsReplaced
             1s    client  autostop a 5             -> AutoStopSet
             1s    client  autoarchive a 5          -> AutoArchiveSet
             1s    client  autodelete a 5           -> AutoDeleteSet
             1s    client  refresh a                -> ActivityRefreshed"
        ));
    }
}

#[test]
fn a_refresh_moves_the_idle_stop() {
    check(
        "0s    given   started a stop=1         -> ready
         50s   client  refresh a                -> ActivityRefreshed
         1m50s timer                            -> a h1 ask
         1m50s h1      used a 2m                -> StopBegan(idle) + h1 Stop(10 s)",
    );
}

#[test]
fn a_refresh_of_a_stopped_sandbox_moves_no_deadline() {
    check(
        "0s    given   stopped a delete=10      -> ready
         9m    client  refresh a                -> ActivityRefreshed
         10m   timer                            -> a DeleteBegan(Expired) + a h1 Remove",
    );
}

#[test]
fn a_refresh_does_not_keep_hung_work_alive() {
    check(
        "0s    given   starting a               -> ready
         4m    client  refresh a                -> ActivityRefreshed
         5m    timer                            -> a Failed(the host was to boot the sandbox and did not within 5 min) + a h1 Quiesce",
    );
}
