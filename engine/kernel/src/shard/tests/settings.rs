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
    for state in [
        "pulling", "creating", "started", "stopping", "stopped", "starting", "error", "quiet", "pausing",
        "paused", "resuming",
    ] {
        check(&format!(
            "0s    client  register vm class=linux-vm -> Registered
             0s    h2      connect class=linux-vm   -> Seen
             0s    given   {state} a snapshot=vm host=2 -> ready
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

#[test]
fn a_network_policy_is_applied_to_what_runs_and_nothing_is_interrupted() {
    check(
        "0s    given   started a                -> ready
         1s    client  network a blocked        -> NetworkSet + h1 Hold(blocked)
         2s    h1      done a                   -> SettingsApplied
         3s    look    a                        -> Started
         4s    client  network a blocked        -> already
         5s    client  network a open           -> NetworkSet + h1 Hold(open)",
    );
}

#[test]
fn the_last_policy_set_is_the_one_that_holds() {
    check(
        "0s    given   started a                -> ready
         1s    client  network a blocked        -> NetworkSet + h1 Hold(blocked)
         2s    client  network a 10.0.0.0/8 *.a.com -> NetworkSet + h1 Hold(only 10.0.0.0/8 *.a.com)
         3s    h1      done a order=3           ->
         3s    h1      done a                   -> SettingsApplied",
    );
}

#[test]
fn a_policy_that_cannot_be_applied_is_tried_again_and_says_why() {
    check(
        "0s    given   started a stop=0         -> ready
         1s    client  network a blocked        -> NetworkSet + h1 Hold(blocked)
         2s    h1      failed a                 -> Struggled(1)
         2s    look    a                        -> Started, fault the sandbox's disk is not on the host any more
         3s    timer                            -> a h1 Hold(blocked)
         4s    h1      failed a                 -> Struggled(2)
         6s    timer                            -> a h1 Hold(blocked)
         7s    h1      done a                   -> SettingsApplied
         8s    look    a                        -> Started",
    );
}

#[test]
fn a_stop_does_not_wait_for_a_policy() {
    check(
        "0s    given   started a                -> ready
         1s    client  network a blocked        -> NetworkSet + h1 Hold(blocked)
         2s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         3s    h1      done a stopped           -> Exited(stopped)
         4s    client  start a                  -> BootBegan + h1 Boot
         5s    h1      done a                   -> Booted",
    );
}

#[test]
fn a_policy_set_while_a_sandbox_boots_is_applied_once_it_runs() {
    check(
        "0s    given   starting a               -> ready
         1s    client  network a blocked        -> NetworkSet
         2s    h1      done a                   -> Booted + h1 Hold(blocked)
         3s    h1      done a                   -> SettingsApplied",
    );
}

#[test]
fn a_policy_set_while_nothing_runs_is_brought_by_the_next_boot() {
    check(
        "0s    given   stopped a                -> ready
         1s    client  network a blocked        -> NetworkSet
         2s    client  start a                  -> BootBegan + h1 Boot
         3s    h1      done a                   -> Booted",
    );
}

#[test]
fn a_policy_owed_survives_a_crash_and_a_lost_connection() {
    check(
        "0s    given   started a                -> ready
         1s    client  network a blocked        -> NetworkSet + h1 Hold(blocked)
         2s    log     crash                    -> Opened
         3s    h1      join                     -> a h1 Hold(blocked)
         4s    h1      synced                   -> a h1 ask
         5s    h1      done a                   -> SettingsApplied",
    );
}

#[test]
fn what_exits_while_its_policy_is_applied_has_stopped() {
    check(
        "0s    given   started a                -> ready
         1s    client  network a blocked        -> NetworkSet + h1 Hold(blocked)
         2s    h1      exited a oom             -> Exited(out of memory)
         3s    look    a                        -> Stopped, exit out of memory",
    );
}

#[test]
fn previews_are_opened_and_closed_in_any_state() {
    check(
        "0s    given   stopped a                -> ready
         1s    client  public a                 -> PublicSet
         2s    client  public a                 -> already
         3s    client  private a                -> PublicSet",
    );
}
