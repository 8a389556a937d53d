//! Hosts: who is chosen, who waits, who comes back.

use super::story::{check, check_bare};

#[test]
fn a_sandbox_without_a_host_waits_and_is_placed_when_one_joins() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    client  create a                 -> PullBegan(no host)
         10m   h1      connect                  -> Seen + a Placed + a h1 Pull
         39m   h1      done a                   -> SnapshotReady + h1 Create",
    );
}

#[test]
fn a_sandbox_that_nobody_can_take_fails_with_the_numbers() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    h1      connect class=windows    -> Seen
         0s    h2      connect room=1/1/2       -> Seen
         0s    client  create a                 -> PullBegan(no host)
         30m   timer                            -> a Failed(no host can take the sandbox: 2 known, 2 ready, 1 able to run its class, 0 with room) + a Quiesced
         31m   client  delete a                 -> DeleteBegan + Removed",
    );
}

#[test]
fn room_that_comes_free_goes_to_who_waits() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    client  register big size=2/2/3  -> Registered
         0s    h1      connect room=2/2/10      -> Seen
         0s    given   started a stop=0         -> ready
         0s    given   started b stop=0         -> ready
         1s    client  create c snapshot=big    -> PullBegan(no host)
         1s    client  create d                 -> PullBegan(no host)
         1s    client  create e                 -> PullBegan(no host)
         2s    client  delete a                 -> DeleteBegan + h1 Remove
         3s    h1      done a                   -> Removed + d Placed + d h1 Pull
         4s    client  delete b                 -> DeleteBegan + h1 Remove
         5s    h1      done b                   -> Removed + e Placed + e h1 Pull",
    );
}

#[test]
fn one_departure_can_make_room_for_several() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    client  register big size=2/2/6  -> Registered
         0s    h1      connect room=2/2/6       -> Seen
         0s    client  create a snapshot=big    -> PullBegan + h1 Pull
         1s    client  create c                 -> PullBegan(no host)
         1s    client  create d                 -> PullBegan(no host)
         2s    client  delete a                 -> DeleteBegan + h1 Remove
         3s    h1      done a                   -> Removed + c Placed + d Placed + c h1 Pull + d h1 Pull",
    );
}

#[test]
fn the_roomiest_host_is_chosen() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    h1      connect room=4/4/100     -> Seen
         0s    h2      connect room=4/6/100     -> Seen
         0s    client  create a                 -> PullBegan + h2 Pull
         0s    client  create b                 -> PullBegan + h2 Pull
         0s    client  create c                 -> PullBegan + h1 Pull",
    );
}

#[test]
fn a_host_that_comes_back_hears_what_is_still_owed() {
    check(
        "0s    given   creating a               -> ready
         0s    given   started b                -> ready
         1s    h1      gone                     ->
         2s    client  stop b                   -> StopBegan
         3s    h1      connect life=2           -> a h1 Create + b h1 Stop(10 s) + Seen
         4s    h1      done b                   -> Exited(stopped)
         5s    h1      connect life=2           -> a h1 Create",
    );
}

#[test]
fn a_host_that_joins_while_the_epoch_is_opened_is_heard() {
    check(
        "0s    given   creating a               -> ready
         1s    log     full                     ->
         1s    log     crash                    ->
         1s    h1      join                     ->
         1s    h1      done a                   -> not acknowledged
         1s    h1      synced                   ->
         1s    client  start a                  -> refused: the engine is not ready to decide; repeat the request in a moment
         1s500ms log   room                     ->
         2s    timer                            -> Opened + a h1 Create + a Booted
         3s    look    a                        -> Started",
    );
}
