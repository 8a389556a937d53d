//! Forks: a child with the files and the memory of what runs, and a parent that is kept while it has any.

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
fn a_fork_is_there_at_once_and_boots_when_the_copy_is_made() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    look    a                        -> Forking
         2s    look    b                        -> Creating
         3s    h2      done a                   -> Forked + b CopyReady + b h2 Awaken
         4s    look    a                        -> Started
         4s    h2      done b                   -> Booted
         5s    look    b                        -> Started",
    );
}

#[test]
fn the_sandbox_must_be_in_started_state_before_forking() {
    for (state, options, refusal) in [
        ("stopped", "", "a sandbox that is Stopped cannot be asked to fork; start it first"),
        ("paused", "", "a sandbox that is Paused cannot be asked to fork; start it first"),
        ("archived", "", "a sandbox that is Archived cannot be asked to fork; start it first"),
        ("quiet", "", "a sandbox that is Error cannot be asked to fork; recover or delete it"),
        (
            "pausing",
            "",
            "a sandbox that is Pausing cannot be asked to fork until that is done; repeat it in a moment",
        ),
        (
            "starting",
            "",
            "a sandbox that is Starting cannot be asked to fork until that is done; repeat it in a moment",
        ),
        ("deleting", "", "a sandbox that is Deleting cannot be asked to fork; it is being deleted"),
    ] {
        machines(&format!(
            "0s    given   {state} a snapshot=vm host=2 {options} -> ready
             1s    client  fork a b                 -> refused: {refusal}"
        ));
    }
}

#[test]
fn containers_and_sandboxes_with_gpus_are_not_forked() {
    check(
        "0s    given   started a                -> ready
         1s    client  fork a b                 -> refused: a sandbox of class container cannot be asked to fork; only virtual machines (linux-vm, windows) can",
    );
    machines(
        "0s    h3      connect class=linux-vm room=8/16/100/1 -> Seen
         0s    client  register gpu class=linux-vm size=1/1/1/1 -> Registered
         0s    given   started a snapshot=gpu host=3 delete=0 -> ready
         1s    client  fork a b                 -> refused: a sandbox with GPUs cannot be asked to fork",
    );
}

#[test]
fn a_fork_of_a_fork_works() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    h2      done a                   -> Forked + b CopyReady + b h2 Awaken
         3s    h2      done b                   -> Booted
         4s    client  fork b c                 -> ForkBegan + c Born + h2 Fork
         5s    h2      done b                   -> Forked + c CopyReady + c h2 Awaken
         6s    h2      done c                   -> Booted
         7s    client  delete b                 -> refused: 1 forks of this sandbox still exist, such as c; delete them first",
    );
}

#[test]
fn a_forks_id_and_name_are_its_own_from_the_beginning() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         0s    given   started x snapshot=vm host=2 -> ready
         1s    client  fork a b name=x          -> refused: the name \"x\" is taken by sandbox x, which is Started; choose another or delete that one
         1s    client  fork a x name=y          -> refused: sandbox id x is in use already; mint a fresh one
         1s    client  fork a b name=twin       -> ForkBegan + b Born + h2 Fork
         2s    client  create c name=twin       -> refused: the name \"twin\" is taken by sandbox b, which is Creating; choose another or delete that one
         2s    client  create b name=other      -> refused: sandbox id b is in use already; mint a fresh one",
    );
}

#[test]
fn a_fork_without_a_name_is_called_by_its_id() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b name=none       -> ForkBegan + b Born + h2 Fork
         2s    client  fork a c name=none       -> refused: a sandbox that is Forking cannot be asked to fork until that is done; repeat it in a moment",
    );
}

#[test]
fn a_fork_asked_for_twice_under_a_key_is_one_fork() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b key=k           -> ForkBegan + b Born + h2 Fork
         1s    client  fork a c key=k name=b    -> already sandbox b
         2s    h2      done a                   -> Forked + b CopyReady + b h2 Awaken
         3s    client  fork a d key=k name=b    -> already sandbox b",
    );
}

#[test]
fn a_fork_that_fails_leaves_its_parent_running_and_its_child_in_error() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    h2      failed a                 -> Abandoned(the sandbox's disk is not on the host any more) + b Failed(not forked) + b h2 Quiesce + h2 ask
         3s    h2      done b                   -> Quiesced
         4s    client  recover b                -> refused: this sandbox cannot be recovered: sandbox a could not be forked, see what it says; delete this one, then fork it again, and there is no backup of it; delete it
         5s    client  delete b                 -> DeleteBegan + h2 Remove
         6s    h2      done b                   -> Removed
         7s    client  delete a                 -> DeleteBegan + h2 Remove",
    );
}

#[test]
fn a_fork_nobody_hears_of_is_given_up_and_its_host_told_so() {
    machines(
        "0s    given   started a snapshot=vm host=2 stop=0 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         5m1s  timer                            -> a Abandoned(the host was to fork the sandbox and did not within 5 min) + b Failed(not forked) + a h2 Hold(open) + b h2 Quiesce
         5m2s  h2      done a order=3           -> ",
    );
}

