//! Alarms: deadlines of work, idle stops that are never early, deletions of what stays stopped.

use super::story::check;

#[test]
fn work_that_takes_too_long_fails_in_every_state_with_a_deadline() {
    for (state, deadline, task) in [
        ("pulling", "30m", "fetch the snapshot and did not within 30 min"),
        ("creating", "5m", "create the sandbox and did not within 5 min"),
        ("starting", "5m", "boot the sandbox and did not within 5 min"),
        ("stopping", "1m10s", "stop the sandbox and did not within 70 s"),
    ] {
        check(&format!(
            "0s          given   {state} a     -> ready
             {deadline}  timer                 -> a Failed(the host was to {task}) + a h1 Quiesce
             {deadline}  h1 done a order=1     ->
             2h          h1 done a             -> Quiesced"
        ));
    }
}

#[test]
fn an_idle_sandbox_stops_once_its_host_says_it_was_idle() {
    check(
        "0s     given   started a              -> ready
         15m    timer                          -> a h1 ask
         15m    h1      used a 15m             -> StopBegan(idle) + h1 Stop(10 s)
         15m2s  h1      done a                 -> Exited(stopped)
         10h    look    a                      -> Stopped, exit stopped",
    );
}

#[test]
fn a_used_sandbox_is_stopped_its_interval_after_the_use() {
    check(
        "0s     given   started a              -> ready
         15m    timer                          -> a h1 ask
         15m    h1      used a 5m              ->
         25m    timer                          -> a h1 ask
         25m    h1      used a 15m             -> StopBegan(idle) + h1 Stop(10 s)",
    );
}

#[test]
fn a_command_in_flight_keeps_a_sandbox_alive() {
    check(
        "0s     given   started a stop=1       -> ready
         1m     timer                          -> a h1 ask
         1m     h1      used a 0s              ->
         2m     timer                          -> a h1 ask
         2m     h1      used a 0s              ->
         3m     timer                          -> a h1 ask
         3m     h1      used a 1m              -> StopBegan(idle) + h1 Stop(10 s)",
    );
}

#[test]
fn no_idle_alarm_is_acted_on_before_the_host_spoke_after_it_was_due() {
    check(
        "0s     given   started a stop=1       -> ready
         59s    h1      used a 59s             ->
         1m     timer                          -> a h1 ask
         1m     h1      used a 1m              -> StopBegan(idle) + h1 Stop(10 s)",
    );
}

#[test]
fn a_silent_host_is_asked_again_and_nothing_stops() {
    check(
        "0s     given   started a stop=1       -> ready
         1m     timer                          -> a h1 ask
         1m1s   timer                          -> a h1 ask
         1m2s   timer                          -> a h1 ask
         1m3s   h1      used a 3s              ->
         2m     timer                          -> a h1 ask
         2m1s   h1      gone                   ->
         2m31s  timer                          -> Suspected
         5m     h1      join                   -> Returned
         6h     h1      synced                 -> a h1 ask + a h1 ask
         6h     h1      used a 6h              -> StopBegan(idle) + h1 Stop(10 s)",
    );
}

#[test]
fn what_is_said_of_another_life_or_by_another_host_is_no_use() {
    check(
        "0s     h2      connect room=1/1/3     -> Seen
         0s     given   started a stop=1       -> ready
         1m     timer                          -> a h1 ask
         1m     h2      used a 1m              ->
         1m     h1      used a 1m order=1      ->
         1m1s   timer                          -> a h1 ask",
    );
}

#[test]
fn a_sandbox_that_never_stops_idle_is_not_asked_about() {
    check(
        "0s     given   started a stop=0       -> ready
         9h     timer                          ->",
    );
}

#[test]
fn a_changed_interval_counts_from_the_last_use() {
    check(
        "0s     given   started a stop=0       -> ready
         10m    client  autostop a 30          -> AutoStopSet
         20m    client  autostop a 25          -> AutoStopSet
         25m    timer                          -> a h1 ask
         25m    client  autostop a 0           -> AutoStopSet
         25m    h1      used a 25m             ->
         9h     client  autostop a 1           -> h1 ask + AutoStopSet
         9h     h1      used a 9h              -> StopBegan(idle) + h1 Stop(10 s)",
    );
}

#[test]
fn what_stays_stopped_is_deleted_after_its_interval() {
    check(
        "0s     given   stopped a delete=10    -> ready
         5m     client  labels a k=v           -> LabelsReplaced
         10m    timer                          -> a DeleteBegan(Expired) + a h1 Remove",
    );
}

#[test]
fn a_start_ends_the_time_spent_stopped() {
    check(
        "0s     given   stopped a delete=10 stop=0 -> ready
         9m     client  start a                -> BootBegan + h1 Boot
         9m1s   h1      done a                 -> Booted
         30m    client  stop a                 -> StopBegan + h1 Stop(10 s)
         30m1s  h1      done a                 -> Exited(stopped)
         40m1s  timer                          -> a DeleteBegan(Expired) + a h1 Remove",
    );
}

#[test]
fn a_changed_auto_delete_counts_since_the_stop() {
    check(
        "0s     given   stopped a              -> ready
         10m    client  autodelete a 20        -> AutoDeleteSet
         15m    client  autodelete a 12        -> AutoDeleteSet + DeleteBegan(Expired) + h1 Remove",
    );
}

#[test]
fn overdue_alarms_wait_for_the_hosts_after_a_takeover() {
    check(
        "0s     given   starting a             -> ready
         10s    log     crash                  -> Opened
         10s    h1      join                   -> a h1 Boot
         10s    h1      done a                 -> Booted
         10s    h1      synced                 -> a h1 ask",
    );
    check(
        "0s     given   starting a             -> ready
         4m55s  log     crash                  -> Opened
         5m5s   timer                          -> a Failed(the host was to boot the sandbox and did not within 305 s)",
    );
    check(
        "0s     given   starting a             -> ready
         4m59s  log     crash                  -> Opened
         5m8s   h1      join                   -> a h1 Boot
         5m8s   h1      done a                 -> Booted
         5m8s   h1      synced                 -> a h1 ask
         5m20s  look    a                      -> Started",
    );
}

#[test]
fn an_idle_alarm_waits_for_its_host_after_a_takeover() {
    check(
        "0s     given   started a stop=1       -> ready
         50s    log     crash                  -> Opened
         80s    timer                          -> Suspected
         5m     h1      connect                -> Returned + a h1 ask + a h1 ask
         5m     h1      used a 0s              ->
         6m     timer                          -> a h1 ask",
    );
}