#[test]
fn what_ends_by_itself_while_it_is_forked_is_stopped_when_that_is_over() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    h2      exited a oom             -> not acknowledged
         3s    look    a                        -> Forking
         4s    h2      failed a                 -> Abandoned(the sandbox's disk is not on the host any more) + Exited(out of memory) + b Failed(not forked) + b h2 Quiesce",
    );
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    h2      exited a oom             -> not acknowledged
         3s    log     crash                    -> Opened
         4s    h2      join class=linux-vm      -> a h2 Fork
         5s    h2      exited a oom             -> not acknowledged
         6s    h2      done a                   -> Forked + Exited(out of memory) + b CopyReady + b h2 Awaken",
    );
}

#[test]
fn an_end_that_its_host_forgot_while_it_was_forked_is_asked_for() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    h2      failed a                 -> Abandoned(the sandbox's disk is not on the host any more) + b Failed(not forked) + b h2 Quiesce + h2 ask
         3s    h2      exited a vanished        -> Exited(found gone)",
    );
}

#[test]
fn a_stop_waits_for_the_fork() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    client  stop a                   -> IntentQueued(stop)
         3s    h2      done a                   -> Forked + StopBegan + b CopyReady + h2 Stop(10 s) + b h2 Awaken",
    );
}

#[test]
fn a_fork_that_is_deleted_while_it_is_made_is_made_no_more() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    client  delete b                 -> DeleteBegan + a Abandoned + h2 Remove + a h2 Hold(open)
         3s    h2      done b                   -> Removed
         4s    h2      done a                   -> SettingsApplied
         5s    client  delete a                 -> DeleteBegan + h2 Remove",
    );
}

#[test]
fn a_parent_is_not_deleted_while_it_has_live_forks() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    client  delete a                 -> refused: 1 forks of this sandbox still exist, such as b; delete them first
         3s    h2      done a                   -> Forked + b CopyReady + b h2 Awaken
         4s    h2      done b                   -> Booted
         5s    client  delete a                 -> refused: 1 forks of this sandbox still exist, such as b; delete them first
         6s    client  delete b                 -> DeleteBegan + h2 Remove
         7s    client  delete a                 -> DeleteBegan + h2 Remove",
    );
}

#[test]
fn no_timer_deletes_a_parent_while_it_has_live_forks() {
    machines(
        "0s    given   started a snapshot=vm host=2 stop=0 delete=5 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    h2      done a                   -> Forked + b CopyReady + b h2 Awaken
         3s    h2      done b                   -> Booted
         4s    client  stop a                   -> StopBegan + h2 Stop(10 s)
         5s    h2      done a                   -> Exited(stopped)
         20m   look    a                        -> Stopped, exit stopped
         21m   client  delete b                 -> DeleteBegan + a DeleteBegan(Expired) + h2 Remove + a h2 Remove",
    );
}

#[test]
fn no_stop_deletes_an_ephemeral_parent_while_it_has_live_forks() {
    machines(
        "0s    given   started a snapshot=vm host=2 stop=0 delete=0 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    h2      done a                   -> Forked + b CopyReady + b h2 Awaken
         3s    h2      done b                   -> Booted
         4s    client  stop a                   -> StopBegan + h2 Stop(10 s)
         5s    h2      done a                   -> Exited(stopped)
         6s    client  stop b                   -> StopBegan + h2 Stop(10 s)
         7s    h2      done b                   -> Exited(stopped) + DeleteBegan(Ephemeral) + a DeleteBegan(Ephemeral) + h2 Remove + a h2 Remove",
    );
}

#[test]
fn an_ephemeral_parent_that_waits_for_its_forks_can_be_started_again() {
    machines(
        "0s    given   started a snapshot=vm host=2 stop=0 delete=0 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    h2      done a                   -> Forked + b CopyReady + b h2 Awaken
         3s    client  stop a                   -> StopBegan + h2 Stop(10 s)
         4s    h2      done a                   -> Exited(stopped)
         5s    client  start a                  -> BootBegan + h2 Boot
         6s    h2      done a                   -> Booted
         7s    client  delete b                 -> DeleteBegan + h2 Remove
         8s    look    a                        -> Started",
    );
}

#[test]
fn a_fork_is_independent_of_the_original() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    h2      done a                   -> Forked + b CopyReady + b h2 Awaken
         3s    h2      done b                   -> Booted
         4s    client  stop b                   -> StopBegan + h2 Stop(10 s)
         5s    h2      done b                   -> Exited(stopped)
         6s    look    a                        -> Started
         7s    client  start b                  -> BootBegan + h2 Boot
         8s    h2      done b                   -> Booted
         9s    client  delete b                 -> DeleteBegan + h2 Remove
         10s   h2      done b                   -> Removed
         11s   look    a                        -> Started",
    );
}

#[test]
fn a_fork_finds_no_room_where_its_parents_host_is_full() {
    check(
        "0s    h2      connect class=linux-vm room=1/1/1 -> Seen
         0s    client  register vm class=linux-vm size=1/8/1 -> Registered
         0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> refused: the host of sandbox a cannot take another sandbox of class linux-vm and this size; delete or stop others there, or ask later",
    );
}

#[test]
fn a_killed_engine_makes_a_fork_once() {
    machines(
        "0s    given   started a snapshot=vm host=2 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    log     crash                    -> Opened
         3s    h2      connect class=linux-vm   -> a h2 Fork
         4s    h2      done a                   -> Forked + b CopyReady + b h2 Awaken
         5s    log     crash                    -> Opened
         6s    h2      connect class=linux-vm   -> b h2 Awaken + a h2 ask
         7s    h2      done b                   -> Booted",
    );
}
